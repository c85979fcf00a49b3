/* src/disk/ext4.c
 *
 * The same layout as mke2fs makes by default, from the same library, so that every tool and kernel
 * that takes the one takes the other.
 */
#include "disk/ext4.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "disk/ext4_inside.h"
#include "disk/filetree.h"
#include "disk/identity.h"

#define INODE_SIZE      256
#define BYTES_PER_INODE 16384 /* as mke2fs */
#define RESERVED_PART   20    /* a twentieth for root alone */
#define LINKS_MAX       65000 /* more directories in one: the count says 1 */
#define FAST_LINK_MAX   (EXT2_N_BLOCKS * 4)
#define FIRST_INODE     11
#define FIT_TRIES       6
#define TIME_LEAST      (-(INT64_C(1) << 31))
#define TIME_MOST       ((INT64_C(1) << 34) - (INT64_C(1) << 31) - 1)

static void fill_features(struct ext2_super_block *sb)
{
	ext2fs_set_feature_journal(sb);
	ext2fs_set_feature_xattr(sb);
	ext2fs_set_feature_resize_inode(sb);
	ext2fs_set_feature_dir_index(sb);
	ext2fs_set_feature_filetype(sb);
	ext2fs_set_feature_extents(sb);
	ext2fs_set_feature_64bit(sb);
	ext2fs_set_feature_flex_bg(sb);
	ext2fs_set_feature_sparse_super(sb);
	ext2fs_set_feature_large_file(sb);
	ext2fs_set_feature_huge_file(sb);
	ext2fs_set_feature_dir_nlink(sb);
	ext2fs_set_feature_extra_isize(sb);
	ext2fs_set_feature_metadata_csum(sb);
}

static void fill_identity(ext2_filsys fs, const struct ext4_request *req)
{
	struct ext2_super_block *sb = fs->super;

	fs->now = (time_t)MAX(req->now_s, 1);
	memcpy(sb->s_uuid, req->uuid, sizeof(sb->s_uuid));
	memcpy(sb->s_hash_seed, req->hash_seed, sizeof(sb->s_hash_seed));
	if (req->label)
		memcpy(sb->s_volume_name, req->label,
		       strnlen(req->label, sizeof(sb->s_volume_name)));
	sb->s_def_hash_version = EXT2_HASH_HALF_MD4;
	sb->s_flags |= EXT2_FLAGS_SIGNED_HASH;
	sb->s_mkfs_time = sb->s_lastcheck = (__u32)fs->now;
	sb->s_min_extra_isize = sb->s_want_extra_isize =
		sizeof(struct ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
	sb->s_checksum_type = EXT2_CRC32C_CHKSUM;
	ext2fs_init_csum_seed(fs);
}

static uint32_t inodes_for(const struct filetree *t, const struct ext4_request *req, int64_t size)
{
	uint64_t by_size = (uint64_t)size / BYTES_PER_INODE;
	uint64_t wanted = t->norder + t->norder / 8 + req->spare_inodes + FIRST_INODE;

	return (uint32_t)MIN(MAX(by_size, wanted), (uint64_t)UINT32_MAX - 1);
}

/* The books of an empty file system, in memory. */
static int open_empty(const struct filetree *t, const struct ext4_request *req, int64_t size,
		      ext2_filsys *ret, struct error *err)
{
	autofree char *path = xasprintf("/proc/self/fd/%d", req->fd);
	autofree char *option = xasprintf("offset=%lld", (long long)req->offset);
	struct ext2_super_block sb = { .s_rev_level = EXT2_DYNAMIC_REV,
				       .s_log_block_size = 2,
				       .s_log_cluster_size = 2,
				       .s_inode_size = INODE_SIZE,
				       .s_desc_size = EXT2_MIN_DESC_SIZE_64BIT,
				       .s_log_groups_per_flex = 4,
				       .s_max_mnt_count = -1,
				       .s_errors = EXT2_ERRORS_CONTINUE,
				       .s_default_mount_opts =
					       EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL };
	ext2_filsys fs = NULL;
	errcode_t code;

	fill_features(&sb);
	ext2fs_blocks_count_set(&sb, (blk64_t)size / EXT4_BLOCK);
	ext2fs_r_blocks_count_set(&sb, (blk64_t)size / EXT4_BLOCK / RESERVED_PART);
	sb.s_inodes_count = inodes_for(t, req, size);
	code = ext2fs_initialize(path, EXT2_FLAG_64BITS, &sb, unix_io_manager, &fs);
	if (!code) {
		fill_identity(fs, req);
		code = io_channel_set_options(fs->io, option);
	}
	if (!code)
		code = ext2fs_allocate_tables(fs);
	if (code) {
		if (fs)
			ext2fs_free(fs);
		return ext4_failed(err, code, "lay out an ext4 file system");
	}
	*ret = fs;
	return 0;
}

static int journal_blocks(int64_t size)
{
	return ext2fs_default_journal_size((__u64)(size / EXT4_BLOCK));
}

/* What the tree takes, in blocks. */
static int tree_blocks(struct filetree *t, blk64_t *ret, struct error *err)
{
	blk64_t sum = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->norder; i++) {
		const struct file *f = t->order[i];
		blk64_t n = 0;

		r = ext4_content_blocks(f, &n, err);
		sum += n + (S_ISDIR(f->mode) ? ext4_names_blocks(f) : 0);
	}
	*ret = sum;
	return r;
}

