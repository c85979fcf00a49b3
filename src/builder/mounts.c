/* src/builder/mounts.c */
#include "builder/mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "builder/bind.h"
#include "builder/draft.h"
#include "builder/halt.h"
#include "builder/ignore.h"
#include "builder/instruction.h"
#include "builder/listing.h"
#include "builder/mount_spec.h"
#include "builder/named.h"
#include "builder/secrets.h"
#include "builder/ssh.h"
#include "builder/step.h"
#include "engine/build_cache.h"
#include "engine/engine.h"
#include "image/incoming.h"

#define SECRETS_DIR "/run/secrets"
#define AGENTS_DIR  "/run/buildkit" /* where those look who know BuildKit */
#define ENV_NAME    "env"
#define PRIVATE_MAX 64 /* copies of one cache */

struct mount_plan {
	struct mount_spec spec;
	char *target;                    /* absolute */
	struct listing list;             /* of a bind, or of what a cache begins with */
	char digest[DIGEST_HEX_LEN + 1]; /* of it; "" for none */
	struct strv layers;              /* that it is of; none: the context */
	int root;
	char *cache; /* name of the volume, mounts_lock() */
};

/* reading */

static int list_source(struct work *w, struct mount_plan *plan, struct step_key *key)
{
	const struct build_request *req = w->b->req;
	const struct mount_spec *spec = &plan->spec;
	const struct named *named = spec->from ? named_find(req->contexts, spec->from) : NULL;
	bool is_tree = spec->from && !(named && !named->image);
	int context = named ? named->context.fd : req->context;
	char chain[DIGEST_HEX_LEN + 1];
	struct listing_request lr = { .ignore = is_tree ? NULL
						: named ? &named->context.ignore
							: req->ignore,
				      .owners_count = is_tree,
				      .attributes_count = is_tree,
				      .what = spec->from ? spec->from : "the context" };
	int r = 0;

	if (is_tree)
		r = step_source(w, spec->from, &plan->root, chain, &plan->layers);
	else if (context < 0)
		r = error_set(w->b->err, -ENOENT, "there is no context to mount from");
	else
		plan->root = openat(context, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && plan->root < 0)
		r = error_sys(w->b->err, -errno, "open the context");
	lr.root = plan->root;
	if (r == 0)
		r = listing_add(&plan->list, &lr, spec->source ? spec->source : ".", w->b->err);
	if (r == 0)
		r = listing_digest(&plan->list, &lr, plan->digest, w->b->err);
	if (r == 0)
		step_key_reads(key, plan->digest);
	return r;
}

static char *absolute(const struct work *w, const char *target)
{
	const char *workdir = state_text(w->state, "WorkingDir");
	autofree char *joined = *target == '/' ? xstrdup(target)
					       : xasprintf("%s/%s", workdir ? workdir : "", target);
	autofree char *rooted = xasprintf("/%s", joined);

	return path_clean(rooted);
}

static int read_one(struct work *w, struct mounts *m, const char *flag, struct step_key *key)
{
	struct mount_plan plan = { .root = -1 };
	autofree char *text = NULL;
	int r = state_expand(w->state, flag, &text, w->b->err);

	if (r == 0)
		r = mount_spec_parse(text, &plan.spec, w->b->err);
	if (r < 0)
		return r;
	if (plan.spec.target)
		plan.target = absolute(w, plan.spec.target);
	else if (plan.spec.kind == MOUNT_SSH)
		plan.target = xasprintf(AGENTS_DIR "/ssh_agent.%zu", m->n);
	else
		plan.target = xasprintf(SECRETS_DIR "/%s", plan.spec.id);
	step_key_add(key, text);
	VEC_GROW(m->plans, m->n, m->room);
	m->plans[m->n++] = plan;
	if (strcmp(plan.target, "/") == 0)
		return error_set(w->b->err, -EINVAL, "--mount: the target is the whole root");
	return plan.spec.kind == MOUNT_BIND || plan.spec.from
		       ? list_source(w, &m->plans[m->n - 1], key)
		       : 0;
}

int mounts_read(struct work *w, struct mounts *ret, struct step_key *key)
{
	int r = 0;

	ret->list = json_array();
	for (size_t i = 0; r == 0 && i < w->ins->flags.n; i++)
		if (strncmp(w->ins->flags.items[i], "mount=", 6) == 0)
			r = read_one(w, ret, w->ins->flags.items[i] + 6, key);
	return r;
}

/* making */

static void add_mount(struct mounts *m, const char *target, const char *source, bool read_only)
{
	(void)json_array_append_new(m->list,
				    json_pack("{s:s, s:s, s:s, s:[s, s]}", "destination", target,
					      "type", "bind", "source", source, "options", "rbind",
					      read_only ? "ro" : "rw"));
}

