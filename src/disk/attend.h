/* src/disk/attend.h - a machine that runs: waited for, asked to end, its program's status read. */
#ifndef DISK_ATTEND_H
#define DISK_ATTEND_H

#include "base/error.h"

struct strv;

struct attendance {
	int monitor;   /* QEMU's commands go in here; owned */
	int theirs;    /* the end that QEMU has; owned */
	int status_fd; /* what the machine says of its program; owned */
	int timeout_s; /* 0: none */
};
#define ATTEND_TIMED_OUT 124 /* as timeout(1) */

int attend_open(struct attendance *ret, struct error *err) must_check;
void attend_close(struct attendance *a);

/* Runs QEMU until it ends.  SIGTERM, SIGINT, SIGHUP and the time's end press the power button; a
 * second signal, or a machine that does not hear, ends QEMU.  Returns the exit status of the
 * machine's program, 0 if nobody told one, ATTEND_TIMED_OUT.
 */
int attend_run(struct attendance *a, const struct strv *argv, struct error *err) must_check;

/* "exit 3\n"; -1: it is none. */
int attend_parse_status(const char *text);

#endif
