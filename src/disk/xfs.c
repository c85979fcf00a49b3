/* src/disk/xfs.c
 *
 * Four groups: in each a block of heads, one for each of the three trees, four that are kept for
 * those to grow.  All inodes lie in the first, the log in the second; what else there is is given
 * out in order, so that what is free is one run in each group.  What mkfs.xfs writes with
 * finobt=0,rmapbt=0,reflink=0,sparse=0 is the model.
 */
#include "disk/xfs.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/crc32c.h"
#include "disk/filetree.h"
#include "disk/xfs_inside.h"

#define HEADS       8 /* blocks of a group that are taken from the start */
#define LOG_BLOCKS  4096
#define LOG_GROUP   1
#define PER_BLOCK   (XFS_BLOCK / XFS_INODE)
#define PER_CHUNK   64
#define TREE_HEAD   56
#define CHUNKS_LEAF ((XFS_BLOCK - TREE_HEAD) / 16)
#define CHUNKS_NODE ((XFS_BLOCK - TREE_HEAD) / 8)
#define NOTHING     0xffffffffU
#define NEW_BITMAP  4U /* a flag of the first realtime inode */
#define BIG_TIME    8U
#define TIME_LEAST  (-(INT64_C(1) << 31))
#define TIME_MOST   INT64_C(16299260424)
#define TARGET_MAX  1023 /* what the kernel makes, and xfs_repair takes */

enum format { DEVICE, LOCAL, EXTENTS };

uint32_t xfs_hash(const char *name, size_t len)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < len; i++)
		hash = (unsigned char)name[i] ^ (hash << 7 | hash >> 25);
	return hash;
}

/* The kernel's takes four at a time, with the same result for these widths. */
uint64_t xfs_sector(const struct xfs *x, uint64_t block)
{
	uint64_t group = block >> x->group_log, in = block & ((1ULL << x->group_log) - 1);

	return (group * x->group_blocks + in) * (XFS_BLOCK / XFS_SECTOR);
}

/* The sum alone is little-endian. */
void xfs_sum(void *p, size_t len, size_t sum_at)
{
	uint32_t sum = ~crc32c(~0U, p, len);

	for (size_t i = 0; i < 4; i++)
		((unsigned char *)p)[sum_at + i] = (unsigned char)(sum >> (8 * i));
}

int xfs_put(const struct xfs *x, uint64_t sector, const void *bytes, size_t len)
{
	const char *from = bytes;
	int64_t at = (int64_t)sector * XFS_SECTOR;

	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(x->fd, from, len, at));

		if (n <= 0)
			return error_sys(x->err, n < 0 ? -errno : -EIO, "write the file system");
		from += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

static void add_run(struct xfs_fork *f, uint64_t at, uint64_t block, uint32_t n)
{
	struct xfs_run *last = f->n ? &f->runs[f->n - 1] : NULL;

	if (last && last->at + last->n == at && last->block + last->n == block &&
	    last->n + n <= XFS_RUN_MAX)
		last->n += n;
	else
		f->runs[f->n++] = (struct xfs_run) { at, block, n };
}

int xfs_alloc(struct xfs *x, struct xfs_fork *f, uint64_t at, uint64_t n)
{
	while (n > 0) {
		uint32_t left = x->group_blocks - x->next[x->group];
		uint32_t take = (uint32_t)MIN(MIN(n, left), XFS_RUN_MAX);

		if (left == 0 && ++x->group == XFS_GROUPS)
			return error_set(x->err, -ENOSPC, "the files do not fit");
		if (left == 0)
			continue;
		if (f->n == XFS_RUNS_MAX)
			return error_set(x->err, -EFBIG, "a file lies in too many pieces");
		add_run(f, at, (uint64_t)x->group << x->group_log | x->next[x->group], take);
		x->next[x->group] += take;
		at += take;
		n -= take;
	}
	return 0;
}

uint64_t xfs_find(const struct xfs_fork *f, uint64_t at)
{
	for (size_t i = 0; i < f->n; i++)
		if (at >= f->runs[i].at && at < f->runs[i].at + f->runs[i].n)
			return f->runs[i].block + at - f->runs[i].at;
	return 0;
}

/* inodes */

/* From 1901 to 2486: what lies beyond is the nearest, as the kernel has it. */
static void put_time(unsigned char *to, struct timespec t)
{
	int64_t s = MIN(MAX((int64_t)t.tv_sec, TIME_LEAST), TIME_MOST);

	put_be(to, (uint64_t)(s - TIME_LEAST) * 1000000000ULL + (uint64_t)t.tv_nsec, 8);
}

