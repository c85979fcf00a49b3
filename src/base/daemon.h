/* src/base/daemon.h - a program of ours that stays when the command that starts it goes. */
#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H

#include "base/error.h"

struct strv;

/* It gets this descriptor, as --NAME=NUMBER; -1: it does not. */
struct daemon_fd {
	const char *name;
	int fd;
};

/* Nobody's child, in a session of its own, with nothing as input and output, and nothing else of
 * what the caller has open.  Besides fds it gets --status-fd, on which it sends a struct error when
 * it is ready (code 0) or failed.  args begin with its name; these options go behind the name.
 * Descriptors stay the caller's.
 *
 * -ETIMEDOUT: it is stopped, by a signal or a debugger, and may still go on; the text names it. For
 * that args[1] must be what nobody else of its name is started with.
 */
int daemon_start(const char *program, const struct strv *args, const struct daemon_fd *fds,
		 size_t n, struct error *err) must_check;

#endif
