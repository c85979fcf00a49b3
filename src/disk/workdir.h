/* src/disk/workdir.h - a directory for programs that take files by name.
 *
 * It is locked as long as we live; one whose maker was killed is found by its lock being free, and
 * goes with the next that is made.
 */
#ifndef DISK_WORKDIR_H
#define DISK_WORKDIR_H

#include "base/error.h"

struct workdir {
	int fd;     /* open and locked; -1: none */
	char *path; /* owned */
};
#define WORKDIR_INIT ((struct workdir) { .fd = -1 })

/* In $TMPDIR or /var/tmp; mode 0700. */
int workdir_make(struct workdir *ret, struct error *err) must_check;
void workdir_remove(struct workdir *w); /* with all that is in it */

#endif
