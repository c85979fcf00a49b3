/* src/engine/grant.h - what a container may do: capabilities, system calls, devices, masked paths.
 *
 * Starts from the runtime's default configuration (runtime/default_spec.h) and widens or narrows it
 * as the user asked.
 */
#ifndef ENGINE_GRANT_H
#define ENGINE_GRANT_H

#include <jansson.h>

#include "base/error.h"

struct container_options;
struct strv;

/* Default capabilities, plus --cap-add, minus --cap-drop; "CAP_" and case are optional. */
int grant_capabilities(const struct container_options *options, const json_t *config,
		       struct strv *ret, struct error *err) must_check;
/* process.capabilities as the runtime wants it; the caller owns the result. */
json_t *grant_capability_sets(const struct strv *caps);

/* Everything else: seccomp, no_new_privs, and with --privileged devices, masks and /sys. */
int grant_apply(const struct container_options *options, const struct strv *caps, json_t *config,
		struct error *err) must_check;

#endif
