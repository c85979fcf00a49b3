/* src/builder/output.h - what was built goes where it is wanted. */
#ifndef BUILDER_OUTPUT_H
#define BUILDER_OUTPUT_H

#include <stddef.h>

#include "base/error.h"

struct build;
struct build_request;
struct build_result;

/* Before any step: what the options say of outputs goes together; n: how many platforms. */
int output_check(const struct build_request *req, size_t n, struct error *err) must_check;
/* The targets of the n builds are there. */
int output_all(struct build *builds, size_t n, struct build_result *ret,
	       struct error *err) must_check;

#endif
