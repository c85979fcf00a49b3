/* tests/unit/disk/test_tool.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "disk/tool.h"

static int sh(const char *script, struct error *err)
{
	struct strv argv = { 0 };
	int r;

	strv_add(&argv, "sh");
	strv_add(&argv, "-c");
	strv_add(&argv, script);
	r = tool_run(&argv, NULL, 0, 1234, "dash", err);
	strv_done(&argv);
	return r;
}

static void the_last_words_are_the_reason(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(sh("test \"$SOURCE_DATE_EPOCH $TZ\" = '1234 UTC'", NULL), 0);
	assert_int_equal(sh("echo one; echo two >&2; exit 1", &err), -EIO);
	assert_string_equal(err.text, "sh: two");
	assert_int_equal(sh("exit 1", &err), -EIO);
	assert_string_equal(err.text, "sh: it failed and said nothing");
}

static void one_that_is_missing_names_its_package(void **state)
{
	struct error err = { 0 };
	struct strv argv = { 0 };

	(void)state;
	strv_add(&argv, "strake-no-such-tool");
	assert_int_equal(tool_run(&argv, NULL, 0, 0, "some-package", &err), -ENOENT);
	assert_string_equal(err.text,
			    "strake-no-such-tool is not installed (package some-package)");
	strv_done(&argv);
}

/* A descriptor that cannot be synced is one only for a program that tries. */
static void syncs_are_passed_over(void **state)
{
	struct strv argv = { 0 };

	(void)state;
	strv_add(&argv, "sync");
	strv_add(&argv, "/dev/null");
	assert_int_equal(tool_run(&argv, NULL, 0, 0, "coreutils", NULL), -EIO);
	assert_int_equal(tool_run_unsynced(&argv, NULL, 0, 0, "coreutils", NULL), 0);
	strv_done(&argv);
}

static void output_is_returned(void **state)
{
	autofree char *text = NULL;
	struct strv argv = { 0 };

	(void)state;
	strv_add(&argv, "echo");
	strv_add(&argv, "words");
	assert_int_equal(tool_output(&argv, NULL, 0, "coreutils", &text, NULL), 0);
	assert_string_equal(text, "words\n");
	strv_done(&argv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_words_are_the_reason),
		cmocka_unit_test(one_that_is_missing_names_its_package),
		cmocka_unit_test(syncs_are_passed_over),
		cmocka_unit_test(output_is_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
