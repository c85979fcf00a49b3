/* src/builder/lint.h - what a Containerfile says that was hardly meant: BuildKit's build checks, by
 * their names.
 *
 * One pass over the instructions; nothing is built and nothing is fetched.  What an image below
 * says is asked of the caller, and what nobody knows is no finding.
 */
#ifndef BUILDER_LINT_H
#define BUILDER_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

struct ignore;
struct image_config;
struct plan;
struct source;

enum lint_rule {
	LINT_STAGE_NAME_CASING,
	LINT_FROM_AS_CASING,
	LINT_NO_EMPTY_CONTINUATION,
	LINT_CONSISTENT_CASING,
	LINT_DUPLICATE_STAGE,
	LINT_RESERVED_STAGE,
	LINT_JSON_ARGS,
	LINT_MAINTAINER,
	LINT_UNDEFINED_ARG_IN_FROM,
	LINT_WORKDIR_RELATIVE,
	LINT_UNDEFINED_VAR,
	LINT_MULTIPLE,
	LINT_LEGACY_KEY_VALUE,
	LINT_BASE_PLATFORM,
	LINT_REDUNDANT_PLATFORM,
	LINT_SECRETS,
	LINT_INVALID_DEFAULT_ARG,
	LINT_PLATFORM_CONST,
	LINT_COPY_IGNORED,
	LINT_DEFINITION_DESCRIPTION,
	LINT_EXPOSE_PROTO_CASING,
	LINT_EXPOSE_FORMAT,
	N_LINT_RULES,
};

const char *lint_name(enum lint_rule rule);  /* "StageNameCasing" */
const char *lint_about(enum lint_rule rule); /* what it is for, one line */

struct lint_finding {
	enum lint_rule rule;
	unsigned first, last; /* lines */
	unsigned column;
	char *text;
};

struct lint {
	struct lint_finding *items;
	size_t n, room;
	bool fails; /* error=true */
};
void lint_done(struct lint *lint);

struct lint_request {
	const struct source *source;
	const struct plan *plan;
	const struct ignore *ignore; /* of the context; NULL */
	const char *platform;        /* that is built for; NULL: this machine's */
	const char *options;         /* in place of the file's "# check="; NULL */
	/* An image's config, if it is here: 0, else -ENOENT.  May be NULL. */
	int (*image)(void *data, const char *name, struct image_config *ret);
	void *data;
};

/* Findings in the order of lines.  -EINVAL: the options are none. */
int lint_run(const struct lint_request *req, struct lint *ret, struct error *err) must_check;

/* "skip=A,B;error=true;experimental=C"; rules that are off are set in ret_off. */
int lint_options_parse(const char *text, bool ret_off[N_LINT_RULES], bool *ret_fails,
		       struct error *err) must_check;

#endif