static char *path_of(const struct incoming *in, const char *name)
{
	return xasprintf("%s/%s/%s", in->root, in->tmp_name, name);
}

static int copy_entries(struct draft *draft, const struct listing_item *item, struct error *err)
{
	const struct draft_looks looks = { .uid = -1, .gid = -1 };
	struct listing_place place = LISTING_PLACE_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < item->n; i++) {
		const struct listing_entry *e = &item->entries[i];
		struct draft_source source = { .st = e->st, .with_xattrs = true };

		r = listing_open(&place, item, e->path, &source.dir, &source.name, err);
		if (r == 0)
			r = draft_copy(draft, item->is_dir ? e->path : "file", &source, &looks,
				       err);
	}
	listing_place_done(&place);
	return r;
}

static int copy_bind(struct work *w, struct mounts *m, size_t number, const struct incoming *in)
{
	const struct mount_plan *plan = &m->plans[number];
	const struct strv none = { 0 };
	const struct listing_item *item = &plan->list.items[0];
	autofree char *name = xasprintf("copy-%zu", number);
	autofree char *inner = xasprintf("%s%s", name, item->is_dir ? "" : "/file");
	autofree char *path = path_of(in, inner);
	cleanup(draft_done) struct draft draft = { .fd = -1, .here_fd = -1 };
	autoclose int dir = -1;
	int r = dir_ensure_at(in->tmp_fd, name, 0755, &dir, w->b->err);

	draft_init(&draft, dir, &none);
	if (r == 0)
		r = copy_entries(&draft, item, w->b->err);
	if (r == 0)
		r = draft_finish(&draft, w->b->err);
	if (r == 0)
		add_mount(m, plan->target, path, plan->spec.read_only);
	return r;
}

static int make_bind(struct work *w, struct mounts *m, size_t number, const struct incoming *in)
{
	const struct mount_plan *plan = &m->plans[number];
	struct bind bind = { .item = &plan->list.items[0],
			     .layers = &plan->layers,
			     .target = plan->target,
			     .read_only = plan->spec.read_only,
			     .work = -1 };
	autofree char *name = xasprintf("mount-%zu", number);
	json_t *mount = NULL;
	autoclose int dir = -1;
	int r;

	if (plan->list.n > 1)
		return error_set(w->b->err, -EINVAL, "--mount: source '%s' means several",
				 plan->spec.source);
	r = dir_ensure_at(in->tmp_fd, name, 0755, &dir, w->b->err);
	bind.work = dir;
	if (r == 0)
		r = bind_make(&bind, &mount, w->b->err);
	if (r > 0)
		return copy_bind(w, m, number, in);
	if (r == 0)
		(void)json_array_append_new(m->list, mount);
	return r;
}

/* What a cache begins with: whole or not at all, however many builds make it at once.  What a
 * killed one leaves goes with the cache.
 */
static int seed_cache(struct work *w, const struct mount_plan *plan, const char *path)
{
	const struct listing_item *item = &plan->list.items[0];
	const struct strv none = { 0 };
	cleanup(draft_done) struct draft draft = { .fd = -1, .here_fd = -1 };
	autofree char *own = xasprintf("%s/seed-%d", path, (int)getpid());
	autofree char *data = xasprintf("%s/_data", path);
	int root = engine_root_fd(w->b->engine);
	autoclose int dir = -1;
	int r;

	if (plan->list.n != 1 || !item->is_dir)
		return error_set(w->b->err, -ENOTDIR,
				 "--mount: a cache begins as a directory, which '%s' of %s is not",
				 plan->spec.source ? plan->spec.source : ".", plan->spec.from);
	r = dir_ensure_at(root, own, 0755, &dir, w->b->err);
	draft_init(&draft, dir, &none);
	if (r == 0)
		r = copy_entries(&draft, item, w->b->err);
	if (r == 0)
		r = draft_finish(&draft, w->b->err);
	if (r == 0 && renameat2(root, own, root, data, RENAME_NOREPLACE) < 0 && errno != EEXIST)
		r = error_sys(w->b->err, -errno, "make %s", data);
	return r;
}