/* fsck puts there what it finds without a name; it misses the directory if it is not there. */
static int ensure_lost_found(struct filetree *t, int64_t now_s, struct error *err)
{
	struct file *dir;

	if (!dir_find(t->root, "lost+found")) {
		dir = filetree_add(t, S_IFDIR | 0700);
		if (!dir)
			return error_set(err, -EFBIG, "more than %u files", FILETREE_FILES_MAX);
		dir->mtime.tv_sec = now_s;
		dir_put(t->root, "lost+found", dir);
	}
	filetree_number(t, EXT2_ROOT_INO, FIRST_INODE);
	return 0;
}

int ext4_fit(struct filetree *t, const struct ext4_request *req, int64_t free_bytes, int64_t *ret,
	     struct error *err)
{
	int64_t size = req->size, lacks = 0;
	blk64_t need = 0;
	int r = ensure_lost_found(t, req->now_s, err);

	if (r == 0)
		r = tree_blocks(t, &need, err);
	need += (blk64_t)(free_bytes / EXT4_BLOCK) + need / 256 + 64;
	size = MAX(size, (int64_t)(need + need / 16) * EXT4_BLOCK + (8 << 20));
	for (int i = 0; r == 0 && i < FIT_TRIES; i++) {
		ext2_filsys fs = NULL;

		size += lacks * EXT4_BLOCK;
		size = (size + (1 << 20) - 1) & ~(int64_t)((1 << 20) - 1);
		r = open_empty(t, req, size, &fs, err);
		if (r < 0)
			break;
		assert(fs);
		lacks = (int64_t)need + MAX(journal_blocks(size), 0) +
			fs->super->s_reserved_gdt_blocks -
			(int64_t)ext2fs_free_blocks_count(fs->super);
		ext2fs_free(fs);
		if (lacks <= 0) {
			*ret = size;
			return 0;
		}
		lacks += lacks / 16 + 1;
	}
	return r < 0 ? r : error_set(err, -EFBIG, "the tree does not fit into any ext4");
}

/* inodes */

/* From 1901 to 2446: what lies beyond is the nearest, as the kernel has it. */
static void fill_times(struct ext2_inode_large *inode, const struct file *f)
{
	uint64_t s = (uint64_t)MIN(MAX((int64_t)f->mtime.tv_sec, TIME_LEAST), TIME_MOST);
	__u32 extra = (__u32)((s >> 32) & 3) | (__u32)((uint64_t)f->mtime.tv_nsec << 2);

	/* Seconds are signed 32 bits, and two more that count from there. */
	if ((s & 0x80000000U) != 0)
		extra = (__u32)((((s >> 32) + 1) & 3) | ((uint64_t)f->mtime.tv_nsec << 2));
	inode->i_mtime = inode->i_ctime = inode->i_atime = inode->i_crtime = (__u32)s;
	inode->i_mtime_extra = inode->i_ctime_extra = inode->i_atime_extra = inode->i_crtime_extra =
		extra;
}

