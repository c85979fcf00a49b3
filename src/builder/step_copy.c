/* src/builder/step_copy.c - COPY and ADD: files of the context, of a stage, of an image, of the
 * Containerfile itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "builder/draft.h"
#include "builder/halt.h"
#include "builder/ignore.h"
#include "builder/instruction.h"
#include "builder/listing.h"
#include "builder/mode.h"
#include "builder/named.h"
#include "builder/remote.h"
#include "builder/ssh.h"
#include "builder/step.h"
#include "builder/unpack_add.h"
#include "engine/engine.h"
#include "image/incoming.h"

struct copying {
	struct work *w;
	bool is_add, links, keeps_parents;
	const char *from; /* NULL: the context, or this named one */
	const struct named *named;
	char from_chain[DIGEST_HEX_LEN + 1];
	int root; /* of the tree copied from; -1: none is needed */
	struct strv sources;
	struct remote *remotes; /* sources that are elsewhere */
	size_t nremotes, remotes_room;
	struct incoming in; /* where they come to */
	struct ssh ssh;     /* keys for them */
	char *agent;        /* NULL: none were given */
	struct strv docs;   /* contents of here-documents, a name before each */
	char *dest;
	bool dest_is_dir; /* it says so, or several things go there */
	struct draft_looks looks;
	struct draft_mode mode;
	uid_t uid; /* of directories that are made on the way */
	gid_t gid;
	struct ignore exclude;
	struct listing list;
	size_t nlocal; /* items that are no remotes' */
	struct listing_request lr;
	struct buf said;
};

static void copying_done(struct copying *c)
{
	strv_done(&c->sources);
	for (size_t i = 0; i < c->nremotes; i++)
		remote_done(&c->remotes[i]);
	free(c->remotes);
	ssh_done(&c->ssh);
	free(c->agent);
	strv_done(&c->docs);
	free(c->dest);
	ignore_done(&c->exclude);
	listing_done(&c->list);
	buf_done(&c->said);
	if (c->root >= 0)
		(void)close(c->root);
	incoming_done(&c->in);
}

/* what is asked */

static const struct heredoc *find_doc(const struct instruction *ins, const char *word)
{
	const char *name = word + 2 + (word[2] == '-');
	size_t skip = *name == '"' || *name == '\'';

	for (size_t i = 0; i < ins->line->ndocs; i++) {
		const struct heredoc *doc = &ins->line->docs[i];

		if (strncmp(name + skip, doc->name, strlen(doc->name)) == 0 &&
		    strlen(name) == strlen(doc->name) + 2 * skip)
			return doc;
	}
	return NULL;
}

/* "<<NAME": a file of that name; its variables are expanded unless the name was quoted. */
static int add_doc(struct copying *c, const struct heredoc *doc)
{
	char *content = NULL;
	int r = 0;

	if (doc->expands)
		r = state_expand(c->w->state, doc->content, &content, c->w->b->err);
	else
		content = xstrdup(doc->content);
	if (r < 0)
		return r;
	strv_add(&c->docs, doc->name);
	strv_take(&c->docs, content);
	return 0;
}

/* 1: it is none. */
static int add_remote(struct copying *c, const char *source)
{
	const char *checksum = instruction_flag(c->w->ins, "checksum");
	struct remote remote;
	int r = remote_parse(source, checksum, &remote, c->w->b->err);

	if (r != 0)
		return r;
	remote.git.keeps_git_dir |= instruction_has(c->w->ins, "keep-git-dir");
	VEC_GROW(c->remotes, c->nremotes, c->remotes_room);
	c->remotes[c->nremotes++] = remote;
	return 0;
}

static int add_source(struct copying *c, const char *word)
{
	const struct heredoc *doc = strncmp(word, "<<", 2) == 0 ? find_doc(c->w->ins, word) : NULL;
	autofree char *source = NULL;
	int r;

	if (doc)
		return add_doc(c, doc);
	r = state_expand(c->w->state, word, &source, c->w->b->err);
	if (r == 0 && !*source)
		r = error_set(c->w->b->err, -EINVAL, "a source is empty");
	if (r == 0)
		r = c->is_add ? add_remote(c, source) : 1;
	if (r > 0) {
		strv_add(&c->sources, source);
		r = 0;
	}
	return r;
}

static size_t count_sources(const struct copying *c)
{
	return c->sources.n + c->nremotes + c->docs.n / 2;
}

