/* src/cmd/build_view.h - how a build is shown while it goes on: as lines, live on a terminal, as
 * JSON, not at all.
 *
 * build_view.c keeps what is known of each step; a kind is one file, which only writes.
 */
#ifndef CMD_BUILD_VIEW_H
#define CMD_BUILD_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "builder/build.h"

enum view_kind { VIEW_PLAIN, VIEW_TTY, VIEW_JSON, VIEW_QUIET };

enum step_state { STEP_WAITS, STEP_RUNS, STEP_DONE, STEP_FAILED };

struct view_step {
	unsigned id;
	enum step_state state;
	char *label; /* "[linux/arm64 stage-0 2/5]" */
	char *text;  /* the instruction, one line */
	int64_t began_ms, took_ms;
	bool cached;
	struct buf parts[2]; /* of output and errors: a line that is not whole yet */
	struct buf tail;     /* the last lines of output */
};

struct view {
	enum view_kind kind;
	bool explain_cache;
	FILE *to;                /* owned */
	struct view_step *steps; /* a pointer to one is good until the next begins */
	size_t n, room;
	unsigned last;   /* whose output was shown last */
	unsigned drawn;  /* tty: lines of the live part */
	unsigned failed; /* step, 0: none */
};

/* text: auto (also NULL), plain, tty, json, quiet. */
int view_kind_parse(const char *text, bool quiet, enum view_kind *ret,
		    struct error *err) must_check;
/* to becomes the view's. */
void view_init(struct view *v, enum view_kind kind, FILE *to);
void view_done(struct view *v);
/* For build_request.tell; data is the view. */
void view_tell(void *data, const struct build_told *told);
/* The end: what a failed step said last, unless it is on the screen anyway. */
void view_end(struct view *v);

/* for the kinds */

/* Calls line() for each whole line of what a step said. */
void view_lines(struct view *v, struct view_step *step, const struct build_told *told,
		void (*line)(struct view *v, struct view_step *step, const char *text));
/* What is left of them. */
void view_last_lines(struct view *v, struct view_step *step,
		     void (*line)(struct view *v, struct view_step *step, const char *text));
/* A text that a terminal can be given, on one line; the caller frees. */
char *view_clean(const char *text);

/* step: NULL if it is of none. */
void plain_tell(struct view *v, struct view_step *step, const struct build_told *told);
void tty_tell(struct view *v, struct view_step *step, const struct build_told *told);
void tty_end(struct view *v);
void json_tell(struct view *v, const struct build_told *told);

#endif
