#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/remote.h"

#define SUM "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void sources_and_checksums(void **state)
{
	static const struct {
		const char *text, *checksum;
		int r;
		const char *error;
	} cases[] = {
		{ "dir/file", NULL, 1, "" },
		{ "ftp://h/x", NULL, 1, "" },
		{ "http://h/x", NULL, 0, "" },
		{ "http://h/x", "sha256:" SUM, 0, "" },
		{ "http://h/x", "sha512:" SUM, -EINVAL,
		  "--checksum=sha512:" SUM ": expected sha256: and 64 hexadecimal digits" },
		{ "http://h/x", "sha256:12", -EINVAL,
		  "--checksum=sha256:12: expected sha256: and 64 hexadecimal digits" },
		{ "git://h/x", "0123456", 0, "" },
		{ "git://h/x", "012345", -EINVAL,
		  "--checksum=012345: of a git repository it is a commit, or its first seven digits "
		  "and more" },
		{ "git://h/x#-", NULL, -EINVAL, "git://h/x#-: '-' is no branch, tag or commit" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct remote remote;
		struct error err = { 0 };
		int r = remote_parse(cases[i].text, cases[i].checksum, &remote, &err);

		assert_int_equal(r, cases[i].r);
		assert_string_equal(err.text, cases[i].error);
		if (r != 0)
			continue;
		assert_int_equal(remote.is_git, strncmp(cases[i].text, "git", 3) == 0);
		remote_done(&remote);
	}
}

/* A checksum stands for the bytes: nobody has to be asked. */
static void a_checksum_is_enough(void **state)
{
	const struct remote_request req = { .engine = NULL };
	struct remote remote;

	(void)state;
	assert_int_equal(remote_parse("http://h/x", "sha256:" SUM, &remote, NULL), 0);
	assert_int_equal(remote_look(&remote, &req, NULL), 0);
	assert_string_equal(remote.stands, "sha256:" SUM);
	remote_done(&remote);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_and_checksums),
		cmocka_unit_test(a_checksum_is_enough),
	};

	return cmocka_run_group_tests_name("builder/remote", tests, NULL, NULL);
}
