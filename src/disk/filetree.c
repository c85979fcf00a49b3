/* src/disk/filetree.c */
#include "disk/filetree.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "image/attributes.h"

#define LINKS_FOLLOWED_MAX 40 /* as the kernel */

struct filetree *filetree_new(void)
{
	struct filetree *t = xnew(struct filetree);

	t->root = filetree_add(t, S_IFDIR | 0755);
	return t;
}

static void file_free(struct file *f)
{
	dir_clear(f);
	attributes_free(f->xattrs, f->nxattrs);
	content_done(&f->content);
	free(f->names);
	free(f->target);
	free(f);
}

void filetree_free(struct filetree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		file_free(t->files[i]);
	free(t->files);
	free(t->order);
	free(t);
}

struct file *filetree_add(struct filetree *t, mode_t mode)
{
	struct file *f;

	if (t->n >= FILETREE_FILES_MAX)
		return NULL;
	f = xnew(struct file);
	f->mode = mode;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	VEC_GROW(t->files, t->n, t->room);
	t->files[t->n++] = f;
	return f;
}

/* one directory
 *
 * A name that goes between others moves those behind it.  With many names that is much, so in a
 * large directory new ones wait in a short tail, until that is merged as a whole.
 */

#define TAIL_FROM 1024U /* names */
#define TAIL_MIN  64U

