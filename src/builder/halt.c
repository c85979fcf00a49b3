/* src/builder/halt.c */
#include "builder/halt.h"

void halt_set(sigset_t *ret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	(void)sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction how;

		/* nohup: it would have ended nobody */
		if (sigaction(signals[i], NULL, &how) == 0 && how.sa_handler != SIG_IGN)
			(void)sigaddset(ret, signals[i]);
	}
}

void halt_hold(sigset_t *ret_before)
{
	sigset_t set;

	halt_set(&set);
	(void)sigprocmask(SIG_BLOCK, &set, ret_before);
}

void halt_allow(sigset_t *ret_before)
{
	sigset_t set;

	halt_set(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, ret_before);
}

void halt_forbid(const sigset_t *before)
{
	(void)sigprocmask(SIG_SETMASK, before, NULL);
}

bool halt_asked(void)
{
	sigset_t set, pending;

	/* Asked for every file: mostly there is nothing. */
	if (sigpending(&pending) < 0 || sigisemptyset(&pending))
		return false;
	halt_set(&set);
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(&set, sig) == 1 && sigismember(&pending, sig) == 1)
			return true;
	return false;
}

int halt_check(struct error *err)
{
	return halt_asked() ? error_set(err, -EINTR, "it was stopped by a signal") : 0;
}
