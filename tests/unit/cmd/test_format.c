/* tests/unit/cmd/test_format.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/macros.h"
#include "cmd/format.h"

static const char text[] = "{\"Name\": \"a\\tb\", \"Address\": null, \"Ports\": [\"80\", \"81\"],"
			   " \"State\": {\"Pid\": 7, \"Health\": null}, \"Empty\": []}";

/* What Docker prints for the same document; in a row of a table what is not there is empty. */
static void values_print_as_with_docker(void **state)
{
	static const struct {
		const char *format;
		enum format_style style;
		const char *text;
	} cases[] = {
		{ "{{.State.Pid}}", FORMAT_DOCUMENT, "7" },
		{ "<{{.Address}}>", FORMAT_DOCUMENT, "<<no value>>" },
		{ "{{.State.Health}}", FORMAT_DOCUMENT, "<no value>" },
		{ "{{json .Address}}", FORMAT_DOCUMENT, "null" },
		{ "<{{.Address}}>", FORMAT_ROW, "<>" },
		{ "{{json .Address}}", FORMAT_ROW, "null" },
		{ "{{.Ports}} {{.Empty}}", FORMAT_DOCUMENT, "[80 81] []" },
		{ "{{.Ports}}", FORMAT_ROW, "80, 81" },
		{ "{{.Name}}", FORMAT_DOCUMENT, "a\tb" },
		{ "{{.Name}}", FORMAT_ROW, "a?b" },
		{ "{{ .State.Pid }}\\t{{json .State}}\\n", FORMAT_DOCUMENT,
		  "7\t{\"Pid\":7,\"Health\":null}\n" },
		{ "no action", FORMAT_DOCUMENT, "no action" },
	};
	cleanup(json_cleanup) json_t *doc = NULL;

	(void)state;
	assert_int_equal(json_load_bytes(text, strlen(text), "text", &doc, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *line = NULL;

		assert_int_equal(format_text(doc, cases[i].format, cases[i].style, &line, NULL), 0);
		assert_string_equal(line, cases[i].text);
	}
}

static void refusals_name_the_field(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "{{.Nope}}", "--format '{{.Nope}}': there is no 'Nope'" },
		{ "{{.Address.Nope}}", "--format '{{.Address.Nope}}': there is no 'Nope'" },
		{ "{{.Name", "--format '{{.Name': an action is not closed; '}}' is missing" },
		{ "{{Name}}", "--format '{{Name}}': expected something like '{{.State.Pid}}'" },
	};
	cleanup(json_cleanup) json_t *doc = NULL;

	(void)state;
	assert_int_equal(json_load_bytes(text, strlen(text), "text", &doc, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		char *line = NULL;

		assert_int_equal(format_text(doc, cases[i].format, FORMAT_DOCUMENT, &line, &err),
				 -EINVAL);
		assert_null(line);
		assert_string_equal(err.text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_print_as_with_docker),
		cmocka_unit_test(refusals_name_the_field),
	};

	return cmocka_run_group_tests_name("cmd/format", tests, NULL, NULL);
}
