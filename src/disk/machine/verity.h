/* src/disk/machine/verity.h - a partition that the kernel checks against a hash as it is read. */
#ifndef DISK_MACHINE_VERITY_H
#define DISK_MACHINE_VERITY_H

/* Makes a device of it, whose path ret gets.  0, or -1 and it was said why. */
int verity_open(const char *data, const char *hashes, const char *root_hash, char ret[64]);

#endif
