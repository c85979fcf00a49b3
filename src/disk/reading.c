/* src/disk/reading.c */
#include "disk/reading.h"

#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "disk/ext4_inside.h"

#define COPY_SIZE   (1U << 20)
#define ENTRIES_MAX 1000000 /* of one directory */

void disk_entry_done(struct disk_entry *e)
{
	free(e->target);
	e->target = NULL;
}

void disk_close(struct disk *d)
{
	if (!d)
		return;
	if (d->fs)
		ext2fs_free(d->fs);
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d);
}

static bool open_fs(struct disk *d, int64_t offset)
{
	autofree char *path = xasprintf("/proc/self/fd/%d", d->fd);
	autofree char *option = xasprintf("offset=%lld", (long long)offset);

	return ext2fs_open2(path, option, EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES, 0, 0,
			    unix_io_manager, &d->fs) == 0;
}

static void note_fs(struct disk *d)
{
	uuid_text(d->fs->super->s_uuid, d->uuid);
	memcpy(d->label, d->fs->super->s_volume_name, sizeof(d->label) - 1);
}

static int find_parts(struct disk *d, struct error *err)
{
	int r = partition_read(d->fd, d->parts, &d->nparts, &d->table, err);

	if (r == -EBADMSG && open_fs(d, 0)) {
		note_fs(d);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < d->nparts; i++) {
		if (d->parts[i].kind == PARTITION_ESP && d->esp < 0)
			d->esp = (int)i;
		else if (!d->fs && open_fs(d, d->parts[i].offset))
			d->root = (int)i;
	}
	if (d->fs)
		note_fs(d);
	return r;
}

int disk_open(const char *path, struct disk **ret, struct error *err)
{
	cleanup(disk_cleanup) struct disk *d = xnew(struct disk);
	autoclose int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int r;

	d->esp = d->root = d->fd = -1;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, -errno, "open %s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, -EINVAL, "%s is no disk: neither a file nor a block device",
				 path);
	r = format_detect(fd, &d->format, err);
	if (r == 0)
		r = format_unpack(fd, d->format, &d->fd, err);
	if (r == 0) {
		d->size = lseek(d->fd, 0, SEEK_END);
		r = find_parts(d, err);
	}
	if (r < 0)
		return error_wrap(err, r, "%s", path);
	*ret = steal_ptr(&d);
	return 0;
}

/* one file */

static char *read_target(const struct disk *d, ext2_ino_t ino, struct ext2_inode *inode)
{
	char bytes[EXT2_MAX_BLOCK_SIZE > 8192 ? 8192 : EXT2_MAX_BLOCK_SIZE];
	ext2_file_t file = NULL;
	unsigned got = 0;
	errcode_t code;

	if (ext2fs_is_fast_symlink(inode))
		return xstrndup((const char *)inode->i_block, sizeof(inode->i_block));
	code = ext2fs_file_open2(d->fs, ino, inode, 0, &file);
	if (!code)
		code = ext2fs_file_read(file, bytes, sizeof(bytes), &got);
	if (file)
		(void)ext2fs_file_close(file);
	return xstrndup(bytes, code ? 0 : got);
}

static int read_entry(const struct disk *d, ext2_ino_t ino, const char *name,
		      struct disk_entry *ret, struct error *err)
{
	struct ext2_inode inode;
	errcode_t code = ext2fs_read_inode(d->fs, ino, &inode);

	if (code)
		return ext4_failed(err, code, name);
	*ret = (struct disk_entry) { .number = ino, .mode = inode.i_mode };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->uid = inode_uid(inode);
	ret->gid = inode_gid(inode);
	ret->size = (int64_t)EXT2_I_SIZE(&inode);
	ret->mtime_s = (int32_t)inode.i_mtime;
	if (S_ISLNK(inode.i_mode))
		ret->target = read_target(d, ino, &inode);
	return 0;
}

/* What begins with these bytes, for whoever wonders why nothing can be read. */
static const char *kind_at(int fd, int64_t offset)
{
	static const struct {
		int64_t at;
		const char *magic, *name;
	} kinds[] = {
		{ 1024, "\342\341\365\340", "EROFS" }, { 0, "hsqs", "squashfs" },
		{ 65600, "_BHRfS_M", "btrfs" },        { 0, "XFSB", "XFS" },
		{ 0, "LUKS\272\276", "encrypted" },
	};
	char bytes[8];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].magic);

		if (pread(fd, bytes, n, offset + kinds[i].at) == (ssize_t)n &&
		    memcmp(bytes, kinds[i].magic, n) == 0)
			return kinds[i].name;
	}
	return NULL;
}