/* Where name stands, or would, of n names that are sorted. */
static size_t place_of(const struct name *names, size_t n, const char *name, bool *ret_there)
{
	size_t low = 0, high = n;

	*ret_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, names[middle].text);

		if (order == 0) {
			*ret_there = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* False: ret_at is where it would stand in the tail, or without one in all of it. */
static bool find_name(const struct file *dir, const char *name, size_t *ret_at)
{
	size_t sorted = dir->nnames - dir->ntail;
	bool there;

	*ret_at = place_of(dir->names, sorted, name, &there);
	if (there || dir->ntail == 0)
		return there;
	*ret_at = sorted + place_of(dir->names + sorted, dir->ntail, name, &there);
	return there;
}

unsigned char dir_entry_type(mode_t mode)
{
	return S_ISREG(mode)    ? 1
	       : S_ISDIR(mode)  ? 2
	       : S_ISCHR(mode)  ? 3
	       : S_ISBLK(mode)  ? 4
	       : S_ISFIFO(mode) ? 5
	       : S_ISSOCK(mode) ? 6
				: 7;
}

struct file *dir_find(const struct file *dir, const char *name)
{
	size_t at;

	return find_name(dir, name, &at) ? dir->names[at].file : NULL;
}

/* From the back, so that no name is overwritten before it has moved. */
void dir_settle(struct file *dir)
{
	size_t left = dir->nnames - dir->ntail, tail = dir->ntail, to = dir->nnames;
	autofree struct name *late = NULL;

	if (tail == 0)
		return;
	late = xcalloc(tail, sizeof(*late));
	memcpy(late, dir->names + left, tail * sizeof(*late));
	while (tail > 0)
		if (left > 0 && strcmp(dir->names[left - 1].text, late[tail - 1].text) > 0)
			dir->names[--to] = dir->names[--left];
		else
			dir->names[--to] = late[--tail];
	dir->ntail = 0;
}

/* About the root of the number of names: then both, tail and merges, stay cheap. */
static bool tail_is_long(const struct file *dir)
{
	uint64_t t = dir->ntail;

	return t > TAIL_MIN && t * t > 16 * dir->nnames;
}

void dir_put(struct file *dir, const char *name, struct file *file)
{
	size_t at;
	bool late;

	assert(S_ISDIR(dir->mode) && strlen(name) <= FILE_NAME_MAX);
	if (find_name(dir, name, &at)) {
		dir->names[at].file = file;
		return;
	}
	late = dir->ntail > 0 || (at < dir->nnames && dir->nnames >= TAIL_FROM);
	if (dir->ntail == 0 && late)
		at = dir->nnames;
	VEC_GROW(dir->names, dir->nnames, dir->room);
	memmove(&dir->names[at + 1], &dir->names[at], (dir->nnames - at) * sizeof(*dir->names));
	dir->names[at] = (struct name) { .text = xstrdup(name), .file = file };
	dir->nnames++;
	dir->ntail += late;
	if (tail_is_long(dir))
		dir_settle(dir);
}

void dir_drop(struct file *dir, const char *name)
{
	size_t at;

	if (!find_name(dir, name, &at))
		return;
	if (at >= dir->nnames - dir->ntail)
		dir->ntail--;
	free(dir->names[at].text);
	dir->nnames--;
	memmove(&dir->names[at], &dir->names[at + 1], (dir->nnames - at) * sizeof(*dir->names));
}

void dir_clear(struct file *dir)
{
	for (size_t i = 0; i < dir->nnames; i++)
		free(dir->names[i].text);
	dir->nnames = 0;
	dir->ntail = 0;
}

void dir_become(struct file *dir, struct file *from)
{
	struct file before = *dir;

	assert(S_ISDIR(dir->mode) && S_ISDIR(from->mode) && dir != from);
	*dir = *from;
	from->names = before.names;
	from->nnames = before.nnames;
	from->room = before.room;
	from->xattrs = before.xattrs;
	from->nxattrs = before.nxattrs;
	dir_clear(from);
}

/* paths */

struct steps {
	struct file *dirs[PATH_MAX / 2]; /* from the root to where we are */
	size_t len[PATH_MAX / 2];        /* of path there */
	size_t depth;
	char path[PATH_MAX];
	size_t path_len;
};

static bool step_down(struct steps *s, const char *word, struct file *file)
{
	size_t n = strlen(word);

	if (s->depth + 1 == ARRAY_SIZE(s->dirs) || s->path_len + n + 2 > sizeof(s->path))
		return false;
	if (s->path_len)
		s->path[s->path_len++] = '/';
	memcpy(s->path + s->path_len, word, n + 1);
	s->path_len += n;
	s->depth++;
	s->dirs[s->depth] = file;
	s->len[s->depth] = s->path_len;
	return true;
}

static void step_up(struct steps *s)
{
	if (s->depth == 0)
		return;
	s->depth--;
	s->path_len = s->len[s->depth];
	s->path[s->path_len] = '\0';
}

static void to_root(struct steps *s)
{
	s->depth = 0;
	s->path_len = 0;
	s->path[0] = '\0';
}

/* The file of that name; a directory that is made, if there is none and mtime is; NULL. */
static struct file *find_or_make(struct filetree *t, struct file *dir, const char *name,
				 const struct timespec *mtime)
{
	struct file *f = S_ISDIR(dir->mode) ? dir_find(dir, name) : NULL;

	if (f || !mtime || !S_ISDIR(dir->mode) || strlen(name) > FILE_NAME_MAX)
		return f;
	f = filetree_add(t, S_IFDIR | 0755);
	if (f) {
		f->mtime = *mtime;
		dir_put(dir, name, f);
	}
	return f;
}

/* Directories that are missing are made if mtime is there: on the way, too, where a link leads to
 * them, or '..' away again.
 */
static struct file *follow(struct filetree *t, const char *path, const struct timespec *mtime,
			   char **ret_path)
{
	autofree struct steps *s = xcalloc(1, sizeof(*s));
	autofree char *rest = xstrdup(path);
	int followed = 0;
	char *at = rest, *word;

	s->dirs[0] = t->root;
	while ((word = strsep(&at, "/"))) {
		struct file *next;

		if (!*word || strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0) {
			step_up(s);
			continue;
		}
		next = find_or_make(t, s->dirs[s->depth], word, mtime);
		if (!next)
			return NULL;
		if (S_ISLNK(next->mode)) {
			char *longer = xasprintf("%s/%s", next->target, at ? at : "");

			if (++followed > LINKS_FOLLOWED_MAX || strlen(longer) >= PATH_MAX) {
				free(longer);
				return NULL;
			}
			if (*longer == '/')
				to_root(s);
			free(rest);
			rest = at = longer;
			continue;
		}
		if (!step_down(s, word, next))
			return NULL;
	}
	if (ret_path)
		*ret_path = xstrdup(s->path);
	return s->dirs[s->depth];
}

struct file *filetree_resolve(const struct filetree *t, const char *path, char **ret_path)
{
	return follow((struct filetree *)t, path, NULL, ret_path);
}

char *filetree_place(const struct filetree *t, const char *path)
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	autofree char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0), *real = NULL;
	const struct file *there = filetree_resolve(t, dir, &real);

	assert(there);
	return xasprintf("%s%s%s", real, *real ? "/" : "", last);
}

