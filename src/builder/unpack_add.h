/* src/builder/unpack_add.h - ADD of an archive: its entries become entries of a layer that is
 * drafted.
 *
 * The archive is hostile: each name is resolved inside the root, as for a process in there.
 */
#ifndef BUILDER_UNPACK_ADD_H
#define BUILDER_UNPACK_ADD_H

#include <stdbool.h>

#include "base/error.h"

struct draft;
struct draft_looks;

struct unpack_add {
	struct draft *draft;
	int fd; /* the archive, a file, from its start */
	const char *name;
	const char *dest; /* a directory, made if it is missing */
	const struct draft_looks *looks;
	bool takes_owners; /* the archive's, in place of those of looks */
};

/* 1: it is no archive, and nothing was done. */
int unpack_add(const struct unpack_add *req, struct error *err) must_check;

#endif
