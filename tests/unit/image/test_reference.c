/* tests/unit/image/test_reference.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "image/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void names_have_one_canonical_and_one_familiar_form(void **state)
{
	static const struct {
		const char *text, *canonical, *familiar;
	} cases[] = {
		{ "web", "docker.io/library/web:latest", "web:latest" },
		{ "web:1.0", "docker.io/library/web:1.0", "web:1.0" },
		{ "library/web", "docker.io/library/web:latest", "web:latest" },
		{ "docker.io/web", "docker.io/library/web:latest", "web:latest" },
		{ "index.docker.io/web", "docker.io/library/web:latest", "web:latest" },
		{ "me/web", "docker.io/me/web:latest", "me/web:latest" },
		{ "library/me/web", "docker.io/library/me/web:latest", "library/me/web:latest" },
		{ "docker.io/a.b/web", "docker.io/a.b/web:latest", "docker.io/a.b/web:latest" },
		{ "localhost/web", "localhost/web:latest", "localhost/web:latest" },
		{ "docker.io/localhost/web", "docker.io/localhost/web:latest",
		  "docker.io/localhost/web:latest" },
		{ "reg:5000/web", "reg:5000/web:latest", "reg:5000/web:latest" },
		{ "[::1]:5000/a/b:T_1", "[::1]:5000/a/b:T_1", "[::1]:5000/a/b:T_1" },
		{ "web@sha256:" HEX, "docker.io/library/web@sha256:" HEX, "web@sha256:" HEX },
		{ "web@sha512:" HEX HEX, "docker.io/library/web@sha512:" HEX HEX,
		  "web@sha512:" HEX HEX },
		{ "web:1@sha256:" HEX, "docker.io/library/web:1@sha256:" HEX, "web:1@sha256:" HEX },
		{ "a__b/c--d/e---f.g", "docker.io/a__b/c--d/e---f.g:latest",
		  "a__b/c--d/e---f.g:latest" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char canonical[REFERENCE_MAX], familiar[REFERENCE_MAX];

		assert_int_equal(reference_canonical(cases[i].text, canonical, NULL), 0);
		assert_string_equal(canonical, cases[i].canonical);
		reference_familiar(canonical, familiar);
		assert_string_equal(familiar, cases[i].familiar);
	}
}

static void what_is_no_name_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"Web",
		"web:",
		"web:-1",
		"web:.1",
		"web:a@b",
		"-web",
		"web-",
		"a._b",
		"a..b",
		"a___b",
		"a//b",
		"a/",
		"/a",
		"a b",
		"a\nb",
		"../a",
		"a/../b",
		"web@",
		"web@md5:0",
		"web@sha256:0",
		"web@sha512:" HEX,
		"web@sha384:" HEX HEX,
		"@sha256:" HEX,
		"web@sha256:" HEX "0",
		".a/b",
		"-a.b/c",
		"a.b/",
	};
	char canonical[REFERENCE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (reference_canonical(cases[i], canonical, NULL) != -EINVAL)
			fail_msg("'%s' is taken", cases[i]);
}

static void what_is_too_long_is_refused(void **state)
{
	const struct {
		size_t len;
		int r;
	} cases[] = {
		{ 255 - strlen("library/"), 0 },
		{ 255, -EINVAL },
		{ REFERENCE_MAX, -EINVAL },
		{ REFERENCE_MAX * 3, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[REFERENCE_MAX * 4] = "", canonical[REFERENCE_MAX];

		memset(text, 'a', cases[i].len);
		assert_int_equal(reference_canonical(text, canonical, NULL), cases[i].r);
	}
}

static void digests(void **state)
{
	(void)state;
	assert_true(digest_is_valid("sha256:" HEX));
	assert_false(digest_is_valid("sha256:" HEX "0"));
	assert_false(digest_is_valid("sha512:" HEX));
	assert_false(digest_is_valid("sha256:ABCDEF" HEX));
	assert_false(digest_is_valid(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_one_canonical_and_one_familiar_form),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(digests),
	};

	return cmocka_run_group_tests_name("image/reference", tests, NULL, NULL);
}
