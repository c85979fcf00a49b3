/* src/disk/rootfs.c */
#include "disk/rootfs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/strv.h"
#include "disk/btrfs.h"
#include "disk/erofs.h"
#include "disk/ext4.h"
#include "disk/filetree.h"
#include "disk/identity.h"
#include "disk/output.h"
#include "disk/partition.h"
#include "disk/tool.h"
#include "disk/tree_out.h"
#include "disk/xfs.h"

#define UNIT            PARTITION_ALIGN
#define SPARE_INODES    4096
#define SCRIPT_SQUASHFS (1LL << 20) /* what a script's may be larger */

static const char *const names[] = { "ext4", "xfs", "btrfs", "squashfs", "erofs" };

int rootfs_choose(const char *name, enum rootfs *ret, struct error *err)
{
	*ret = ROOTFS_EXT4;
	for (size_t i = 0; name && i < ARRAY_SIZE(names); i++) {
		*ret = (enum rootfs)i;
		if (strcmp(name, names[i]) == 0)
			return 0;
	}
	return name ? error_set(err, -EINVAL, "--fs wants " ROOTFS_NAMES ", not '%s'", name) : 0;
}

const char *rootfs_name(enum rootfs f)
{
	return names[f];
}

bool rootfs_is_readonly(enum rootfs f)
{
	return f == ROOTFS_SQUASHFS || f == ROOTFS_EROFS;
}

static int64_t round_up(int64_t size)
{
	return (size + UNIT - 1) / UNIT * UNIT;
}

/* What files take in blocks of 4096, and each a block more for its books. */
static int64_t tree_bytes(const struct filetree *t)
{
	int64_t sum = 0;

	for (size_t i = 0; i < t->norder; i++) {
		const struct file *f = t->order[i];

		sum += S_ISREG(f->mode) ? (f->content.size + 4095) / 4096 * 4096 + 4096 : 4096;
	}
	return sum;
}

static int too_small(const struct rootfs_request *req, int64_t least, struct error *err)
{
	return error_set(err, -ENOSPC,
			 "--size is too small for %s: it takes at least %lld MiB more",
			 names[req->kind], (long long)((least - req->size) >> 20) + 1);
}

static int choose_size(const struct rootfs_request *req, int64_t least, int64_t *ret,
		       struct error *err)
{
	int64_t need;

	filetree_number(req->tree, 1, 2);
	need = round_up(tree_bytes(req->tree) / 16 * 17 + req->free_bytes + least);
	if (req->size && req->size < least)
		return too_small(req, least, err);
	*ret = req->size ? req->size / UNIT * UNIT : need;
	return 0;
}

static int feed_tar(void *data, int fd, struct error *err)
{
	return filetree_write_tar(data, fd, TREE_OUT_PLAIN, err);
}

/* ext4 */

static int make_ext4(const struct rootfs_request *req, int fd, int64_t *ret_size, struct error *err)
{
	struct ext4_request ext4 = {
		.fd = fd, .label = "root", .now_s = req->now_s, .spare_inodes = SPARE_INODES
	};
	int r;

	memcpy(ext4.uuid, req->uuid, sizeof(ext4.uuid));
	memcpy(ext4.hash_seed, req->hash_seed, sizeof(ext4.hash_seed));
	r = ext4_fit(req->tree, &ext4, req->size ? 0 : req->free_bytes, &ext4.size, err);
	if (r == 0 && req->size && req->size < ext4.size)
		return too_small(req, ext4.size, err);
	if (req->size)
		ext4.size = req->size / UNIT * UNIT;
	*ret_size = ext4.size;
	if (r == 0 && !explain_dry() && ftruncate(fd, ext4.size) < 0)
		r = error_sys(err, -errno, "make the root");
	return r < 0 ? r : ext4_write(req->tree, &ext4, err);
}

/* squashfs: of an archive, so that owners need no root. sqfstar of Debian 12 cannot be told a
 * level, and takes 40 times as long with its own.
 */

static int make_squashfs(const struct rootfs_request *req, int fd, int64_t *ret_size,
			 struct error *err)
{
	struct strv argv = { 0 };
	struct stat st = { 0 };
	int r;

	(void)explain(
		"the root, of an archive of all files, so that owners need no root",
		"tar -C \"$tree\" --xattrs --xattrs-include='*' --numeric-owner --sort=name -cf - . | "
		"SOURCE_DATE_EPOCH=%lld tar2sqfs -q -f -c zstd -X level=3 \"$work/root\"",
		(long long)req->now_s);
	strv_add(&argv, "tar2sqfs");
	strv_add(&argv, "-q");
	strv_add(&argv, "-f");
	strv_add(&argv, "-c");
	strv_add(&argv, "zstd");
	strv_add(&argv, "-X");
	strv_add(&argv, "level=3");
	strv_addf(&argv, "/proc/self/fd/%d", fd);
	r = tool_feed(&argv, &fd, 1, req->now_s, "squashfs-tools-ng", feed_tar, req->tree, err);
	strv_done(&argv);
	if (r == 0 && fstat(fd, &st) < 0)
		r = error_sys(err, -errno, "look at the root");
	*ret_size = r < 0 ? 0 : round_up(st.st_size + (explain_dry() ? SCRIPT_SQUASHFS : 0));
	return r;
}