/* A volume: what lists, measures and removes those does it for caches, too. */
static int open_cache(struct work *w, const struct mount_plan *plan, const char *name, int *ret)
{
	const struct mount_spec *spec = &plan->spec;
	autofree char *path = xasprintf("volumes/%s", name), *data = xasprintf("%s/_data", path);
	int root = engine_root_fd(w->b->engine);
	autoclose int dir = -1, inner = -1;
	int r = dir_ensure_at(root, path, 0711, &dir, w->b->err);

	if (r == 0 && *plan->digest && faccessat(root, data, F_OK, 0) < 0)
		r = seed_cache(w, plan, path);
	else if (r == 0 && mkdirat(root, data, 0755) < 0 && errno != EEXIST)
		return error_sys(w->b->err, -errno, "make %s", data);
	if (r == 0)
		r = dir_open_at(root, data, &inner, w->b->err);
	if (r == 0 && ((spec->uid >= 0 || spec->gid >= 0) &&
		       fchown(inner, spec->uid < 0 ? (uid_t)-1 : (uid_t)spec->uid,
			      spec->gid < 0 ? (gid_t)-1 : (gid_t)spec->gid) < 0))
		r = error_sys(w->b->err, -errno, "give the cache its owner");
	if (r == 0 && fchmod(inner, spec->mode < 0 ? 0755 : (mode_t)spec->mode) < 0)
		r = error_sys(w->b->err, -errno, "give the cache its mode");
	if (r == 0 && futimens(dir, NULL) < 0) /* when it was used last, for a prune */
		r = error_sys(w->b->err, -errno, "note the use of the cache");
	if (r == 0)
		*ret = steal_fd(&dir);
	return r;
}

static void keep_lock(struct mounts *m, int fd)
{
	VEC_GROW(m->locks, m->nlocks, m->locks_room);
	m->locks[m->nlocks++] = fd;
}

