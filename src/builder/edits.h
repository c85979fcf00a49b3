/* src/builder/edits.h - what the command line changes in an image's config beside its
 * Containerfile.
 */
#ifndef BUILDER_EDITS_H
#define BUILDER_EDITS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct state;

struct image_edits {
	struct strv env;         /* NAME=VALUE: as an ENV behind each FROM of an image */
	struct strv unset_env;   /* names */
	struct strv unset_label; /* names */
	struct strv os_features;
	const char *os_version; /* NULL: the base's */
	bool no_base_labels;    /* those of the base image go before its first step */
	bool no_history;
};

/* Owns its lists. */
void edits_done(struct image_edits *edits);

/* Behind a FROM that names an image or scratch. */
int edits_start(const struct image_edits *edits, struct state *state, struct error *err) must_check;
/* When all of the target's steps are done. */
void edits_end(const struct image_edits *edits, struct state *state);

/* A member of the config loses one entry, or with NULL all: Env, Labels, ExposedPorts, Volumes. */
void edits_take(struct state *state, const char *member, const char *name);
/* A member beside the config: architecture, os, variant, comment. */
void edits_set(struct state *state, const char *member, const char *value);
/* What the history says of the last step. */
void edits_comment(struct state *state, const char *text);

#endif
