/* src/engine/limit.h - how much a container may use, from options to OCI resources and rlimits. */
#ifndef ENGINE_LIMIT_H
#define ENGINE_LIMIT_H

#include <jansson.h>

#include "base/error.h"

struct container_options;

/* Fills linux.resources (config-linux.md, "Control groups") with what was asked for, no more. */
int limit_add_resources(const struct container_options *options, json_t *resources,
			struct error *err) must_check;
/* Appends to process.rlimits (config.md, "POSIX process") what --ulimit asks for. */
int limit_add_rlimits(const struct container_options *options, json_t *rlimits,
		      struct error *err) must_check;

#endif
