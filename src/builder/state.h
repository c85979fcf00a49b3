/* src/builder/state.h - what a stage is after an instruction: its image's config document, its
 * layers, its variables.
 */
#ifndef BUILDER_STATE_H
#define BUILDER_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/strv.h"
#include "builder/scope.h"
#include "image/digest.h"

struct db;
struct image_config;
struct instruction;

struct state {
	json_t *doc;                 /* without what the layers say until state_close() */
	struct strv chains;          /* layers, the lowest first */
	struct scope scope;          /* its env is the config's */
	struct strv shell;           /* what runs a line */
	int64_t created_ns;          /* of the last layer, or of the image below */
	bool has_cmd;                /* CMD was given in this stage */
	char base[ID_LEN + 1];       /* the image below; "" for none */
	struct strv triggers;        /* ONBUILD of that image */
	size_t below, below_history; /* its layers and steps */
	struct strv steps;           /* keys of those that are kept (image/step.h) */
};

void state_init_scratch(struct state *state, const struct scope_given *given, char escape,
			const char *platform);
/* id of an image in the store. */
int state_init_image(struct state *state, const struct scope_given *given, char escape,
		     struct db *db, int root_fd, const char *id, struct error *err) must_check;
/* A stage that stands on another one. */
void state_init_stage(struct state *state, const struct state *from);
void state_done(struct state *state);

/* All of it as a text (the caller frees), and back.  NULL: bytes that are no UTF-8 are in it. */
char *state_dump(const struct state *state);
int state_parse(const char *text, size_t len, const struct scope_given *given, char escape,
		struct state *ret, struct error *err) must_check;

/* The text of an instruction with its variables; the caller frees. */
int state_expand(struct state *state, const char *text, char **ret, struct error *err) must_check;
int state_expand_words(struct state *state, const struct strv *words, struct strv *ret,
		       struct error *err) must_check;

/* An instruction that changes the config alone; *ret_said is it with its variables, for the history
 * (NULL: it has no place there).
 */
int state_apply(struct state *state, const struct instruction *ins, char **ret_said,
		struct error *err) must_check;

/* Members of the config; NULL if not set. */
const char *state_text(const struct state *state, const char *key);
void state_set_text(struct state *state, const char *key, const char *value);
void state_add_label(struct state *state, const char *name, const char *value);
/* What a run of a command in it needs to know. */
int state_config(const struct state *state, struct image_config *ret, struct error *err) must_check;

/* One step more.  diff_id NULL: it brought no layer. */
void state_add_history(struct state *state, const char *created_by, const char *diff_id,
		       const char *chain, int64_t created_ns);
/* The chain ID of the uppermost layer, "" without. */
const char *state_top(const struct state *state);

#endif
