/* src/disk/osroot.c */
#include "disk/osroot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/number.h"
#include "base/strv.h"
#include "disk/esp.h"
#include "disk/filetree.h"
#include "disk/luks.h"
#include "disk/machine/orders.h"
#include "disk/output.h"
#include "disk/place.h"
#include "disk/source.h"
#include "disk/swap.h"
#include "disk/tool.h"
#include "engine/engine.h"

#define CONSOLES     "console=tty0 console=ttyS0,115200"
#define CONSOLES_ARM "console=tty0 console=ttyAMA0,115200"
#define FREE_BYTES   (64LL << 20) /* what a machine needs to come up: logs, a package list */
#define SPARE_INODES 4096
#define FIRST_NAME   "strake-first"
#define FIRST_MAX    (1U << 20)

void osroot_done(struct osroot *s)
{
	if (s->root_fd >= 0)
		(void)close(s->root_fd);
	if (s->hash_fd >= 0)
		(void)close(s->hash_fd);
	*s = OSROOT_INIT;
}

int osroot_choose(const struct osroot_request *req, struct osroot *ret, struct error *err)
{
	const struct osroot_options *o = &req->options;
	struct osroot s = OSROOT_INIT;

	s.req = req;
	if (o->verity && o->encrypt)
		return error_set(err, -EINVAL, "--verity and --encrypt exclude one another");
	if (o->encrypt && req->optical)
		return error_set(err, -EINVAL, "an ISO cannot be encrypted");
	if (req->size && rootfs_is_readonly(o->fs))
		return error_set(err, -EINVAL,
				 "%s is as large as its files: --size has no meaning for it",
				 rootfs_name(o->fs));
	s.overlay = o->read_only || o->verity || req->optical || rootfs_is_readonly(o->fs);
	s.own_initrd = !req->named_initrd &&
		       (s.overlay || o->encrypt || (!req->initrd && o->fs != ROOTFS_EXT4) ||
			(!req->initrd && req->modules && !req->arm64));
	if (s.own_initrd && req->arm64)
		return error_set(err, -ENOTSUP,
				 "strake's own initrd is for amd64 alone: for arm64 name one with "
				 "--initrd that heeds systemd's words for this (dracut's does)");
	*ret = s;
	return 0;
}

/* in the tree */

/* Ours does it, too; and of what another one has opened the partition is no longer known. */
static bool grows(const struct osroot *s)
{
	return !s->overlay && !s->req->options.encrypt && !s->req->arm64;
}

/* The last part of a root's way to its init, where the initrd is not ours: see machine/first.c. */
static int put_first(const struct osroot *s, struct placing *p, struct error *err)
{
	autofree char *dir = libexec_find(), *bytes = NULL, *real = NULL;
	autofree char *path = xasprintf("%s/" FIRST_NAME, dir);
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, FIRST_MAX, &bytes, &len, err);

	if (r < 0)
		return r;
	place_begin(p);
	r = filetree_put_bytes(s->req->source->tree, &FIRST_PATH[1], 0755, steal_ptr(&bytes), len,
			       p->mtime, err);
	if (r < 0)
		return r;
	real = filetree_place(s->req->source->tree, &FIRST_PATH[1]);
	(void)explain("the first process, which lets the root grow with its disk",
		      "install -D -m 755 %s \"$tree\"/%s", sq(path), sq(real));
	return place_link(p, "and what it becomes", &FIRST_NEXT[1], s->req->init, err);
}

static int add_to_fstab(const struct osroot *s, struct placing *p, struct error *err)
{
	const struct owner owner = { .mode = 0644 };
	char uuid[UUID_TEXT_LEN + 1];
	autofree char *before = NULL, *text = NULL;
	int r = place_read(p, "etc/fstab", &before, err);

	if (r < 0 && r != -ENOENT)
		return r;
	identity_text(s->req->id, "swap", uuid);
	text = xasprintf("%s%sUUID=%s none swap sw 0 0\n", before ? before : "",
			 before && *before && before[strlen(before) - 1] != '\n' ? "\n" : "", uuid);
	return place_text(p, "where the machine swaps to", "etc/fstab", owner, text, err);
}

int osroot_prepare(struct osroot *s, struct error *err)
{
	struct placing p = { .source = s->req->source, .mtime = { .tv_sec = s->req->now_s } };
	int r = 0;

	if (grows(s) && !s->own_initrd)
		r = put_first(s, &p, err);
	if (r == 0 && s->req->options.swap)
		r = add_to_fstab(s, &p, err);
	return r;
}

/* layout */

static int too_small(int64_t least, struct error *err)
{
	char disk[NUMBER_SIZE_LEN];

	number_format_size((uint64_t)least, disk);
	return error_set(err, -ENOSPC, "--size is too small: it takes at least %s (%lld)", disk,
			 (long long)least);
}