/* erofs */

static int make_erofs(const struct rootfs_request *req, int fd, int64_t *ret_size,
		      struct error *err)
{
	char uuid[UUID_TEXT_LEN + 1];
	int64_t size = 0;
	int r = erofs_write(req->tree, fd, req->uuid, req->now_s, &size, err);

	uuid_text(req->uuid, uuid);
	(void)explain("the root", "mkfs.erofs --quiet -U %s \"$work/root\" \"$tree\"", uuid);
	/* Debian's program leaves no holes: room for what a script makes. */
	*ret_size =
		round_up(explain_dry() ? MAX(size, tree_bytes(req->tree)) + SCRIPT_SQUASHFS : size);
	return r;
}

/* xfs: mkfs.xfs -p knows neither hard links nor attributes nor times nor blanks in names, and
 * xfs_db sets no attribute's value; so it is written by us.
 */

static int make_xfs(const struct rootfs_request *req, int fd, int64_t *ret_size, struct error *err)
{
	int r = choose_size(req, XFS_LEAST, ret_size, err);

	if (r < 0)
		return r;
	if (explain_dry())
		return error_set(
			err, -EOPNOTSUPP,
			"--dry-run: no stock tool fills an XFS without a mount; nothing was "
			"done");
	if (ftruncate(fd, *ret_size) < 0)
		return error_sys(err, -errno, "make the root");
	return xfs_write(req->tree, fd, *ret_size, req->uuid, req->now_s, err);
}

/* btrfs: mkfs.btrfs takes owners from a directory, which root alone can make, and times to the
 * second; a script is content with that.
 */

/* mkfs.btrfs 6.2 writes 0:0 for every device. */
static int refuse_devices(const struct filetree *t, struct error *err)
{
	for (size_t i = 0; i < t->norder; i++)
		for (size_t k = 0; k < t->order[i]->nnames; k++) {
			mode_t mode = t->order[i]->names[k].file->mode;

			if (S_ISCHR(mode) || S_ISBLK(mode))
				return error_set(
					err, -EOPNOTSUPP,
					"--dry-run: mkfs.btrfs cannot write the device '%s': "
					"remove it (the kernel makes those of /dev), or take "
					"another --fs; nothing was done",
					t->order[i]->names[k].text);
		}
	return 0;
}

static int make_btrfs(const struct rootfs_request *req, int fd, int64_t *ret_size,
		      struct error *err)
{
	char uuid[UUID_TEXT_LEN + 1];
	int64_t least;
	int r = btrfs_fit(req->tree, req->size ? 0 : req->free_bytes, &least, err);

	if (r < 0)
		return r;
	if (req->size && req->size < least)
		return too_small(req, least, err);
	*ret_size = req->size ? req->size / UNIT * UNIT : least;
	uuid_text(req->uuid, uuid);
	r = explain_dry() ? refuse_devices(req->tree, err) : 0;
	if (r < 0 ||
	    explain("the root (as root, for its owners)",
		    "truncate -s %lld \"$work/root\"; mkfs.btrfs -q -L root -U %s --rootdir \"$tree\" \"$work/root\"",
		    (long long)*ret_size, uuid))
		return r;
	if (ftruncate(fd, *ret_size) < 0)
		return error_sys(err, -errno, "make the root");
	return btrfs_write(req->tree, fd, *ret_size, req->uuid, req->now_s, err);
}

int rootfs_make(const struct rootfs_request *req, int *ret_fd, int64_t *ret_size, struct error *err)
{
	static int (*const make[])(const struct rootfs_request *, int, int64_t *,
				   struct error *) = {
		[ROOTFS_EXT4] = make_ext4,   [ROOTFS_XFS] = make_xfs,
		[ROOTFS_BTRFS] = make_btrfs, [ROOTFS_SQUASHFS] = make_squashfs,
		[ROOTFS_EROFS] = make_erofs,
	};
	autoclose int fd = -1;
	int r = output_spool(req->out, &fd, err);

	if (r == 0)
		r = make[req->kind](req, fd, ret_size, err);
	if (r < 0)
		return error_wrap(err, r, "%s", names[req->kind]);
	*ret_fd = steal_fd(&fd);
	return 0;
}
