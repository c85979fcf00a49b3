/* src/disk/import.h - the files of a disk's root as an archive, for an image: the way back. */
#ifndef DISK_IMPORT_H
#define DISK_IMPORT_H

#include "base/error.h"
#include "base/strv.h"

struct disk;

/* *ret_fd is a nameless tar archive, at its start; the caller closes.  What a disk has beyond an
 * image is left out: the boot partition, lost+found, what disk build put in.  *ret_said gets what
 * the image of which the disk was made said about running it.
 */
int disk_export(struct disk *d, int *ret_fd, struct strv *ret_said, struct error *err) must_check;

#endif