static uint64_t sector_of_inode(uint32_t number)
{
	return (uint64_t)number * (XFS_INODE / XFS_SECTOR);
}

static void inode_begin(const struct xfs *x, unsigned char *i, uint32_t number)
{
	put_be(i, 0x494e, 2);
	i[4] = 3;
	put_be(i + 96, NOTHING, 4);
	put_be(i + 152, number, 8);
	memcpy(i + 160, x->uuid, 16);
}

static int inode_end(const struct xfs *x, unsigned char *i, uint32_t number)
{
	xfs_sum(i, XFS_INODE, 100);
	return xfs_put(x, sector_of_inode(number), i, XFS_INODE);
}

static void put_runs(unsigned char *to, const struct xfs_fork *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct xfs_run *r = &f->runs[i];

		put_be(to + XFS_EXTENT * i, r->at << 9 | r->block >> 43, 8);
		put_be(to + XFS_EXTENT * i + 8, r->block << 21 | r->n, 8);
	}
}

static uint64_t blocks_of(const struct xfs_fork *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->runs[i].n;
	return n;
}

/* Attributes first: they decide how much is left for the rest. Returns the room of the data. */
static int put_xattrs(struct xfs *x, const struct file *f, unsigned char *i, struct xfs_fork *fork)
{
	unsigned char bytes[XFS_FORKS];
	size_t len, room = XFS_FORKS;
	int r;

	i[83] = EXTENTS;
	if (f->nxattrs == 0)
		return XFS_FORKS;
	len = xfs_xattrs_small(f, bytes, XFS_FORKS / 2);
	if (len == 4)
		return XFS_FORKS;
	if (len) {
		room -= (len + 7) / 8 * 8;
		memcpy(i + XFS_CORE + room, bytes, len);
		i[83] = LOCAL;
	} else {
		r = xfs_xattrs_write(x, f, fork);
		if (r < 0)
			return r;
		room -= XFS_EXTENT;
		put_runs(i + XFS_CORE + room, fork);
		put_be(i + 80, fork->n, 2);
	}
	i[82] = (unsigned char)(room / 8);
	return (int)room;
}

static void put_core(const struct file *f, unsigned char *i, int64_t now_s)
{
	put_be(i + 2, f->mode, 2);
	put_be(i + 8, f->uid, 4);
	put_be(i + 12, f->gid, 4);
	put_be(i + 16, f->links, 4);
	put_time(i + 32, f->mtime);
	put_time(i + 40, f->mtime);
	put_time(i + 48, (struct timespec) { .tv_sec = now_s });
	put_time(i + 144, (struct timespec) { .tv_sec = now_s });
	put_be(i + 120, BIG_TIME, 8);
}

/* contents */

struct copying {
	struct content_reader rd;
	struct xfs_fork *fork;
	bool whole; /* without holes */
};

/* Blocks for each run of data; *ret_n is how many runs there are. */
static int place_runs(struct xfs *x, const struct file *f, struct copying *c, size_t room)
{
	int64_t at = 0, start, len, last = -1;
	size_t runs = 0;

	while (content_next(&c->rd, at, &start, &len) > 0) {
		runs++;
		at = start + len;
	}
	/* One may be cut where a group ends. */
	if (runs + XFS_GROUPS > room / XFS_EXTENT)
		return xfs_alloc(x, c->fork, 0,
				 (uint64_t)(f->content.size + XFS_BLOCK - 1) / XFS_BLOCK);
	at = 0;
	while (content_next(&c->rd, at, &start, &len) > 0) {
		int64_t first = MAX(start / XFS_BLOCK, last + 1);
		int r;

		last = (start + len - 1) / XFS_BLOCK;
		r = first > last
			    ? 0
			    : xfs_alloc(x, c->fork, (uint64_t)first, (uint64_t)(last - first + 1));
		if (r < 0)
			return r;
		at = start + len;
	}
	return 0;
}