static int read_dest(struct copying *c, const char *word)
{
	const char *workdir = state_text(c->w->state, "WorkingDir");
	autofree char *text = NULL;
	size_t len;
	int r = state_expand(c->w->state, word, &text, c->w->b->err);

	if (r < 0)
		return r;
	len = strlen(text);
	if (len == 0)
		return error_set(c->w->b->err, -EINVAL, "the destination is empty");
	c->dest_is_dir = text[len - 1] == '/' || strcmp(text, ".") == 0 ||
			 (len > 1 && strcmp(text + len - 2, "/.") == 0);
	c->dest = *text == '/' ? xstrdup(text) : xasprintf("%s/%s", workdir ? workdir : "", text);
	if (count_sources(c) > 1 && !c->dest_is_dir)
		return error_set(
			c->w->b->err, -EINVAL,
			"with several sources the destination is a directory and ends with /: "
			"%.200s/",
			text);
	return 0;
}

static int read_words(struct copying *c)
{
	const struct strv *words = &c->w->ins->words;
	int r = 0;

	for (size_t i = 0; r == 0 && i + 1 < words->n; i++)
		r = add_source(c, words->items[i]);
	if (r == 0)
		r = read_dest(c, words->items[words->n - 1]);
	if (r == 0 && instruction_flag(c->w->ins, "checksum") &&
	    (count_sources(c) != 1 || c->nremotes != 1))
		r = error_set(c->w->b->err, -EINVAL,
			      "--checksum is for one source, a URL or a git repository");
	return r;
}

static int read_owner(struct copying *c)
{
	const char *flag = instruction_flag(c->w->ins, "chown");
	autofree char *text = NULL;
	int r;

	/* Files of the context are nobody's in particular; those of an image keep their owners. */
	c->looks = (struct draft_looks) { .uid = c->from ? -1 : 0, .gid = c->from ? -1 : 0 };
	if (!flag)
		return 0;
	r = state_expand(c->w->state, flag, &text, c->w->b->err);
	if (r == 0)
		r = step_owner(c->w, text, &c->uid, &c->gid);
	c->looks.uid = c->uid;
	c->looks.gid = c->gid;
	return r;
}

static int read_mode(struct copying *c)
{
	const char *flag = instruction_flag(c->w->ins, "chmod");
	autofree char *text = NULL;
	int r;

	if (!flag)
		return 0;
	r = state_expand(c->w->state, flag, &text, c->w->b->err);
	if (r == 0)
		r = mode_parse(text, &c->mode, c->w->b->err);
	if (r < 0)
		return error_wrap(c->w->b->err, r, "--chmod");
	c->looks.mode = &c->mode;
	return 0;
}

static int read_excludes(struct copying *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->w->ins->flags.n; i++) {
		const char *flag = c->w->ins->flags.items[i];
		autofree char *text = NULL;

		if (strncmp(flag, "exclude=", 8) != 0)
			continue;
		r = state_expand(c->w->state, flag + 8, &text, c->w->b->err);
		if (r == 0)
			r = ignore_add(&c->exclude, text, c->w->b->err);
	}
	return r;
}

