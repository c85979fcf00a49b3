/* src/builder/health.h - HEALTHCHECK as the member of an image's config that Docker reads. */
#ifndef BUILDER_HEALTH_H
#define BUILDER_HEALTH_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct instruction;

/* The caller owns *ret. */
int health_make(const struct instruction *ins, json_t **ret, struct error *err) must_check;
/* "1h30m", "500ms", "1.5s" as Go writes durations. */
int duration_parse(const char *text, int64_t *ret_ns) must_check;

#endif