/* From at on, as far as it lies together. */
static int copy_some(const struct xfs *x, struct copying *c, int64_t at, int64_t len,
		     int64_t *ret_done)
{
	for (size_t i = 0; i < c->fork->n; i++) {
		const struct xfs_run *run = &c->fork->runs[i];
		int64_t start = (int64_t)run->at * XFS_BLOCK;
		int64_t end = start + (int64_t)run->n * XFS_BLOCK;

		if (at < start || at >= end)
			continue;
		*ret_done = MIN(len, end - at);
		return content_copy(&c->rd, at, *ret_done, x->fd,
				    (int64_t)xfs_sector(x, run->block) * XFS_SECTOR + at - start);
	}
	return -EFAULT;
}

static int put_content(struct xfs *x, const struct file *f, struct xfs_fork *fork, size_t room)
{
	struct copying c = { .rd = CONTENT_READER_INIT, .fork = fork };
	int64_t at = 0, start, len, done = 0;
	int r = content_open(&f->content, &c.rd, x->err);

	if (r == 0)
		r = place_runs(x, f, &c, room);
	while (r == 0 && content_next(&c.rd, at, &start, &len) > 0) {
		r = copy_some(x, &c, start, len, &done);
		if (r < 0)
			r = error_sys(x->err, r, "copy a file's bytes");
		at = start + done;
	}
	content_close(&c.rd);
	return r;
}

static int put_link(struct xfs *x, const struct file *f, unsigned char *i, struct xfs_fork *fork,
		    size_t room)
{
	size_t len = strlen(f->target);
	unsigned char b[XFS_BLOCK] = "XSLM";
	int r;

	if (len <= room) {
		memcpy(i + XFS_CORE, f->target, len);
		i[5] = LOCAL;
		return 0;
	}
	if (len > TARGET_MAX)
		return error_set(x->err, -ENAMETOOLONG,
				 "an XFS has no symbolic links of more than %d bytes", TARGET_MAX);
	r = xfs_alloc(x, fork, 0, 1);
	if (r < 0)
		return r;
	put_be(b + 8, len, 4);
	memcpy(b + 16, x->uuid, 16);
	put_be(b + 32, f->number, 8);
	put_be(b + 40, xfs_sector(x, fork->runs[0].block), 8);
	memcpy(b + 56, f->target, len);
	xfs_sum(b, sizeof(b), 12);
	return xfs_put(x, xfs_sector(x, fork->runs[0].block), b, sizeof(b));
}

static int put_data(struct xfs *x, const struct file *f, unsigned char *i, struct xfs_fork *fork,
		    size_t room)
{
	int64_t size = S_ISREG(f->mode)   ? f->content.size
		       : S_ISLNK(f->mode) ? (int64_t)strlen(f->target)
					  : 0;
	int r = 0;

	i[5] = EXTENTS;
	if (S_ISDIR(f->mode)) {
		size = (int64_t)xfs_dir_small(f, i + XFS_CORE, room);
		i[5] = size ? LOCAL : EXTENTS;
		r = size ? 0 : xfs_dir_write(x, f, fork, &size);
	} else if (S_ISREG(f->mode)) {
		r = put_content(x, f, fork, room);
	} else if (S_ISLNK(f->mode)) {
		r = put_link(x, f, i, fork, room);
	} else {
		i[5] = DEVICE;
		put_be(i + XFS_CORE, f->major << 18 | (f->minor & 0x3ffff), 4);
	}
	put_be(i + 56, (uint64_t)size, 8);
	if (r == 0 && fork->n * XFS_EXTENT > room)
		r = error_set(x->err, -EFBIG, "a file lies in too many pieces");
	return r;
}

static int write_file(struct xfs *x, const struct file *f, int64_t now_s)
{
	unsigned char i[XFS_INODE] = { 0 };
	struct xfs_fork data = { .n = 0 }, xattrs = { .n = 0 };
	int r, room;

	inode_begin(x, i, f->number);
	put_core(f, i, now_s);
	room = put_xattrs(x, f, i, &xattrs);
	if (room < 0)
		return room;
	r = put_data(x, f, i, &data, (size_t)room);
	if (r < 0)
		return r;
	if (i[5] == EXTENTS)
		put_runs(i + XFS_CORE, &data);
	put_be(i + 64, blocks_of(&data) + blocks_of(&xattrs), 8);
	put_be(i + 76, data.n, 4);
	return inode_end(x, i, f->number);
}

