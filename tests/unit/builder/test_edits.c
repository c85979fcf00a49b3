/* tests/unit/builder/test_edits.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "builder/edits.h"
#include "builder/state.h"

static void begin(struct state *s, const char *config)
{
	static const struct scope_given given = { .args = { 0 } };
	json_t *doc = json_loads(config, 0, NULL);

	state_init_scratch(s, &given, '\\', "linux/amd64");
	(void)json_object_set_new(s->doc, "config", doc);
	(void)json_object_set_new(s->doc, "history", json_pack("[{}]"));
}

static void assert_config(const struct state *s, const char *expected)
{
	cleanup(json_cleanup) json_t *want = json_loads(expected, 0, NULL);

	assert_true(json_equal(json_object_get(s->doc, "config"), want));
}

static void a_start_sets_variables_and_drops_labels(void **state)
{
	cleanup(edits_done) struct image_edits e = { .no_base_labels = true };
	cleanup(state_done) struct state s = { .doc = NULL };

	(void)state;
	begin(&s, "{\"Labels\": {\"a\": \"b\"}, \"Env\": [\"A=1\"], \"User\": \"u\"}");
	strv_add(&s.scope.env, "A=1");
	strv_add(&e.env, "B=2");
	strv_add(&e.env, "A=3");
	assert_int_equal(edits_start(&e, &s, NULL), 0);
	assert_config(&s, "{\"Env\": [\"A=3\", \"B=2\"], \"User\": \"u\"}");
	assert_string_equal(strv_env_get(&s.scope.env, "A"), "3");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	cleanup(edits_done) struct image_edits e = { .os_version = NULL };
	cleanup(state_done) struct state s = { .doc = NULL };
	struct error err = { 0 };

	(void)state;
	begin(&s, "{}");
	strv_add(&e.env, "B=\xff");
	assert_int_equal(edits_start(&e, &s, &err), -EILSEQ);
	assert_non_null(strstr(err.text, "--env"));
}

static void the_end_takes_away_by_whole_names(void **state)
{
	cleanup(edits_done) struct image_edits e = { .os_version = "10", .no_history = true };
	cleanup(state_done) struct state s = { .doc = NULL };

	(void)state;
	begin(&s,
	      "{\"Labels\": {\"a\": \"b\", \"ab\": \"c\"}, \"Env\": [\"A=1\", \"AB=2\", \"A=3\"]}");
	strv_add(&e.unset_env, "A");
	strv_add(&e.unset_env, "none");
	strv_add(&e.unset_label, "a");
	strv_add(&e.os_features, "f");
	edits_end(&e, &s);
	assert_config(&s, "{\"Labels\": {\"ab\": \"c\"}, \"Env\": [\"AB=2\"]}");
	assert_null(json_object_get(s.doc, "history"));
	assert_string_equal(json_string_value(json_object_get(s.doc, "os.version")), "10");
	assert_int_equal(json_array_size(json_object_get(s.doc, "os.features")), 1);
}

static void members_lose_one_entry_or_all(void **state)
{
	cleanup(state_done) struct state s = { .doc = NULL };

	(void)state;
	begin(&s,
	      "{\"Env\": [\"A=1\", \"B=2\"], \"Labels\": {\"a\": \"b\"}, \"Volumes\": {\"/v\": {}, "
	      "\"/w\": {}}}");
	edits_take(&s, "Env", "A");
	edits_take(&s, "Labels", NULL);
	edits_take(&s, "Volumes", "/v");
	edits_take(&s, "ExposedPorts", "80/tcp");
	edits_take(&s, "ExposedPorts", NULL);
	assert_config(&s, "{\"Env\": [\"B=2\"], \"Volumes\": {\"/w\": {}}}");
	assert_int_equal(s.scope.env.n, 1);
	edits_take(&s, "Env", NULL);
	assert_int_equal(s.scope.env.n, 0);
	assert_config(&s, "{\"Volumes\": {\"/w\": {}}}");
}

static void what_stands_beside_the_config(void **state)
{
	cleanup(state_done) struct state s = { .doc = NULL };
	const json_t *last;

	(void)state;
	begin(&s, "{}");
	edits_set(&s, "architecture", "arm64");
	edits_comment(&s, "said");
	last = json_array_get(json_object_get(s.doc, "history"), 0);
	assert_string_equal(json_string_value(json_object_get(s.doc, "architecture")), "arm64");
	assert_string_equal(json_string_value(json_object_get(last, "comment")), "said");
	/* Without a step there is nothing to say it of. */
	(void)json_object_del(s.doc, "history");
	edits_comment(&s, "said");
	assert_null(json_object_get(s.doc, "history"));
}

static void no_edits_change_nothing(void **state)
{
	static const struct image_edits e = { .os_version = NULL };
	cleanup(state_done) struct state s = { .doc = NULL };

	(void)state;
	begin(&s, "{\"Env\": [\"A=1\"], \"Labels\": {}}");
	assert_int_equal(edits_start(&e, &s, NULL), 0);
	edits_end(&e, &s);
	assert_config(&s, "{\"Env\": [\"A=1\"], \"Labels\": {}}");
	assert_int_equal(json_array_size(json_object_get(s.doc, "history")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_sets_variables_and_drops_labels),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(the_end_takes_away_by_whole_names),
		cmocka_unit_test(members_lose_one_entry_or_all),
		cmocka_unit_test(what_stands_beside_the_config),
		cmocka_unit_test(no_edits_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
