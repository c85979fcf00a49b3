/* src/builder/hand.h - a working container: an image in the making, one instruction after another,
 * from a shell script.
 *
 * What an instruction does is what it does in a Containerfile, by the same code, so that both give
 * the same layers, config and history.  Nothing is taken from the build cache and nothing is put
 * there.  Between two commands all there is of it is its record (image/working.h); a command
 * that is killed has done nothing.
 */
#ifndef BUILDER_HAND_H
#define BUILDER_HAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/strv.h"
#include "builder/build.h"
#include "builder/instruction.h"
#include "builder/step.h"
#include "image/working.h"

/* What a command run by hand is asked for beside what RUN knows. */
struct hand_run {
	const struct strv *env;
	const char *user, *workdir; /* NULL: the working container's */
	bool tty;
	int status; /* answered: its exit status; what it changed stays whatever that is */
};

struct hand {
	struct engine *engine;
	struct working w;
	struct state state;
	struct build build;
	struct build_request req; /* may be changed until the next instruction */
	struct stage_plan stage;
	struct hand_run *run; /* of the next RUN */
	struct error *err;
};

/* A request without anything in it. */
void hand_request_init(struct build_request *req);

/* A new working container; "scratch" for one without files.  req: platform, pull. */
int hand_from(struct engine *engine, const struct build_request *req, const char *image,
	      const char *name, char **ret_name, struct error *err) must_check;
/* One that is there, alone with it; what was written through a mount becomes a layer, and is shown
 * there again by hand_save().
 */
int hand_open(struct engine *engine, const char *what, const struct build_request *req,
	      struct hand *ret, struct error *err) must_check;
void hand_done(struct hand *hand);

/* An instruction as a line of a Containerfile. */
int hand_line(struct hand *hand, const char *text) must_check;
/* One whose words are data: no variables, quotes or patterns but what keep says; copied.  flags:
 * "chown=1:1".
 */
enum hand_words {
	HAND_LITERAL,   /* as they are */
	HAND_VARIABLES, /* "$PATH" in them is the working container's */
	HAND_ARGUMENTS, /* of a command: nothing was ever special in them */
};
int hand_words(struct hand *hand, enum instruction_kind kind, const struct strv *flags,
	       const struct strv *words, enum hand_words keep) must_check;
/* The record is what was done so far. */
int hand_save(struct hand *hand) must_check;

struct hand_commit {
	const struct strv *names; /* canonical */
	const struct image_edits *edits;
	const char *format;   /* of a manifest that is made at once: "oci", "docker"; NULL: none */
	const char *manifest; /* an index that the image goes into, too; NULL */
	bool squash;          /* one layer, the image's below in it */
	int64_t newest_s;     /* no time of its own layers is later; -1 */
};
int hand_commit(struct hand *hand, const struct hand_commit *req,
		char ret_id[ID_LEN + 1]) must_check;

#endif
