/* src/builder/export.h - the files of what was built, without an image around them. */
#ifndef BUILDER_EXPORT_H
#define BUILDER_EXPORT_H

#include <stddef.h>

#include "base/error.h"

struct build;
struct output;

/* Of one build the files themselves, of several a directory for each, linux_arm64.  In a local
 * directory they are put beside and over what is there, and belong to whoever builds.
 */
int export_tree(struct build *builds, size_t n, const struct output *output,
		struct error *err) must_check;

#endif
