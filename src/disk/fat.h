/* src/disk/fat.h - files out of a boot partition, by mtools. */
#ifndef DISK_FAT_H
#define DISK_FAT_H

#include <stdint.h>

#include "base/error.h"

/* The partition begins at offset of the file fd.  To the file to, from its position on. */
int fat_copy_out(int fd, int64_t offset, const char *path, int to, struct error *err) must_check;
/* A small file as text; the caller frees. */
int fat_read(int fd, int64_t offset, const char *path, char **ret, struct error *err) must_check;
/* All names, "::/EFI/BOOT/BOOTX64.EFI", a line each, syslinux's hidden ones, too; the caller frees.
 */
int fat_list(int fd, int64_t offset, char **ret, struct error *err) must_check;

#endif
