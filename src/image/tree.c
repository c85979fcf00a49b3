/* src/image/tree.c
 *
 * What is hidden is what the kernel does not show: a file of a layer is visible if the view of all
 * layers has the same inode at its path.  (On one file system overlayfs shows the inode numbers of
 * what lies below.)
 */
#include "image/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/walk.h"
#include "image/distribution.h"
#include "image/history.h"
#include "image/image.h"
#include "image/reference.h"
#include "kernel/overlay.h"
#include "kernel/rootdir.h"

void tree_done(struct tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		free(tree->layers[i].made_by);
		strv_done(&tree->layers[i].bases);
		strv_done(&tree->layers[i].sharers);
	}
	for (size_t i = 0; i < tree->nworst; i++)
		free(tree->worst[i].path);
	free(tree->layers);
	free(tree->worst);
	free(tree->distribution);
	*tree = (struct tree) { .n = 0 };
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* hidden files */

struct hiding {
	struct tree *tree;
	size_t layer;
	int view;
};

static bool is_visible(int view, const struct walk_entry *e)
{
	autoclose int fd = rootdir_open_at(view, e->path, O_PATH | O_NOFOLLOW,
					   RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == e->st.st_ino;
}

static void note_worst(struct tree *tree, const struct walk_entry *e, size_t layer)
{
	size_t at = tree->nworst;

	while (at > 0 && tree->worst[at - 1].size < e->st.st_size)
		at--;
	if (at == TREE_WORST_MAX || e->st.st_size < TREE_WORST_MIN)
		return;
	if (tree->nworst == TREE_WORST_MAX)
		free(tree->worst[--tree->nworst].path);
	memmove(&tree->worst[at + 1], &tree->worst[at], (tree->nworst - at) * sizeof(*tree->worst));
	tree->worst[at] = (struct tree_hidden) { .path = xstrdup(e->path),
						 .layer = layer,
						 .size = e->st.st_size };
	tree->nworst++;
}

static int look_if_hidden(void *data, const struct walk_entry *e, struct error *err)
{
	struct hiding *h = data;

	(void)err;
	if (!S_ISREG(e->st.st_mode) || is_visible(h->view, e))
		return 0;
	h->tree->layers[h->layer].hidden += e->st.st_size;
	h->tree->hidden += e->st.st_size;
	note_worst(h->tree, e, h->layer);
	return 0;
}

static int open_layer(const char *root, const char *chain, int *ret, struct error *err)
{
	autofree char *path = xasprintf("%s/layers/%s/diff", root, chain);

	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? error_sys(err, -errno, "open %s", path) : 0;
}

/* The uppermost layer hides and is not hidden. */
static int find_hidden(const char *root, const struct image *image, int view, struct tree *tree,
		       struct error *err)
{
	int r = 0;

	tree->worst = xcalloc(TREE_WORST_MAX + 1, sizeof(*tree->worst));
	for (size_t i = 0; r == 0 && i + 1 < image->layers.n; i++) {
		struct hiding h = { .tree = tree, .layer = i, .view = view };
		autoclose int dir = -1;

		r = open_layer(root, image->layers.items[i], &dir, err);
		if (r == 0)
			r = walk_tree(dir, look_if_hidden, NULL, &h, err);
	}
	return r;
}

/* relatives */

static void add_relative(struct strv *list, const char *name, const char *id)
{
	char familiar[REFERENCE_MAX];

	if (!name) {
		strv_addf(list, "%.12s", id);
		return;
	}
	reference_familiar(name, familiar);
	if (!strv_has(list, familiar))
		strv_add(list, familiar);
}

/* Images whose layer at this place is the same: those that end with it are bases. */
static int find_relatives(struct db *db, const struct image *image, size_t i,
			  struct tree_layer *layer, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT l.image, n.name,"
			 " (SELECT max(position) FROM image_layers m WHERE m.image = l.image)"
			 " FROM image_layers l LEFT JOIN image_names n ON n.image = l.image"
			 " WHERE l.chain = ?1 AND l.image <> ?2 ORDER BY n.name",
			 "ss", layer->chain, image->id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		bool is_base = db_int(&rows, 2) == (int64_t)i && i + 1 < image->layers.n;

		add_relative(is_base ? &layer->bases : &layer->sharers, db_text(&rows, 1),
			     db_text(&rows, 0));
	}
	return db_finish(&rows);
}

static int read_row(struct db *db, struct tree_layer *layer, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT size, disk FROM layers WHERE chain = ?1", "s",
			 layer->chain);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		layer->size = db_int(&rows, 0);
		layer->disk = db_int(&rows, 1);
	}
	return db_finish(&rows);
}

static int read_layers(struct db *db, const struct image *image, struct tree *tree,
		       struct error *err)
{
	int r = 0;

	tree->n = image->layers.n;
	tree->layers = xcalloc(tree->n + 1, sizeof(*tree->layers));
	for (size_t i = 0; r == 0 && i < tree->n; i++) {
		struct tree_layer *layer = &tree->layers[i];

		layer->chain = image->layers.items[i];
		r = read_row(db, layer, err);
		if (r == 0)
			r = find_relatives(db, image, i, layer, err);
		tree->size += layer->size;
	}
	return r;
}

static int read_steps(struct db *db, int root_fd, const struct image *image, struct tree *tree,
		      struct error *err)
{
	cleanup(history_done) struct history h = { 0 };
	int r = history_load(db, root_fd, image, &h, err);

	for (size_t i = 0, k = 0; r == 0 && i < h.n; i++)
		if (h.steps[i].chain && k < tree->n)
			tree->layers[k++].made_by = xstrdup(h.steps[i].created_by);
	return r;
}

