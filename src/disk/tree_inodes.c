/* src/disk/tree_inodes.c */
#include "disk/tree_inodes.h"

#include <search.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/packed.h"
#include "image/attributes.h"
#include "image/tar.h"

struct seen {
	uint64_t number;
	struct file *file; /* NULL: left out */
};

int inodes_damaged(const struct inodes *g, const char *what)
{
	return error_set(g->err, -EBADMSG,
			 "its file system is damaged (%s): %s can tell, and perhaps mend it", what,
			 g->kind->mender);
}

int inodes_get(const struct inodes *g, int64_t at, void *to, size_t len, const char *what)
{
	int r = region_get(&g->at, at, to, len);

	if (r == -EBADMSG)
		return inodes_damaged(g, what);
	return r < 0 ? error_sys(g->err, r, "read the disk") : 0;
}

/* How much of a run is within the file. */
static int cut_run(const struct inodes *g, struct file *f, int64_t at, int64_t *len)
{
	struct content *c = &f->content;
	const struct piece *last = c->n ? &c->pieces[c->n - 1] : NULL;

	c->kind = CONTENT_PIECES;
	c->fd = g->at.fd;
	if (at < 0 || at > TAR_SIZE_MAX || *len < 0 || (last && at < last->at + last->len))
		return inodes_damaged(g, "blocks of a file overlap");
	*len = MAX(MIN(*len, c->size - at), 0);
	return 0;
}

static bool is_inside(const struct inodes *g, int64_t from, int64_t len)
{
	return from >= 0 && from <= g->at.size && len <= g->at.size - from;
}

int inodes_piece(const struct inodes *g, struct file *f, int64_t at, int64_t from, int64_t len)
{
	int r = cut_run(g, f, at, &len);

	if (r < 0 || len == 0)
		return r;
	if (!is_inside(g, from, len))
		return inodes_damaged(g, "a file has blocks outside of it");
	content_add_piece(&f->content, at, g->at.offset + from, len);
	return 0;
}

int inodes_packed(const struct inodes *g, struct file *f, int64_t at, int64_t skip, int64_t len,
		  struct packed *packed)
{
	int r = cut_run(g, f, at, &len);

	if (r < 0 || len == 0)
		return r;
	if (packed->len > PACKED_MAX || packed->size > PACKED_MAX || skip < 0 ||
	    skip > packed->size || len > packed->size - skip ||
	    !is_inside(g, packed->from, packed->len))
		return inodes_damaged(g, "a compressed part of a file");
	packed->from += g->at.offset;
	content_add_packed(&f->content, at, skip, len, packed);
	return 0;
}

int inodes_bytes(const struct inodes *g, const struct file *f, size_t max, char **ret,
		 const char *what)
{
	size_t len;
	int r;

	if (f->content.size > (int64_t)max)
		return inodes_damaged(g, what);
	r = content_read(&f->content, max, max, ret, &len, g->err);
	return r < 0 ? error_wrap(g->err, r, "%s", what) : 0;
}

int inodes_target(const struct inodes *g, struct file *f, char *text, size_t len)
{
	f->target = text;
	return len == 0 || len >= TAR_NAME_MAX || strlen(text) != len
		       ? inodes_damaged(g, "a symbolic link")
		       : 0;
}

void inodes_xattr(struct file *f, const char *prefix, const void *name, size_t name_len,
		  const void *value, size_t len)
{
	autofree char *rest = xstrndup(name, name_len), *whole = xasprintf("%s%s", prefix, rest);
	struct tar_xattr *x;

	if (!attribute_is_for_images(whole) || f->nxattrs >= TAR_XATTRS_MAX)
		return;
	f->xattrs = xrealloc(f->xattrs, f->nxattrs + 1, sizeof(*f->xattrs));
	x = &f->xattrs[f->nxattrs++];
	*x = (struct tar_xattr) { .name = steal_ptr(&whole),
				  .value = xmalloc(len + 1),
				  .len = len };
	memcpy(x->value, value, len);
}

static int by_attribute(const void *a, const void *b)
{
	const struct tar_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_number(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* Each inode once; *ret_new says whether it was. */
static struct seen *look_up(struct inodes *g, uint64_t number, bool *ret_new)
{
	struct seen *s = xnew(struct seen), **found;

	*s = (struct seen) { .number = number };
	found = tsearch(s, &g->seen, by_number);
	*ret_new = *found == s;
	if (!*ret_new)
		free(s);
	return *found;
}

static int read_inode(struct inodes *g, uint64_t number, struct file *f)
{
	int r = g->kind->read(g, number, f);

	if (r < 0)
		return r;
	if (f->nxattrs > 1)
		qsort(f->xattrs, f->nxattrs, sizeof(*f->xattrs), by_attribute);
	if (!S_ISDIR(f->mode))
		return 0;
	VEC_GROW(g->todo, g->n, g->room);
	g->todo[g->n++] = (struct inode_dir) { number, f };
	return 0;
}

static bool is_known_type(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode);
}

static int read_file(struct inodes *g, struct seen *s)
{
	struct file *f = filetree_add(g->tree, 0);
	int r;

	if (!f)
		return error_set(g->err, -EFBIG, "it has more than %u files", FILETREE_FILES_MAX);
	r = read_inode(g, s->number, f);
	if (r == 0 && !is_known_type(f->mode))
		r = inodes_damaged(g, "a name leads to no file");
	s->file = r < 0 || S_ISSOCK(f->mode) ? NULL : f;
	return r;
}

int inodes_name(struct inodes *g, struct file *dir, const void *bytes, size_t len, uint64_t number)
{
	autofree char *name = xstrndup(bytes, len);
	struct seen *s;
	bool is_new;
	int r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (strlen(name) != len || len == 0 || len > FILE_NAME_MAX || strchr(name, '/') ||
	    dir_find(dir, name))
		return inodes_damaged(g, "a name in a directory");
	s = look_up(g, number, &is_new);
	r = is_new ? read_file(g, s) : 0;
	if (r == 0 && !is_new && s->file && S_ISDIR(s->file->mode))
		r = inodes_damaged(g, "a directory has two names");
	if (r == 0 && s->file)
		dir_put(dir, name, s->file);
	return r;
}

int inodes_read(struct inodes *g, uint64_t root)
{
	struct file *f = g->tree->root;
	bool is_new;
	int r;

	look_up(g, root, &is_new)->file = f;
	r = read_inode(g, root, f);
	if (r == 0 && !S_ISDIR(f->mode))
		r = inodes_damaged(g, "it has no root directory");
	/* By a copy: the list moves while it grows. */
	for (size_t i = 0; r == 0 && i < g->n; i++) {
		struct inode_dir d = g->todo[i];

		r = g->kind->list(g, d.number, d.file);
	}
	tdestroy(g->seen, free);
	free(g->todo);
	return r;
}
