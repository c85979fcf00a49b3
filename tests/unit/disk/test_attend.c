/* tests/unit/disk/test_attend.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "disk/attend.h"

static void what_the_machine_says(void **state)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = { { "exit 0\n", 0 },   { "exit 255\n", 255 },
		      { "exit 3", 3 },     { "exit 256\n", -1 },
		      { "exit -1\n", -1 }, { "exit \n", -1 },
		      { "EXIT 3\n", -1 },  { "", -1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(attend_parse_status(cases[i].text), cases[i].status);
}

/* A shell stands for QEMU: $S is the status file's number, $M the monitor's. */
static int run(const char *script, int timeout_s)
{
	struct attendance a;
	struct strv argv = { 0 };
	int r;

	assert_int_equal(attend_open(&a, NULL), 0);
	a.timeout_s = timeout_s;
	strv_add(&argv, "bash");
	strv_add(&argv, "-c");
	strv_addf(&argv, "S=/proc/self/fd/%d M=/proc/self/fd/%d; m=%d; %s", a.status_fd, a.theirs,
		  a.theirs, script);
	r = attend_run(&a, &argv, NULL);
	strv_done(&argv);
	attend_close(&a);
	return r;
}

static void its_status_is_the_programs(void **state)
{
	(void)state;
	assert_int_equal(run("echo exit 7 >$S", 0), 7);
	assert_int_equal(run("true", 0), 0);
	assert_int_equal(run("exit 1", 0), -EIO);
	assert_int_equal(run("exit 127", 0), -ENOENT);
	assert_int_equal(run("echo exit 0 >$S; exit 1", 0), 0);
}

static void a_signal_and_the_time_press_the_button(void **state)
{
	(void)state;
	assert_int_equal(
		run("kill -TERM $PPID; read -r line <&$m; [ $line = system_powerdown ] && echo exit 9 >$S",
		    0),
		9);
	assert_int_equal(
		run("read -r line <&$m; [ $line = system_powerdown ] && echo exit 9 >$S", 1),
		ATTEND_TIMED_OUT);
	/* One that does not listen: the second signal ends it. */
	assert_int_equal(
		run("kill -TERM $PPID; read -r line <&$m; kill -TERM $PPID; read -r line <&$m", 0),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_machine_says),
		cmocka_unit_test(its_status_is_the_programs),
		cmocka_unit_test(a_signal_and_the_time_press_the_button),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
