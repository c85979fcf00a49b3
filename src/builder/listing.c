/* src/builder/listing.c */
#include "builder/listing.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strv.h"
#include "base/walk.h"
#include "builder/draft.h"
#include "builder/halt.h"
#include "builder/ignore.h"
#include "builder/pattern.h"
#include "image/attributes.h"
#include "image/tar.h"
#include "kernel/rootdir.h"

#define READ_SIZE   (256 << 10)
#define LATELY_NS   2000000000LL /* file systems' clocks are coarse, and two machines' may differ */
#define TARGET_ROOM 4097

struct lister {
	struct listing *list;
	struct listing_item *item;
	const struct listing_request *req;
};

static char *join(const char *dir, const char *name)
{
	if (!*dir || !*name)
		return xstrdup(*dir ? dir : name);
	return xasprintf("%s/%s", dir, name);
}

static bool is_ignored(const struct listing_request *req, const char *path)
{
	return (req->ignore && *path && ignore_matches(req->ignore, path)) ||
	       (req->exclude && *path && ignore_matches(req->exclude, path));
}

static bool is_skipped(const struct listing_request *req, const char *path)
{
	return (req->ignore && *path && ignore_skips(req->ignore, path)) ||
	       (req->exclude && *path && ignore_skips(req->exclude, path));
}

/* entries */

static int add_entry(struct lister *l, const char *path, const struct stat *st, bool hidden,
		     struct error *err)
{
	struct listing_item *item = l->item;

	if (++l->list->total > LISTING_MAX)
		return error_set(err, -E2BIG, "more than %d files", LISTING_MAX);
	VEC_GROW(item->entries, item->n, item->room);
	item->entries[item->n++] = (struct listing_entry) { xstrdup(path), *st, hidden };
	return 0;
}

static int visit(void *data, const struct walk_entry *e, struct error *err)
{
	struct lister *l = data;
	autofree char *whole = join(l->item->path, e->path);
	bool ignored = is_ignored(l->req, whole);

	if (!S_ISDIR(e->st.st_mode))
		return ignored ? 0 : add_entry(l, e->path, &e->st, false, err);
	if (ignored && is_skipped(l->req, whole))
		return WALK_SKIP;
	return add_entry(l, e->path, &e->st, ignored && *e->path, err);
}

/* Ignored directories stay only where something behind them is in them. */
static void drop_empty_hidden(struct listing_item *item)
{
	const char *next = NULL;
	size_t kept = item->n;

	for (size_t i = item->n; i > 0; i--) {
		struct listing_entry *e = &item->entries[i - 1];
		size_t len = strlen(e->path);

		if (e->hidden && !(next && strncmp(next, e->path, len) == 0 && next[len] == '/')) {
			free(e->path);
			continue;
		}
		next = e->path;
		item->entries[--kept] = *e;
	}
	memmove(item->entries, item->entries + kept, (item->n - kept) * sizeof(*item->entries));
	item->n -= kept;
}

/* items */

static int open_parent(const struct listing_request *req, const char *path)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	return rootdir_open_at(req->root, dir, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
}

/* A link is followed to what it means inside the tree: the item is that, under the link's name. */
static int open_file(const struct listing_request *req, const char *path, struct listing_item *item,
		     char **ret_name, struct error *err)
{
	const struct strv none = { 0 };
	cleanup(draft_done) struct draft tree;
	autofree char *plain = NULL;
	const char *slash;
	int r;

	draft_init(&tree, req->root, &none);
	r = draft_resolve(&tree, path, true, &plain, err);
	if (r < 0)
		return r;
	item->dir = open_parent(req, plain);
	if (item->dir < 0)
		return error_sys(err, item->dir, "open %s in %s", path, req->what);
	slash = strrchr(plain, '/');
	*ret_name = xstrdup(slash ? slash + 1 : plain);
	return 0;
}

