/* src/image/commit.h - a new image: what a container changed, or the files of an archive, over
 * another image or over nothing.
 */
#ifndef IMAGE_COMMIT_H
#define IMAGE_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/strv.h"

struct changes_request;
struct db;

struct commit_request {
	const char *root; /* the store */
	int root_fd;
	const char *base; /* ID of the image below; NULL: none */
	/* The new layer: either changes, or an archive (kept as it came). */
	const struct changes_request *changes;
	int archive; /* -1 */
	/* Between the two the container may go on: the files have been read. */
	void (*read_done)(void *data);
	void *data;

	const char *author, *message, *created_by, *platform; /* NULL: none, this machine's */
	const struct strv *instructions;                      /* config_change.h */
	const char *name;                                     /* canonical; NULL: none */
	uint64_t *left_out; /* device files that may not be made here are added; or NULL */
	int64_t newest_s;   /* SOURCE_DATE_EPOCH: no time of this step is later; -1: not given */
};

int image_commit(struct db *db, const struct commit_request *req, char ret_id[ID_LEN + 1],
		 struct error *err) must_check;

/* SOURCE_DATE_EPOCH of the environment, -1 without. */
int source_date_epoch(int64_t *ret, struct error *err) must_check;

#endif
