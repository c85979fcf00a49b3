/* src/builder/step_copy.c - COPY and ADD: files of the context, of a stage, of an image, of the
 * Containerfile itself.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "builder/ahead.h"
#include "builder/copying.h"
#include "builder/halt.h"
#include "builder/instruction.h"
#include "builder/named.h"
#include "builder/remote.h"
#include "builder/step.h"
#include "engine/engine.h"

#define REPORT_NAME "ahead.json"

/* What was done ahead of the step's turn, in the directory that is c->in. */
struct early {
	bool is_there, is_drafted;
	char cheap[DIGEST_HEX_LEN + 1], digest[DIGEST_HEX_LEN + 1]; /* cheap: "" for none */
};

/* keys */

static void make_key(const struct copying *c, const char *reads, struct step *ret)
{
	struct step_key key;
	autofree char *owner =
		xasprintf("%lld:%lld", (long long)c->looks.uid, (long long)c->looks.gid);

	step_key_begin(&key, c->is_add ? "ADD" : "COPY");
	step_key_add_all(&key, &c->w->ins->flags);
	step_key_add(&key, owner);
	step_key_add_all(&key, &c->sources);
	for (size_t i = 0; i < c->nremotes; i++)
		step_key_add(&key, c->remotes[i].text);
	step_key_add_all(&key, &c->docs);
	step_key_add(&key, c->dest);
	step_key_add(&key, c->dest_is_dir ? "/" : "");
	step_key_reads(&key, reads);
	step_key_end(&key, c->w, ret);
}

/* What says, without reading it, that content is what it was: the layer of a stage, what the kernel
 * says of each file, what a server says.  false: nothing does.
 */
static bool cheap_reads(const struct copying *c, char ret[DIGEST_HEX_LEN + 1])
{
	char stamp[DIGEST_HEX_LEN + 1] = "";
	struct digest d;

	if (!c->from && c->sources.n > 0 && !listing_stamp(&c->list, stamp))
		return false;
	for (size_t i = 0; i < c->nremotes; i++)
		if (!*c->remotes[i].stands)
			return false;
	digest_init(&d);
	digest_update(&d, c->from_chain, strlen(c->from_chain) + 1);
	digest_update(&d, stamp, strlen(stamp) + 1);
	for (size_t i = 0; i < c->nremotes; i++)
		digest_update(&d, c->remotes[i].stands, strlen(c->remotes[i].stands) + 1);
	digest_final(&d, ret);
	return true;
}

static int keep_cheap(const struct copying *c, const struct step *cheap, const struct step *step)
{
	struct step copy = *step;

	memcpy(copy.key, cheap->key, sizeof(copy.key));
	return step_keep_row(c->w->b, &copy, NULL);
}

/* The layer was drafted ahead. */
static int keep_draft(struct copying *c, struct step *step)
{
	int r = incoming_lock(&c->in, c->w->b->err);

	return r < 0 ? r : step_keep(c->w, &c->in, STEP_DRAFT_NAME, step, buf_text(&c->said));
}

struct making {
	struct copying *c;
	struct step *step;
};

/* Of an image nothing changes.  What was fetched is ours alone. */
static int make_and_look(void *data, struct draft *draft, struct error *err)
{
	const struct making *m = data;
	autofree char *changed = NULL;
	int r = copying_make(m->c, draft, err);

	if (r == 0 && !m->c->from)
		changed = listing_find_changed(&m->c->list, false);
	return r < 0 ? r : step_key_spoil(m->c->w, m->step, changed);
}

static int find_or_make(struct copying *c, const struct early *early, struct step *step)
{
	struct making making = { c, step };
	struct turn turn = TURN_INIT;
	int r = step_reuse_in_turn(c->w, step, buf_text(&c->said), &turn);
	struct work w = *c->w;

	/* --link: what is below neither leads the way nor gives directories their looks, so that
	 * the layer is the same on anything.
	 */
	if (c->links)
		w.lower = (struct strv) { NULL, 0, 0 };
	if (r == 0 && early->is_drafted)
		r = keep_draft(c, step);
	else if (r == 0)
		r = step_draft(&w, step, buf_text(&c->said), make_and_look, &making);
	turn_leave(&turn);
	return r;
}

/* remotes */

static struct remote_request remote_request(const struct copying *c)
{
	return (struct remote_request) { .engine = c->w->b->engine,
					 .secrets = c->w->b->req->secrets,
					 .in = &c->in,
					 .agent = c->agent };
}

