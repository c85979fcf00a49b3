/* src/why/inside.c */
#include "why/inside.h"

#include <fcntl.h>
#include <sched.h>

int inside(int netns_fd, int (*fn)(void *data, struct error *err), void *data, struct error *err)
{
	autoclose int home = -1;
	int r;

	if (netns_fd < 0)
		return fn(data, err);
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
		return errno == EPERM
			       ? error_set(err, -EPERM, "entering a network namespace needs root")
			       : error_sys(err, -errno, "enter a network namespace");
	r = fn(data, err);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* to go on in the wrong network would be worse */
	return r;
}