/* A prune may have taken it away before we had its lock. */
static bool is_in_place(const struct work *w, const char *name, int fd)
{
	autofree char *path = xasprintf("volumes/%s", name);
	struct stat mine, there;

	return fstat(fd, &mine) == 0 &&
	       fstatat(engine_root_fd(w->b->engine), path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == there.st_ino;
}

/* 1: somebody else has it, and it is not waited for. */
static int take_cache(struct work *w, struct mounts *m, const struct mount_plan *plan,
		      enum mount_sharing sharing, const char *name)
{
	const bool waits = sharing != SHARING_PRIVATE;
	const int how = sharing == SHARING_SHARED ? LOCK_SH : LOCK_EX;

	for (;;) {
		autoclose int fd = -1;
		sigset_t before;
		int r = open_cache(w, plan, name, &fd);

		if (r < 0)
			return r;
		/* The step has made nothing yet. */
		halt_allow(&before);
		r = TEMP_FAILURE_RETRY(flock(fd, how | (waits ? 0 : LOCK_NB)));
		halt_forbid(&before);
		if (r < 0)
			return errno == EWOULDBLOCK
				       ? 1
				       : error_sys(w->b->err, -errno, "lock the cache");
		if (!is_in_place(w, name, fd))
			continue;
		keep_lock(m, steal_fd(&fd));
		return 0;
	}
}

/* Shared holders share the lock, so that one who wants it alone waits for them. */
static int lock_cache(struct work *w, struct mounts *m, struct mount_plan *plan,
		      enum mount_sharing sharing, const char *base)
{
	for (unsigned copy = 0; copy < PRIVATE_MAX; copy++) {
		autofree char *name = copy ? xasprintf("%s-%u", base, copy) : xstrdup(base);
		int r = take_cache(w, m, plan, sharing, name);

		if (r == 0)
			plan->cache = steal_ptr(&name);
		if (r <= 0)
			return r;
	}
	return error_set(w->b->err, -EBUSY, "%d copies of the cache are in use", PRIVATE_MAX);
}

static char *cache_base(const struct mount_plan *plan)
{
	const char *name = plan->spec.id ? plan->spec.id : plan->target;
	/* What begins otherwise is another. */
	autofree char *id = xasprintf("%s%s%s", name, *plan->digest ? "\n" : "", plan->digest);
	char digest[DIGEST_HEX_LEN + 1];

	digest_bytes(id, strlen(id), digest);
	return xasprintf(BUILD_CACHE_PREFIX "%.12s", digest);
}

/* The same cache twice in one step is locked once, as the stricter of the two wants it. */
static int lock_one(struct work *w, struct mounts *m, struct mount_plan *plan, const char *base)
{
	enum mount_sharing sharing = plan->spec.sharing;

	for (size_t i = 0; i < m->n; i++) {
		const struct mount_plan *other = &m->plans[i];
		autofree char *its =
			other->spec.kind == MOUNT_CACHE ? cache_base(other) : xstrdup("");

		if (strcmp(its, base) != 0 || other->spec.sharing == SHARING_PRIVATE ||
		    sharing == SHARING_PRIVATE)
			continue;
		if (other->cache) {
			plan->cache = xstrdup(other->cache);
			return 0;
		}
		if (other->spec.sharing == SHARING_LOCKED)
			sharing = SHARING_LOCKED;
	}
	return lock_cache(w, m, plan, sharing, base);
}

/* The next cache in the order of their names: as everybody locks them so, no two wait for each
 * other.
 */
static struct mount_plan *next_cache(const struct mounts *m, char **ret_base)
{
	struct mount_plan *best = NULL;

	for (size_t i = 0; i < m->n; i++) {
		autofree char *base = NULL;

		if (m->plans[i].spec.kind != MOUNT_CACHE || m->plans[i].cache)
			continue;
		base = cache_base(&m->plans[i]);
		if (best && strcmp(base, *ret_base) >= 0)
			continue;
		best = &m->plans[i];
		free(*ret_base);
		*ret_base = steal_ptr(&base);
	}
	return best;
}

int mounts_lock(struct work *w, struct mounts *m)
{
	int r = 0;

	while (r == 0) {
		autofree char *base = NULL;
		struct mount_plan *plan = next_cache(m, &base);

		if (!plan)
			break;
		r = lock_one(w, m, plan, base);
	}
	return r;
}

static void make_cache(const struct work *w, struct mounts *m, const struct mount_plan *plan)
{
	autofree char *path =
		xasprintf("%s/volumes/%s/_data", engine_root(w->b->engine), plan->cache);

	add_mount(m, plan->target, path, plan->spec.read_only);
}

static int find_secret(struct work *w, const struct mount_spec *spec, char **ret, size_t *ret_len)
{
	const struct strv *given = w->b->req->secrets;
	struct error why = { 0 };
	int r = 1;

	for (size_t i = 0; r > 0 && i < given->n; i++)
		r = secret_read(given->items[i], spec->id, ret, ret_len, &why);
	if (r == -ENOENT && !spec->required)
		return 1;
	if (r < 0)
		*w->b->err = why;
	if (r > 0 && spec->required)
		return error_set(w->b->err, -ENOENT,
				 "the secret %s is needed; --secret id=%s,src=FILE gives it",
				 spec->id, spec->id);
	return r;
}

static int open_secrets(struct work *w, struct mounts *m)
{
	return m->secrets ? 0 : secrets_open(w->b->engine, &m->secrets, &m->secrets_fd, w->b->err);
}

static int put_secret_file(struct mounts *m, const struct mount_spec *spec, const char *name,
			   const char *bytes, size_t len)
{
	autoclose int fd =
		openat(m->secrets_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : file_write_all(fd, bytes, len);

	if (r == 0 && (fchown(fd, spec->uid < 0 ? 0 : (uid_t)spec->uid,
			      spec->gid < 0 ? 0 : (gid_t)spec->gid) < 0 ||
		       fchmod(fd, spec->mode < 0 ? 0400 : (mode_t)spec->mode) < 0))
		r = -errno;
	return r;
}

/* A container's variables are kept with it on disk; these are not. */
static int put_secret_variable(struct mounts *m, const struct mount_spec *spec, const char *bytes,
			       size_t len)
{
	autoclose int fd =
		openat(m->secrets_fd, ENV_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : 0;

	if (memchr(bytes, 0, len))
		return -EILSEQ;
	if (r == 0)
		r = file_write_all(fd, spec->env, strlen(spec->env));
	if (r == 0)
		r = file_write_all(fd, "=", 1);
	if (r == 0)
		r = file_write_all(fd, bytes, len);
	if (r == 0)
		r = file_write_all(fd, "", 1);
	if (r == 0 && fchmod(fd, 0444) < 0) /* whoever the step runs as */
		r = -errno;
	if (r == 0 && !m->secret_env)
		m->secret_env = xasprintf("%s/" ENV_NAME, m->secrets);
	return r;
}

static int make_secret(struct work *w, struct mounts *m, size_t number)
{
	const struct mount_plan *plan = &m->plans[number];
	const struct mount_spec *spec = &plan->spec;
	autofree char *bytes = NULL, *name = xasprintf("%zu", number), *path = NULL;
	bool is_file = !spec->env || spec->target;
	size_t len = 0;
	int r = find_secret(w, spec, &bytes, &len);

	if (r != 0 || !bytes)
		return r < 0 ? r : 0;
	r = open_secrets(w, m);
	if (r < 0)
		return r;
	if (is_file)
		r = put_secret_file(m, spec, name, bytes, len);
	if (r == 0 && spec->env)
		r = put_secret_variable(m, spec, bytes, len);
	explicit_bzero(bytes, len);
	if (r == -EILSEQ)
		return error_set(w->b->err, r,
				 "the secret %s has a zero byte and cannot be a variable",
				 spec->id);
	if (r < 0)
		return error_sys(w->b->err, r, "put the secret %s in place", spec->id);
	path = xasprintf("%s/%s", m->secrets, name);
	if (is_file)
		add_mount(m, plan->target, path, true);
	return 0;
}

/* The last one is what SSH_AUTH_SOCK names. */
static int make_ssh(struct work *w, struct mounts *m, size_t number)
{
	const struct mount_plan *plan = &m->plans[number];
	const struct mount_spec *spec = &plan->spec;
	autofree char *name = xasprintf("ssh-%zu", number), *path = NULL, *variable = NULL;
	autofree char *own = xasprintf("agent-%zu", number);
	autoclose int dir = -1;
	struct ssh ssh = SSH_INIT;
	int r = open_secrets(w, m);

	if (r == 0)
		r = dir_ensure_at(m->secrets_fd, own, 0700, &dir, w->b->err);
	if (r == 0)
		r = ssh_open(w->b->req->ssh, spec->id, dir, &ssh, w->b->err);
	if (r > 0 && spec->required)
		r = error_set(w->b->err, -ENOENT,
			      "an ssh key %s is needed; --ssh %s or --ssh %s=FILE gives it",
			      spec->id, spec->id, spec->id);
	if (r != 0)
		return r < 0 ? r : 0;
	r = ssh_relay(&ssh, m->secrets_fd, name, spec->uid < 0 ? 0 : (uid_t)spec->uid,
		      spec->gid < 0 ? 0 : (gid_t)spec->gid,
		      spec->mode < 0 ? 0600 : (mode_t)spec->mode, w->b->err);
	VEC_GROW(m->agents, m->nagents, m->agents_room);
	m->agents[m->nagents++] = ssh;
	path = xasprintf("%s/%s", m->secrets, name);
	variable = xasprintf("SSH_AUTH_SOCK=%s", plan->target);
	strv_env_set(&m->env, variable);
	if (r == 0)
		add_mount(m, plan->target, path, false);
	return r;
}

static void make_tmpfs(struct mounts *m, const struct mount_plan *plan)
{
	json_t *options = json_pack("[s, s]", "nosuid", "nodev");

	if (plan->spec.size) {
		autofree char *size = xasprintf("size=%llu", (unsigned long long)plan->spec.size);

		(void)json_array_append_new(options, json_string(size));
	}
	(void)json_array_append_new(m->list, json_pack("{s:s, s:s, s:s, s:o}", "destination",
						       plan->target, "type", "tmpfs", "source",
						       "tmpfs", "options", options));
}

int mounts_make(struct work *w, struct mounts *m, const struct incoming *in)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n; i++) {
		const struct mount_plan *plan = &m->plans[i];

		switch (plan->spec.kind) {
		case MOUNT_BIND:
			r = make_bind(w, m, i, in);
			break;
		case MOUNT_CACHE:
			make_cache(w, m, plan);
			break;
		case MOUNT_SECRET:
			r = make_secret(w, m, i);
			break;
		case MOUNT_SSH:
			r = make_ssh(w, m, i);
			break;
		case MOUNT_TMPFS:
			make_tmpfs(m, plan);
			break;
		}
	}
	return r;
}

char *mounts_find_changed(const struct mounts *m)
{
	char *changed = NULL;

	/* Layers never change.  A cache only begins as what its source was. */
	for (size_t i = 0; !changed && i < m->n; i++)
		if (m->plans[i].spec.kind == MOUNT_BIND && m->plans[i].layers.n == 0)
			changed = listing_find_changed(&m->plans[i].list, true);
	return changed;
}

void mounts_done(struct mounts *m)
{
	for (size_t i = 0; i < m->nagents; i++)
		ssh_done(&m->agents[i]);
	free(m->agents);
	strv_done(&m->env);
	free(m->secret_env);
	secrets_close(m->secrets, m->secrets_fd);
	for (size_t i = 0; i < m->n; i++) {
		mount_spec_done(&m->plans[i].spec);
		free(m->plans[i].target);
		free(m->plans[i].cache);
		listing_done(&m->plans[i].list);
		strv_done(&m->plans[i].layers);
		if (m->plans[i].root >= 0)
			(void)close(m->plans[i].root);
	}
	for (size_t i = 0; i < m->nlocks; i++)
		(void)close(m->locks[i]);
	free(m->plans);
	free(m->locks);
	json_decref(m->list);
	*m = MOUNTS_INIT;
}