/* The agent of "--ssh default", if a source is to be had by ssh. */
static int open_agent(struct copying *c)
{
	bool needed = false;
	autoclose int dir = -1;
	int r;

	for (size_t i = 0; i < c->nremotes; i++)
		needed |= c->remotes[i].is_git && c->remotes[i].git.transport == GIT_SSH;
	if (!needed)
		return 0;
	r = dir_ensure_at(c->in.tmp_fd, "ssh", 0700, &dir, c->w->b->err);
	if (r == 0)
		r = ssh_open(c->w->b->req->ssh, "default", dir, &c->ssh, c->w->b->err);
	if (r == 0)
		c->agent = c->ssh.dir < 0 ? xstrdup(c->ssh.socket) : file_path(dir, c->ssh.socket);
	return r < 0 ? r : 0;
}

static int look_at_remotes(struct copying *c)
{
	const struct remote_request req = remote_request(c);
	const struct engine *engine = c->w->b->engine;
	int r = c->nremotes == 0 || c->in.tmp_fd >= 0
			? 0
			: incoming_begin(engine_root(engine), engine_root_fd(engine), &c->in,
					 c->w->b->err);
	sigset_t before;

	/* What a signal leaves behind here the next command takes away. */
	halt_allow(&before);
	if (r == 0)
		r = open_agent(c);
	for (size_t i = 0; r == 0 && i < c->nremotes; i++)
		r = remote_look(&c->remotes[i], &req, c->w->b->err);
	halt_forbid(&before);
	return r;
}

static int bring_remotes(struct copying *c)
{
	const struct remote_request req = remote_request(c);
	sigset_t before;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->nremotes; i++) {
		struct remote *remote = &c->remotes[i];
		struct listing_request lr = { .exclude = c->exclude.n ? &c->exclude : NULL,
					      .what = remote->text };

		halt_allow(&before);
		if (remote->root < 0)
			r = remote_bring(remote, &req, c->w->b->err);
		halt_forbid(&before);
		lr.root = remote->root;
		if (r == 0)
			r = listing_add_whole(&c->list, &lr, remote->name, c->w->b->err);
	}
	return r;
}

/* ahead of its turn */

static int report_remotes(const struct copying *c, json_t *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->nremotes; i++) {
		const struct remote *remote = &c->remotes[i];
		autofree char *link = xasprintf("/proc/self/fd/%d", remote->root);
		char path[PATH_MAX];
		ssize_t n = readlink(link, path, sizeof(path) - 1);

		if (n < 0)
			return -errno;
		path[n] = '\0';
		r = json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "root", path, "name",
							  remote->name, "stands", remote->stands));
	}
	return r;
}

/* A name that is no UTF-8 has no place in it: then the step does it all again, in its turn. */
static int report(const struct copying *c, const struct early *early)
{
	cleanup(json_cleanup) json_t *doc = NULL, *remotes = json_array();
	struct step step;
	int r = report_remotes(c, remotes);

	if (r < 0)
		return r;
	make_key(c, early->digest, &step);
	doc = json_pack("{s:s, s:s, s:s, s:b, s:b, s:O}", "what", step.what, "cheap", early->cheap,
			"digest", early->digest, "isDir", (int)c->dest_is_dir, "isDrafted",
			(int)early->is_drafted, "remotes", remotes);
	return doc ? json_save_at(c->in.tmp_fd, REPORT_NAME, doc, false, c->w->b->err) : -EILSEQ;
}

static int do_ahead(struct copying *c)
{
	static const struct strv nothing = { NULL, 0, 0 };
	struct early early = { .is_drafted = c->links };
	autofree char *changed = NULL;
	int r = look_at_remotes(c);

	if (r == 0)
		r = bring_remotes(c);
	if (r == 0 && !cheap_reads(c, early.cheap))
		early.cheap[0] = '\0';
	if (r == 0)
		r = listing_digest(&c->list, &c->lr, early.digest, c->w->b->err);
	if (r == 0 && c->links)
		r = step_draft_in(&c->in, &nothing, copying_make, c, c->w->b->err);
	/* Then the step does it again in its turn, which says so if need be. */
	if (r == 0)
		changed = listing_find_changed(&c->list, false);
	return r < 0 ? r : changed ? -ESTALE : report(c, &early);
}

int copy_ahead(struct work *w, const struct incoming *in)
{
	struct copying c;
	int r;

	copying_init(&c, w);
	c.in = *in;
	r = copying_read(&c);
	if (r == 0)
		r = copying_open(&c);
	if (r == 0)
		r = copying_list(&c);
	return r < 0 ? r : do_ahead(&c);
}