int disk_need_fs(const struct disk *d, struct error *err)
{
	const char *kind = NULL;

	if (d->fs)
		return 0;
	for (size_t i = 0; !kind && i < d->nparts; i++)
		if (d->parts[i].kind != PARTITION_ESP)
			kind = kind_at(d->fd, d->parts[i].offset);
	if (kind)
		return error_set(err, -EOPNOTSUPP,
				 "its root is %s: files can be read out of ext2, ext3 and ext4 "
				 "alone; start it with 'disk run --share' and copy them there",
				 kind);
	return error_set(err, -ENOENT,
			 "the disk has no ext4 file system (a machine in memory has its files in "
			 "the initrd of its boot partition)");
}

int disk_find(const struct disk *d, const char *path, struct disk_entry *ret, struct error *err)
{
	const char *slash = strrchr(path, '/');
	ext2_ino_t ino;
	errcode_t code;
	int r = disk_need_fs(d, err);

	if (r < 0)
		return r;
	code = ext2fs_namei_follow(d->fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &ino);
	if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY)
		return error_set(err, -ENOENT, "%s is not on the disk", path);
	if (code)
		return ext4_failed(err, code, path);
	return read_entry(d, ino, slash && slash[1] ? slash + 1 : path, ret, err);
}

/* directories */

struct found {
	char *name;
	ext2_ino_t ino;
};

struct listing {
	struct found *items;
	size_t n, room;
};

static int note_name(ext2_ino_t dir, int entry, struct ext2_dir_entry *e, int offset, int size,
		     char *buf, void *data)
{
	struct listing *l = data;
	size_t n = (size_t)ext2fs_dirent_name_len(e);

	(void)dir;
	(void)entry;
	(void)offset;
	(void)size;
	(void)buf;
	if ((n == 1 && e->name[0] == '.') || (n == 2 && memcmp(e->name, "..", 2) == 0) || n == 0)
		return 0;
	if (l->n >= ENTRIES_MAX || memchr(e->name, '/', n))
		return DIRENT_ABORT;
	VEC_GROW(l->items, l->n, l->room);
	l->items[l->n++] = (struct found) { xstrndup(e->name, n), e->inode };
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int disk_list(const struct disk *d, uint32_t dir,
	      int (*fn)(void *data, const struct disk_entry *e, struct error *err), void *data,
	      struct error *err)
{
	struct listing l = { .n = 0 };
	errcode_t code = ext2fs_dir_iterate2(d->fs, dir, 0, NULL, note_name, &l);
	int r = code ? ext4_failed(err, code, "read a directory") : 0;

	if (l.n)
		qsort(l.items, l.n, sizeof(*l.items), by_name);
	for (size_t i = 0; i < l.n; i++) {
		struct disk_entry e = { .target = NULL };

		if (r == 0)
			r = read_entry(d, l.items[i].ino, l.items[i].name, &e, err);
		if (r == 0)
			r = fn(data, &e, err);
		disk_entry_done(&e);
		free(l.items[i].name);
	}
	free(l.items);
	return r;
}

/* contents */

static bool is_zero(const char *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

static int copy_all(ext2_file_t file, int to, bool seeks, struct error *err)
{
	autofree char *bytes = xmalloc(COPY_SIZE);
	unsigned got;
	off_t at = 0;

	for (;;) {
		errcode_t code = ext2fs_file_read(file, bytes, COPY_SIZE, &got);
		int r = 0;

		if (code)
			return ext4_failed(err, code, "read the file");
		if (got == 0)
			break;
		if (seeks && is_zero(bytes, got))
			r = lseek(to, got, SEEK_CUR) < 0 ? -errno : 0;
		else
			r = file_write_all(to, bytes, got);
		if (r < 0)
			return error_sys(err, r, "write");
		at += got;
	}
	return seeks && ftruncate(to, at) < 0 ? error_sys(err, -errno, "write") : 0;
}

int disk_copy_out(const struct disk *d, uint32_t number, int to, struct error *err)
{
	ext2_file_t file;
	struct stat st;
	errcode_t code = ext2fs_file_open(d->fs, number, 0, &file);
	int r;

	if (code)
		return ext4_failed(err, code, "open the file");
	r = copy_all(file, to,
		     fstat(to, &st) == 0 && S_ISREG(st.st_mode) && lseek(to, 0, SEEK_CUR) == 0 &&
			     st.st_size == 0,
		     err);
	(void)ext2fs_file_close(file);
	return r;
}
