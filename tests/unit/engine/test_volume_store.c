/* tests/unit/engine/test_volume_store.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/db.h"
#include "base/id.h"
#include "engine/engine.h"
#include "engine/schema.h"
#include "engine/volume_store.h"

static const struct db_schema *const schemas[] = { &engine_schema, NULL };

static void engine_init(struct engine *engine, char *dir)
{
	*engine = (struct engine) { .root = dir, .root_fd = scratch_open(dir), .run_fd = -1 };
	assert_int_equal(db_open(":memory:", schemas, &engine->db, NULL), 0);
}

static void engine_done(struct engine *engine)
{
	db_close(engine->db);
	(void)close(engine->root_fd);
}

static void container_add(struct engine *engine, const char *id)
{
	assert_int_equal(db_run(engine->db, NULL,
				"INSERT INTO containers (id, name, created) VALUES (?1, ?1, 0)",
				"s", id),
			 0);
}

static void a_source_is_a_volume_or_none(void **state)
{
	static const struct {
		const char *below, *name;
	} cases[] = {
		{ "/volumes/a/_data", "a" },     { "/volumes/a/_data/b", NULL },
		{ "/volumes/a", NULL },          { "/volumes//_data/x", NULL },
		{ "/volumes/a/b/_data", NULL },  { "", NULL },
		{ "/containers/a/_data", NULL },
	};
	struct engine engine = { .root = *state };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *source = xasprintf("%s%s", engine.root, cases[i].below);
		autofree char *name = volume_of_source(&engine, source);

		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
	assert_null(volume_of_source(&engine, "/volumes/a/_data"));
}

static void a_volume_is_made_once_and_listed_by_name(void **state)
{
	cleanup(strv_done) struct strv labels = { 0 }, none = { 0 };
	autofree char *b = NULL, *again = NULL, *made_up = NULL;
	struct volume_list list = { .n = 0 };
	const struct volume *v;
	struct engine engine;

	engine_init(&engine, *state);
	strv_add(&labels, "k=v");
	assert_int_equal(volume_create(&engine, "b", &labels, &b, NULL), 0);
	assert_int_equal(volume_create(&engine, "b", &none, &again, NULL), 0);
	assert_int_equal(volume_create(&engine, NULL, &none, &made_up, NULL), 0);
	assert_int_equal(strlen(made_up), ID_LEN);
	scratch_put(*state, "volumes/a/_data/file", ""); /* as a run makes it: without a note */
	assert_int_equal(volume_list(&engine, &list, NULL), 0);
	assert_int_equal(list.n, 3);
	v = volume_list_find(&list, "b");
	assert_int_equal(v->labels.n, 1);
	assert_false(v->is_anonymous);
	assert_true(v->created_ns > 0);
	assert_true(volume_list_find(&list, made_up)->is_anonymous);
	assert_true(volume_list_find(&list, "a")->created_ns > 0);
	assert_null(volume_list_find(&list, "c"));
	volume_list_done(&list);
	engine_done(&engine);
}

static void what_a_container_has_or_may_have_stays(void **state)
{
	static const struct {
		const char *volume; /* that a container mounts; NULL: its config.json is damaged */
		const char *text;   /* NULL: removed */
	} cases[] = {
		{ "v", "volume v is in use by container c1; 'strake rm c1' first" },
		{ NULL, "volume v may be in use: what container c1 mounts cannot be read, it is "
			"being made or damaged ('strake system check' tells)" },
		{ "other", NULL },
	};
	struct engine engine;

	engine_init(&engine, *state);
	scratch_put(*state, "volumes/v/_data/file", "");
	container_add(&engine, "c1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *config =
			cases[i].volume
				? xasprintf("{\"mounts\": [{\"source\": \"%s/volumes/%s/_data\"}]}",
					    engine.root, cases[i].volume)
				: xstrdup("{");
		struct error err = { 0 };

		scratch_put(*state, "containers/c1/config.json", config);
		assert_int_equal(volume_remove(&engine, "v", &err), cases[i].text ? -EBUSY : 0);
		assert_string_equal(err.text, cases[i].text ? cases[i].text : "");
	}
	assert_int_equal(volume_remove(&engine, "v", NULL), -ENOENT);
	assert_int_equal(volume_remove(&engine, "../containers", NULL), -ENOENT);
	engine_done(&engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_source_is_a_volume_or_none, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_volume_is_made_once_and_listed_by_name,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_a_container_has_or_may_have_stays,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("engine/volume_store", tests, NULL, NULL);
}
