/* src/disk/tree_ext4.c */
#include "disk/tree_ext4.h"

#include <search.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/ext4_inside.h"
#include "disk/filetree.h"
#include "image/attributes.h"

#define INLINE_MAX (1U << 16) /* bytes of a file that lies in its inode: less than a block */

/* Every inode that was met: one with several names is one file, one directory with two is damage.
 */
struct seen {
	ext2_ino_t ino;
	struct file *file; /* NULL: left out */
};

struct dir_todo {
	ext2_ino_t ino;
	struct file *file;
};

struct filling {
	struct filetree *tree;
	ext2_filsys fs;
	int fd;
	int64_t offset;
	void *seen; /* tsearch() tree of struct seen */
	struct dir_todo *todo;
	size_t n, room;
	struct file *dir; /* whose names are read */
	struct error *err;
	int r; /* of a callback */
};

static int damaged(const struct filling *g, const char *what)
{
	return error_set(g->err, -EBADMSG,
			 "its file system is damaged (%s): e2fsck can tell and mend it", what);
}

/* contents */

static int add_run(const struct filling *g, struct content *c, uint64_t logical, uint64_t physical,
		   uint64_t blocks)
{
	const struct piece *last = c->n ? &c->pieces[c->n - 1] : NULL;
	int64_t size = g->fs->blocksize, at, len;

	if (physical >= ext2fs_blocks_count(g->fs->super) ||
	    blocks > ext2fs_blocks_count(g->fs->super) - physical ||
	    logical > (uint64_t)(TAR_SIZE_MAX / size))
		return damaged(g, "a file has blocks outside of it");
	at = (int64_t)logical * size;
	len = MIN((int64_t)blocks * size, c->size - at);
	if (last && at < last->at + last->len)
		return damaged(g, "blocks of a file overlap");
	if (len > 0)
		content_add_piece(c, at, g->offset + (int64_t)physical * size, len);
	return 0;
}

static int read_extents(const struct filling *g, ext2_ino_t ino, struct ext2_inode *inode,
			struct content *c)
{
	ext2_extent_handle_t handle = NULL;
	/* Nodes that are reached in several ways could be more than there are blocks. */
	uint64_t left = 4 * ext2fs_blocks_count(g->fs->super);
	struct ext2fs_extent e;
	errcode_t code = ext2fs_extent_open2(g->fs, ino, inode, &handle);
	int r = 0;

	if (!code)
		code = ext2fs_extent_get(handle, EXT2_EXTENT_ROOT, &e);
	while (!code && r == 0) {
		if (left-- == 0)
			r = damaged(g, "the blocks of a file lead in circles");
		else if ((e.e_flags & EXT2_EXTENT_FLAGS_LEAF) &&
			 !(e.e_flags & EXT2_EXTENT_FLAGS_UNINIT))
			r = add_run(g, c, e.e_lblk, e.e_pblk, e.e_len);
		if (r == 0)
			code = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT, &e);
	}
	if (handle)
		ext2fs_extent_free(handle);
	if (r < 0 || code == EXT2_ET_EXTENT_NO_NEXT || code == EXT2_ET_NO_CURRENT_NODE)
		return r;
	return damaged(g, "the blocks of a file");
}

struct mapping {
	const struct filling *g;
	struct content *content;
	int r;
};

static int map_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t logical, blk64_t ref, int offset,
		     void *data)
{
	struct mapping *m = data;

	(void)fs;
	(void)ref;
	(void)offset;
	if (logical >= 0 && *block)
		m->r = add_run(m->g, m->content, (uint64_t)logical, *block, 1);
	return m->r < 0 ? BLOCK_ABORT : 0;
}

static int read_map(const struct filling *g, ext2_ino_t ino, struct content *c)
{
	struct mapping m = { .g = g, .content = c };
	errcode_t code =
		ext2fs_block_iterate3(g->fs, ino, BLOCK_FLAG_READ_ONLY, NULL, map_block, &m);

	return m.r == 0 && code ? damaged(g, "the blocks of a file") : m.r;
}

