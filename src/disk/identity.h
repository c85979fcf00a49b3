/* src/disk/identity.h - the numbers that a disk is told apart by. */
#ifndef DISK_IDENTITY_H
#define DISK_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define UUID_TEXT_LEN 36

struct filetree;

struct identity {
	char seed[65];
};

/* fixed: from the tree and the date alone, so that the same disk can be made again; else by chance,
 * so that two of them can be in one machine.
 */
int identity_choose(const struct filetree *t, bool fixed, int64_t now_s, struct identity *ret,
		    struct error *err) must_check;
/* From bytes that tell one disk from another. */
void identity_of_bytes(const void *bytes, size_t len, struct identity *ret);
/* One number for each purpose. */
void identity_uuid(const struct identity *id, const char *purpose, uint8_t ret[16]);
/* As people write one. */
void uuid_text(const uint8_t uuid[16], char ret[UUID_TEXT_LEN + 1]);
void identity_text(const struct identity *id, const char *purpose, char ret[UUID_TEXT_LEN + 1]);

#endif
