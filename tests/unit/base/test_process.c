/* tests/unit/base/test_process.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/process.h"

static void signals_have_many_spellings(void **state)
{
	static const struct {
		const char *text;
		int sig;
	} cases[] = {
		{ "TERM", SIGTERM },
		{ "SIGTERM", SIGTERM },
		{ "sigterm", SIGTERM },
		{ "15", 15 },
		{ "64", 64 },
		{ "IOT", SIGABRT },
		{ "0", -EINVAL },
		{ "65", -EINVAL },
		{ "-1", -EINVAL },
		{ "", -EINVAL },
		{ "SIG", -EINVAL },
		{ "TERMX", -EINVAL },
		{ "SIGSIGTERM", -EINVAL },
		{ "RTMIN+31", -EINVAL },
		{ "RTMAX1", -EINVAL },
		{ "RTMINX", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(signal_parse(cases[i].text), cases[i].sig);
	assert_int_equal(signal_parse("RTMIN"), SIGRTMIN);
	assert_int_equal(signal_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signal_parse("RTMAX-2"), SIGRTMAX - 2);
	assert_string_equal(signal_name(SIGABRT), "ABRT");
	assert_null(signal_name(SIGRTMIN));
	assert_null(signal_name(0));
}

static void a_process_is_its_pid_and_its_start(void **state)
{
	uint64_t start = 0;
	int pidfd = -1;

	(void)state;
	assert_int_equal(process_start_time(getpid(), &start), 0);
	assert_true(process_is_alive(getpid(), start));
	assert_false(process_is_alive(getpid(), start + 1));
	assert_false(process_is_alive(0, 0));
	assert_false(process_is_alive(-1, start));
	assert_int_equal(process_open(getpid(), start, &pidfd), 0);
	(void)close(pidfd);
	assert_int_equal(process_open(getpid(), start + 1, &pidfd), -ESRCH);
}

static void a_zombie_counts_as_gone(void **state)
{
	siginfo_t info;
	uint64_t start = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	/* Until it has ended, but it stays unreaped. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_start_time(pid, &start), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_start_time(pid, &start), -ESRCH);
}

static void the_boot_has_an_id(void **state)
{
	char id[BOOT_ID_LEN + 1];

	(void)state;
	assert_int_equal(boot_id(id, NULL), 0);
	assert_int_equal(id[8], '-');
}

static void the_holder_of_a_lock_is_found(void **state)
{
	autoclose int ours = -1, other = -1;

	ours = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	other = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(process_find_locker(other), 0);
	assert_int_equal(flock(ours, LOCK_EX), 0);
	assert_int_equal(process_find_locker(other), getpid());
	assert_int_equal(flock(ours, LOCK_UN), 0);
	assert_int_equal(process_find_locker(other), 0);
}

/* A child that was forked has the lock, too, and is the one that keeps others waiting. */
static void of_two_holders_the_stopped_one_is_found(void **state)
{
	autoclose int ours = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = 0;
	pid_t pid;

	assert_int_equal(flock(ours, LOCK_EX), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(process_find_locker(ours), pid);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_find_locker(ours), getpid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_have_many_spellings),
		cmocka_unit_test(a_process_is_its_pid_and_its_start),
		cmocka_unit_test(a_zombie_counts_as_gone),
		cmocka_unit_test(the_boot_has_an_id),
		cmocka_unit_test_setup_teardown(the_holder_of_a_lock_is_found, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(of_two_holders_the_stopped_one_is_found,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("base/process", tests, NULL, NULL);
}