static int read_bytes(const struct filling *g, ext2_ino_t ino, struct ext2_inode *inode,
		      int64_t size, char **ret)
{
	autofree char *bytes = xcalloc(1, (size_t)size + 1);
	ext2_file_t file = NULL;
	unsigned got = 0;
	errcode_t code = ext2fs_file_open2(g->fs, ino, inode, 0, &file);

	if (!code)
		code = ext2fs_file_read(file, bytes, (unsigned)size, &got);
	if (file)
		(void)ext2fs_file_close(file);
	if (code || got != (unsigned)size)
		return damaged(g, "a link, or a small file");
	*ret = steal_ptr(&bytes);
	return 0;
}

static int read_content(const struct filling *g, ext2_ino_t ino, struct ext2_inode *inode,
			struct content *ret)
{
	uint64_t size = EXT2_I_SIZE(inode);
	char *bytes = NULL;
	int r;

	if (size > TAR_SIZE_MAX)
		return damaged(g, "the size of a file");
	if (inode->i_flags & EXT4_INLINE_DATA_FL) {
		r = size <= INLINE_MAX ? read_bytes(g, ino, inode, (int64_t)size, &bytes)
				       : damaged(g, "a small file");
		if (r == 0)
			*ret = content_of_bytes(bytes, (size_t)size);
		return r;
	}
	*ret = (struct content) { .kind = CONTENT_PIECES, .fd = g->fd, .size = (int64_t)size };
	return inode->i_flags & EXT4_EXTENTS_FL ? read_extents(g, ino, inode, ret)
						: read_map(g, ino, ret);
}

int ext4_read_content(struct struct_ext2_filsys *fs, int fd, int64_t offset, uint32_t ino,
		      struct content *ret, struct error *err)
{
	const struct filling g = { .fs = fs, .fd = fd, .offset = offset, .err = err };
	struct content c = { .fd = -1 };
	struct ext2_inode inode;
	errcode_t code = ext2fs_read_inode(fs, ino, &inode);
	int r = code ? ext4_failed(err, code, "read an inode") : read_content(&g, ino, &inode, &c);

	if (r < 0)
		content_done(&c);
	else
		*ret = c;
	return r;
}

static int read_target(struct filling *g, ext2_ino_t ino, struct ext2_inode *inode, char **ret)
{
	uint64_t size = EXT2_I_SIZE(inode);
	int r = 0;

	if (size == 0 || size >= TAR_NAME_MAX)
		return damaged(g, "a symbolic link");
	if (!(inode->i_flags & EXT4_INLINE_DATA_FL) && ext2fs_is_fast_symlink(inode))
		*ret = xstrndup((const char *)inode->i_block, MIN(size, sizeof(inode->i_block)));
	else
		r = read_bytes(g, ino, inode, (int64_t)size, ret);
	return r == 0 && strlen(*ret) != size ? damaged(g, "a symbolic link") : r;
}

/* attributes */

struct names {
	struct file *file;
	struct ext2_xattr_handle *handle;
	errcode_t code;
};

/* An ACL's entries but those of named users and groups have no number: the kernel writes -1 there,
 * libext2fs 0.  Two bytes of tag, two of rights, four of number, behind four of a version.
 */
static void mend_acl(const char *name, unsigned char *value, size_t len)
{
	enum { HEAD = 4, ENTRY = 8, NAMED_USER = 2, NAMED_GROUP = 8 };

	if (strncmp(name, "system.posix_acl_", strlen("system.posix_acl_")) != 0)
		return;
	for (size_t at = HEAD; at + ENTRY <= len; at += ENTRY)
		if (value[at] != NAMED_USER && value[at] != NAMED_GROUP)
			memset(value + at + 4, 0xff, 4);
}

/* The value that is handed over is the disk's form of an ACL; that which is asked for is the
 * kernel's.
 */
