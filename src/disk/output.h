/* src/disk/output.h - the file that a disk is written to: nameless until it is whole.
 *
 * Whatever ends us before output_finish(), a nameless file goes with its last descriptor.  On a
 * file system that has none (O_TMPFILE) it is .NAME.strake-PID beside the target until then.
 */
#ifndef DISK_OUTPUT_H
#define DISK_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct output {
	int dir_fd;
	int fd;
	char *path;     /* as the user gave it */
	char *name;     /* in its directory */
	char *tmp_name; /* NULL: it has none */
	mode_t mode;
};
#define OUTPUT_INIT ((struct output) { .dir_fd = -1, .fd = -1 })

/* mode: of the file, less the umask; OUTPUT_SECRET where passwords or keys are in it.  Refuses what
 * stands there and is no regular file.
 */
#define OUTPUT_PLAIN  0644
#define OUTPUT_SECRET 0600
int output_open(const char *path, mode_t mode, struct output *ret, struct error *err) must_check;
/* Another nameless file in the same directory, for what is on its way. */
int output_spool(const struct output *out, int *ret_fd, struct error *err) must_check;
/* On the disk, then under its name, replacing what has it. */
int output_finish(struct output *out, struct error *err) must_check;
void output_done(struct output *out); /* without finish: nothing is left */

#endif
