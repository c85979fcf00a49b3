/* src/builder/helper.h - a program of the distribution's that a build needs: git, ssh-add.
 *
 * It runs confined (kernel/confine.h), with an environment of its own, and has a deadline; what it
 * says is bounded.
 */
#ifndef BUILDER_HELPER_H
#define BUILDER_HELPER_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "kernel/confine.h"

#define HELPER_OUTPUT_MAX (4U << 20)

struct helper {
	const struct strv *argv;
	const struct strv *env;
	struct confine confine;
	int64_t deadline_ms; /* on the monotonic clock */
	const char *package; /* that has it */
};

/* What is the environment of all: PATH, and which proxy to take. */
void helper_env(struct strv *ret);
/* -EIO with the last line of what it said on standard error.  ret_out: its output, or NULL. */
int helper_run(const struct helper *h, char **ret_out, struct error *err) must_check;

#endif
