/* src/builder/idle.h - whether processors have nothing to do. */
#ifndef BUILDER_IDLE_H
#define BUILDER_IDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idle {
	uint64_t idle, all; /* ticks at the last look */
};

size_t idle_processors(void); /* that we may use, at least 1 */
void idle_init(struct idle *idle);
/* Since the last look one of them, or more, had nothing to do for the most part. */
bool idle_look(struct idle *idle);
/* The first line of /proc/stat. */
bool idle_parse(const char *text, struct idle *ret);

#endif
