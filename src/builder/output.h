/* src/builder/output.h - what was built goes where it is wanted. */
#ifndef BUILDER_OUTPUT_H
#define BUILDER_OUTPUT_H

#include <stddef.h>

#include "base/error.h"

struct build;
struct build_result;

/* The targets of the n builds are there. */
int output_all(struct build *builds, size_t n, struct build_result *ret,
	       struct error *err) must_check;

#endif
