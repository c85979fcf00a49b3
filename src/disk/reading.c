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
#include "disk/filetree.h"
#include "disk/tree_ext4.h"
#include "disk/whole.h"

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
	volume_tree_done(&d->tree);
	for (size_t i = 0; i < d->nmore; i++)
		volume_tree_done(&d->more[i]);
	strv_done(&d->left_out);
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d);
}

struct region disk_region(const struct disk *d, size_t i)
{
	return d->nparts ? (struct region) { d->fd, d->parts[i].offset, d->parts[i].size }
			 : (struct region) { d->fd, 0, d->size };
}

/* How much partition i looks like the root: that it says so, then its size. */
static int64_t likeness(const struct disk *d, size_t i)
{
	const struct partition *p = &d->parts[i];

	if (p->kind == PARTITION_ESP || !volume_is_read(&d->volumes[i]))
		return 0;
	/* An MBR has one type for whatever is Linux's. */
	if (p->kind == PARTITION_ROOT &&
	    (d->table == TABLE_GPT || strcmp(d->volumes[i].label, "root") == 0))
		return INT64_MAX;
	return p->size;
}

static int choose_root(struct disk *d, int asked, struct error *err)
{
	if (asked < 0 || asked > (int)d->nparts)
		return error_set(err, -ENOENT, "it has no partition %d, but %zu of them", asked,
				 d->nparts);
	d->root = asked - 1;
	d->alone = asked > 0;
	for (size_t i = 0; i < d->nparts; i++) {
		if (d->parts[i].kind == PARTITION_ESP && d->esp < 0)
			d->esp = (int)i;
		if (!asked && likeness(d, i) > (d->root < 0 ? 0 : likeness(d, (size_t)d->root)))
			d->root = (int)i;
	}
	if (d->nparts && d->root < 0)
		return 0;
	d->at = disk_region(d, (size_t)MAX(d->root, 0));
	d->volume = d->volumes[MAX(d->root, 0)];
	return 0;
}

static int find_parts(struct disk *d, int asked, struct error *err)
{
	int r = partition_read(d->fd, &d->table, d->parts, &d->nparts, err);

	if (r < 0 && r != -EBADMSG)
		return r;
	for (size_t i = 0; i < MAX(d->nparts, 1); i++) {
		const struct region at = disk_region(d, i);

		volume_look(&at, &d->volumes[i]);
	}
	if (r < 0 && !volume_is_read(&d->volumes[0]))
		return r;
	return choose_root(d, asked, err);
}

int disk_open(const char *path, int partition, struct disk **ret, struct error *err)
{
	cleanup(disk_cleanup) struct disk *d = xnew(struct disk);
	autoclose int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int r;

	d->esp = d->root = d->fd = -1;
	d->tree = VOLUME_TREE_INIT;
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
		r = find_parts(d, partition, err);
	}
	if (r < 0)
		return error_wrap(err, r, "%s", path);
	*ret = steal_ptr(&d);
	return 0;
}

/* Whatever it is that is in the way. */
static int refuse(const struct disk *d, struct error *err)
{
	const char *kind = d->volume.type;

	if (!*kind && d->root >= 0)
		return error_set(err, -ENOENT, "its partition %d holds no known file system",
				 d->root + 1);
	for (size_t i = 0; !*kind && i < d->nparts; i++)
		if (d->parts[i].kind != PARTITION_ESP && d->parts[i].kind != PARTITION_SWAP)
			kind = d->volumes[i].type;
	if (*kind)
		return error_set(err, -EOPNOTSUPP,
				 "its root is %s, of which files cannot be read: start it with "
				 "'disk run --share' and copy them there",
				 kind);
	return error_set(
		err, -ENOENT,
		"the disk has no file system with a root (a machine in memory has its files "
		"in the initrd of its boot partition)");
}

static int read_root(struct disk *d, struct error *err)
{
	autofree char *path = xasprintf("/proc/self/fd/%d", d->fd);
	autofree char *option = xasprintf("offset=%lld", (long long)d->at.offset);

	if (!volume_is_read(&d->volume))
		return refuse(d, err);
	if (!volume_is_ext(&d->volume))
		return volume_read(&d->volume, &d->at, &d->tree, err);
	if (ext2fs_open2(path, option, EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES, 0, 0,
			 unix_io_manager, &d->fs))
		return error_set(err, -EBADMSG,
				 "its file system is damaged (the superblock): e2fsck can tell and "
				 "mend it");
	return 0;
}

int disk_turn_to(struct disk *d, int root, struct error *err)
{
	if (d->fs)
		ext2fs_free(d->fs);
	d->fs = NULL;
	volume_tree_done(&d->tree);
	d->root = root;
	d->at = disk_region(d, (size_t)root);
	d->volume = d->volumes[root];
	return read_root(d, err);
}

int disk_read(struct disk *d, struct error *err)
{
	int r;

	if (d->fs || d->tree.tree)
		return 0;
	r = d->alone ? 0 : whole_read_appliance(d, err);
	if (r != 0)
		return MIN(r, 0);
	r = read_root(d, err);
	return r < 0 || d->alone ? r : whole_mount(d, err);
}