/* The two of a realtime part, and those of the last chunk that nobody has. */
static int write_others(const struct xfs *x, uint32_t end, uint32_t chunks, int64_t now_s)
{
	const struct timespec now = { .tv_sec = now_s };
	int r = 0;

	for (uint32_t n = XFS_ROOT + 1; r == 0 && n < XFS_ROOT + chunks * PER_CHUNK; n++) {
		struct file none = { .mode = S_IFREG, .mtime = now, .links = 1 };
		unsigned char i[XFS_INODE] = { 0 };

		if (n == XFS_ROOT + 3)
			n = MAX(n, end);
		if (n >= XFS_ROOT + chunks * PER_CHUNK)
			break;
		inode_begin(x, i, n);
		if (n < XFS_ROOT + 3) {
			put_core(&none, i, now_s);
			i[5] = i[83] = EXTENTS;
			put_be(i + 90, n == XFS_ROOT + 1 ? NEW_BITMAP : 0, 2);
		}
		r = inode_end(x, i, n);
	}
	return r;
}

/* groups */

static uint64_t block_of(const struct xfs *x, unsigned group, uint32_t in)
{
	return (uint64_t)group << x->group_log | in;
}

static void tree_head(const struct xfs *x, unsigned char *b, const char *magic, unsigned group,
		      uint32_t in, unsigned level, unsigned n)
{
	memcpy(b, magic, 4);
	put_be(b + 4, level, 2);
	put_be(b + 6, n, 2);
	put_be(b + 8, NOTHING, 4);
	put_be(b + 12, NOTHING, 4);
	put_be(b + 16, xfs_sector(x, block_of(x, group, in)), 8);
	memcpy(b + 32, x->uuid, 16);
	put_be(b + 48, group, 4);
}

static int tree_put(const struct xfs *x, unsigned char *b, unsigned group, uint32_t in)
{
	xfs_sum(b, XFS_BLOCK, 52);
	return xfs_put(x, xfs_sector(x, block_of(x, group, in)), b, XFS_BLOCK);
}

static uint32_t left_in(const struct xfs *x, unsigned group)
{
	return x->group_blocks - x->next[group];
}

static int write_free(const struct xfs *x, unsigned group)
{
	static const char *const magics[] = { "AB3B", "AB3C" };
	uint32_t left = left_in(x, group);
	int r = 0;

	for (uint32_t k = 0; r == 0 && k < ARRAY_SIZE(magics); k++) {
		unsigned char b[XFS_BLOCK] = { 0 };

		tree_head(x, b, magics[k], group, k + 1, 0, left ? 1 : 0);
		if (left) {
			put_be(b + TREE_HEAD, x->next[group], 4);
			put_be(b + TREE_HEAD + 4, left, 4);
		}
		r = tree_put(x, b, group, k + 1);
	}
	return r;
}

/* 64 inodes that begin there; of the last ones some are free. */
static void put_chunk(unsigned char *to, uint32_t first, uint32_t end)
{
	uint32_t used = MIN(end - first, (uint32_t)PER_CHUNK);

	put_be(to, first, 4);
	put_be(to + 4, PER_CHUNK - used, 4);
	put_be(to + 8, used == PER_CHUNK ? 0 : ~0ULL << used, 8);
}

static int write_chunks(const struct xfs *x, uint32_t chunks, uint32_t end, uint32_t leaves,
			uint32_t first_leaf)
{
	unsigned char root[XFS_BLOCK] = { 0 };
	uint32_t next = 0;
	int r = 0;

	tree_head(x, root, "IAB3", 0, 3, leaves > 1, leaves > 1 ? leaves : chunks);
	for (uint32_t i = 0; r == 0 && leaves > 1 && i < leaves; i++) {
		uint32_t n = (chunks - next) / (leaves - i), at = first_leaf + i;
		unsigned char b[XFS_BLOCK] = { 0 };

		put_be(root + TREE_HEAD + 4 * i, XFS_ROOT + next * PER_CHUNK, 4);
		put_be(root + TREE_HEAD + 4 * CHUNKS_NODE + 4 * i, at, 4);
		tree_head(x, b, "IAB3", 0, at, 0, n);
		put_be(b + 8, i ? at - 1 : NOTHING, 4);
		put_be(b + 12, i + 1 < leaves ? at + 1 : NOTHING, 4);
		for (uint32_t k = 0; k < n; k++, next++)
			put_chunk(b + TREE_HEAD + 16 * k, XFS_ROOT + next * PER_CHUNK, end);
		r = tree_put(x, b, 0, at);
	}
	for (uint32_t k = 0; leaves == 1 && k < chunks; k++)
		put_chunk(root + TREE_HEAD + 16 * k, XFS_ROOT + k * PER_CHUNK, end);
	return r < 0 ? r : tree_put(x, root, 0, 3);
}

