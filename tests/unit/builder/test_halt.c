#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "builder/halt.h"

static void a_signal_is_seen_and_waits(void **state)
{
	struct error err = { 0 };
	sigset_t before, set;
	int sig = 0;

	(void)state;
	halt_hold(&before);
	assert_false(halt_asked());
	assert_int_equal(raise(SIGTERM), 0);
	assert_true(halt_asked());
	assert_int_equal(halt_check(&err), -EINTR);
	halt_set(&set);
	assert_int_equal(sigwait(&set, &sig), 0);
	assert_int_equal(sig, SIGTERM);
	assert_false(halt_asked());
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static void one_that_is_ignored_is_none(void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction was;
	sigset_t set;

	(void)state;
	(void)sigaction(SIGHUP, &ignore, &was);
	halt_set(&set);
	assert_int_equal(sigismember(&set, SIGHUP), 0);
	assert_int_equal(sigismember(&set, SIGINT), 1);
	(void)sigaction(SIGHUP, &was, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_seen_and_waits),
		cmocka_unit_test(one_that_is_ignored_is_none),
	};

	return cmocka_run_group_tests_name("builder/halt", tests, NULL, NULL);
}
