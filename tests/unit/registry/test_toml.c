/* tests/unit/registry/test_toml.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "registry/toml.h"

static void what_is_read(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "{}" },
		{ "# c\n\na = \"x\" # d\r\nb=true\nc = -5\n", "{\"a\":\"x\",\"b\":true,\"c\":-5}" },
		{ "a = 'l\\n'\n\"q k\" = \"\\t\\u00e9\\\\\"",
		  "{\"a\":\"l\\\\n\",\"q k\":\"\\t\xc3\xa9\\\\\"}" },
		{ "a = [\n 'x', # c\n 'y',\n]\n", "{\"a\":[\"x\",\"y\"]}" },
		{ "a = {b = 1, c = [ ]}", "{\"a\":{\"b\":1,\"c\":[]}}" },
		{ "[[r]]\nx=1\n[[r.m]]\ny=2\n[[r.m]]\ny=3\n[[r]]\nx=4\n[t]\nz=5",
		  "{\"r\":[{\"x\":1,\"m\":[{\"y\":2},{\"y\":3}]},{\"x\":4}],\"t\":{\"z\":5}}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(json_cleanup) json_t *doc = NULL;
		autofree char *text = NULL;

		assert_int_equal(toml_parse(cases[i].text, strlen(cases[i].text), "f", &doc, NULL),
				 0);
		text = json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);
		assert_string_equal(text, cases[i].json);
	}
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "a = 1\na = 2", "f, line 2: 'a' is given twice" },
		{ "a = 1.5",
		  "f, line 1: a value is expected: \"text\", a whole number, true, false, [list] or {table}" },
		{ "\na = \"\"\"x\"\"\"", "f, line 2: strings of several lines are not read here" },
		{ "a.b = 1", "f, line 1: dotted keys are not read here; use a [table]" },
		{ "a = \"x", "f, line 1: a string does not end" },
		{ "a = 1 b = 2", "f, line 1: something stands behind the value" },
		{ "[t", "f, line 1: ']' is expected behind a table's name" },
		{ "a = 1\n[a]", "f, line 2: this name is a value already, no table" },
		{ "a = [1\nb", "f, line 2: ',' or ']' is expected in a list" },
		{ "= 1", "f, line 1: a key is expected" },
		{ "a = [[[[[[[[[[[1]]]]]]]]]]]",
		  "f, line 1: lists and tables lie too deep in each other" },
		{ "a = \"\\ud800\"", "f, line 1: that is no character" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		json_t *doc = NULL;

		assert_int_equal(toml_parse(cases[i].text, strlen(cases[i].text), "f", &doc, &err),
				 -EBADMSG);
		assert_string_equal(err.text, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests_name("registry/toml", tests, NULL, NULL);
}
