/* tests/unit/disk/test_password.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include <crypt.h>

#include "disk/password.h"

static char *write_file(const char *dir, const char *text)
{
	scratch_put(dir, "password", text);
	return xasprintf("%s/password", dir);
}

static bool opens(const char *hash, const char *password)
{
	struct crypt_data data = { .initialized = 0 };

	return strcmp(crypt_r(password, hash, &data), hash) == 0;
}

static void the_first_line_hashed(void **state)
{
	static const struct {
		enum password_method method;
		const char *begins;
	} cases[] = { { PASSWORD_SHA512, "$6$" }, { PASSWORD_YESCRYPT, "$y$" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *path = write_file(*state, "secret\r\nsecond\n"), *a = NULL,
			      *b = NULL, *c = NULL;
		struct password_request pr = { .path = path,
					       .method = cases[i].method,
					       .name = "ann" };

		assert_int_equal(password_hash(&pr, &a, NULL), 0);
		pr.dated = true;
		assert_int_equal(password_hash(&pr, &b, NULL), 0);
		assert_int_equal(password_hash(&pr, &c, NULL), 0);
		assert_memory_equal(a, cases[i].begins, 3);
		assert_true(opens(a, "secret") && opens(b, "secret") && !opens(b, "second"));
		assert_string_not_equal(a, b);
		assert_string_equal(b, c);
	}
}

static void a_hash_as_it_is(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "$6$salt$hash/.\n", 0 }, { "$y$j9T$salt$hash", 0 },
		{ "password\n", -EINVAL }, { "$6$salt:$hash\n", -EINVAL },
		{ "$6|salt$\n", -EINVAL }, { "\n$6$a$b\n", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *path = write_file(*state, cases[i].text), *hash = NULL;
		struct password_request pr = { .path = path, .hashed = true, .name = "ann" };

		assert_int_equal(password_hash(&pr, &hash, NULL), cases[i].r);
		assert_true(cases[i].r || strncmp(hash, cases[i].text, strlen(hash)) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_line_hashed, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_hash_as_it_is, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