static void fill_device(struct ext2_inode_large *inode, const struct file *f)
{
	if (f->major < 256 && f->minor < 256)
		inode->i_block[0] = f->major << 8 | f->minor;
	else
		inode->i_block[1] = (f->minor & 0xff) | f->major << 8 | (f->minor & ~0xffU) << 12;
}

static void fill_size(struct ext2_inode_large *inode, uint64_t size)
{
	inode->i_size = (__u32)size;
	inode->i_size_high = (__u32)(size >> 32);
}

static void fill_inode(struct ext2_inode_large *inode, const struct file *f)
{
	inode->i_mode = (__u16)f->mode;
	inode->i_uid = (__u16)f->uid;
	inode->osd2.linux2.l_i_uid_high = (__u16)(f->uid >> 16);
	inode->i_gid = (__u16)f->gid;
	inode->osd2.linux2.l_i_gid_high = (__u16)(f->gid >> 16);
	inode->i_links_count = (__u16)(f->links > LINKS_MAX && S_ISDIR(f->mode) ? 1 : f->links);
	inode->i_extra_isize = sizeof(*inode) - EXT2_GOOD_OLD_INODE_SIZE;
	fill_times(inode, f);
}

static int use_extents(struct ext4_writer *w, const struct file *f, struct ext2_inode_large *inode)
{
	ext2_extent_handle_t handle;
	errcode_t code;

	inode->i_flags |= EXT4_EXTENTS_FL;
	code = ext2fs_extent_open2(w->fs, f->number, (struct ext2_inode *)inode, &handle);
	if (code)
		return ext4_failed(w->err, code, "begin a file");
	ext2fs_extent_free(handle);
	return 0;
}

/* Directory, file, long link: what has blocks. */
static int write_blocks(struct ext4_writer *w, const struct file *f, struct ext2_inode_large *inode)
{
	int r;

	fill_size(inode, S_ISDIR(f->mode)   ? ext4_names_blocks(f) * EXT4_BLOCK
			 : S_ISLNK(f->mode) ? strlen(f->target)
					    : (uint64_t)f->content.size);
	r = use_extents(w, f, inode);
	if (r < 0)
		return r;
	return S_ISDIR(f->mode) ? ext4_write_names(w, f, inode) : ext4_write_content(w, f, inode);
}

static int write_file(struct ext4_writer *w, const struct file *f)
{
	struct ext2_inode_large inode = { .i_mode = 0 };
	errcode_t code;
	int r = 0;

	if (f->number != EXT2_ROOT_INO)
		ext2fs_inode_alloc_stats2(w->fs, f->number, +1, S_ISDIR(f->mode));
	fill_inode(&inode, f);
	if (S_ISLNK(f->mode) && strlen(f->target) < FAST_LINK_MAX) {
		fill_size(&inode, strlen(f->target));
		memcpy(inode.i_block, f->target, strlen(f->target));
	} else if (S_ISCHR(f->mode) || S_ISBLK(f->mode)) {
		fill_device(&inode, f);
	} else if (!S_ISFIFO(f->mode)) {
		r = write_blocks(w, f, &inode);
	}
	if (r < 0)
		return r;
	code = ext2fs_write_inode_full(w->fs, f->number, (struct ext2_inode *)&inode,
				       sizeof(inode));
	if (code)
		return ext4_failed(w->err, code, "write an inode");
	return f->nxattrs ? ext4_write_xattrs(w, f) : 0;
}

/* the whole */