int disk_read_tree(struct disk *d, struct filetree **ret, struct error *err)
{
	int r = disk_read(d, err);

	if (r == 0 && !d->tree.tree)
		r = volume_read(&d->volume, &d->at, &d->tree, err);
	*ret = d->tree.tree;
	return r;
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

/* In a tree a file's number leads to it. */
static const struct file *file_of(const struct disk *d, uint32_t number)
{
	return d->tree.tree->order[number - 1];
}

static void describe(const struct file *f, const char *name, struct disk_entry *ret)
{
	*ret = (struct disk_entry) { .number = f->number,
				     .mode = f->mode,
				     .uid = f->uid,
				     .gid = f->gid,
				     .size = f->content.size,
				     .mtime_s = f->mtime.tv_sec };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	if (S_ISLNK(f->mode)) {
		ret->target = xstrdup(f->target);
		ret->size = (int64_t)strlen(f->target);
	}
}

/* The last word of a path, without slashes behind it: "" of the root. */
static void last_word(const char *path, char ret[FILE_NAME_MAX + 1])
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	(void)snprintf(ret, FILE_NAME_MAX + 1, "%.*s", (int)MIN(end - start, FILE_NAME_MAX),
		       path + start);
}

static int find_in_tree(const struct disk *d, const char *path, const char *name,
			struct disk_entry *ret, struct error *err)
{
	const struct file *f = filetree_resolve(d->tree.tree, path, NULL);

	if (!f)
		return error_set(err, -ENOENT, "%s is not on the disk", path);
	describe(f, name, ret);
	return 0;
}

int disk_find(const struct disk *d, const char *path, struct disk_entry *ret, struct error *err)
{
	char name[FILE_NAME_MAX + 1];
	ext2_ino_t ino;
	errcode_t code;

	last_word(path, name);
	if (d->tree.tree)
		return find_in_tree(d, path, name, ret, err);
	code = ext2fs_namei_follow(d->fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &ino);
	if (code == EXT2_ET_SYMLINK_LOOP)
		return error_set(err, -ELOOP, "%s: its links lead to one another", path);
	if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY)
		return error_set(err, -ENOENT, "%s is not on the disk", path);
	if (code)
		return ext4_failed(err, code, path);
	return read_entry(d, ino, name, ret, err);
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

static int list_tree(const struct disk *d, uint32_t number, disk_entry_fn fn, void *data,
		     struct error *err)
{
	const struct file *dir = file_of(d, number);
	int r = 0;

	for (size_t i = 0; r == 0 && i < dir->nnames; i++) {
		struct disk_entry e;

		describe(dir->names[i].file, dir->names[i].text, &e);
		r = fn(data, &e, err);
		disk_entry_done(&e);
	}
	return r;
}

static int list_ext(const struct disk *d, uint32_t dir, disk_entry_fn fn, void *data,
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

int disk_list(const struct disk *d, uint32_t dir, disk_entry_fn fn, void *data, struct error *err)
{
	return d->tree.tree ? list_tree(d, dir, fn, data, err) : list_ext(d, dir, fn, data, err);
}

/* contents */

/* What comes next, at most COPY_SIZE bytes with zeros for holes. */
static int get_some(struct content_reader *rd, int64_t from, char *bytes, int64_t *ret_end,
		    struct error *err)
{
	int64_t end = MIN(rd->content->size, from + (int64_t)COPY_SIZE), at = from, start, len;
	int r = 0;

	memset(bytes, 0, (size_t)(end - from));
	while (r == 0 && at < end && content_next(rd, at, &start, &len) > 0 && start < end) {
		len = MIN(len, end - start);
		r = content_get(rd, start, len, bytes + (start - from));
		at = start + len;
	}
	*ret_end = end;
	return r < 0 ? error_sys(err, r, "read the file") : 0;
}

static int copy_to_stream(struct content_reader *rd, int to, struct error *err)
{
	autofree char *bytes = xmalloc(COPY_SIZE);
	int64_t at = 0, end;

	while (at < rd->content->size) {
		int r = get_some(rd, at, bytes, &end, err);

		if (r < 0)
			return r;
		r = file_write_all(to, bytes, (size_t)(end - at));
		if (r < 0)
			return error_sys(err, r, "write");
		at = end;
	}
	return 0;
}

static bool is_zero(const char *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Zeros become holes: what came through an archive (a squashfs) has lost its own. */
static int copy_run(struct content_reader *rd, int64_t at, int64_t len, char *bytes, int to)
{
	int r = 0;

	while (r == 0 && len > 0) {
		int64_t n = MIN(len, (int64_t)COPY_SIZE);

		r = content_get(rd, at, n, bytes);
		if (r == 0 && !is_zero(bytes, (size_t)n))
			r = lseek(to, at, SEEK_SET) < 0 ? -errno
							: file_write_all(to, bytes, (size_t)n);
		at += n;
		len -= n;
	}
	return r;
}

/* Holes are not looked at, however large they say that they are. */
static int copy_to_file(struct content_reader *rd, int to, struct error *err)
{
	int64_t size = rd->content->size, at = 0, start, len;
	autofree char *bytes = xmalloc(COPY_SIZE);

	while (content_next(rd, at, &start, &len) > 0) {
		int r = copy_run(rd, start, len, bytes, to);

		if (r < 0)
			return error_sys(err, r, "copy");
		at = start + len;
	}
	return ftruncate(to, size) < 0 || lseek(to, size, SEEK_SET) < 0
		       ? error_sys(err, -errno, "write")
		       : 0;
}

/* A file that others write to as well, or that has something, is a stream. */
static bool is_empty_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 &&
	       lseek(fd, 0, SEEK_CUR) == 0 && !(fcntl(fd, F_GETFL) & O_APPEND);
}

int disk_copy_out(const struct disk *d, uint32_t number, int to, struct error *err)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	struct content own = { .fd = -1 };
	const struct content *c = d->tree.tree ? &file_of(d, number)->content : &own;
	int r = d->tree.tree ? 0 : ext4_read_content(d->fs, d->fd, d->at.offset, number, &own, err);

	if (r == 0)
		r = content_open(c, &rd, err);
	if (r == 0)
		r = is_empty_file(to) ? copy_to_file(&rd, to, err) : copy_to_stream(&rd, to, err);
	content_done(&own);
	return r;
}
