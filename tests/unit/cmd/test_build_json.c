/* tests/unit/cmd/test_build_json.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/build_view.h"

/* What is written of one event: NULL for nothing, else one line that is an object. */
static json_t *line_of(const struct build_told *told)
{
	autofree char *text = NULL;
	json_t *doc = NULL;
	size_t len = 0;
	struct view v;

	view_init(&v, VIEW_JSON, open_memstream(&text, &len));
	view_tell(&v, told);
	view_done(&v);
	if (len == 0)
		return NULL;
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	doc = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert_true(json_is_object(doc));
	return doc;
}

static const char *value(const json_t *doc, const char *key)
{
	return json_string_value(json_object_get(doc, key));
}

static void every_event_has_its_name(void **state)
{
	(void)state;
	for (int event = BUILD_STEP; event <= BUILD_DEBUG; event++) {
		const struct build_told told = { .event = (enum build_event)event, .text = "t" };
		json_t *doc = line_of(&told);

		assert_int_equal(doc == NULL, event == BUILD_TICK);
		assert_true(!doc || (value(doc, "event") && value(doc, "time")));
		json_decref(doc);
	}
}

static void a_step_says_where_it_is(void **state)
{
	const struct build_told told = { .event = BUILD_STEP,
					 .id = 3,
					 .platform = "linux/arm64",
					 .stage = "base",
					 .number = 2,
					 .total = 5,
					 .text = "RUN \"x\"" };
	json_t *doc = line_of(&told);

	(void)state;
	assert_string_equal(value(doc, "event"), "start");
	assert_int_equal(json_integer_value(json_object_get(doc, "id")), 3);
	assert_int_equal(json_integer_value(json_object_get(doc, "number")), 2);
	assert_int_equal(json_integer_value(json_object_get(doc, "total")), 5);
	assert_string_equal(value(doc, "platform"), "linux/arm64");
	assert_string_equal(value(doc, "stage"), "base");
	assert_string_equal(value(doc, "text"), "RUN \"x\"");
	json_decref(doc);
}

/* Whatever bytes a command says, or a file has in an instruction. */
static void bytes_that_are_no_text_are_marked(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
		size_t text_len;
	} cases[] = {
		{ "plain\n", 6, "plain\n", 6 },
		{ "\xc3\xa4", 2, "\xc3\xa4", 2 },
		{ "a\xff"
		  "b",
		  3, "a?b", 3 },
		{ "\xc3", 1, "?", 1 },
		{ "a\0b", 3, "a\0b", 3 },
		{ "\0\xff", 2, "\0?", 2 },
		{ "", 0, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct build_told told = { .event = BUILD_OUTPUT,
						 .id = 1,
						 .text = cases[i].bytes,
						 .len = cases[i].len,
						 .is_error = true };
		json_t *doc = line_of(&told), *text = json_object_get(doc, "text");

		assert_string_equal(value(doc, "stream"), "stderr");
		assert_true(json_is_string(text));
		assert_int_equal(json_string_length(text), cases[i].text_len);
		assert_memory_equal(json_string_value(text), cases[i].text, cases[i].text_len);
		json_decref(doc);
	}
	for (int event = BUILD_STEP; event <= BUILD_DEBUG; event++) {
		const struct build_told told = { .event = (enum build_event)event,
						 .text = "a\xff",
						 .len = 2 };
		json_t *doc = line_of(&told);

		if (doc)
			assert_string_equal(value(doc, "text"), "a?");
		json_decref(doc);
	}
}

static void a_layer_has_its_size(void **state)
{
	const struct build_told told = {
		.event = BUILD_LAYER, .id = 1, .chain = "ab", .size = 5000000000
	};
	const struct build_told none = { .event = BUILD_LAYER, .id = 1 };
	json_t *doc = line_of(&told);

	(void)state;
	assert_string_equal(value(doc, "chain"), "ab");
	assert_true(json_integer_value(json_object_get(doc, "size")) == 5000000000);
	json_decref(doc);
	doc = line_of(&none);
	assert_null(json_object_get(doc, "chain"));
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_has_its_name),
		cmocka_unit_test(a_step_says_where_it_is),
		cmocka_unit_test(bytes_that_are_no_text_are_marked),
		cmocka_unit_test(a_layer_has_its_size),
	};

	return cmocka_run_group_tests_name("cmd/build_json", tests, NULL, NULL);
}