int tree_read(struct db *db, const char *root, int root_fd, const struct image *image,
	      struct tree *ret, struct error *err)
{
	cleanup(distribution_done) struct distribution d = { .id = NULL };
	struct tree tree = { .n = 0 };
	struct strv lower = { 0 };
	autoclose int view = -1;
	int r = read_layers(db, image, &tree, err);

	image_lower_dirs(root, image, &lower);
	if (r == 0)
		r = read_steps(db, root_fd, image, &tree, err);
	if (r == 0)
		r = overlay_view(&lower, "the image", &view, err);
	if (r == 0)
		r = find_hidden(root, image, view, &tree, err);
	strv_done(&lower);
	if (r < 0) {
		image_name_lost(root, image, NULL, err);
		tree_done(&tree);
		return r;
	}
	distribution_read(view, &d);
	tree.distribution = distribution_text(&d);
	*ret = tree;
	return 0;
}

/* one path */

/* "/bin/sh" to "usr/bin/sh": the directory as the whole image resolves it, the name as it is. */
static char *resolve(int view, const char *path)
{
	autofree char *dir = xstrdup(path), *link = NULL;
	char *slash, place[PATH_MAX], start[PATH_MAX];
	ssize_t n, m;
	autoclose int fd = -1;

	while ((slash = strrchr(dir, '/')) && slash > dir && !slash[1])
		*slash = '\0';
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return xstrdup(dir + (slash == dir));
	*slash = '\0';
	fd = overlay_open(view, dir, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return xasprintf("%s/%s", dir + strspn(dir, "/"), slash + 1);
	link = xasprintf("/proc/self/fd/%d", fd);
	n = readlink(link, place, sizeof(place) - 1);
	free(link);
	link = xasprintf("/proc/self/fd/%d", view);
	m = readlink(link, start, sizeof(start) - 1);
	if (n < 0 || m < 0 || n < m)
		return xasprintf("%s/%s", dir + strspn(dir, "/"), slash + 1);
	place[n] = '\0';
	return xasprintf("%s%s%s", place + m + strspn(place + m, "/"),
			 place[m + (ssize_t)strspn(place + m, "/")] ? "/" : "", slash + 1);
}

static bool is_opaque(int dir)
{
	char value = 0;

	return fgetxattr(dir, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* What one layer says about a path: walks down, one name after the other. */
static enum tree_change look_in_layer(int top, const char *path)
{
	autofree char *copy = xstrdup(path);
	autoclose int dir = dup(top);
	char *rest = copy, *name;
	bool opaque = false;

	while ((name = strsep(&rest, "/"))) {
		struct stat st;
		int next;

		if (!*name)
			continue;
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return opaque ? TREE_REMOVED : TREE_NOTHING;
		if (is_whiteout(&st))
			return TREE_REMOVED;
		if (!rest)
			return TREE_BROUGHT;
		if (!S_ISDIR(st.st_mode))
			return TREE_REMOVED;
		next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return TREE_NOTHING;
		(void)close(dir);
		dir = next;
		opaque = opaque || is_opaque(dir);
	}
	return TREE_NOTHING;
}

static int trace_layers(const char *root, const struct image *image, const char *path,
			enum tree_change *ret, struct error *err)
{
	bool there = false, known = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < image->layers.n; i++) {
		autoclose int dir = -1;

		r = open_layer(root, image->layers.items[i], &dir, err);
		if (r < 0)
			break;
		ret[i] = look_in_layer(dir, path);
		if (ret[i] == TREE_BROUGHT && there)
			ret[i] = TREE_CHANGED;
		if (ret[i] == TREE_REMOVED && !there)
			ret[i] = TREE_NOTHING;
		if (ret[i] != TREE_NOTHING)
			there = ret[i] != TREE_REMOVED;
		known = known || there;
	}
	return r < 0 ? r : known ? 0 : -ENOENT;
}

int tree_trace(const char *root, const struct image *image, const char *path, enum tree_change *ret,
	       char **ret_path, struct error *err)
{
	struct strv lower = { 0 };
	autoclose int view = -1;
	autofree char *real = NULL;
	int r;

	image_lower_dirs(root, image, &lower);
	r = overlay_view(&lower, "the image", &view, err);
	strv_done(&lower);
	if (r < 0) {
		image_name_lost(root, image, NULL, err);
		return r;
	}
	real = resolve(view, path);
	r = trace_layers(root, image, real, ret, err);
	if (r == -ENOENT)
		return error_set(err, r, "no layer has '%s'", path);
	if (r == 0)
		*ret_path = steal_ptr(&real);
	return r;
}

/* one layer */

struct listing {
	void (*fn)(void *data, const char *text);
	void *data;
};

static int list_entry(void *data, const struct walk_entry *e, struct error *err)
{
	const struct listing *l = data;
	autofree char *text = NULL;

	(void)err;
	if (!e->path[0])
		return 0;
	if (is_whiteout(&e->st))
		text = xasprintf("removed            /%s", e->path);
	else
		text = xasprintf("%04o %13lld /%s%s", e->st.st_mode & 07777,
				 S_ISREG(e->st.st_mode) ? (long long)e->st.st_size : 0, e->path,
				 S_ISDIR(e->st.st_mode) ? "/" : "");
	l->fn(l->data, text);
	return 0;
}

int tree_list(const char *root, const char *chain, void (*fn)(void *data, const char *text),
	      void *data, struct error *err)
{
	struct listing l = { fn, data };
	autoclose int dir = -1;
	int r = open_layer(root, chain, &dir, err);

	return r < 0 ? r : walk_tree(dir, list_entry, NULL, &l, err);
}
