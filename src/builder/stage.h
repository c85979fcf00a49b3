/* src/builder/stage.h - one stage of a build, from its FROM to its last instruction. */
#ifndef BUILDER_STAGE_H
#define BUILDER_STAGE_H

#include <stddef.h>

#include "base/error.h"

struct build;
struct fault;

/* The stages that it stands on and that were asked for before are there; it fills in its own state.
 * On failure *ret_fault is where in the file.
 */
int stage_run(struct build *b, size_t number, struct fault *ret_fault) must_check;

#endif
