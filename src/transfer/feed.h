/* src/transfer/feed.h - a repository's blobs as pipes, for unpack_layers().
 *
 * What has come of each is kept in ROOT/partial/HEX, locked by who writes it; a later feed starts
 * with that and asks the registry for the rest.
 */
#ifndef TRANSFER_FEED_H
#define TRANSFER_FEED_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"

struct progress;
struct remote;
struct unpack_layer;
struct unpack_source;
struct feed_item;

struct feed {
	struct remote *remote;
	const char *repository;
	int partial_fd; /* ROOT/partial */
	const struct unpack_layer *layers;
	struct feed_item *items;
	struct progress *progress; /* where waiting is said; or NULL */
	size_t n;
	atomic_llong bytes;
};

int feed_init(struct feed *f, struct remote *remote, const char *repository, int root_fd,
	      const struct unpack_layer *layers, size_t n, struct error *err) must_check;
void feed_done(struct feed *f);
int64_t feed_bytes(const struct feed *f); /* that came over the network */
void feed_forget(struct feed *f);         /* all is in the store: the partial files go */

/* As unpack_request wants them; data is the feed. */
int feed_open(void *data, size_t i, struct unpack_source *ret, struct error *err) must_check;
void feed_waits(void *data, size_t n);
int feed_close(void *data, size_t i, int fd, int r, struct error *err) must_check;

#endif