/* 1: it is a file that is ignored. */
static int fill_item(struct lister *l, const char *path, struct error *err)
{
	struct listing_item *item = l->item;
	autofree char *name = NULL;
	struct stat st;
	int r = 0;

	item->dir = rootdir_open_at(l->req->root, path, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
	item->is_dir = item->dir >= 0;
	if (item->is_dir)
		r = walk_tree(item->dir, visit, NULL, l, err);
	else if (item->dir != -ENOTDIR)
		return error_sys(err, item->dir, "open %s in %s", path, l->req->what);
	if (item->is_dir) {
		drop_empty_hidden(item);
		return r;
	}
	if (is_ignored(l->req, path))
		return 1;
	r = open_file(l->req, path, item, &name, err);
	if (r < 0 || !name)
		return r;
	if (fstatat(item->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "look at %s in %s", path, l->req->what);
	return add_entry(l, name, &st, false, err);
}

static void item_done(struct listing_item *item)
{
	for (size_t i = 0; i < item->n; i++)
		free(item->entries[i].path);
	for (size_t i = 0; i < item->nparents; i++)
		free(item->parents[i].path);
	free(item->parents);
	free(item->entries);
	free(item->name);
	free(item->path);
	if (item->dir >= 0)
		(void)close(item->dir);
}

/* The directories between the pivot and the item, with their looks. */
static int add_parents(struct lister *l, const char *path, struct error *err)
{
	struct listing_item *item = l->item;

	for (const char *p = path + item->pivot; l->req->keeps_parents && *p; p++) {
		autofree char *dir = NULL;
		autoclose int fd = -1;
		struct stat st;

		if (*p != '/')
			continue;
		dir = xstrndup(path, (size_t)(p - path));
		fd = rootdir_open_at(l->req->root, dir, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
		if (fd < 0 || fstat(fd, &st) < 0)
			return error_sys(err, fd < 0 ? fd : -errno, "open %s in %s", dir,
					 l->req->what);
		VEC_GROW(item->parents, item->nparents, item->parents_room);
		item->parents[item->nparents++] =
			(struct listing_entry) { xstrdup(dir + item->pivot), st, false };
	}
	return 0;
}

/* 1: it is ignored. */
static int add_item(struct listing *list, const struct listing_request *req, const char *path,
		    size_t pivot, struct error *err)
{
	const char *slash = strrchr(path, '/');
	struct listing_item item = { .name = xstrdup(slash ? slash + 1 : path),
				     .path = xstrdup(path),
				     .pivot = pivot,
				     .dir = -1 };
	struct lister l = { .list = list, .item = &item, .req = req };
	int r = is_ignored(req, path) && is_skipped(req, path) ? 1 : fill_item(&l, path, err);

	if (r == 0)
		r = add_parents(&l, path, err);
	if (r != 0) {
		item_done(&item);
		return r;
	}
	VEC_GROW(list->items, list->n, list->room);
	list->items[list->n++] = item;
	return 0;
}

/* patterns */

/* The names in dir that a component matches, as paths. */
static int match_names(const struct listing_request *req, const char *dir, const char *component,
		       struct strv *ret, struct error *err)
{
	autoclose int fd = rootdir_open_at(req->root, dir, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
	cleanup(pattern_done) struct pattern pattern = { NULL, 0 };
	struct strv names = { 0 };
	int r = pattern_parse(component, PATTERN_PLAIN, &pattern, err);

	if (r < 0 || fd < 0)
		return r;
	r = walk_names(fd, &names);
	if (r < 0)
		r = error_sys(err, r, "read %s in %s", dir, req->what);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (pattern_matches(&pattern, names.items[i], strlen(names.items[i])))
			strv_take(ret, join(dir, names.items[i]));
	strv_done(&names);
	return r;
}

static bool is_there(const struct listing_request *req, const char *path)
{
	autoclose int fd = rootdir_open_at(req->root, path, O_PATH, RESOLVE_IN_ROOT);

	return fd >= 0;
}

/* One component after the other; paths is what matches so far. */
static int match_component(const struct listing_request *req, const char *component,
			   struct strv *paths, struct error *err)
{
	struct strv next = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < paths->n; i++) {
		autofree char *path = NULL;

		if (!pattern_is_plain(component)) {
			r = match_names(req, paths->items[i], component, &next, err);
			continue;
		}
		path = join(paths->items[i], component);
		if (is_there(req, path))
			strv_add(&next, path);
	}
	strv_done(paths);
	*paths = next;
	return r;
}

static int find_dirs(void *data, const struct walk_entry *e, struct error *err)
{
	(void)err;
	if (*e->path && S_ISDIR(e->st.st_mode))
		strv_add(data, e->path);
	return 0;
}

/* Each directory, and all that are below it; the last component of a pattern means them anyway. */
static int match_deep(const struct listing_request *req, bool is_last, struct strv *paths,
		      struct error *err)
{
	struct strv next = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < paths->n; i++) {
		const char *path = paths->items[i];
		autoclose int fd =
			rootdir_open_at(req->root, path, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
		struct strv below = { 0 };

		if (fd < 0)
			continue;
		strv_add(&next, path);
		if (!is_last)
			r = walk_tree(fd, find_dirs, NULL, &below, err);
		for (size_t k = 0; k < below.n; k++)
			strv_take(&next, join(path, below.items[k]));
		strv_done(&below);
	}
	strv_done(paths);
	*paths = next;
	return r;
}

/* "../x" means x: nothing is above the tree. */
static char *inside(const char *source)
{
	autofree char *rooted = xasprintf("/%s", source);
	autofree char *clean = path_clean(rooted);

	return xstrdup(clean + 1);
}

/* "a/./b" keeps the directories behind its dot; *ret_base is what stands before it. */
static const char *split_pivot(const char *source, char **ret_base)
{
	const char *dot = strstr(source, "/./");

	if (!dot && strncmp(source, "./", 2) == 0)
		dot = source - 1;
	*ret_base = dot ? xstrndup(source, (size_t)MAX(dot - source, 0)) : xstrdup("");
	return dot ? dot + 3 : source;
}

/* paths: where to start; what is found takes their place. */
static int match_from(const struct listing_request *req, const char *source, struct strv *paths,
		      struct error *err)
{
	autofree char *path = inside(source);
	char *rest = path, *component;
	int r = 0;

	while (r == 0 && *path && (component = strsep(&rest, "/"))) {
		if (req->keeps_parents && strcmp(component, "**") == 0)
			r = match_deep(req, !rest, paths, err);
		else
			r = match_component(req, component, paths, err);
	}
	return r;
}

struct adding {
	struct listing *list;
	const struct listing_request *req;
	bool ignored;  /* something was there that is */
	bool excluded; /* by the instruction itself, which is what it says */
};

static int add_from(struct adding *a, const char *base, const char *source, struct error *err)
{
	struct strv paths = { 0 };
	int r;

	strv_add(&paths, base);
	r = match_from(a->req, source, &paths, err);
	for (size_t i = 0; r >= 0 && i < paths.n; i++) {
		/* The pivot's own directory gives what is in it, and is no item. */
		r = add_item(a->list, a->req, paths.items[i],
			     MIN(strlen(paths.items[i]), strlen(base) + (*base != '\0')), err);
		a->ignored |= r > 0;
		a->excluded |=
			r > 0 && a->req->exclude && ignore_matches(a->req->exclude, paths.items[i]);
	}
	strv_done(&paths);
	return r < 0 ? r : 0;
}

int listing_add(struct listing *list, const struct listing_request *req, const char *source,
		struct error *err)
{
	struct adding a = { .list = list, .req = req };
	autofree char *base = NULL;
	const char *rest = source;
	struct strv bases = { 0 };
	size_t before = list->n;
	int r = 0;

	strv_add(&bases, "");
	if (req->keeps_parents) {
		rest = split_pivot(source, &base);
		r = match_from(req, base, &bases, err);
	}
	for (size_t i = 0; r == 0 && i < bases.n; i++)
		r = add_from(&a, bases.items[i], rest, err);
	if (r == 0 && list->n == before && !a.excluded)
		r = error_set(err, -ENOENT,
			      a.ignored ? "%s: %s has it, but an ignore file leaves it out"
					: "%s: not found in %s",
			      source, req->what);
	strv_done(&bases);
	return r;
}

int listing_add_whole(struct listing *list, const struct listing_request *req, const char *path,
		      struct error *err)
{
	int r = add_item(list, req, strcmp(path, ".") == 0 ? "" : path, 0, err);

	return r > 0 ? error_set(err, -ENOENT, "%s: --exclude leaves it out", path) : r;
}

void listing_done(struct listing *list)
{
	for (size_t i = 0; i < list->n; i++)
		item_done(&list->items[i]);
	free(list->items);
	*list = (struct listing) { NULL, 0, 0, 0 };
}

/* reading */

int listing_open(struct listing_place *place, const struct listing_item *item, const char *path,
		 int *ret_dir, const char **ret_name, struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	autofree char *dir = NULL;
	int fd;

	if (halt_check(err) < 0) /* asked for each file, whatever is done with it */
		return -EINTR;
	*ret_name = *path ? slash ? slash + 1 : path : ".";
	if (len == 0) {
		*ret_dir = item->dir;
		return 0;
	}
	if (place->item == item && place->dir && strncmp(place->dir, path, len) == 0 &&
	    !place->dir[len]) {
		*ret_dir = place->fd;
		return 0;
	}
	dir = xstrndup(path, len);
	fd = rootdir_open_at(item->dir, dir, O_RDONLY | O_DIRECTORY,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return error_sys(err, fd, "open %s", dir);
	listing_place_done(place);
	*place = (struct listing_place) { item, steal_ptr(&dir), fd };
	*ret_dir = fd;
	return 0;
}

void listing_place_done(struct listing_place *place)
{
	if (place->fd >= 0)
		(void)close(place->fd);
	free(place->dir);
	*place = LISTING_PLACE_INIT;
}

/* digests */

static void add_text(struct digest *d, const char *text)
{
	digest_update(d, text, strlen(text) + 1);
}

static int add_bytes(struct digest *d, int fd, char *buffer)
{
	ssize_t n;

	while ((n = TEMP_FAILURE_RETRY(read(fd, buffer, READ_SIZE))) > 0)
		digest_update(d, buffer, (size_t)n);
	return n < 0 ? -errno : 0;
}

/* Those that are copied along, capabilities among them.  No path and no name has two slashes. */
static int add_attributes(struct digest *d, int fd)
{
	struct tar_xattr *list = NULL;
	size_t n = 0;
	int r = attributes_list(fd, &list, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		autofree char *head = xasprintf("//%zu %s", list[i].len, list[i].name);

		add_text(d, head);
		digest_update(d, list[i].value, list[i].len);
	}
	attributes_free(list, n);
	return r;
}

static int add_content(struct digest *d, const struct listing_request *req, int dir,
		       const char *name, bool is_dir, char *buffer)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && !is_dir)
		r = add_bytes(d, fd, buffer);
	return r < 0 || !req->attributes_count ? r : add_attributes(d, fd);
}

static int add_target(struct digest *d, int dir, const char *name)
{
	char target[TARGET_ROOM] = "";
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	add_text(d, target);
	return 0;
}

/* A file's size stands before its bytes, so that no two listings give the same text. */
static void add_head(struct digest *d, const struct listing_request *req,
		     const struct listing_entry *e)
{
	char head[128];

	add_text(d, e->path);
	(void)snprintf(head, sizeof(head), "%o %lld %u %u %llu", e->st.st_mode,
		       S_ISREG(e->st.st_mode) ? (long long)e->st.st_size : 0,
		       req->owners_count ? e->st.st_uid : 0, req->owners_count ? e->st.st_gid : 0,
		       S_ISCHR(e->st.st_mode) || S_ISBLK(e->st.st_mode)
			       ? (unsigned long long)e->st.st_rdev
			       : 0);
	add_text(d, head);
}

static int add_item_digest(struct digest *d, const struct listing_request *req,
			   const struct listing_item *item, char *buffer, struct error *err)
{
	struct listing_place place = LISTING_PLACE_INIT;
	int r = 0;

	add_text(d, item->is_dir && !req->keeps_parents ? "" : item->name);
	for (size_t i = 0; i < item->nparents; i++)
		add_head(d, req, &item->parents[i]);
	for (size_t i = 0; r == 0 && i < item->n; i++) {
		const struct listing_entry *e = &item->entries[i];
		bool is_link = S_ISLNK(e->st.st_mode), is_dir = S_ISDIR(e->st.st_mode);
		const char *name = "";
		int dir = -1;

		add_head(d, req, e);
		if (!S_ISREG(e->st.st_mode) && !is_link && !(is_dir && req->attributes_count))
			continue;
		r = listing_open(&place, item, e->path, &dir, &name, err);
		if (r < 0)
			break;
		r = is_link ? add_target(d, dir, name)
			    : add_content(d, req, dir, name, is_dir, buffer);
		if (r < 0)
			r = error_sys(err, r, "read %s in %s", e->path, req->what);
	}
	listing_place_done(&place);
	return r;
}

int listing_digest(const struct listing *list, const struct listing_request *req,
		   char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	autofree char *buffer = xmalloc(READ_SIZE);
	struct digest d;
	int r = 0;

	digest_init(&d);
	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = add_item_digest(&d, req, &list->items[i], buffer, err);
	if (r == 0)
		digest_final(&d, ret);
	digest_done(&d);
	return r;
}

static void add_stamp(struct digest *d, const struct listing_entry *e, int64_t *newest)
{
	const struct stat *st = &e->st;
	const int64_t numbers[] = {
		(int64_t)st->st_dev, (int64_t)st->st_ino, st->st_mode,          st->st_uid,
		st->st_gid,          st->st_size,         st->st_mtim.tv_sec,   st->st_mtim.tv_nsec,
		st->st_ctim.tv_sec,  st->st_ctim.tv_nsec, (int64_t)st->st_rdev,
	};

	add_text(d, e->path);
	digest_update(d, numbers, sizeof(numbers));
	*newest = MAX(*newest, (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec);
}

bool listing_stamp(const struct listing *list, char ret[DIGEST_HEX_LEN + 1])
{
	int64_t lately = clock_now_ns() - LATELY_NS, newest = 0;
	struct digest d;

	digest_init(&d);
	for (size_t i = 0; i < list->n; i++) {
		const struct listing_item *item = &list->items[i];

		add_text(&d, item->path);
		for (size_t k = 0; k < item->nparents; k++)
			add_stamp(&d, &item->parents[k], &newest);
		for (size_t k = 0; k < item->n; k++)
			add_stamp(&d, &item->entries[k], &newest);
	}
	digest_final(&d, ret);
	digest_done(&d);
	return newest < lately;
}

/* changes */

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Without its content a directory is only what a chmod or chown makes of it. */
static bool is_same(const struct stat *a, const struct stat *b, bool with_content)
{
	if (a->st_dev != b->st_dev || a->st_ino != b->st_ino || a->st_mode != b->st_mode ||
	    a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return false;
	return !with_content ||
	       (a->st_size == b->st_size && is_same_time(&a->st_mtim, &b->st_mtim) &&
		is_same_time(&a->st_ctim, &b->st_ctim));
}

static char *find_changed_in(const struct listing_item *item, bool with_names)
{
	struct listing_place place = LISTING_PLACE_INIT;
	char *changed = NULL;

	for (size_t i = 0; !changed && i < item->n; i++) {
		const struct listing_entry *e = &item->entries[i];
		const char *name = "";
		struct stat now;
		int dir = -1;

		if (listing_open(&place, item, e->path, &dir, &name, NULL) < 0 ||
		    fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !is_same(&e->st, &now, with_names || !S_ISDIR(now.st_mode)))
			changed = join(item->path, item->is_dir ? e->path : "");
	}
	listing_place_done(&place);
	return changed;
}

char *listing_find_changed(const struct listing *list, bool with_names)
{
	char *changed = NULL;

	for (size_t i = 0; !changed && i < list->n; i++)
		changed = find_changed_in(&list->items[i], with_names);
	return changed;
}
