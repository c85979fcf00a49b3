/* src/builder/step.h - one instruction at work, for the files that know how each kind is done. */
#ifndef BUILDER_STEP_H
#define BUILDER_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/strv.h"
#include "builder/build.h"
#include "builder/plan.h"
#include "builder/state.h"
#include "builder/turn.h"
#include "image/digest.h"
#include "image/hold.h"
#include "image/step.h"

struct ahead;
struct draft;
struct hand_run;
struct incoming;
struct instruction;
struct layer_info;

struct build {
	struct engine *engine;
	const struct build_request *req;
	struct scope_given given;
	struct plan plan;
	struct state *states; /* of the stages, as far as they are built */
	unsigned *firsts;     /* number of each stage's first step in the whole build */
	struct strv declared; /* names of all ARGs */
	char escape;
	char id[ID_SHORT_LEN + 1]; /* of the build, in the names of its containers */
	char hold[HOLD_NAME_LEN];  /* of the layers that it stands on */
	bool by_hand;              /* hand.h: of the steps nothing is kept but what they made */
	struct hand_run *hand_run; /* of its RUN; NULL */
	struct ahead *aheads;      /* ahead.h */
	size_t naheads, aheads_room;
	struct error *err;
	unsigned at; /* the step that is being done, in the whole build */
	int boss;    /* in a worker (crew.h): the socket to what started it; -1 */
};

struct work {
	struct build *b;
	size_t stage;
	struct state *state;
	const struct instruction *ins;
	struct strv lower;      /* directories of the state's layers, the uppermost first */
	unsigned number, total; /* in the stage */
};

void work_tell(const struct work *w, enum build_event event, const char *text);
/* The same, filled in further by the caller. */
struct build_told work_told(const struct work *w, enum build_event event);
/* Layers of a state as directories, the uppermost first. */
void state_lower(const struct engine *engine, const struct state *state, struct strv *ret);

/* The key of a step grows by all that its result depends on but the layers below. */
struct step_key {
	struct digest what, reads;
	bool has_reads;
};
void step_key_begin(struct step_key *key, const char *word);
void step_key_add(struct step_key *key, const char *text);
void step_key_add_all(struct step_key *key, const struct strv *texts);
void step_key_reads(struct step_key *key, const char *digest);
void step_key_end(struct step_key *key, const struct work *w, struct step *ret);
/* Of all that it depends on.  What is kept by a stamp or a tag (step_copy.c) has another one. */
void step_key_of(const struct step *step, char ret[DIGEST_HEX_LEN + 1]);

/* A step that read what changed meanwhile is kept for this build alone, under a key that nobody
 * asks for; the user is told of the path (NULL: nothing has changed).
 */
int step_key_spoil(struct work *w, struct step *step, const char *path) must_check;

/* 1: it was there, and the state has gone on; 0: it has to be done.  said: for the history. */
int step_reuse(struct work *w, const struct step *step, const char *said) must_check;
/* Tells why it was not. */
int step_tell_miss(struct work *w, const struct step *step) must_check;
/* The same after nobody else, in this build or another, is doing the step: 1 and 0 as above.  turn
 * is the caller's to leave.
 */
int step_reuse_in_turn(struct work *w, const struct step *step, const char *said,
		       struct turn *ret_turn) must_check;
/* The directory TMP/name of in becomes the step's layer, the state goes on, the row is kept. */
int step_keep(struct work *w, const struct incoming *in, const char *name, struct step *step,
	      const char *said) must_check;
/* One more key for what step names; info of a layer that is new, or NULL. */
int step_keep_row(struct build *b, const struct step *step,
		  const struct layer_info *info) must_check;
#define STEP_DRAFT_NAME "draft"
/* TMP/STEP_DRAFT_NAME of in, as make() drafts it over the directories of lower. */
int step_draft_in(const struct incoming *in, const struct strv *lower,
		  int (*make)(void *data, struct draft *draft, struct error *err), void *data,
		  struct error *err) must_check;
/* A layer that make() drafts. */
int step_draft(struct work *w, struct step *step, const char *said,
	       int (*make)(void *data, struct draft *draft, struct error *err),
	       void *data) must_check;

/* One instruction, whatever it is. */
int build_instruction(struct work *w) must_check;
/* What the image below left to be done. */
int build_triggers(struct work *w) must_check;

/* kinds */
int step_copy(struct work *w) must_check;
/* What can be done of it without what is below it, into in; no word of it is told. */
int copy_ahead(struct work *w, const struct incoming *in) must_check;
int step_run(struct work *w) must_check;
int step_workdir(struct work *w) must_check;

/* "user:group" by the files of the state's root; a number alone is both. */
int step_owner(struct work *w, const char *text, uid_t *ret_uid, gid_t *ret_gid) must_check;
/* So that none of them is removed while the build needs it. */
int build_hold(struct build *b, const struct strv *chains) must_check;
/* An image by name, fetched if it is not here and may be. */
int build_find_image(struct build *b, const char *name, const char *platform,
		     char ret_id[ID_LEN + 1]) must_check;
/* The tree that a --from means: a stage, or an image.  ret_layers, or NULL: its directories, the
 * uppermost first.
 */
int step_source(struct work *w, const char *from, int *ret_fd, char *ret_chain,
		struct strv *ret_layers) must_check;

#endif
