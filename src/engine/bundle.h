/* src/engine/bundle.h - an OCI bundle, a directory with config.json and a root, as what to run.
 *
 * Its config.json is what the container starts from in place of our defaults; options of the user
 * bend it.  Its root is a lower layer: it is never written to.
 */
#ifndef ENGINE_BUNDLE_H
#define ENGINE_BUNDLE_H

#include "base/error.h"

struct root;

int bundle_plan(const char *dir, struct root *root, struct error *err) must_check;

#endif
