/* src/image/load.h - images out of archives and directories into the store.
 *
 * docker-archive (docker save, podman save), OCI archive, OCI layout.  Every digest is checked
 * before anything becomes visible; a layer becomes visible by one rename, the image by one
 * transaction.
 */
#ifndef IMAGE_LOAD_H
#define IMAGE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct db;

struct load_request {
	const char *path;     /* "-": standard input */
	const char *platform; /* "linux/arm64/v8"; NULL: this machine's */
	const char *root;     /* the store */
	int root_fd;
	/* Called for each image that is there; name is canonical, NULL if it has none. */
	void (*report)(void *data, const char *name, const char *id);
	bool all;           /* platforms of an image for several; the name is its index's then */
	uint64_t *left_out; /* device files that may not be made here are added; or NULL */
	void *data;
};

int image_load_archive(struct db *db, const struct load_request *req, struct error *err) must_check;

#endif
