/* tests/unit/kernel/test_device_filter.c - without a cgroup: whether the kernel's verifier agrees
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "kernel/cgroup.h"
#include "kernel/device_filter.h"

#define RULES 4

static void the_kernel_takes_the_program(void **state)
{
	static const struct {
		struct cgroup_device_rule rules[RULES];
		size_t n;
	} cases[] = {
		{ { { 0 } }, 0 },
		{ { { false, 'a', -1, -1, "rwm" } }, 1 },
		{ { { true, 'a', -1, -1, "rwm" } }, 1 },
		{ { { false, 'a', -1, -1, "rwm" }, { true, 'c', 1, 3, "rwm" } }, 2 },
		{ { { true, 'c', 1, 3, "rwm" }, { false, 'c', 1, 3, "w" } }, 2 },
		{ { { true, 'c', -1, -1, "m" }, { true, 'b', -1, 1, "" } }, 2 },
		{ { { false, 'b', 8, -1, "" }, { true, 'b', 8, 0, "r" } }, 2 },
		{ { { true, 'c', 1, 3, "rw" },
		    { false, 'a', -1, -1, "rwm" },
		    { true, 'c', 4294967295, 5, "r" },
		    { false, 'c', 5, 4294967295, "rm" } },
		  4 },
	};

	(void)state;
	if (getuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_true(device_filter_attach(-1, cases[i].rules, cases[i].n, &err) < 0);
		if (strstr(err.text, "Operation not permitted"))
			skip();
		if (!strstr(err.text, "attach the device filter"))
			fail_msg("case %zu: %s", i, err.text);
	}
}

/* In a group of its own: what it may open of /dev/null (1:3) and /dev/zero (1:5), as bits. */
static int opened(const char *group)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	static const char *const paths[] = { "/dev/null", "/dev/zero" };
	autofree char *procs = xasprintf("%s/cgroup.procs", group);
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int bits = 0;

		if (file_put_at(AT_FDCWD, procs, "0", NULL) < 0)
			_exit(255);
		for (size_t i = 0; i < 6; i++)
			bits |= (open(paths[i / 3], modes[i % 3] | O_CLOEXEC) >= 0) << i;
		_exit(bits);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	return WEXITSTATUS(status);
}

static void the_last_rule_that_names_an_access_decides(void **state)
{
	enum { NULL_R = 1, NULL_W = 2, NULL_RW = 4, ZERO_R = 8, ZERO_W = 16, ZERO_RW = 32 };
	static const struct {
		struct cgroup_device_rule rules[RULES];
		size_t n;
		int opened;
	} cases[] = {
		{ { { true, 'c', 1, 3, "r" } }, 1, NULL_R },
		{ { { true, 'c', 1, 3, "r" }, { true, 'c', 1, 3, "w" } },
		  2,
		  NULL_R | NULL_W | NULL_RW },
		{ { { true, 'c', 1, -1, "r" }, { true, 'c', 1, 5, "w" } },
		  2,
		  NULL_R | ZERO_R | ZERO_W | ZERO_RW },
		{ { { true, 'c', 1, -1, "rwm" }, { false, 'c', 1, 3, "w" } },
		  2,
		  NULL_R | ZERO_R | ZERO_W | ZERO_RW },
		{ { { true, 'a', -1, -1, "rwm" },
		    { false, 'c', 1, 3, "r" },
		    { true, 'c', 1, 3, "w" } },
		  3,
		  NULL_W | ZERO_R | ZERO_W | ZERO_RW },
	};
	bool v2 = access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *group = xasprintf("/sys/fs/cgroup%s/strake-unit-%d",
						 v2 ? "" : "/unified", getpid());
		autoclose int fd = -1;
		int got;

		if (getuid() != 0 || mkdir(group, 0755) < 0)
			skip();
		fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		got = device_filter_attach(fd, cases[i].rules, cases[i].n, NULL) < 0
			      ? 255
			      : opened(group);
		(void)rmdir(group);
		if (got == 255) /* no right to load it, or to move there */
			skip();
		if (got != cases[i].opened)
			fail_msg("case %zu: opened %x, not %x", i, (unsigned)got,
				 (unsigned)cases[i].opened);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_takes_the_program),
		cmocka_unit_test(the_last_rule_that_names_an_access_decides),
	};

	return cmocka_run_group_tests_name("kernel/device_filter", tests, NULL, NULL);
}
