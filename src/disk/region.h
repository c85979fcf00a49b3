/* src/disk/region.h - a file system inside of a file: bytes by their place, none of them outside.
 */
#ifndef DISK_REGION_H
#define DISK_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

struct region {
	int fd; /* borrowed */
	int64_t offset, size;
};

/* All len bytes at at; -EBADMSG: they do not lie in it. */
int region_get(const struct region *r, int64_t at, void *to, size_t len) must_check;

/* Numbers as disks have them, at most 8 bytes. */
uint64_t get_le(const unsigned char *p, size_t n);
uint64_t get_be(const unsigned char *p, size_t n);
void put_le(unsigned char *p, uint64_t v, size_t n);

#endif
