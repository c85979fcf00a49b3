/* tests/unit/builder/test_fetch.c - with a program in strake-registry's place */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/fetch.h"
#include "engine/engine.h"

#include "../scratch.h"

static void program_put(const char *dir, const char *script)
{
	autofree char *path = xasprintf("%s/strake-registry", dir);
	autofree char *text = xasprintf("#!/bin/sh\ncat >%s/request\n%s\n", dir, script);

	scratch_put(dir, "strake-registry", text);
	assert_int_equal(chmod(path, 0755), 0);
}

static void head_and_bytes_are_told_apart(void **state)
{
	const struct engine engine = { .libexec = *state };
	char digest[DIGEST_HEX_LEN + 1], wanted[DIGEST_HEX_LEN + 1];
	autofree char *path = xasprintf("%s/got", (char *)*state), *text = NULL, *asked = NULL;
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int dir = scratch_open(*state);
	struct fetch f = FETCH_INIT;

	program_put(
		*state,
		"printf '{\"name\":\"a.tar\",\"etag\":\"\\\"x\\\"\",\"modified\":7}\\nby'; printf tes");
	assert_int_equal(fetch_open(&engine, "http://u:p@h/a", "Bearer t", &f, NULL), 0);
	assert_string_equal(f.name, "a.tar");
	assert_string_equal(f.etag, "\"x\"");
	assert_true(f.is_dated);
	assert_int_equal(f.modified_s, 7);
	/* For people there is no password in it; for the program there is. */
	assert_null(strstr(f.url, "u:p"));
	assert_int_equal(fetch_save(&f, fd, digest, NULL), 0);
	digest_bytes("bytes", 5, wanted);
	assert_string_equal(digest, wanted);
	assert_int_equal(file_read_at(dir, "got", 100, &text, NULL, NULL), 0);
	assert_string_equal(text, "bytes");
	assert_int_equal(file_read_at(dir, "request", 1000, &asked, NULL, NULL), 0);
	assert_non_null(strstr(asked, "u:p@h"));
	assert_non_null(strstr(asked, "Bearer t"));
	fetch_done(&f);
	(void)close(dir);
}

static void a_name_leads_nowhere(void **state)
{
	const struct engine engine = { .libexec = *state };
	struct fetch f = FETCH_INIT;

	program_put(*state, "echo '{\"name\":\"../x\"}'");
	assert_int_equal(fetch_open(&engine, "http://h/a", NULL, &f, NULL), 0);
	assert_null(f.name);
	fetch_done(&f);
}

static void failures_are_the_programs_words(void **state)
{
	static const struct {
		const char *script, *said;
	} cases[] = {
		{ "echo 'no such host' >&2; exit 1", "fetch http://h/a: no such host" },
		{ "exit 3", "fetch http://h/a: strake-registry did not do it" },
		{ "exit 0", "strake-registry says nothing" },
		{ "echo nonsense", "strake-registry's answer" },
	};
	const struct engine engine = { .libexec = *state };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fetch f = FETCH_INIT;
		struct error err = { 0 };

		program_put(*state, cases[i].script);
		assert_true(fetch_open(&engine, "http://h/a", NULL, &f, &err) < 0);
		if (!strstr(err.text, cases[i].said))
			fail_msg("%s: %s", cases[i].script, err.text);
	}
}

static void half_of_it_is_nothing(void **state)
{
	const struct engine engine = { .libexec = *state };
	autoclose int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char digest[DIGEST_HEX_LEN + 1];
	struct fetch f = FETCH_INIT;
	struct error err = { 0 };

	program_put(*state, "echo '{}'; printf half; echo broken >&2; exit 1");
	assert_int_equal(fetch_open(&engine, "http://h/a", NULL, &f, NULL), 0);
	assert_int_equal(fetch_save(&f, fd, digest, &err), -EIO);
	assert_non_null(strstr(err.text, "fetch http://h/a: broken"));
	fetch_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(head_and_bytes_are_told_apart, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_name_leads_nowhere, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(failures_are_the_programs_words, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(half_of_it_is_nothing, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/fetch", tests, NULL, NULL);
}
