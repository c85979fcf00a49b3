/* src/cmd/build_given.h - options of build that take words: those of which one can be had here, and
 * those that are on or off.
 */
#ifndef CMD_BUILD_GIVEN_H
#define CMD_BUILD_GIVEN_H

#include "base/error.h"

struct build_args;
struct build_request;
struct image_edits;

/* What scripts for others say is so here, or cannot be had. */
int given_check(const struct build_args *args, struct error *err) must_check;
/* --env, --unsetlabel, --layers and their like. */
int given_edits(const struct build_args *args, struct image_edits *ret, struct build_request *req,
		struct error *err) must_check;

#endif
