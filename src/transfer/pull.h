/* src/transfer/pull.h - an image from a registry into the store.
 *
 * What has come of a layer is kept in ROOT/partial/DIGEST until the layer is whole: a pull that was
 * killed, or whose network went, goes on from there.
 */
#ifndef TRANSFER_PULL_H
#define TRANSFER_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct db;
struct policy;
struct progress;
struct remote;

struct pull_request {
	struct db *db;
	const char *root;
	int root_fd;
	struct remote *remote;
	const char *name;            /* canonical; one that remote was opened with */
	const char *platform;        /* NULL: this machine's */
	const struct policy *policy; /* NULL: everything is accepted */
	struct progress *progress;
};

struct pull_result {
	char id[65];
	char digest[136]; /* of what the name stands for: the index, if it is one */
	char platform[64];
	size_t layers;
	uint64_t left_out; /* device files that may not be made here */
	int64_t bytes;     /* that came over the network */
	char *rate;        /* for people, or NULL */
};
void pull_result_done(struct pull_result *r);

int image_pull(const struct pull_request *req, struct pull_result *ret,
	       struct error *err) must_check;

#endif
