/* src/engine/bundle_write.h - an image as an OCI bundle: a directory that any OCI runtime runs. */
#ifndef ENGINE_BUNDLE_WRITE_H
#define ENGINE_BUNDLE_WRITE_H

#include "base/error.h"

struct container_options;
struct engine;

/* options as for a run of an image; dir must not be there, or be empty.  A failure or a kill leaves
 * no config.json: the directory is a bundle only when it is whole.
 */
int bundle_write(struct engine *engine, const struct container_options *options, const char *dir,
		 struct error *err) must_check;

#endif
