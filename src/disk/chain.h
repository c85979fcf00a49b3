/* src/disk/chain.h - the chain by which a disk boots, link by link. */
#ifndef DISK_CHAIN_H
#define DISK_CHAIN_H

#include <stdbool.h>

#include "base/error.h"

struct disk;

/* One link: "loader (BIOS)", whether it holds, and what was found or lacks. */
typedef void (*chain_fn)(void *data, const char *link, bool holds, const char *text);

/* Follows firmware, loader, kernel, initrd, root and init.  Returns how many links do not hold; a
 * firmware that the disk was not made for is none of them, as long as there is another.
 */
int chain_check(struct disk *d, chain_fn fn, void *data, struct error *err) must_check;

#endif
