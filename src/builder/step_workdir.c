/* src/builder/step_workdir.c - WORKDIR: the directory is there from then on. */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/number.h"
#include "builder/draft.h"
#include "builder/step.h"
#include "engine/root_view.h"

struct making {
	struct work *w;
	const char *path;
	uid_t uid;
	gid_t gid;
};

/* Whoever USER names has what is made here.  A name that no file knows is for RUN to complain of,
 * as there may be none.
 */
static void choose_owner(struct making *m)
{
	const char *text = state_text(m->w->state, "User");
	struct user user = { .home = NULL };
	uint64_t number;

	if (!text || !*text)
		return;
	if (number_parse(text, UINT32_MAX - 1, &number) == 0) {
		m->uid = m->gid = (uid_t)number;
	} else if (user_resolve(&m->w->lower, text, &user, NULL) == 0) {
		m->uid = user.uid;
		m->gid = user.gid;
		user_done(&user);
	}
}

static int make(void *data, struct draft *draft, struct error *err)
{
	const struct making *m = data;
	autofree char *path = NULL;
	int r = draft_resolve(draft, m->path, true, &path, err);

	return r < 0 ? r : draft_make_dir(draft, path, m->uid, m->gid, NULL, err);
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

static void add_owner(const struct making *m, struct step_key *key)
{
	autofree char *text = xasprintf("%u:%u", (unsigned)m->uid, (unsigned)m->gid);

	if (m->uid || m->gid)
		step_key_add(key, text);
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
	choose_owner(&m);
	step_key_begin(&key, "WORKDIR");
	step_key_add(&key, m.path);
	add_owner(&m, &key);
	step_key_end(&key, w, &step);
	r = step_reuse_in_turn(w, &step, said, &turn);
	if (r == 0)
		r = step_draft(w, &step, said, make, &m);
	turn_leave(&turn);
	return MIN(r, 0);
}
