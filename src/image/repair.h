/* src/image/repair.h - what a check found damaged, made again.
 *
 * A layer is made beside the damaged one: unpacked from its blob or its frame, or fetched.  Only
 * when all of it is on the disk the two change places, in one step; so a kill at any moment leaves
 * the one or the other, whole.  What has no source stays as it is, and is said.
 */
#ifndef IMAGE_REPAIR_H
#define IMAGE_REPAIR_H

#include "base/error.h"
#include "base/strv.h"

struct db;
struct image;
struct incoming;
struct verify;

struct repair_request {
	struct db *db;
	const struct incoming *in;
	const struct image *image;
	const struct verify *v;
	/* Pulls the image into a store of its own, where what is whole of it lies already. */
	int (*fetch)(void *data, const char *root, struct error *err);
	/* Begins a transaction of db in which nobody uses these layers (chain IDs), or refuses.
	 * Asked twice: before the work, and when there is something to put in place.
	 */
	int (*take)(void *data, const struct strv *chains, struct error *err);
	void (*release)(void *data); /* after either answer */
	void *data;
};

int image_repair(const struct repair_request *req, struct error *err) must_check;

#endif
