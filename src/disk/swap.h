/* src/disk/swap.h - a swap area. */
#ifndef DISK_SWAP_H
#define DISK_SWAP_H

#include <stdint.h>

#include "base/error.h"

/* At offset of the file fd, where it is all zeros; size is a multiple of 4096. */
int swap_write(int fd, int64_t offset, int64_t size, const uint8_t uuid[16],
	       struct error *err) must_check;

#endif
