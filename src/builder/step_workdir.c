/* src/builder/step_workdir.c - WORKDIR: the directory is there from then on. */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "builder/draft.h"
#include "builder/step.h"

struct making {
	struct work *w;
	const char *path;
};

static int make(void *data, struct draft *draft, struct error *err)
{
	const struct making *m = data;
	autofree char *path = NULL;
	int r = draft_resolve(draft, m->path, true, &path, err);

	return r < 0 ? r : draft_make_dir(draft, path, 0, 0, NULL, err);
}

/* 1: it is there already. */
static int look(struct work *w, const char *dir)
{
	cleanup(draft_done) struct draft below;
	autofree char *path = NULL;
	struct stat st;
	int r;

	draft_init(&below, -1, &w->lower);
	r = draft_resolve(&below, dir, true, &path, w->b->err);
	if (r < 0 || !*path)
		return r < 0 ? r : 1;
	if (draft_look(&below, path, &st) < 0)
		return 0;
	return S_ISDIR(st.st_mode)
		       ? 1
		       : error_set(w->b->err, -ENOTDIR, "%s is there and no directory", dir);
}

int step_workdir(struct work *w)
{
	autofree char *said = NULL;
	struct step_key key;
	struct step step;
	struct making m = { .w = w };
	struct turn turn = TURN_INIT;
	int r = state_apply(w->state, w->ins, &said, w->b->err);

	if (r < 0)
		return r;
	m.path = state_text(w->state, "WorkingDir");
	r = look(w, m.path);
	if (r > 0)
		state_add_history(w->state, said, NULL, NULL, w->state->created_ns);
	if (r != 0)
		return r < 0 ? r : 0;
	step_key_begin(&key, "WORKDIR");
	step_key_add(&key, m.path);
	step_key_end(&key, w, &step);
	r = step_reuse_in_turn(w, &step, said, &turn);
	if (r == 0)
		r = step_draft(w, &step, said, make, &m);
	turn_leave(&turn);
	return MIN(r, 0);
}