/* What mke2fs makes before the first file: inodes 1 to 10, and no inode table needs zeros. */
static int write_reserved(struct ext4_writer *w)
{
	ext2_filsys fs = w->fs;
	errcode_t code;

	for (ext2_ino_t i = 1; i < EXT2_FIRST_INODE(fs->super); i++)
		ext2fs_inode_alloc_stats2(fs, i, +1, i == EXT2_ROOT_INO);
	for (dgrp_t i = 0; i < fs->group_desc_count; i++) {
		ext2fs_bg_flags_set(fs, i, EXT2_BG_INODE_ZEROED);
		ext2fs_group_desc_csum_set(fs, i);
	}
	code = ext2fs_update_bb_inode(fs, NULL);
	if (!code)
		code = ext2fs_create_resize_inode(fs);
	return code ? ext4_failed(w->err, code, "write what an ext4 begins with") : 0;
}

static int write_journal(struct ext4_writer *w)
{
	int blocks = journal_blocks((int64_t)ext2fs_blocks_count(w->fs->super) * EXT4_BLOCK);
	errcode_t code = 0;

	if (blocks > 0)
		code = ext2fs_add_journal_inode(w->fs, (blk_t)blocks, EXT2_MKJOURNAL_LAZYINIT);
	else
		ext2fs_clear_feature_journal(w->fs->super);
	return code ? ext4_failed(w->err, code, "write the journal") : 0;
}

static int write_tree(struct ext4_writer *w, struct filetree *t)
{
	int r = write_reserved(w);

	if (r == 0)
		r = write_journal(w);
	for (size_t i = 0; r == 0 && i < t->norder; i++)
		r = write_file(w, t->order[i]);
	return r;
}

static bool explain_write(const struct filetree *t, const struct ext4_request *req)
{
	char uuid[UUID_TEXT_LEN + 1], seed[UUID_TEXT_LEN + 1];
	bool dry;

	uuid_text(req->uuid, uuid);
	uuid_text(req->hash_seed, seed);
	dry = explain("a file system, with all its files",
		      "mke2fs -q -t ext4 -b 4096 -U %s -E hash_seed=%s -N %u -L %s -d %s "
		      "\"$work/%s\" %lldk",
		      uuid, seed, inodes_for(t, req, req->size), req->label,
		      req->tree ? req->tree : "\"$tree\"", req->label, (long long)req->size / 1024);
	(void)explain(
		"mke2fs does not look at the root directory itself",
		"printf 'sif / mode 0%o\\nsif / uid %u\\nsif / gid %u\\n' | debugfs -w -f /dev/stdin "
		"\"$work/%s\" >/dev/null 2>&1",
		t->root->mode, t->root->uid, t->root->gid, req->label);
	if (req->offset)
		(void)explain(
			"to its partition",
			"dd if=\"$work/%s\" of=\"$disk\" bs=1M seek=%lld conv=notrunc,sparse status=none",
			req->label, (long long)req->offset >> 20);
	return dry;
}

static int check_links(void *data, const struct file *f, const char *path)
{
	if (f->links <= LINKS_MAX || S_ISDIR(f->mode))
		return 0;
	return error_set(data, -EMLINK, "%s has %u names, and an ext4 takes %d of one file", path,
			 f->links, LINKS_MAX);
}

int ext4_write(struct filetree *t, const struct ext4_request *req, struct error *err)
{
	struct ext4_writer w = { .fd = req->fd, .offset = req->offset, .err = err };
	int r = ensure_lost_found(t, req->now_s, err);
	errcode_t code;

	if (r == 0)
		r = filetree_walk(t, check_links, err);
	if (r == 0 && explain_write(t, req))
		return 0;
	if (r == 0)
		r = open_empty(t, req, req->size, &w.fs, err);
	if (r < 0)
		return r;
	assert(w.fs);
	r = write_tree(&w, t);
	if (r < 0) {
		ext2fs_free(w.fs);
		return r;
	}
	w.fs->super->s_state |= EXT2_VALID_FS;
	ext2fs_mark_super_dirty(w.fs);
	/* The caller syncs, when all of the disk is there. */
	code = ext2fs_close2(w.fs, EXT2_FLAG_FLUSH_NO_SYNC);
	if (code)
		ext2fs_free(w.fs);
	return code ? ext4_failed(err, code, "write the file system's books") : 0;
}
