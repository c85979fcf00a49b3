/* src/builder/rewrite.h - an image's own layers once more, in another form: with no time later than
 * one, or all as one.
 */
#ifndef BUILDER_REWRITE_H
#define BUILDER_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct build;
struct incoming;
struct state;

struct rewrite_request {
	size_t below, below_history; /* layers and steps of the image below, which stay */
	int64_t newest_s;            /* -1: times stay */
	bool squash;                 /* one layer, over those below */
};

/* in is open until the image is recorded.  Nothing to do is fine. */
int rewrite_layers(struct build *b, struct state *state, const struct rewrite_request *req,
		   const struct incoming *in) must_check;

#endif
