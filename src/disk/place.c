/* src/disk/place.c
 *
 * A script is told where things are in the tree, not by which links: it would follow those out of
 * it.  So what it says comes after what is done here, once the directories are there.
 */
#include "disk/place.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "disk/filetree.h"
#include "disk/source.h"

void place_begin(struct placing *p)
{
	if (p->source->copied)
		return;
	p->source->copied = true;
	if (p->source->kind == SOURCE_DIRECTORY)
		(void)explain("the directory itself stays as it is",
			      "cp -a \"$tree\" \"$work/tree\"; tree=$work/tree");
}

static char *above(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
}

static const char *last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *place_real(const struct placing *p, const char *path)
{
	char *real = NULL;
	const struct file *f = filetree_resolve(p->source->tree, path, &real);

	assert(f);
	return real;
}

int place_text(struct placing *p, const char *why, const char *path, struct owner owner,
	       const char *text, struct error *err)
{
	struct buf quoted = BUF_INIT(4 * PLACED_TEXT_MAX);
	struct filetree *t = p->source->tree;
	autofree char *dir = above(path), *real_dir = NULL, *real = NULL;
	struct file *f;
	int r;

	place_begin(p);
	r = filetree_put_bytes(t, path, owner.mode, xstrdup(text), strlen(text), p->mtime, err);
	if (r < 0)
		return r;
	f = dir_find(filetree_resolve(t, dir, &real_dir), last(path));
	f->uid = owner.uid;
	f->gid = owner.gid;
	real = filetree_place(t, path);
	buf_add_shell(&quoted, text);
	(void)explain(why,
		      "mkdir -p \"$tree\"/%s; printf %%s %s >\"$work/text\"; "
		      "install -m %o -o %u -g %u \"$work/text\" \"$tree\"/%s",
		      sq(real_dir), buf_text(&quoted), owner.mode, owner.uid, owner.gid, sq(real));
	buf_done(&quoted);
	return 0;
}

int place_link(struct placing *p, const char *why, const char *path, const char *target,
	       struct error *err)
{
	struct filetree *t = p->source->tree;
	autofree char *dir = above(path), *real_dir = NULL, *real = NULL;
	struct file *parent, *link;

	place_begin(p);
	parent = filetree_make_dir(t, dir, p->mtime);
	link = parent ? filetree_add(t, S_IFLNK | 0777) : NULL;
	if (!link)
		return error_set(err, -ENOTDIR,
				 "cannot put /%s into the disk: a file is in the way", path);
	link->mtime = p->mtime;
	link->target = xstrdup(target);
	dir_put(parent, last(path), link);
	real_dir = place_real(p, dir);
	real = filetree_place(t, path);
	(void)explain(why, "mkdir -p \"$tree\"/%s; ln -sfn %s \"$tree\"/%s", sq(real_dir),
		      sq(target), sq(real));
	return 0;
}

int place_dir(struct placing *p, const char *path, struct owner owner, struct error *err)
{
	struct filetree *t = p->source->tree;
	struct file *dir = filetree_resolve(t, path, NULL);
	autofree char *real = NULL;

	if (dir && S_ISDIR(dir->mode))
		return 0;
	place_begin(p);
	dir = filetree_make_dir(t, path, p->mtime);
	if (!dir)
		return error_set(err, -ENOTDIR, "cannot make /%s on the disk: a file is in the way",
				 path);
	dir->mode = S_IFDIR | owner.mode;
	dir->uid = owner.uid;
	dir->gid = owner.gid;
	real = place_real(p, path);
	(void)explain("a directory", "install -d -m %o -o %u -g %u \"$tree\"/%s", owner.mode,
		      owner.uid, owner.gid, sq(real));
	return 0;
}

int place_read(const struct placing *p, const char *path, char **ret, struct error *err)
{
	const struct file *f = filetree_resolve(p->source->tree, path, NULL);
	size_t len;
	int r;

	if (!f || !S_ISREG(f->mode))
		return -ENOENT;
	r = content_read(&f->content, PLACED_TEXT_MAX, PLACED_TEXT_MAX, ret, &len, err);
	return r < 0 ? error_wrap(err, r, "/%s", path) : 0;
}

void place_rewrite(struct placing *p, const char *path, char *text)
{
	struct file *f = filetree_resolve(p->source->tree, path, NULL);

	assert(f && S_ISREG(f->mode));
	place_begin(p);
	content_done(&f->content);
	f->content = content_of_bytes(text, strlen(text));
	f->mtime = p->mtime;
}
