/* src/disk/whole.h - all files of a machine as it sees them, from wherever on its disk they lie:
 * the partitions and subvolumes that its /etc/fstab mounts, and of a machine without an operating
 * system what is in its initrd and its volumes.
 */
#ifndef DISK_WHOLE_H
#define DISK_WHOLE_H

#include "base/error.h"

struct disk;

/* Before its root is read: 1: it is a machine of ours without an operating system, and has been
 * read as a tree; 0: it is not.
 */
int whole_read_appliance(struct disk *d, struct error *err) must_check;
/* Behind disk_read(), to whose root it adds; d->left_out gets a line of fstab each that names what
 * is not there.
 */
int whole_mount(struct disk *d, struct error *err) must_check;

#endif
