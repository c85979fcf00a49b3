/* tests/unit/image/test_digest.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/macros.h"
#include "image/digest.h"

/* FIPS 180-4's examples. */
static void known_answers(void **state)
{
	static const struct {
		const char *bytes, *hex;
	} cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char whole[DIGEST_HEX_LEN + 1], parts[DIGEST_HEX_LEN + 1];
		size_t len = strlen(cases[i].bytes);
		struct digest d;

		digest_bytes(cases[i].bytes, len, whole);
		assert_string_equal(whole, cases[i].hex);
		digest_init(&d);
		digest_update(&d, cases[i].bytes, len / 2);
		digest_update(&d, cases[i].bytes + len / 2, len - len / 2);
		digest_final(&d, parts);
		assert_string_equal(parts, whole);
		digest_done(&d);
	}
}

static void known_answers_of_sha512(void **state)
{
	static const char hex[] =
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
	char got[DIGEST512_HEX_LEN + 1];
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	(void)state;
	digest512_bytes("abc", 3, got);
	assert_string_equal(got, hex);
	if (fd < 0)
		skip();
	assert_int_equal(write(fd, "abc", 3), 3); /* its position does not count */
	assert_int_equal(digest512_file(fd, got), 0);
	assert_string_equal(got, hex);
	(void)close(fd);
	assert_int_equal(digest512_file(-1, got), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(known_answers_of_sha512),
	};

	return cmocka_run_group_tests_name("image/digest", tests, NULL, NULL);
}
