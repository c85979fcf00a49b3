/* tests/unit/runtime/test_seal.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/macros.h"
#include "runtime/seal.h"

/* This program again, as one that seals itself: what it finds then is its exit status. */
#define AGAIN "again"

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

enum { FINE, NOT_SEALED, WRITABLE, OTHER_WORDS, NOT_AGAIN, SEALED_TWICE };

static const char *const words[] = { AGAIN, "", "a b", "\xff", "--x=\n" };

static int judge(int argc, char **argv)
{
	char before[64] = "", after[64] = "";
	autoclose int self = -1;
	ssize_t n;

	if (seal_self(NULL) < 0)
		return NOT_AGAIN;
	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	n = readlink("/proc/self/exe", before, sizeof(before) - 1);
	if (n < 0 || !strstr(before, "memfd:strake-sealed"))
		return NOT_SEALED;
	/* While it runs nobody writes to a program anyway; who has it open waits until it is gone.
	 */
	if ((fcntl(self, F_GET_SEALS) & ALL_SEALS) != ALL_SEALS)
		return WRITABLE;
	if (argc != (int)ARRAY_SIZE(words) + 1)
		return OTHER_WORDS;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(argv[i + 1], words[i]) != 0)
			return OTHER_WORDS;
	/* Once is enough: the second call comes back, in the same copy. */
	if (seal_self(NULL) < 0 || readlink("/proc/self/exe", after, sizeof(after) - 1) != n)
		return SEALED_TWICE;
	return FINE;
}

static void a_program_goes_on_as_a_copy_that_nobody_can_change(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execl("/proc/self/exe", "test_seal", words[0], words[1], words[2], words[3],
			    words[4], (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FINE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_goes_on_as_a_copy_that_nobody_can_change),
	};

	if (argc > 1 && strcmp(argv[1], AGAIN) == 0)
		return judge(argc, argv);
	return cmocka_run_group_tests_name("runtime/seal", tests, NULL, NULL);
}
