/* src/builder/look.h - a Containerfile looked at without building it: --call=check, outline,
 * targets.
 *
 * What is found is a document as docker's, for whoever shows it:
 * check: {"warnings": [{"ruleName", "description", "detail", "location"}], "sources"};
 * targets: {"targets": [{"name", "default", "description", "base", "platform", "location"}]};
 * outline: {"name", "description", "args", "secrets", "ssh", "cache"}, of the target and all that
 * it needs.
 */
#ifndef BUILDER_LOOK_H
#define BUILDER_LOOK_H

#include <jansson.h>

#include "base/error.h"

struct build;
struct build_request;
struct engine;
struct fault;
struct source;

enum look_call { LOOK_CHECK, LOOK_OUTLINE, LOOK_TARGETS };

/* The caller owns *ret. */
int build_look(struct engine *engine, const struct build_request *req, enum look_call call,
	       json_t **ret, struct fault *ret_fault, struct error *err) must_check;

/* The checks of a build that goes on: each finding is told as a warning, and -EINVAL if the file
 * wants them to be errors.
 */
int look_warn(struct build *b, const struct source *source, struct fault *ret_fault,
	      struct error *err) must_check;

#endif
