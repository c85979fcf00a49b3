/* src/disk/ext4_data.c - contents: blocks are asked for a run at a time, and the bytes are copied
 * past the library, which would take them through its own buffers 4 KiB by 4 KiB.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/ext4.h"
#include "disk/ext4_inside.h"
#include "disk/filetree.h"
#include "image/attributes.h"
#include "image/tar.h"

#define WAITING_MAX (32 << 20)
#define ACL_PREFIX  "system.posix_acl_"

int ext4_failed(struct error *err, errcode_t code, const char *what)
{
	if (code == EXT2_ET_BLOCK_ALLOC_FAIL || code == ENOSPC)
		return error_set(err, -ENOSPC, "%s: the file system is full", what);
	if (code > 0 && code < 256)
		return error_sys(err, -(int)code, "%s", what);
	return error_set(err, -EIO, "%s: %s", what, error_message(code));
}

int ext4_allocate(struct ext4_writer *w, ext2_ino_t ino, struct ext2_inode_large *inode,
		  blk64_t first, blk64_t n)
{
	errcode_t code = ext2fs_fallocate(w->fs, EXT2_FALLOCATE_FORCE_INIT, ino,
					  (struct ext2_inode *)inode, w->goal, first, n);

	return code ? ext4_failed(w->err, code, "find blocks") : 0;
}

int ext4_each_extent(struct ext4_writer *w, ext2_ino_t ino, struct ext2_inode_large *inode,
		     int (*fn)(void *data, const struct ext2fs_extent *extent), void *data)
{
	struct ext2fs_extent extent;
	ext2_extent_handle_t handle;
	int op = EXT2_EXTENT_ROOT, r = 0;
	errcode_t code = ext2fs_extent_open2(w->fs, ino, (struct ext2_inode *)inode, &handle);

	if (code)
		return ext4_failed(w->err, code, "read extents");
	for (; r == 0; op = EXT2_EXTENT_NEXT) {
		code = ext2fs_extent_get(handle, op, &extent);
		if (code == EXT2_ET_EXTENT_NO_NEXT || code == EXT2_ET_EXTENT_NOT_FOUND ||
		    code == EXT2_ET_NO_CURRENT_NODE)
			break;
		if (code)
			r = ext4_failed(w->err, code, "read extents");
		else if (extent.e_flags & EXT2_EXTENT_FLAGS_LEAF)
			r = fn(data, &extent);
	}
	ext2fs_extent_free(handle);
	return r;
}

/* contents */

struct copying {
	struct ext4_writer *w;
	struct content_reader *rd;
};

/* While there is more to copy the disk is at work already, so that the sync in the end is short. */
static void begin_writing(struct ext4_writer *w, int64_t len)
{
	w->waits += len;
	if (w->waits < WAITING_MAX)
		return;
	w->waits = 0;
	(void)sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static int copy_extent(void *data, const struct ext2fs_extent *e)
{
	struct copying *c = data;
	int64_t at = (int64_t)e->e_lblk * EXT4_BLOCK, end = at + (int64_t)e->e_len * EXT4_BLOCK;
	int64_t shift = c->w->offset + ((int64_t)e->e_pblk - (int64_t)e->e_lblk) * EXT4_BLOCK;
	int64_t start, len;

	c->w->goal = e->e_pblk + e->e_len;
	while (at < end && content_next(c->rd, at, &start, &len) > 0 && start < end) {
		int r;

		len = MIN(len, end - start);
		r = content_copy(c->rd, start, len, c->w->fd, start + shift);
		if (r < 0)
			return error_sys(c->w->err, r, "copy a file's bytes");
		begin_writing(c->w, len);
		at = start + len;
	}
	return 0;
}

int ext4_write_content(struct ext4_writer *w, const struct file *f, struct ext2_inode_large *inode)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	const struct content link = { .kind = CONTENT_BYTES,
				      .bytes = f->target,
				      .size = f->target ? (int64_t)strlen(f->target) : 0 };
	struct copying copying = { .w = w, .rd = &rd };
	int64_t start, len, end = 0;
	int r = content_open(S_ISLNK(f->mode) ? &link : &f->content, &rd, w->err);

	for (; r == 0 && content_next_blocks(&rd, EXT4_BLOCK, end, &start, &len); end = start + len)
		r = ext4_allocate(w, f->number, inode, (blk64_t)(start / EXT4_BLOCK),
				  (blk64_t)(len / EXT4_BLOCK));
	if (r == 0 && end > 0)
		r = ext4_each_extent(w, f->number, inode, copy_extent, &copying);
	if (r < 0 && f->content.path)
		return error_wrap(w->err, r, "%s", f->content.path);
	return r;
}

int ext4_content_blocks(const struct file *f, blk64_t *ret, struct error *err)
{
	int64_t blocks = 0, runs = 0;
	int r = S_ISREG(f->mode) ? content_count(&f->content, EXT4_BLOCK, &blocks, &runs, err) : 0;

	*ret = (f->nxattrs ? 1 : 0) + (blk64_t)blocks;
	*ret += (blk64_t)runs / 64; /* blocks of the extents themselves: a block has room for 340 */
	if (S_ISLNK(f->mode))
		*ret += strlen(f->target) >= EXT2_N_BLOCKS * 4;
	return r;
}

/* attributes */

int ext4_write_xattrs(struct ext4_writer *w, const struct file *f)
{
	struct ext2_xattr_handle *handle = NULL;
	errcode_t code = ext2fs_xattrs_open(w->fs, f->number, &handle);

	if (!code)
		code = ext2fs_xattrs_read(handle);
	for (size_t i = 0; !code && i < f->nxattrs; i++) {
		const struct tar_xattr *x = &f->xattrs[i];

		if (attribute_is_for_images(x->name))
			code = ext2fs_xattr_set(handle, x->name, x->value, x->len);
	}
	if (handle) {
		errcode_t closed = ext2fs_xattrs_close(&handle);

		code = code ? code : closed;
	}
	return code ? ext4_failed(w->err, code, "write extended attributes") : 0;
}
