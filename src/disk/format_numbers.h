/* src/disk/format_numbers.h - the numbers that qemu-img draws by chance, made from the disk itself,
 * so that the same disk is the same file.
 */
#ifndef DISK_FORMAT_NUMBERS_H
#define DISK_FORMAT_NUMBERS_H

#include "base/error.h"
#include "disk/format.h"

/* name: of the file, which a vmdk tells inside. */
int format_fix_numbers(int raw_fd, enum disk_format f, int fd, const char *name,
		       struct error *err) must_check;

#endif