static int write_agf(const struct xfs *x, unsigned group)
{
	unsigned char s[XFS_SECTOR] = "XAGF";
	uint32_t left = left_in(x, group);

	put_be(s + 4, 1, 4);
	put_be(s + 8, group, 4);
	put_be(s + 12, x->group_blocks, 4);
	put_be(s + 16, 1, 4);
	put_be(s + 20, 2, 4);
	put_be(s + 28, 1, 4);
	put_be(s + 32, 1, 4);
	put_be(s + 40, 1, 4);
	put_be(s + 44, 4, 4);
	put_be(s + 48, 4, 4);
	put_be(s + 52, left, 4);
	put_be(s + 56, left, 4);
	memcpy(s + 64, x->uuid, 16);
	xfs_sum(s, sizeof(s), 216);
	return xfs_put(x, xfs_sector(x, block_of(x, group, 0)) + 1, s, sizeof(s));
}

static int write_agi(const struct xfs *x, unsigned group, uint32_t chunks, uint32_t used,
		     uint32_t levels)
{
	unsigned char s[XFS_SECTOR] = "XAGI";

	put_be(s + 4, 1, 4);
	put_be(s + 8, group, 4);
	put_be(s + 12, x->group_blocks, 4);
	put_be(s + 16, chunks * PER_CHUNK, 4);
	put_be(s + 20, 3, 4);
	put_be(s + 24, levels, 4);
	put_be(s + 28, chunks * PER_CHUNK - used, 4);
	put_be(s + 32, chunks ? XFS_ROOT : NOTHING, 4);
	put_be(s + 36, NOTHING, 4);
	memset(s + 40, 0xff, 256);
	memcpy(s + 296, x->uuid, 16);
	xfs_sum(s, sizeof(s), 312);
	return xfs_put(x, xfs_sector(x, block_of(x, group, 0)) + 2, s, sizeof(s));
}

static int write_agfl(const struct xfs *x, unsigned group)
{
	unsigned char s[XFS_SECTOR] = "XAFL";

	put_be(s + 4, group, 4);
	memcpy(s + 8, x->uuid, 16);
	memset(s + 36, 0xff, sizeof(s) - 36);
	for (unsigned i = 1; i <= 4; i++)
		put_be(s + 36 + 4 * (size_t)i, 3 + i, 4);
	xfs_sum(s, sizeof(s), 32);
	return xfs_put(x, xfs_sector(x, block_of(x, group, 0)) + 3, s, sizeof(s));
}

static void put_super(const struct xfs *x, unsigned char *s, uint32_t chunks, uint32_t used)
{
	uint64_t free_blocks = 0;

	for (unsigned g = 0; g < XFS_GROUPS; g++)
		free_blocks += left_in(x, g) + 4;
	put_be(s + 4, XFS_BLOCK, 4);
	put_be(s + 8, (uint64_t)XFS_GROUPS * x->group_blocks, 8);
	memcpy(s + 32, x->uuid, 16);
	put_be(s + 48, block_of(x, LOG_GROUP, HEADS), 8);
	for (unsigned i = 0; i < 3; i++)
		put_be(s + 56 + 8 * (size_t)i, XFS_ROOT + i, 8);
	put_be(s + 80, 1, 4);
	put_be(s + 84, x->group_blocks, 4);
	put_be(s + 88, XFS_GROUPS, 4);
	put_be(s + 96, LOG_BLOCKS, 4);
	put_be(s + 100, 0xb4b5, 2); /* with attributes */
	put_be(s + 102, XFS_SECTOR, 2);
	put_be(s + 104, XFS_INODE, 2);
	put_be(s + 106, PER_BLOCK, 2);
	put_be(s + 108, 0x726f6f74, 4); /* "root" */
	s[120] = 12;
	s[121] = s[122] = 9;
	s[123] = 3;
	s[124] = (unsigned char)x->group_log;
	s[127] = 25;
	put_be(s + 128, (uint64_t)chunks * PER_CHUNK, 8);
	put_be(s + 136, (uint64_t)chunks * PER_CHUNK - used, 8);
	put_be(s + 144, free_blocks, 8);
	put_be(s + 180, 4, 4);
	put_be(s + 196, 1, 4);
	put_be(s + 200, 0x18a, 4);
	put_be(s + 204, 0x18a, 4);
	put_be(s + 216, 0x9, 4); /* kinds in names, large times */
	xfs_sum(s, XFS_SECTOR, 224);
}