/* Straight into the disk, at its place. */
static int lay_out_ext4(struct osroot *s, int64_t start, int64_t asked, struct error *err)
{
	const struct osroot_request *req = s->req;
	int64_t size = 0;
	int r;

	s->ext4 = (struct ext4_request) { .fd = req->out->fd,
					  .offset = start,
					  .label = "root",
					  .now_s = req->now_s,
					  .spare_inodes = SPARE_INODES };
	identity_uuid(req->id, "root", s->ext4.uuid);
	identity_uuid(req->id, "hash seed", s->ext4.hash_seed);
	r = ext4_fit(req->source->tree, &s->ext4, asked ? 0 : FREE_BYTES, &size, err);
	if (r < 0)
		return r;
	if (req->size && asked < size)
		return too_small(partition_disk_size(start + size), err);
	s->ext4.size = s->root_size = req->size ? asked : size;
	return 0;
}

static int64_t round_up(int64_t size)
{
	return (size + PARTITION_ALIGN - 1) / PARTITION_ALIGN * PARTITION_ALIGN;
}

/* Levels of blocks of 4096 with 128 hashes each, up to one, and the superblock's. */
static int64_t hashes_size(int64_t size)
{
	int64_t level = size / 4096, blocks = 1;

	do {
		level = (level + 127) / 128;
		blocks += level;
	} while (level > 1);
	return round_up(blocks * 4096);
}

static int make_hashes(struct osroot *s, struct error *err)
{
	static const char *const mark = "Root hash:";
	char uuid[UUID_TEXT_LEN + 1];
	autofree char *said = NULL;
	struct strv argv = { 0 };
	const char *at;
	struct stat st;
	int r = output_spool(s->req->out, &s->hash_fd, err);

	if (r < 0)
		return r;
	identity_text(s->req->id, "hashes", uuid);
	if (explain("a hash of each block, and of the hashes",
		    "roothash=$(veritysetup format --uuid=%s --salt=%s \"$work/root\" \"$work/hashes\" "
		    "| sed -n 's/^Root hash:[^0-9a-f]*//p')",
		    uuid, s->req->id->seed)) {
		(void)snprintf(s->root_hash, sizeof(s->root_hash), ESP_ROOTHASH);
		s->hash_size = hashes_size(s->root_size);
		return 0;
	}
	strv_add(&argv, "veritysetup");
	strv_add(&argv, "format");
	strv_addf(&argv, "--uuid=%s", uuid);
	strv_addf(&argv, "--salt=%s", s->req->id->seed);
	strv_addf(&argv, "/proc/self/fd/%d", s->root_fd);
	strv_addf(&argv, "/proc/self/fd/%d", s->hash_fd);
	r = tool_output(&argv, (const int[]) { s->root_fd, s->hash_fd }, 2, "cryptsetup-bin", &said,
			err);
	strv_done(&argv);
	at = r == 0 ? strstr(said, mark) : NULL;
	if (at)
		at += strlen(mark) + strspn(at + strlen(mark), " \t");
	if (r < 0)
		return r;
	if (!at || strspn(at, "0123456789abcdef") != sizeof(s->root_hash) - 1)
		return error_set(err, -EIO, "veritysetup does not say a hash");
	memcpy(s->root_hash, at, sizeof(s->root_hash) - 1);
	if (fstat(s->hash_fd, &st) < 0)
		return error_sys(err, -errno, "look at the hashes");
	s->hash_size = round_up(st.st_size);
	return 0;
}

static int make_root(struct osroot *s, int64_t asked, struct error *err)
{
	const struct osroot_request *req = s->req;
	struct rootfs_request rr = { .tree = req->source->tree,
				     .kind = req->options.fs,
				     .out = req->out,
				     .now_s = req->now_s,
				     .size = req->options.encrypt && asked ? asked - LUKS_HEAD
									   : asked,
				     .free_bytes = s->overlay ? 0 : FREE_BYTES };
	int r;

	identity_uuid(req->id, "root", rr.uuid);
	identity_uuid(req->id, "hash seed", rr.hash_seed);
	r = rootfs_make(&rr, &s->root_fd, &s->root_size, err);
	if (r == 0 && !explain_dry() && ftruncate(s->root_fd, s->root_size) < 0)
		r = error_sys(err, -errno, "make the root");
	if (r == 0 && req->options.verity)
		r = make_hashes(s, err);
	if (r == 0 && req->options.encrypt) {
		identity_text(req->id, "luks", s->luks);
		r = luks_seal(req->out, &req->options.key, s->luks, &s->root_fd, &s->root_size,
			      err);
	}
	return r;
}