static int take_xattr(char *name, char *value, size_t len, void *data)
{
	struct names *n = data;
	struct file *f = n->file;
	void *kept = NULL;

	(void)value;
	if (!attribute_is_for_images(name) || f->nxattrs >= TAR_XATTRS_MAX)
		return 0;
	n->code = ext2fs_xattr_get(n->handle, name, &kept, &len);
	if (n->code)
		return XATTR_ABORT;
	f->xattrs = xrealloc(f->xattrs, f->nxattrs + 1, sizeof(*f->xattrs));
	f->xattrs[f->nxattrs] =
		(struct tar_xattr) { .name = xstrdup(name), .value = xmalloc(len + 1), .len = len };
	if (len)
		memcpy(f->xattrs[f->nxattrs].value, kept, len);
	mend_acl(name, f->xattrs[f->nxattrs].value, len);
	f->nxattrs++;
	(void)ext2fs_free_mem(&kept);
	return 0;
}

static int by_attribute(const void *a, const void *b)
{
	const struct tar_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int read_xattrs(struct filling *g, ext2_ino_t ino, struct file *f)
{
	struct names n = { .file = f };
	errcode_t code = ext2fs_xattrs_open(g->fs, ino, &n.handle);

	if (!code)
		code = ext2fs_xattrs_read(n.handle);
	if (!code)
		code = ext2fs_xattrs_iterate(n.handle, take_xattr, &n);
	if (n.handle)
		(void)ext2fs_xattrs_close(&n.handle);
	if (code || n.code)
		return damaged(g, "the attributes of a file");
	if (f->nxattrs > 1)
		qsort(f->xattrs, f->nxattrs, sizeof(*f->xattrs), by_attribute);
	return 0;
}

/* inodes */

/* Seconds are signed 32 bits, and two more that count from there. */
static struct timespec mtime_of(const struct ext2_inode_large *inode)
{
	struct timespec ret = { .tv_sec = (int32_t)inode->i_mtime };

	if (!inode_includes(EXT2_GOOD_OLD_INODE_SIZE + inode->i_extra_isize, i_mtime_extra))
		return ret;
	ret.tv_sec += (int64_t)(inode->i_mtime_extra & 3) << 32;
	ret.tv_nsec = MIN(inode->i_mtime_extra >> 2, 999999999U);
	return ret;
}

static void take_device(struct file *f, const struct ext2_inode_large *inode)
{
	uint32_t small = inode->i_block[0], large = inode->i_block[1];

	f->major = small ? small >> 8 & 0xff : large >> 8 & 0xfff;
	f->minor = small ? small & 0xff : (large & 0xff) | (large >> 12 & 0xfff00);
}

static int take_inode(struct filling *g, ext2_ino_t ino, struct ext2_inode_large *inode,
		      struct file *f)
{
	struct ext2_inode *small = (struct ext2_inode *)inode;
	int r = 0;

	if (inode->i_flags & EXT4_ENCRYPT_FL)
		return error_set(g->err, -EOPNOTSUPP,
				 "files in it are encrypted (fscrypt): they are not readable");
	f->mode = inode->i_mode;
	f->uid = inode_uid(*inode);
	f->gid = inode_gid(*inode);
	f->mtime = mtime_of(inode);
	if (S_ISREG(f->mode))
		r = read_content(g, ino, small, &f->content);
	else if (S_ISLNK(f->mode))
		r = read_target(g, ino, small, &f->target);
	else if (S_ISCHR(f->mode) || S_ISBLK(f->mode))
		take_device(f, inode);
	return r < 0 || S_ISLNK(f->mode) ? r : read_xattrs(g, ino, f);
}

static int by_inode(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* Each inode once; *ret_new says whether it was. */
static struct seen *look_up(struct filling *g, ext2_ino_t ino, bool *ret_new)
{
	struct seen *s = xnew(struct seen), **found;

	*s = (struct seen) { .ino = ino };
	found = tsearch(s, &g->seen, by_inode);
	*ret_new = *found == s;
	if (!*ret_new)
		free(s);
	return *found;
}

static bool is_known_type(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode);
}

static int read_file(struct filling *g, ext2_ino_t ino, struct seen *s)
{
	struct ext2_inode_large inode = { .i_mode = 0 };

	if (ext2fs_read_inode_full(g->fs, ino, (struct ext2_inode *)&inode, sizeof(inode)) ||
	    !is_known_type(inode.i_mode) || inode.i_links_count == 0)
		return damaged(g, "a name leads to no file");
	if (S_ISSOCK(inode.i_mode))
		return 0;
	s->file = filetree_add(g->tree, inode.i_mode);
	if (!s->file)
		return error_set(g->err, -EFBIG, "it has more than %u files", FILETREE_FILES_MAX);
	if (S_ISDIR(inode.i_mode)) {
		VEC_GROW(g->todo, g->n, g->room);
		g->todo[g->n++] = (struct dir_todo) { ino, s->file };
	}
	return take_inode(g, ino, &inode, s->file);
}

/* directories */

static int add_name(struct filling *g, const char *name, ext2_ino_t ino)
{
	bool is_new;
	struct seen *s = look_up(g, ino, &is_new);
	int r = is_new ? read_file(g, ino, s) : 0;

	if (r == 0 && !is_new && (ino == EXT2_ROOT_INO || (s->file && S_ISDIR(s->file->mode))))
		r = damaged(g, "a directory has two names");
	if (r == 0 && s->file)
		dir_put(g->dir, name, s->file);
	return r;
}

static int each_name(ext2_ino_t dir, int entry, struct ext2_dir_entry *e, int offset, int size,
		     char *buf, void *data)
{
	struct filling *g = data;
	size_t n = (size_t)ext2fs_dirent_name_len(e);
	char name[FILE_NAME_MAX + 1];

	(void)dir;
	(void)offset;
	(void)size;
	(void)buf;
	if (entry == DIRENT_DOT_FILE || entry == DIRENT_DOT_DOT_FILE)
		return 0;
	memcpy(name, e->name, n);
	name[n] = '\0';
	if (strlen(name) != n || n == 0 || strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || dir_find(g->dir, name))
		g->r = damaged(g, "a name in a directory");
	else
		g->r = add_name(g, name, e->inode);
	return g->r < 0 ? DIRENT_ABORT : 0;
}

static int read_dir(struct filling *g, const struct dir_todo *d)
{
	errcode_t code;

	g->dir = d->file;
	code = ext2fs_dir_iterate2(g->fs, d->ino, 0, NULL, each_name, g);
	return g->r == 0 && code ? damaged(g, "a directory") : g->r;
}

static int read_all(struct filling *g)
{
	struct ext2_inode_large inode = { .i_mode = 0 };
	bool is_new;
	int r;

	if (ext2fs_read_inode_full(g->fs, EXT2_ROOT_INO, (struct ext2_inode *)&inode,
				   sizeof(inode)) ||
	    !S_ISDIR(inode.i_mode))
		return damaged(g, "it has no root directory");
	look_up(g, EXT2_ROOT_INO, &is_new)->file = g->tree->root;
	VEC_GROW(g->todo, g->n, g->room);
	g->todo[g->n++] = (struct dir_todo) { EXT2_ROOT_INO, g->tree->root };
	r = take_inode(g, EXT2_ROOT_INO, &inode, g->tree->root);
	/* By a copy: the list moves while it grows. */
	for (size_t i = 0; r == 0 && i < g->n; i++) {
		struct dir_todo d = g->todo[i];

		r = read_dir(g, &d);
	}
	return r;
}

int filetree_add_ext4(struct filetree *t, struct struct_ext2_filsys *fs, int fd, int64_t offset,
		      struct error *err)
{
	struct filling g = { .tree = t, .fs = fs, .fd = fd, .offset = offset, .err = err };
	int r;

	if (ext2fs_has_feature_journal_needs_recovery(fs->super))
		return error_set(err, -EBUSY,
				 "its file system was not left cleanly: start the machine and "
				 "switch it off, or let e2fsck replay its journal");
	r = read_all(&g);
	tdestroy(g.seen, free);
	free(g.todo);
	return r;
}