/* One record in an empty log: that it was unmounted. */
static int write_log(const struct xfs *x)
{
	static const unsigned char operation[] = { 0, 0,    0,    1, 0, 0,   0,
						   8, 0xaa, 0x20, 0, 0, 'n', 'U' };
	unsigned char record[2 * XFS_SECTOR] = { 0xfe, 0xed, 0xba, 0xbe };

	put_be(record + 4, 1, 4);
	put_be(record + 8, 2, 4);
	put_be(record + 12, XFS_SECTOR, 4);
	put_be(record + 16, 1, 4);
	put_be(record + 24, 1, 4);
	put_be(record + 36, NOTHING, 4);
	put_be(record + 40, 1, 4);
	put_be(record + 44, 0xb0c0d0d0U, 4); /* what stands where the operation has the cycle */
	put_be(record + 300, 1, 4);
	memcpy(record + 304, x->uuid, 16);
	put_be(record + 320, 32768, 4);
	memcpy(record + XFS_SECTOR, operation, sizeof(operation));
	return xfs_put(x, xfs_sector(x, block_of(x, LOG_GROUP, HEADS)), record, sizeof(record));
}

static int write_heads(const struct xfs *x, uint32_t chunks, uint32_t used, uint32_t leaves)
{
	unsigned char super[XFS_SECTOR] = "XFSB";
	int r = 0;

	put_super(x, super, chunks, used);
	for (unsigned g = 0; r == 0 && g < XFS_GROUPS; g++) {
		unsigned char b[XFS_BLOCK] = { 0 };

		r = xfs_put(x, xfs_sector(x, block_of(x, g, 0)), super, sizeof(super));
		if (r == 0)
			r = write_agf(x, g);
		if (r == 0)
			r = write_agi(x, g, g ? 0 : chunks, g ? 0 : used, leaves > 1 && !g ? 2 : 1);
		if (r == 0)
			r = write_agfl(x, g);
		if (r == 0)
			r = write_free(x, g);
		tree_head(x, b, "IAB3", g, 3, 0, 0);
		if (r == 0 && g)
			r = tree_put(x, b, g, 3);
	}
	return r;
}

static int lay_out(struct xfs *x, int64_t size, uint32_t chunks, uint32_t leaves)
{
	x->group_blocks = (uint32_t)MIN(size / XFS_BLOCK / XFS_GROUPS, 1LL << 28);
	while (1U << x->group_log < x->group_blocks)
		x->group_log++;
	for (unsigned g = 0; g < XFS_GROUPS; g++)
		x->next[g] = HEADS;
	x->next[LOG_GROUP] += LOG_BLOCKS;
	x->next[0] += chunks * (PER_CHUNK / PER_BLOCK) + (leaves > 1 ? leaves : 0);
	return x->group_blocks < LOG_BLOCKS + 2 * HEADS || x->next[0] > x->group_blocks ||
			       leaves > CHUNKS_NODE
		       ? error_set(x->err, -ENOSPC, "the files do not fit")
		       : 0;
}

int xfs_write(struct filetree *t, int fd, int64_t size, const uint8_t uuid[16], int64_t now_s,
	      struct error *err)
{
	struct xfs x = { .tree = t, .fd = fd, .err = err };
	uint32_t used, chunks, leaves;
	int r;

	memcpy(x.uuid, uuid, sizeof(x.uuid));
	filetree_number(t, XFS_ROOT, XFS_ROOT + 3);
	used = (uint32_t)t->norder + 2;
	chunks = (used + PER_CHUNK - 1) / PER_CHUNK;
	leaves = (chunks + CHUNKS_LEAF - 1) / CHUNKS_LEAF;
	r = lay_out(&x, size, chunks, leaves);
	for (size_t i = 0; r == 0 && i < t->norder; i++)
		r = write_file(&x, t->order[i], now_s);
	if (r == 0)
		r = write_others(&x, XFS_ROOT + used, chunks, now_s);
	if (r == 0)
		r = write_chunks(&x, chunks, XFS_ROOT + used, leaves,
				 HEADS + chunks * (PER_CHUNK / PER_BLOCK));
	if (r == 0)
		r = write_log(&x);
	return r < 0 ? r : write_heads(&x, chunks, used, leaves);
}