static int take_remotes(struct copying *c, struct json_reader *rd, const json_t *list)
{
	int r = json_array_size(list) == c->nremotes ? 0 : -EPROTO;

	for (size_t i = 0; r == 0 && i < c->nremotes; i++) {
		const json_t *entry = json_array_get(list, i);
		struct remote *remote = &c->remotes[i];

		remote->name = xstrdup(json_need_string(rd, entry, "name"));
		remote->stands = xstrdup(json_need_string(rd, entry, "stands"));
		r = rd->r < 0 ? rd->r
			      : dir_open_at(AT_FDCWD, json_need_string(rd, entry, "root"),
					    &remote->root, NULL);
	}
	return r;
}

/* Only of the same words: what it says of them is the same, too. */
static int take_report(struct copying *c, struct early *early)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct json_reader rd;
	struct step step;
	int r = json_load_at(c->in.tmp_fd, REPORT_NAME, &doc, NULL);

	if (r < 0)
		return r;
	json_reader_init(&rd, REPORT_NAME, NULL);
	(void)snprintf(early->cheap, sizeof(early->cheap), "%s",
		       json_need_string(&rd, doc, "cheap"));
	(void)snprintf(early->digest, sizeof(early->digest), "%s",
		       json_need_string(&rd, doc, "digest"));
	early->is_drafted = json_read_bool(&rd, doc, "isDrafted", false);
	c->dest_is_dir = json_read_bool(&rd, doc, "isDir", c->dest_is_dir);
	make_key(c, early->digest, &step);
	if (rd.r == 0 && strcmp(step.what, json_need_string(&rd, doc, "what")) != 0)
		return -ESTALE;
	return rd.r < 0 ? rd.r : take_remotes(c, &rd, json_object_get(doc, "remotes"));
}

/* Without it, or if it failed, the step does all by itself, and says why that fails. */
static void take_early(struct copying *c, struct early *early)
{
	bool was_dir = c->dest_is_dir;

	if (!ahead_take(c->w, &c->in))
		return;
	if (take_report(c, early) == 0) {
		early->is_there = true;
		return;
	}
	*early = (struct early) { .is_there = false };
	c->dest_is_dir = was_dir;
	for (size_t i = 0; i < c->nremotes; i++)
		remote_forget(&c->remotes[i]);
	incoming_done(&c->in);
}

/* the step */

static int read_all(struct copying *c, const struct early *early, const char *cheap,
		    char ret[DIGEST_HEX_LEN + 1])
{
	int r;

	if (early->is_drafted || (early->is_there && *cheap && strcmp(cheap, early->cheap) == 0)) {
		memcpy(ret, early->digest, DIGEST_HEX_LEN + 1);
		return early->is_drafted ? 0 : bring_remotes(c);
	}
	/* With one, those behind it can come as well. */
	if (c->nremotes && !early->is_there)
		ahead_begin(c->w);
	r = bring_remotes(c);
	return r < 0 ? r : listing_digest(&c->list, &c->lr, ret, c->w->b->err);
}

static int do_copy(struct copying *c, const struct early *early)
{
	char cheap_text[DIGEST_HEX_LEN + 1] = "", digest[DIGEST_HEX_LEN + 1];
	struct step cheap, step;
	bool is_cheap = early->is_drafted ? *early->cheap != '\0' : cheap_reads(c, cheap_text);
	int r = 0;

	if (early->is_drafted)
		memcpy(cheap_text, early->cheap, sizeof(cheap_text));
	if (is_cheap) {
		make_key(c, cheap_text, &cheap);
		r = step_reuse(c->w, &cheap, buf_text(&c->said));
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = read_all(c, early, cheap_text, digest);
	if (r < 0)
		return r;
	make_key(c, digest, &step);
	memcpy(digest, step.key, sizeof(digest));
	r = find_or_make(c, early, &step);
	if (r < 0 || !is_cheap || strcmp(digest, step.key) != 0)
		return r < 0 ? r : 0;
	(void)snprintf(step.chain, sizeof(step.chain), "%s", state_top(c->w->state));
	step.created_ns = c->w->state->created_ns;
	return keep_cheap(c, &cheap, &step);
}

int step_copy(struct work *w)
{
	cleanup(copying_done) struct copying c;
	struct early early = { .is_there = false };
	int r;

	copying_init(&c, w);
	r = copying_read(&c);
	if (r == 0)
		r = copying_open(&c);
	if (r == 0)
		take_early(&c, &early);
	if (r == 0 && !early.is_drafted)
		r = copying_list(&c);
	if (r == 0 && !early.is_there)
		r = look_at_remotes(&c);
	if (r < 0)
		return r;
	copying_say(&c);
	return do_copy(&c, &early);
}
