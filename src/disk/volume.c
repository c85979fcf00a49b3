/* src/disk/volume.c
 *
 * Where a file system is not read by us, a stock program makes an archive or a directory of it.
 */
#include "disk/volume.h"

#include <blkid/blkid.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "disk/filetree.h"
#include "disk/format.h"
#include "disk/tool.h"
#include "disk/tree_btrfs.h"
#include "disk/tree_dir.h"
#include "disk/tree_erofs.h"
#include "disk/tree_ext4.h"
#include "disk/tree_tar.h"
#include "disk/tree_xfs.h"

static void take(blkid_probe probe, const char *name, char *to, size_t room)
{
	const char *value;

	if (blkid_probe_lookup_value(probe, name, &value, NULL) == 0)
		(void)snprintf(to, room, "%s", value);
}

void volume_look(const struct region *at, struct volume *ret)
{
	blkid_probe probe = blkid_new_probe();

	*ret = (struct volume) { .type = "" };
	if (probe && blkid_probe_set_device(probe, at->fd, at->offset, at->size) == 0 &&
	    blkid_do_safeprobe(probe) == 0) {
		take(probe, "TYPE", ret->type, sizeof(ret->type));
		take(probe, "UUID", ret->uuid, sizeof(ret->uuid));
		take(probe, "LABEL", ret->label, sizeof(ret->label));
	}
	blkid_free_probe(probe);
}

/* readers */

static int read_ext(const struct volume *v, const struct region *at, struct volume_tree *t,
		    struct error *err)
{
	autofree char *path = xasprintf("/proc/self/fd/%d", at->fd);
	autofree char *option = xasprintf("offset=%lld", (long long)at->offset);
	ext2_filsys fs = NULL;
	int r;
	(void)v;

	if (ext2fs_open2(path, option, EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES, 0, 0,
			 unix_io_manager, &fs))
		return error_set(err, -EBADMSG,
				 "its file system is damaged (the superblock): e2fsck can tell and "
				 "mend it");
	r = filetree_add_ext4(t->tree, fs, at->fd, at->offset, err);
	ext2fs_free(fs);
	return r;
}

static int read_erofs(const struct volume *v, const struct region *at, struct volume_tree *t,
		      struct error *err)
{
	(void)v;
	return filetree_add_erofs(t->tree, at, err);
}

static int read_xfs(const struct volume *v, const struct region *at, struct volume_tree *t,
		    struct error *err)
{
	(void)v;
	return filetree_add_xfs(t->tree, at, err);
}

static int read_btrfs(const struct volume *v, const struct region *at, struct volume_tree *t,
		      struct error *err)
{
	return filetree_add_btrfs(t->tree, at, v->subvol, err);
}

/* A file of its own, for programs that know of no offset. */
static int cut_out(const struct region *at, int *ret_fd, struct error *err)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	struct content c = { .kind = CONTENT_PIECES, .fd = at->fd, .size = at->size };
	int r = format_scratch(ret_fd, err);

	content_add_piece(&c, 0, at->offset, at->size);
	if (r == 0)
		r = content_open(&c, &rd, err);
	if (r == 0) {
		r = content_copy(&rd, 0, at->size, *ret_fd, 0);
		r = r < 0 ? error_sys(err, r, "copy the partition") : 0;
	}
	content_done(&c);
	return r;
}

static int read_squashfs(const struct volume *v, const struct region *at, struct volume_tree *t,
			 struct error *err)
{
	autoclose int fd = -1;
	struct strv argv = { 0 };
	int r = cut_out(at, &fd, err);
	(void)v;

	if (r == 0)
		r = format_scratch(&t->fd, err);
	if (r == 0)
		r = format_scratch(&t->spool, err);
	if (r < 0)
		return r;
	strv_add(&argv, "sqfs2tar");
	strv_add(&argv, "--root-becomes");
	strv_add(&argv, ".");
	strv_addf(&argv, "/proc/self/fd/%d", fd);
	r = tool_write(&argv, &fd, 1, 0, "squashfs-tools-ng", t->fd, err);
	strv_done(&argv);
	if (r == 0 && lseek(t->fd, 0, SEEK_SET) < 0)
		r = error_sys(err, -errno, "read the archive");
	return r < 0 ? r : filetree_add_tar(t->tree, t->fd, t->spool, "the squashfs", err);
}

/* FAT has no owners, no links and no modes. */
static int read_fat(const struct volume *v, const struct region *at, struct volume_tree *t,
		    struct error *err)
{
	struct strv argv = { 0 };
	int r = workdir_make(&t->work, err);
	(void)v;

	if (r < 0)
		return r;
	strv_add(&argv, "mcopy");
	strv_addf(&argv, "-i/proc/self/fd/%d@@%lld", at->fd, (long long)at->offset);
	strv_add(&argv, "-s");
	strv_add(&argv, "-m");
	strv_add(&argv, "-n");
	strv_add(&argv, "-Q");
	strv_add(&argv, "::/");
	strv_add(&argv, t->work.path);
	r = tool_run(&argv, &at->fd, 1, 0, "mtools", err);
	strv_done(&argv);
	return r < 0 ? r : filetree_add_dir(t->tree, t->work.fd, err);
}

static const struct {
	const char *type;
	int (*read)(const struct volume *v, const struct region *at, struct volume_tree *t,
		    struct error *err);
} readers[] = {
	{ "ext4", read_ext },    { "ext3", read_ext },          { "ext2", read_ext },
	{ "erofs", read_erofs }, { "squashfs", read_squashfs }, { "vfat", read_fat },
	{ "xfs", read_xfs },     { "btrfs", read_btrfs },
};

bool volume_is_ext(const struct volume *v)
{
	return strncmp(v->type, "ext", 3) == 0;
}

bool volume_is_read(const struct volume *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (strcmp(v->type, readers[i].type) == 0)
			return true;
	return false;
}

int volume_read(const struct volume *v, const struct region *at, struct volume_tree *ret,
		struct error *err)
{
	struct volume_tree t = VOLUME_TREE_INIT;
	int r = -EOPNOTSUPP;
	size_t i = 0;

	while (i < ARRAY_SIZE(readers) && strcmp(v->type, readers[i].type) != 0)
		i++;
	if (i == ARRAY_SIZE(readers))
		return error_set(err, r, "it holds %s, of which files cannot be read",
				 *v->type ? v->type : "no known file system");
	t.tree = filetree_new();
	r = readers[i].read(v, at, &t, err);
	if (r < 0) {
		volume_tree_done(&t);
		return error_wrap(err, r, "%s", v->type);
	}
	filetree_number(t.tree, 1, 2);
	*ret = t;
	return 0;
}

void volume_tree_done(struct volume_tree *t)
{
	filetree_free(t->tree);
	if (t->fd >= 0)
		(void)close(t->fd);
	if (t->spool >= 0)
		(void)close(t->spool);
	if (t->work.fd >= 0)
		workdir_remove(&t->work);
	*t = VOLUME_TREE_INIT;
}
