/* tests/unit/base/test_json.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/json.h"

static json_t *load(const char *text)
{
	json_t *doc = NULL;

	assert_int_equal(json_load_bytes(text, strlen(text), "test", &doc, NULL), 0);
	return doc;
}

static void what_is_no_document_is_refused(void **state)
{
	static const char *const cases[] = {
		"",     "{", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "nul", "{\"a\":\"\\u0000\"}",
		"[1,]", "5",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *doc = NULL;
		struct error err = { 0 };

		if (json_load_bytes(cases[i], strlen(cases[i]), "test", &doc, &err) != -EBADMSG)
			fail_msg("%s is taken", cases[i]);
		assert_memory_equal(err.text, "test is not valid JSON", 22);
	}
}

static void size_and_depth_have_limits(void **state)
{
	struct buf deep = BUF_INIT(1U << 20);
	json_t *doc = NULL;

	(void)state;
	assert_int_equal(json_load_bytes("", (size_t)JSON_SIZE_MAX + 1, "test", &doc, NULL),
			 -EFBIG);
	for (int i = 0; i < 100000; i++)
		buf_add_char(&deep, '[');
	assert_int_equal(json_load_bytes(deep.data, deep.len, "test", &doc, NULL), -EBADMSG);
	buf_done(&deep);
}

static void absent_members_give_the_fallback(void **state)
{
	static const char *const cases[] = { "{}",
					     "{\"s\":null,\"b\":null,\"i\":null,\"l\":null}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(json_cleanup) json_t *doc = load(cases[i]);
		struct strv list = { 0 };
		struct json_reader rd;

		json_reader_init(&rd, "test", NULL);
		assert_string_equal(json_read_string(&rd, doc, "s", "x"), "x");
		assert_true(json_read_bool(&rd, doc, "b", true));
		assert_int_equal(json_read_int(&rd, doc, "i", 0, 9, 5), 5);
		assert_null(json_read_object(&rd, doc, "o"));
		json_read_strings(&rd, doc, "l", &list);
		assert_int_equal(list.n, 0);
		assert_null(json_read_string(&rd, NULL, "s", NULL));
		assert_int_equal(rd.r, 0);
	}
}

static void the_first_failure_names_its_place(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "{\"s\":1}", "test: in[3].s: expected a string" },
		{ "{\"b\":1}", "test: in[3].b: expected true or false" },
		{ "{\"i\":\"1\"}", "test: in[3].i: expected an integer" },
		{ "{\"i\":1.0}", "test: in[3].i: expected an integer" },
		{ "{\"i\":10}", "test: in[3].i: 10 is not between 0 and 9" },
		{ "{\"i\":-1}", "test: in[3].i: -1 is not between 0 and 9" },
		{ "{\"o\":[]}", "test: in[3].o: expected an object" },
		{ "{\"l\":{}}", "test: in[3].l: expected an array" },
		{ "{\"l\":[\"a\",1]}", "test: in[3].l[1]: expected a string" },
		{ "{\"s\":1,\"i\":10}", "test: in[3].s: expected a string" },
		{ "{}", "test: in[3].needed: is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(json_cleanup) json_t *doc = load(cases[i].text);
		struct json_place in, index;
		struct error err = { 0 };
		struct strv list = { 0 };
		struct json_reader rd;

		json_reader_init(&rd, "test", &err);
		in = json_enter(&rd, "in");
		index = json_enter_index(&rd, 3);
		(void)json_read_string(&rd, doc, "s", NULL);
		(void)json_read_bool(&rd, doc, "b", false);
		(void)json_read_int(&rd, doc, "i", 0, 9, 5);
		(void)json_read_object(&rd, doc, "o");
		json_read_strings(&rd, doc, "l", &list);
		(void)json_need_string(&rd, doc, "needed");
		json_leave(&rd, index);
		json_leave(&rd, in);
		assert_int_equal(rd.r, -EBADMSG);
		assert_string_equal(err.text, cases[i].error);
		assert_string_equal(rd.path, "test");
		strv_done(&list);
	}
}

static void a_place_too_long_is_cut(void **state)
{
	struct json_place places[100];
	struct json_reader rd;

	(void)state;
	json_reader_init(&rd, "test", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		places[i] = json_enter(&rd, "a_rather_long_name");
	assert_int_equal(strlen(rd.path), sizeof(rd.path) - 1);
	for (size_t i = ARRAY_SIZE(places); i > 0; i--)
		json_leave(&rd, places[i - 1]);
	assert_string_equal(rd.path, "test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_document_is_refused),
		cmocka_unit_test(size_and_depth_have_limits),
		cmocka_unit_test(absent_members_give_the_fallback),
		cmocka_unit_test(the_first_failure_names_its_place),
		cmocka_unit_test(a_place_too_long_is_cut),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
