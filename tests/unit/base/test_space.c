/* tests/unit/base/test_space.c - with a small file system of the test's own, where it may mount
 * one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdbool.h>

#include "../scratch.h"
#include "base/error.h"
#include "base/space.h"

static struct error failure(int code)
{
	struct error err = { 0 };

	(void)error_set(&err, code, "write it");
	return err;
}

static void another_failure_and_none_stay_as_they_are(void **state)
{
	const char *dir = *state;
	struct error err = failure(-EIO), none = { 0 };

	space_explain(dir, &err);
	space_advise(dir, dir, &err);
	assert_string_equal(err.text, "write it");
	space_explain(dir, &none);
	assert_string_equal(none.text, "");
	space_explain(dir, NULL);
	space_advise(dir, dir, NULL);
}

static void the_file_system_is_named_with_its_room_and_what_helps(void **state)
{
	const char *dir = *state;
	struct error err = failure(-ENOSPC), quota = failure(-EDQUOT);
	autofree char *start = xasprintf("write it; the file system of %s (", dir);

	space_explain(dir, &err);
	assert_int_equal(strncmp(err.text, start, strlen(start)), 0);
	assert_non_null(strstr(err.text, " free of "));
	assert_non_null(strstr(err.text, ": 'strake image prune --all' or 'strake rm' makes room"));
	assert_int_equal(err.code, -ENOSPC);
	space_explain(dir, &quota);
	assert_non_null(strstr(quota.text, " free of "));
}

static void a_place_with_room_is_not_blamed(void **state)
{
	struct error err = failure(-ENOSPC);

	space_advise(*state, *state, &err);
	space_advise(NULL, NULL, &err);
	space_advise("/nowhere", "/nowhere", &err);
	assert_string_equal(err.text, "write it");
}

/* Texts as long as they get stay one error, and the advice whole. */
static void a_long_text_leaves_room_for_the_advice(void **state)
{
	struct error err = { 0 };
	char words[480];

	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	(void)error_set(&err, -ENOSPC, "%s", words);
	space_explain(*state, &err);
	assert_non_null(strstr(err.text, "--root DIR names another place"));
}

/* Exit statuses of the child below. */
enum { GOOD, BAD, SKIPPED };

static bool has(const struct error *err, const char *text)
{
	return strstr(err->text, text) != NULL;
}

static int on_a_full_one(const char *dir)
{
	autofree char *small = xasprintf("%s/small", dir), *file = xasprintf("%s/file", small);
	struct error store = failure(-ENOSPC), run = failure(-ENOSPC), nodes = failure(-ENOSPC);
	char bytes[4096] = { 0 };
	int fd;

	if (mkdir(small, 0755) < 0 ||
	    (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", small, "tmpfs", 0, "size=2m,nr_inodes=100") < 0)
		return SKIPPED;
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	space_advise(small, dir, &store);
	space_advise(dir, small, &run);
	if (!has(&store, "(tmpfs at ") || !has(&store, "0B free of 2") ||
	    !has(&store, "strake rm") || !has(&run, "it is in memory, --run-root") ||
	    has(&run, "hardly a file"))
		return BAD;
	if (ftruncate(fd, 0) < 0)
		return BAD;
	for (int i = 0; i < 100; i++) {
		autofree char *name = xasprintf("%s/%d", small, i);

		(void)mkdir(name, 0755);
	}
	space_advise(small, dir, &nodes);
	return has(&nodes, "and room for hardly a file") ? GOOD : BAD;
}

static void the_full_one_of_two_is_found_by_bytes_and_by_inodes(void **state)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(on_a_full_one(*state));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), GOOD);
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCRATCH(another_failure_and_none_stay_as_they_are),
		WITH_SCRATCH(the_file_system_is_named_with_its_room_and_what_helps),
		WITH_SCRATCH(a_place_with_room_is_not_blamed),
		WITH_SCRATCH(a_long_text_leaves_room_for_the_advice),
		WITH_SCRATCH(the_full_one_of_two_is_found_by_bytes_and_by_inodes),
	};

	return cmocka_run_group_tests_name("base/space", tests, NULL, NULL);
}
