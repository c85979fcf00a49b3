/* src/builder/plan.h - the stages of a Containerfile, what each stands on and takes from, and which
 * of them the target needs.
 */
#ifndef BUILDER_PLAN_H
#define BUILDER_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "builder/scope.h"

struct containerfile;
struct fault;
struct instruction;
struct instructions;

#define STAGE_NONE ((size_t)-1)

struct stage_plan {
	const struct instruction *from;
	const struct instruction *items; /* behind it */
	size_t n;
	char *name;     /* as FROM ... AS gives it, lower case; NULL */
	char *label;    /* for people: its name, or "stage-0" */
	size_t base;    /* the stage that it stands on, or STAGE_NONE */
	char *image;    /* else the name of the image; "scratch" is none */
	char *platform; /* --platform; NULL */
	bool needed;
	bool uncached; /* --no-cache-filter */
};

struct plan {
	struct stage_plan *stages;
	size_t n;
	size_t target;
	const struct strv *contexts; /* names that are no stage's, whatever there is; NULL: none */
};

struct plan_request {
	const struct containerfile *file;
	const struct instructions *all;
	const char *name;            /* of the file, for errors */
	struct scope_given *given;   /* its global arguments are filled in */
	const char *target;          /* a stage's name or number; NULL: the last */
	const struct strv *contexts; /* named ones; NULL: none */
	const struct strv *uncached; /* names or numbers of stages, with commas; NULL: none */
	const char *from;            /* the image under the first stage, whatever FROM says; NULL */
	bool all_stages;             /* up to the target, needed or not */
};

int plan_make(const struct plan_request *req, struct plan *ret, struct fault *ret_fault,
	      struct error *err) must_check;
void plan_done(struct plan *plan);

/* The stage before number before that a --from means, or STAGE_NONE: then it is an image. */
size_t plan_find(const struct plan *plan, const char *name, size_t before);
/* The value of "from=" in a --mount's text, NULL; the caller frees. */
char *mount_from(const char *mount);

#endif
