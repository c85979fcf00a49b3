/* tests/unit/cmd/test_build_given.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "builder/build.h"
#include "cmd/build_given.h"
#include "image/platform.h"

static void pull_in_all_spellings(void **state)
{
	static const char *const cases[][2] = {
		{ "missing", "missing" }, { "always", "always" },     { "never", "never" },
		{ "newer", "newer" },     { "true", "always" },       { "false", "missing" },
		{ "ifnewer", "newer" },   { "ifmissing", "missing" },
	};
	struct build_request req = { .pull = NULL };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(given_pull(NULL, &req, &err), 0);
	assert_null(req.pull);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(given_pull(cases[i][0], &req, &err), 0);
		assert_string_equal(req.pull, cases[i][1]);
	}
	assert_int_equal(given_pull("often", &req, &err), -EINVAL);
	assert_string_equal(err.text, "--pull is always, missing, never or newer, not 'often'");
}

static void a_platform_of_parts(void **state)
{
	char own[PLATFORM_LEN];
	autofree char *all = given_platform("arm", "linux", "v7");
	autofree char *os_alone = given_platform(NULL, "plan9", NULL);
	autofree char *machine = given_platform("s390x", NULL, NULL);

	(void)state;
	platform_own(own);
	assert_null(given_platform(NULL, NULL, NULL));
	assert_string_equal(all, "linux/arm/v7");
	assert_string_equal(machine, "linux/s390x");
	assert_int_equal(strncmp(os_alone, "plan9/", 6), 0);
	assert_int_equal(strncmp(os_alone + 6, strchr(own, '/') + 1, strlen(os_alone + 6)), 0);
}

static void what_was_said_of_registries_goes_on(void **state)
{
	const struct given_registry given = { .tls_verify = "false", .cert_dir = "/c" };
	struct strv flags = { 0 };

	(void)state;
	given_registry(&given, &flags);
	assert_int_equal(flags.n, 2);
	assert_string_equal(flags.items[0], "--tls-verify=false");
	assert_string_equal(flags.items[1], "--cert-dir=/c");
	strv_done(&flags);
}

static void one_of_the_words_or_the_reason(void **state)
{
	struct given_only given[] = { { "rm", NULL, "true", "why" },
				      { "isolation", "oci", "default oci", "because" } };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(given_only(given, 2, &err), 0);
	given[1].text = "chroot";
	assert_int_equal(given_only(given, 2, &err), -EINVAL);
	assert_string_equal(err.text, "--isolation can only be default oci, not 'chroot': because");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pull_in_all_spellings),
		cmocka_unit_test(a_platform_of_parts),
		cmocka_unit_test(what_was_said_of_registries_goes_on),
		cmocka_unit_test(one_of_the_words_or_the_reason),
	};

	return cmocka_run_group_tests_name("cmd/build_given", tests, NULL, NULL);
}
