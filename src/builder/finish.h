/* src/builder/finish.h - the last stage's state becomes an image in the store. */
#ifndef BUILDER_FINISH_H
#define BUILDER_FINISH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/id.h"

struct build;
struct state;

struct strv;

struct finish_request {
	const struct strv *names; /* canonical */
	bool records;             /* false: what it would be is all that is wanted */
};

/* *ret_was_there: it is no new image (may be NULL). */
int build_finish(struct build *b, struct state *state, const struct finish_request *req,
		 char ret_id[ID_LEN + 1], bool *ret_was_there) must_check;

#endif
