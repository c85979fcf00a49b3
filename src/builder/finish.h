/* src/builder/finish.h - the last stage's state becomes an image in the store. */
#ifndef BUILDER_FINISH_H
#define BUILDER_FINISH_H

#include "base/error.h"
#include "base/id.h"

struct build;
struct state;

int build_finish(struct build *b, struct state *state, char ret_id[ID_LEN + 1]) must_check;

#endif