int osroot_lay_out(struct osroot *s, struct layout *l, struct error *err)
{
	const struct osroot_options *o = &s->req->options;
	const struct partition *p;
	int64_t asked;
	int r;

	s->swap_offset = l->end;
	if (o->swap)
		(void)layout_add(l, PARTITION_SWAP, "swap", o->swap);
	s->root_offset = l->end;
	asked = s->req->size ? (s->req->size - partition_disk_size(l->end)) / PARTITION_ALIGN *
				       PARTITION_ALIGN
			     : 0;
	if (s->req->size && asked <= 0)
		return too_small(partition_disk_size(l->end + PARTITION_ALIGN), err);
	if (o->fs == ROOTFS_EXT4 && !o->verity && !o->encrypt)
		r = lay_out_ext4(s, l->end, asked, err);
	else
		r = make_root(s, asked, err);
	if (r < 0)
		return r;
	p = layout_add(l, s->req->arm64 ? PARTITION_DATA : PARTITION_ROOT, "root", s->root_size);
	memcpy(s->root_part, p->uuid, sizeof(s->root_part));
	s->hash_offset = l->end;
	if (o->verity) {
		p = layout_add(l, PARTITION_HASHES, "hashes", s->hash_size);
		memcpy(s->hash_part, p->uuid, sizeof(s->hash_part));
	}
	return s->req->size && partition_disk_size(l->end) > s->req->size
		       ? too_small(partition_disk_size(l->end), err)
		       : 0;
}

/* what the kernel is told */

/* An initrd finds a file system by its UUID; a kernel alone, and ours, know only partitions. */
static char *say_root(const struct osroot *s)
{
	const struct osroot_options *o = &s->req->options;
	char uuid[UUID_TEXT_LEN + 1];

	if (o->encrypt)
		return xasprintf(
			"root=/dev/mapper/root rd.luks.name=%s=root strake.crypt=PARTUUID=%s",
			s->luks, s->root_part);
	if (o->verity)
		return xasprintf(
			"root=/dev/mapper/root roothash=%s systemd.verity_root_data=PARTUUID=%s "
			"systemd.verity_root_hash=PARTUUID=%s",
			s->root_hash, s->root_part, s->hash_part);
	identity_text(s->req->id, "root", uuid);
	/* A squashfs has no UUID. */
	return s->req->initrd && !s->own_initrd && o->fs != ROOTFS_SQUASHFS
		       ? xasprintf("root=UUID=%s", uuid)
		       : xasprintf("root=PARTUUID=%s", s->root_part);
}

char *osroot_words(const struct osroot *s)
{
	const char *more = s->req->more ? s->req->more : "", *init = s->req->init;
	autofree char *root = say_root(s);

	if (grows(s) && !s->own_initrd)
		init = FIRST_PATH;
	/* The kernel and initrds look for the usual one by themselves. */
	return xasprintf("%s rootfstype=%s %s%s%s%s%s%s", root, rootfs_name(s->req->options.fs),
			 s->overlay ? "ro systemd.volatile=overlay " : "rw ",
			 s->req->arm64 ? CONSOLES_ARM : CONSOLES,
			 strcmp(init, "/sbin/init") != 0 ? " init=" : "",
			 strcmp(init, "/sbin/init") != 0 ? init : "", *more ? " " : "", more);
}

/* writing */

/* Where it has bytes: the rest of the disk is a hole. */
static int copy_in(const struct osroot *s, int fd, int64_t offset, const char *name,
		   struct error *err)
{
	struct content c = { .kind = CONTENT_PIECES, .fd = fd, .size = lseek(fd, 0, SEEK_END) };
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t at = 0, start, len;
	int r;

	if (explain("to its partition",
		    "dd if=\"$work/%s\" of=\"$disk\" bs=1M seek=%lld conv=notrunc,sparse status=none",
		    name, (long long)offset >> 20))
		return 0;
	while ((start = lseek(fd, at, SEEK_DATA)) >= 0) {
		at = lseek(fd, start, SEEK_HOLE);
		content_add_piece(&c, start, start, at - start);
	}
	r = content_open(&c, &rd, err);
	for (at = 0; r == 0 && content_next(&rd, at, &start, &len) > 0; at = start + len)
		r = content_copy(&rd, start, len, s->req->out->fd, offset + start);
	content_done(&c);
	return r < 0 ? error_sys(err, r, "copy the %s into the disk", name) : 0;
}

int osroot_write(struct osroot *s, struct error *err)
{
	uint8_t uuid[16];
	int r = 0;

	identity_uuid(s->req->id, "swap", uuid);
	if (s->req->options.swap)
		r = swap_write(s->req->out->fd, s->swap_offset, s->req->options.swap, uuid, err);
	if (r == 0)
		r = s->root_fd < 0 ? ext4_write(s->req->source->tree, &s->ext4, err)
				   : copy_in(s, s->root_fd, s->root_offset, "root", err);
	if (r == 0 && s->req->options.verity)
		r = copy_in(s, s->hash_fd, s->hash_offset, "hashes", err);
	return r;
}