static int open_root(struct copying *c)
{
	const struct build_request *req = c->w->b->req;
	int context = c->named ? c->named->context.fd : req->context;

	if (c->from)
		return step_source(c->w, c->from, &c->root, c->from_chain);
	if (c->sources.n == 0)
		return 0;
	if (context < 0)
		return error_set(
			c->w->b->err, -ENOENT,
			"there is no context to copy from: a Containerfile on standard input "
			"comes without one");
	c->root = openat(context, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return c->root < 0 ? error_sys(c->w->b->err, -errno, "open the context") : 0;
}

static int list_sources(struct copying *c)
{
	int r = 0;

	c->lr = (struct listing_request) {
		.root = c->root,
		.ignore = c->from    ? NULL
			  : c->named ? &c->named->context.ignore
				     : c->w->b->req->ignore,
		.exclude = c->exclude.n ? &c->exclude : NULL,
		.owners_count = c->from && c->looks.uid < 0,
		.what = c->from    ? c->from
			: c->named ? c->named->name
				   : "the context",
		.keeps_parents = c->keeps_parents,
	};
	for (size_t i = 0; r == 0 && i < c->sources.n; i++)
		r = listing_add(&c->list, &c->lr, c->sources.items[i], c->w->b->err);
	c->nlocal = c->list.n;
	if (r == 0 && (c->keeps_parents || c->list.n + c->nremotes + c->docs.n / 2 > 1))
		c->dest_is_dir = true;
	return r;
}

static void say(struct copying *c)
{
	buf_init(&c->said, 65536);
	buf_add_str(&c->said, c->is_add ? "ADD" : "COPY");
	for (size_t i = 0; i < c->w->ins->flags.n; i++)
		buf_addf(&c->said, " --%s", c->w->ins->flags.items[i]);
	for (size_t i = 0; i < c->docs.n; i += 2)
		buf_addf(&c->said, " <<%s", c->docs.items[i]);
	for (size_t i = 0; i < c->sources.n; i++)
		buf_addf(&c->said, " %s", c->sources.items[i]);
	for (size_t i = 0; i < c->nremotes; i++) {
		autofree char *shown = url_shown(c->remotes[i].text);

		buf_addf(&c->said, " %s", shown);
	}
	buf_addf(&c->said, " %s", c->dest);
}

/* doing it */

/* Where an item goes: into the destination if that is a directory, else in its place. */
static int item_dest(struct copying *c, struct draft *d, const char *name, bool is_dir, char **ret)
{
	autofree char *resolved = NULL, *whole = NULL;
	struct stat st;
	int r = draft_resolve(d, c->dest, true, &resolved, c->w->b->err);

	if (r < 0)
		return r;
	if (is_dir || (!c->dest_is_dir && *resolved &&
		       !(draft_look(d, resolved, &st) == 0 && S_ISDIR(st.st_mode)))) {
		*ret = steal_ptr(&resolved);
		return 0;
	}
	whole = xasprintf("%s/%s", resolved, name);
	/* A link at the file's own place is replaced, not followed. */
	return draft_resolve(d, whole, false, ret, c->w->b->err);
}

static int make_parent(struct copying *c, struct draft *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	return draft_make_dir(d, dir, c->uid, c->gid, NULL, c->w->b->err);
}

static char *below(const char *dir, const char *path)
{
	if (!*dir || !*path)
		return xstrdup(*dir ? dir : path);
	return xasprintf("%s/%s", dir, path);
}

static int copy_entry(struct copying *c, struct draft *d, const struct listing_item *item,
		      const struct listing_entry *e, struct listing_place *place, const char *dest)
{
	struct draft_source source = { .st = e->st, .with_xattrs = c->from != NULL };
	autofree char *path = item->is_dir ? below(dest, e->path) : xstrdup(dest);
	int r = listing_open(place, item, e->path, &source.dir, &source.name, c->w->b->err);

	return r < 0 ? r : draft_copy(d, path, &source, &c->looks, c->w->b->err);
}

/* The top of a tree only gives its looks to a directory that is not there yet. */
static int copy_tree_item(struct copying *c, struct draft *d, const struct listing_item *item,
			  const char *dest)
{
	struct listing_place place = LISTING_PLACE_INIT;
	bool is_new = false;
	int r = draft_make_dir(d, dest, c->uid, c->gid, &is_new, c->w->b->err);

	for (size_t i = 0; r == 0 && i < item->n; i++)
		if (*item->entries[i].path || (is_new && *dest))
			r = copy_entry(c, d, item, &item->entries[i], &place, dest);
	listing_place_done(&place);
	return r;
}

static int copy_file_item(struct copying *c, struct draft *d, const struct listing_item *item,
			  const char *dest)
{
	struct listing_place place = LISTING_PLACE_INIT;
	int r = make_parent(c, d, dest);

	if (r == 0)
		r = copy_entry(c, d, item, &item->entries[0], &place, dest);
	listing_place_done(&place);
	return r;
}

/* What was fetched is an archive only if it is said to be one. */
static bool may_be_archive(const struct copying *c, const struct listing_item *item)
{
	const struct listing_entry *e = &item->entries[0];
	bool is_local = item < c->list.items + c->nlocal;
	const char *flag = instruction_flag(c->w->ins, "unpack");

	return c->is_add && (flag ? instruction_has(c->w->ins, "unpack") : is_local) &&
	       S_ISREG(e->st.st_mode) && e->st.st_size > 0;
}

/* An archive's place is always a directory.  1: it is none. */
static int unpack_item(struct copying *c, struct draft *d, const struct listing_item *item)
{
	const struct listing_entry *e = &item->entries[0];
	struct unpack_add req = { .draft = d,
				  .name = e->path,
				  .dest = c->dest,
				  .looks = &c->looks,
				  .takes_owners = !instruction_flag(c->w->ins, "chown") };
	autoclose int fd = -1;

	if (!may_be_archive(c, item))
		return 1;
	fd = openat(item->dir, e->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_sys(c->w->b->err, -errno, "open %s", e->path);
	req.fd = fd;
	return unpack_add(&req, c->w->b->err);
}

/* Where "dir/file" of --parents goes, by its path from the pivot; the directories on its way look
 * as they do in the source, if they are not there yet.
 */
static int parents_dest(struct copying *c, struct draft *d, const struct listing_item *item,
			char **ret)
{
	autofree char *whole = xasprintf("%s/%s", c->dest, item->path + item->pivot), *top = NULL;
	struct stat st;
	int r = draft_resolve(d, c->dest, true, &top, c->w->b->err);

	if (r == 0)
		r = draft_make_dir(d, top, c->uid, c->gid, NULL, c->w->b->err);
	for (size_t i = 0; r == 0 && i < item->nparents; i++) {
		const struct draft_source source = { .dir = -1, .st = item->parents[i].st };
		autofree char *dir = xasprintf("%s/%s", c->dest, item->parents[i].path);
		autofree char *path = NULL;

		r = draft_resolve(d, dir, true, &path, c->w->b->err);
		if (r == 0 && draft_look(d, path, &st) < 0)
			r = draft_copy(d, path, &source, &c->looks, c->w->b->err);
	}
	return r < 0 ? r : draft_resolve(d, whole, item->is_dir, ret, c->w->b->err);
}

static int copy_item(struct copying *c, struct draft *d, const struct listing_item *item)
{
	autofree char *dest = NULL;
	int r = item->is_dir ? 1 : unpack_item(c, d, item);

	if (r <= 0)
		return r;
	if (c->keeps_parents)
		r = parents_dest(c, d, item, &dest);
	else
		r = item_dest(c, d, item->name, item->is_dir, &dest);
	if (r < 0)
		return r;
	return item->is_dir ? copy_tree_item(c, d, item, dest) : copy_file_item(c, d, item, dest);
}

static int write_doc(struct copying *c, struct draft *d, const char *name, const char *content)
{
	struct draft_looks looks = c->looks;
	autofree char *dest = NULL;
	int r = item_dest(c, d, name, false, &dest);

	looks.uid = c->uid;
	looks.gid = c->gid;
	if (r == 0)
		r = make_parent(c, d, dest);
	return r < 0 ? r : draft_write(d, dest, content, strlen(content), &looks, c->w->b->err);
}

static int make(void *data, struct draft *d, struct error *err)
{
	struct copying *c = data;
	int r = 0;

	(void)err;
	for (size_t i = 0; r == 0 && i < c->docs.n; i += 2)
		r = write_doc(c, d, c->docs.items[i], c->docs.items[i + 1]);
	for (size_t i = 0; r == 0 && i < c->list.n; i++)
		r = copy_item(c, d, &c->list.items[i]);
	return r;
}

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

static int find_or_make(struct copying *c, struct step *step)
{
	struct turn turn = TURN_INIT;
	int r = step_reuse_in_turn(c->w, step, buf_text(&c->said), &turn);
	struct work w = *c->w;

	/* --link: what is below neither leads the way nor gives directories their looks, so that
	 * the layer is the same on anything.
	 */
	if (c->links)
		w.lower = (struct strv) { NULL, 0, 0 };
	if (r == 0)
		r = step_draft(&w, step, buf_text(&c->said), make, c);
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
	int r = c->nremotes == 0 ? 0
				 : incoming_begin(engine_root(engine), engine_root_fd(engine),
						  &c->in, c->w->b->err);
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
		r = remote_bring(remote, &req, c->w->b->err);
		halt_forbid(&before);
		lr.root = remote->root;
		if (r == 0)
			r = listing_add_whole(&c->list, &lr, remote->name, c->w->b->err);
	}
	return r;
}

static int do_copy(struct copying *c)
{
	char cheap_text[DIGEST_HEX_LEN + 1], digest[DIGEST_HEX_LEN + 1];
	struct step cheap, step;
	bool is_cheap = cheap_reads(c, cheap_text);
	int r = 0;

	if (is_cheap) {
		make_key(c, cheap_text, &cheap);
		r = step_reuse(c->w, &cheap, buf_text(&c->said));
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = bring_remotes(c);
	if (r == 0)
		r = listing_digest(&c->list, &c->lr, digest, c->w->b->err);
	if (r < 0)
		return r;
	make_key(c, digest, &step);
	r = find_or_make(c, &step);
	if (r < 0 || !is_cheap)
		return r < 0 ? r : 0;
	(void)snprintf(step.chain, sizeof(step.chain), "%s", state_top(c->w->state));
	step.created_ns = c->w->state->created_ns;
	return keep_cheap(c, &cheap, &step);
}

int step_copy(struct work *w)
{
	cleanup(copying_done) struct copying c = {
		.w = w,
		.is_add = w->ins->kind == INS_ADD,
		.links = instruction_has(w->ins, "link"),
		.keeps_parents = instruction_has(w->ins, "parents"),
		.from = instruction_flag(w->ins, "from"),
		.root = -1,
		.in = INCOMING_INIT,
		.ssh = SSH_INIT,
	};
	int r;

	c.named = c.from ? named_find(w->b->req->contexts, c.from) : NULL;
	if (c.named && c.named->image)
		c.named = NULL;
	if (c.named)
		c.from = NULL;
	r = read_words(&c);

	if (r == 0)
		r = read_owner(&c);
	if (r == 0)
		r = read_mode(&c);
	if (r == 0)
		r = read_excludes(&c);
	if (r == 0)
		r = open_root(&c);
	if (r == 0)
		r = list_sources(&c);
	if (r == 0)
		r = look_at_remotes(&c);
	if (r < 0)
		return r;
	say(&c);
	return do_copy(&c);
}
