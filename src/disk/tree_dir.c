/* src/disk/tree_dir.c */
#include "disk/tree_dir.h"

#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/walk.h"
#include "disk/filetree.h"
#include "image/attributes.h"
#include "image/lower.h"

/* A file with several names, until all were met. */
struct seen {
	ino_t ino;
	struct file *file;
};

struct filling {
	struct filetree *tree;
	int dir;
	void *seen; /* tsearch() tree of struct seen */
	struct file *parents[WALK_DEPTH_MAX + 1];
	struct error *err;
};

static int by_inode(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static size_t depth_of(const char *path)
{
	size_t depth = *path ? 1 : 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int read_link(const struct walk_entry *e, struct file *f)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->dir, e->name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	f->target = xstrdup(target);
	return 0;
}

/* Attributes want an open file; of links and devices there are none that an image could have. */
static int read_xattrs(const struct walk_entry *e, struct file *f, bool *ret_opaque)
{
	autoclose int fd = -1;

	if (!S_ISREG(e->st.st_mode) && !S_ISDIR(e->st.st_mode))
		return 0;
	fd = openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_opaque = S_ISDIR(e->st.st_mode) && is_opaque(fd);
	return attributes_list(fd, &f->xattrs, &f->nxattrs);
}

static int take_attributes(struct filling *g, const struct walk_entry *e, struct file *f)
{
	bool opaque = false;
	int r;

	attributes_free(f->xattrs, f->nxattrs);
	f->xattrs = NULL;
	f->nxattrs = 0;
	f->mode = e->st.st_mode;
	f->uid = e->st.st_uid;
	f->gid = e->st.st_gid;
	f->mtime = e->st.st_mtim;
	f->major = major(e->st.st_rdev);
	f->minor = minor(e->st.st_rdev);
	r = read_xattrs(e, f, &opaque);
	if (r == 0 && opaque)
		dir_clear(f);
	if (r == 0 && S_ISLNK(f->mode))
		r = read_link(e, f);
	if (r == 0 && S_ISREG(f->mode))
		f->content = content_of_path(g->dir, e->path, &e->st);
	return r < 0 ? error_sys(g->err, r, "read %s", e->path) : 0;
}

/* The file that an earlier name of this directory tree was given, if any. */
static struct file *other_name(const struct filling *g, const struct stat *st)
{
	const struct seen key = { .ino = st->st_ino };
	struct seen *const *found;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return NULL;
	found = tfind(&key, &g->seen, by_inode);
	return found ? (*found)->file : NULL;
}

static void note_name(struct filling *g, const struct stat *st, struct file *f)
{
	struct seen *s;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return;
	s = xnew(struct seen);
	*s = (struct seen) { .ino = st->st_ino, .file = f };
	if (!tsearch(s, &g->seen, by_inode))
		free(s);
}

static int add_file(struct filling *g, const struct walk_entry *e, struct file *dir, size_t depth)
{
	struct file *f = dir_find(dir, e->name), *other = other_name(g, &e->st);
	bool merges = f && S_ISDIR(f->mode) && S_ISDIR(e->st.st_mode);
	int r;

	if (other) {
		dir_put(dir, e->name, other);
		return 0;
	}
	if (!merges)
		f = filetree_add(g->tree, e->st.st_mode);
	if (!f)
		return error_set(g->err, -EFBIG, "%s: more than %u files", e->path,
				 FILETREE_FILES_MAX);
	r = take_attributes(g, e, f);
	if (r < 0)
		return r;
	note_name(g, &e->st, f);
	if (!merges)
		dir_put(dir, e->name, f);
	if (S_ISDIR(f->mode))
		g->parents[depth] = f;
	return 0;
}

static int add_entry(void *data, const struct walk_entry *e, struct error *err)
{
	struct filling *g = data;
	size_t depth = depth_of(e->path);

	(void)err;
	if (depth == 0) {
		g->parents[0] = g->tree->root;
		return take_attributes(g, e, g->tree->root);
	}
	if (is_whiteout(&e->st)) {
		dir_drop(g->parents[depth - 1], e->name);
		return 0;
	}
	if (S_ISSOCK(e->st.st_mode))
		return 0;
	return add_file(g, e, g->parents[depth - 1], depth);
}

int filetree_add_dir(struct filetree *t, int dir, struct error *err)
{
	struct filling *g = xnew(struct filling);
	int r;

	g->tree = t;
	g->dir = dir;
	g->err = err;
	r = walk_tree(dir, add_entry, NULL, g, err);
	tdestroy(g->seen, free);
	free(g);
	return r;
}
