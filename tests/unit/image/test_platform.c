/* tests/unit/image/test_platform.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "image/document.h"
#include "image/platform.h"

static void what_people_type(void **state)
{
	static const struct {
		const char *text, *platform;
	} cases[] = {
		{ "arm64", "linux/arm64" },   { "linux/x86_64", "linux/amd64" },
		{ "aarch64", "linux/arm64" }, { "linux/arm/v6", "linux/arm/v6" },
		{ "armhf", "linux/arm/v7" },  { "windows/amd64", "windows/amd64" },
	};
	char platform[PLATFORM_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(platform_parse(cases[i].text, platform, NULL), 0);
		assert_string_equal(platform, cases[i].platform);
	}
	assert_int_equal(platform_parse("linux/", platform, NULL), -EINVAL);
	assert_int_equal(platform_parse("", platform, NULL), -EINVAL);
	assert_int_equal(platform_parse("a b", platform, NULL), -EINVAL);
	assert_int_equal(platform_parse("foo", platform, NULL), -EINVAL);
	assert_int_equal(platform_parse("linux", platform, NULL), -EINVAL);
}

static void one_alone_is_asked(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(platform_demand("linux", "amd64", NULL, &err), 0);
	assert_int_equal(platform_demand("linux", "amd64", "x86_64", &err), 0);
	assert_int_equal(platform_demand("linux", "arm", "linux/arm/v7", &err), 0);
	assert_int_equal(platform_demand(NULL, NULL, "arm64", &err), 0);
	assert_int_equal(platform_demand("linux", "amd64", "foo", &err), -EINVAL);
	assert_int_equal(platform_demand("linux", "amd64", "arm64", &err), -EINVAL);
	assert_string_equal(err.text,
			    "the image is linux/amd64, not linux/arm64, and has no other variant");
}

static void the_best_variant_is_chosen(void **state)
{
	static const struct {
		const char *wish, *list[6];
		int choice;
	} cases[] = {
		{ "linux/arm/v7", { "linux/arm/v5", "linux/arm/v6", "linux/arm/v8" }, 1 },
		{ "linux/arm/v6", { "linux/arm/v5", "linux/arm/v7" }, 0 },
		{ "linux/arm64", { "linux/arm", "linux/arm64/v8" }, 1 },
		{ "linux/arm64/v8", { "linux/amd64", "linux/arm64" }, 1 },
		{ "linux/amd64", { "linux/amd64/v3", "linux/amd64/v2", "linux/amd64" }, 2 },
		{ "linux/amd64", { "linux/amd64/v3", "linux/amd64/v2" }, 1 },
		{ "linux/amd64/v3", { "linux/amd64", "linux/amd64/v2", "linux/amd64/v4" }, 1 },
		{ "linux/amd64", { "unknown/unknown", "windows/amd64" }, -1 },
		{ "linux/amd64", { "unknown/unknown", "linux/amd64" }, 1 },
		{ "linux/amd64", { "", "linux/arm64" }, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct part parts[6] = { 0 };
		struct document index = { .is_index = true, .parts = parts };

		while (index.n < 6 && cases[i].list[index.n]) {
			parts[index.n].platform = (char *)(uintptr_t)cases[i].list[index.n];
			index.n++;
		}
		assert_int_equal(platform_choose(&index, cases[i].wish), cases[i].choice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_alone_is_asked),
		cmocka_unit_test(what_people_type),
		cmocka_unit_test(the_best_variant_is_chosen),
	};

	return cmocka_run_group_tests_name("image/platform", tests, NULL, NULL);
}