struct file *filetree_make_dir(struct filetree *t, const char *path, struct timespec mtime)
{
	struct file *dir = follow(t, path, &mtime, NULL);

	return dir && S_ISDIR(dir->mode) ? dir : NULL;
}

int filetree_put_bytes(struct filetree *t, const char *path, mode_t mode, char *bytes, size_t len,
		       struct timespec mtime, struct error *err)
{
	autofree char *dir_path = xstrdup(path);
	char *slash = strrchr(dir_path, '/');
	const char *name = slash ? path + (slash - dir_path) + 1 : path;
	struct file *dir, *file;

	*(slash ? slash : dir_path) = '\0';
	dir = filetree_make_dir(t, dir_path, mtime);
	file = dir && strlen(name) <= FILE_NAME_MAX ? filetree_add(t, S_IFREG | mode) : NULL;
	if (!file) {
		free(bytes);
		return error_set(err, -ENOTDIR,
				 "cannot put /%s into the disk: a file is in the way", path);
	}
	file->mtime = mtime;
	file->content = content_of_bytes(bytes, len);
	dir_put(dir, name, file);
	return 0;
}

/* all of it */

struct visit {
	const struct file *dir;
	char *path;
};

struct visits {
	struct visit *items;
	size_t n, room;
};

static void visit_later(struct visits *v, const struct file *dir, char *path)
{
	VEC_GROW(v->items, v->n, v->room);
	v->items[v->n++] = (struct visit) { dir, path };
}

static int visit_names(struct visits *v, struct visit here, filetree_walk_fn fn, void *data)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < here.dir->nnames; i++) {
		const struct name *name = &here.dir->names[i];
		autofree char *path =
			xasprintf("%s%s%s", here.path, *here.path ? "/" : "", name->text);

		r = fn(data, name->file, path);
		if (S_ISDIR(name->file->mode))
			visit_later(v, name->file, steal_ptr(&path));
	}
	return r;
}

int filetree_walk(const struct filetree *t, filetree_walk_fn fn, void *data)
{
	struct visits v = { .n = 0 };
	int r = 0;

	for (size_t i = 0; i < t->n; i++)
		dir_settle(t->files[i]);
	visit_later(&v, t->root, xstrdup(""));
	for (size_t i = 0; r == 0 && i < v.n; i++)
		r = visit_names(&v, v.items[i], fn, data);
	for (size_t i = 0; i < v.n; i++)
		free(v.items[i].path);
	free(v.items);
	return r;
}

/* numbers */

struct numbering {
	struct filetree *tree;
	uint32_t next;
	size_t room;
};

static void note_order(struct numbering *n, struct file *f)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	VEC_GROW(n->tree->order, n->tree->norder, n->room);
	n->tree->order[n->tree->norder++] = f;
}

static void number_names(struct numbering *n, struct file *dir)
{
	dir_settle(dir);
	for (size_t i = 0; i < dir->nnames; i++) {
		struct file *f = dir->names[i].file;

		f->links++;
		if (f->number)
			continue;
		f->number = n->next++;
		note_order(n, f);
		if (!S_ISDIR(f->mode))
			continue;
		f->links++; /* "." */
		dir->links++;
		f->parent = dir->number;
	}
}

/* Files that another tree made, too, which a name of this one leads to. */
static void forget_numbers(struct numbering *n)
{
	struct filetree *t = n->tree;

	for (size_t i = 0; i < t->n; i++)
		t->files[i]->number = t->files[i]->links = 0;
	note_order(n, t->root);
	for (size_t i = 0; i < t->norder; i++)
		for (size_t k = 0; k < t->order[i]->nnames; k++) {
			struct file *f = t->order[i]->names[k].file;

			f->number = f->links = 0;
			if (S_ISDIR(f->mode))
				note_order(n, f);
		}
	t->norder = 0;
}

/* By breadth, so that no depth of an archive is ours. */
void filetree_number(struct filetree *t, uint32_t root_number, uint32_t first)
{
	struct numbering n = { .tree = t, .next = first };

	free(t->order);
	t->order = NULL;
	t->norder = 0;
	forget_numbers(&n);
	t->root->number = t->root->parent = root_number;
	t->root->links = 2;
	note_order(&n, t->root);
	for (size_t i = 0; i < t->norder; i++)
		number_names(&n, t->order[i]);
}
