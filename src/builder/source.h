/* src/builder/source.h - a Containerfile, read: its lines and what they say. */
#ifndef BUILDER_SOURCE_H
#define BUILDER_SOURCE_H

#include <stddef.h>

#include "base/error.h"
#include "builder/containerfile.h"
#include "builder/instruction.h"

struct source {
	struct containerfile file;
	struct instructions all;
};

int source_parse(const char *bytes, size_t len, const char *name, struct source *ret,
		 struct fault *ret_fault, struct error *err) must_check;
void source_done(struct source *source);

#endif
