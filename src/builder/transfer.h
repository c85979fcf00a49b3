/* src/builder/transfer.h - what a build asks of registries: strake-image does it. */
#ifndef BUILDER_TRANSFER_H
#define BUILDER_TRANSFER_H

#include "base/error.h"

struct build_request;
struct engine;

/* "copy" or "push" with the request's flags for registries, then words, which end with NULL.  What
 * it says is told; the last line of a failure is why.  A signal ends the process meanwhile.
 */
int transfer(struct engine *engine, const struct build_request *req, const char *command,
	     const char *const *words, struct error *err) must_check;

#endif
