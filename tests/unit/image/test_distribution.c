/* tests/unit/image/test_distribution.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "image/distribution.h"

static void a_release_is_named(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "ID=debian\nVERSION_ID=\"12\"\n", "debian 12" },
		{ "VERSION_ID='3.19.1'\nID=alpine", "alpine 3.19.1" },
		{ "ID=arch\n", "arch" },
		{ "ID=\"\"\n", "none" },
		{ "", "none" },
		{ "# ID=no\nNAME=x\n", "none" },
		{ "ID=\"a\\\"b\"\n", "a\"b" },
		{ "ID=a\033[1mb\n", "a[1mb" },
		{ "ID=first\nID=last\n", "last" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(distribution_done) struct distribution d = { .id = NULL };
		autofree char *said = NULL;

		distribution_parse(cases[i].text, &d);
		said = distribution_text(&d);
		assert_string_equal(said, cases[i].said);
	}
}

static void installed_packages_are_listed(void **state)
{
	struct strv names = { 0 };

	(void)state;
	packages_parse_dpkg("Package: a\nStatus: install ok installed\nVersion: 1\n\n\n"
			    "Package: b\nStatus: deinstall ok config-files\nVersion: 2\n\n"
			    "Package: d\nStatus: deinstall ok not-installed\n\n"
			    "Version: 9\n\nPackage: c\n",
			    &names);
	packages_parse_apk("P:musl\nV:1.2\n\nC:x\nP:zlib\n", &names);
	assert_int_equal(names.n, 4);
	assert_string_equal(names.items[0], "a 1");
	assert_string_equal(names.items[1], "c");
	assert_string_equal(names.items[2], "musl 1.2");
	assert_string_equal(names.items[3], "zlib");
	strv_done(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_release_is_named),
		cmocka_unit_test(installed_packages_are_listed),
	};

	return cmocka_run_group_tests_name("image/distribution", tests, NULL, NULL);
}
