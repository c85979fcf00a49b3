/* src/disk/erofs.c
 *
 * The kernel's fs/erofs/erofs_fs.h: superblock at 1024, inodes numbered by their place in units of
 * 32 bytes, each followed by its attributes and then by the last part of its data, or by where its
 * chunks are if it has holes; the other data in whole blocks behind all inodes.
 */
#include "disk/erofs.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "disk/crc32c.h"
#include "disk/filetree.h"
#include "disk/region.h"
#include "image/attributes.h"
#include "image/tar.h"

#define BLOCK         4096
#define SUPER         1024
#define FIRST_INODE   1152 /* behind the superblock, a multiple of 32 */
#define INODE_LEN     64
#define ROOT          1
#define TAIL_MAX      2048 /* of data beside its inode */
#define CHUNKS_WANTED 4096
#define NO_BLOCK      0xffffffffU
#define XATTRS_MAX    (1U << 20)
#define DIRENT_LEN    12

/* i_format: bit 0 says 64 bytes, then the layout. */
enum layout { PLAIN = 1, INLINE = 2 << 1 | 1, CHUNKS = 4 << 1 | 1 };

struct place {
	int64_t inode;  /* in bytes */
	uint32_t block; /* of the data */
	uint32_t xattrs;
	uint8_t layout, chunk_bits; /* beyond a block's */
};

struct erofs {
	struct filetree *tree;
	int fd;
	struct place *places; /* by number */
	int64_t meta_end;
	uint32_t blocks; /* all */
	bool chunked;
	struct error *err;
};

static int put(const struct erofs *e, const void *bytes, size_t len, int64_t at)
{
	const char *from = bytes;

	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(e->fd, from, len, at));

		if (n <= 0)
			return error_sys(e->err, n < 0 ? -errno : -EIO, "write the file system");
		from += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

/* attributes */

static const struct {
	const char *prefix;
	uint8_t index;
} prefixes[] = {
	{ "user.", 1 },
	{ "system.posix_acl_access", 2 },
	{ "system.posix_acl_default", 3 },
	{ "trusted.", 4 },
	{ "security.", 6 },
};

static void add_xattr(struct buf *b, const struct tar_xattr *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t n = strlen(prefixes[i].prefix);
		unsigned char head[4];

		if (strncmp(x->name, prefixes[i].prefix, n) != 0 || strlen(x->name + n) > 255 ||
		    x->len > UINT16_MAX)
			continue;
		head[0] = (unsigned char)strlen(x->name + n);
		head[1] = prefixes[i].index;
		put_le(head + 2, x->len, 2);
		buf_add(b, head, sizeof(head));
		buf_add_str(b, x->name + n);
		buf_add(b, x->value, x->len);
		while (b->len % 4)
			buf_add_char(b, '\0');
		return;
	}
}

/* A head of 12 bytes and the attributes; nothing if there are none. */
static void pack_xattrs(const struct file *f, struct buf *b)
{
	static const char head[12] = { 0 };

	buf_add(b, head, sizeof(head));
	for (size_t i = 0; i < f->nxattrs; i++)
		if (attribute_is_for_images(f->xattrs[i].name))
			add_xattr(b, &f->xattrs[i]);
	if (b->len == sizeof(head))
		buf_reset(b);
}

/* directories */

struct entry {
	const char *name;
	uint32_t number;
	mode_t mode;
};

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct entry *entries_of(const struct file *dir, size_t *ret_n)
{
	struct entry *list = xcalloc(dir->nnames + 2, sizeof(*list));

	list[0] = (struct entry) { ".", dir->number, S_IFDIR };
	list[1] = (struct entry) { "..", dir->parent, S_IFDIR };
	for (size_t i = 0; i < dir->nnames; i++)
		list[i + 2] = (struct entry) { dir->names[i].text, dir->names[i].file->number,
					       dir->names[i].file->mode };
	*ret_n = dir->nnames + 2;
	qsort(list, *ret_n, sizeof(*list), by_name);
	return list;
}

/* How many entries, from here on, one block takes, and the bytes of them. */
static size_t fill_of(const struct entry *list, size_t n, size_t *ret_len)
{
	size_t len = 0, k = 0;

	for (; k < n && len + DIRENT_LEN + strlen(list[k].name) <= BLOCK; k++)
		len += DIRENT_LEN + strlen(list[k].name);
	*ret_len = len;
	return k;
}

static void pack_block(const struct erofs *e, const struct entry *list, size_t n,
		       unsigned char *block)
{
	size_t name_at = n * DIRENT_LEN;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i].name);

		put_le(block + i * DIRENT_LEN, (uint64_t)e->places[list[i].number].inode / 32, 8);
		put_le(block + i * DIRENT_LEN + 8, name_at, 2);
		block[i * DIRENT_LEN + 10] = dir_entry_type(list[i].mode);
		memcpy(block + name_at, list[i].name, len);
		name_at += len;
	}
}

/* NULL: only the size. */
static int64_t pack_dir(const struct erofs *e, const struct file *dir, unsigned char *bytes)
{
	size_t n, at = 0, len = 0;
	autofree struct entry *list = entries_of(dir, &n);
	int64_t blocks = 0;

	for (; at < n; blocks++) {
		size_t k = fill_of(list + at, n - at, &len);

		if (bytes)
			pack_block(e, list + at, k, bytes + blocks * BLOCK);
		at += k;
	}
	return (blocks - 1) * BLOCK + (int64_t)len;
}

static int64_t size_of(const struct file *f)
{
	return S_ISDIR(f->mode)   ? pack_dir(NULL, f, NULL)
	       : S_ISLNK(f->mode) ? (int64_t)strlen(f->target)
	       : S_ISREG(f->mode) ? f->content.size
				  : 0;
}

/* places */

static int64_t chunk_size(const struct place *p)
{
	return (int64_t)BLOCK << p->chunk_bits;
}

static int64_t count(int64_t size, int64_t unit)
{
	return (size + unit - 1) / unit;
}

static bool has_holes(const struct file *f)
{
	const struct content *c = &f->content;

	return S_ISREG(f->mode) && c->size > BLOCK &&
	       (c->sparse || (c->kind == CONTENT_PIECES && c->n != 1));
}

/* Of a file with holes: the chunks with data get a block each; *ret is how many blocks. */
static int map_chunks(const struct file *f, const struct place *p, uint32_t *map, uint32_t next,
		      uint32_t *ret, struct error *err)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t chunk = chunk_size(p), at = 0, start, len;
	int64_t last = -1, blocks = 0;
	int r = content_open(&f->content, &rd, err);

	while (r == 0 && content_next(&rd, at, &start, &len) > 0) {
		int64_t end = (start + len - 1) / chunk;

		for (int64_t k = MAX(start / chunk, last + 1); k <= end; k++) {
			if (map)
				map[k] = next + (uint32_t)blocks;
			blocks += count(MIN(chunk, f->content.size - k * chunk), BLOCK);
			last = k;
		}
		at = start + len;
	}
	*ret = (uint32_t)blocks;
	return r;
}

/* Beside an inode lies what must not cross a block's end: the tail of its data. */
static void place_inode(struct erofs *e, struct place *p, int64_t size)
{
	int64_t head = INODE_LEN + p->xattrs, tail = size % BLOCK, at = e->meta_end;

	at = (at + 31) & ~(int64_t)31;
	if (p->layout == INLINE && (at + head) % BLOCK + tail > BLOCK)
		at = count(at, BLOCK) * BLOCK;
	if (p->layout == INLINE && (at + head) % BLOCK + tail > BLOCK)
		p->layout = PLAIN;
	p->inode = at;
	e->meta_end = at + head + (p->layout == INLINE ? tail : 0);
	if (p->layout == CHUNKS)
		e->meta_end += 4 * count(size, chunk_size(p));
}

static int plan(struct erofs *e)
{
	for (size_t i = 0; i < e->tree->norder; i++) {
		const struct file *f = e->tree->order[i];
		struct place *p = &e->places[f->number];
		struct buf xattrs = BUF_INIT(XATTRS_MAX);
		int64_t size = size_of(f);

		pack_xattrs(f, &xattrs);
		p->xattrs = (uint32_t)xattrs.len;
		p->layout = size % BLOCK && size % BLOCK <= TAIL_MAX ? INLINE : PLAIN;
		if (has_holes(f)) {
			p->layout = CHUNKS;
			e->chunked = true;
			while (count(size, chunk_size(p)) > CHUNKS_WANTED)
				p->chunk_bits++;
		}
		place_inode(e, p, size);
		buf_done(&xattrs);
		if (size >= (int64_t)NO_BLOCK * BLOCK || e->meta_end >= (int64_t)NO_BLOCK * BLOCK)
			return error_set(e->err, -EFBIG, "the tree does not fit into an EROFS");
	}
	return 0;
}

static int place_data(struct erofs *e)
{
	uint64_t next = (uint64_t)count(e->meta_end, BLOCK);

	for (size_t i = 0; i < e->tree->norder; i++) {
		const struct file *f = e->tree->order[i];
		struct place *p = &e->places[f->number];
		int64_t size = size_of(f);
		uint32_t n = (uint32_t)(p->layout == INLINE ? size / BLOCK : count(size, BLOCK));
		int r = p->layout == CHUNKS ? map_chunks(f, p, NULL, 0, &n, e->err) : 0;

		if (r < 0)
			return r;
		p->block = (uint32_t)next;
		next += n;
		if (next >= NO_BLOCK)
			return error_set(e->err, -EFBIG, "the tree does not fit into an EROFS");
	}
	e->blocks = (uint32_t)next;
	return 0;
}

/* writing */

static uint32_t device_of(const struct file *f)
{
	return (f->minor & 0xff) | f->major << 8 | (f->minor & ~0xffU) << 12;
}

static int write_inode(const struct erofs *e, const struct file *f)
{
	const struct place *p = &e->places[f->number];
	unsigned char i[INODE_LEN] = { p->layout };
	struct buf xattrs = BUF_INIT(XATTRS_MAX);
	uint32_t where = p->layout == CHUNKS                    ? p->chunk_bits
			 : S_ISCHR(f->mode) || S_ISBLK(f->mode) ? device_of(f)
								: p->block;
	int r;

	put_le(i + 2, p->xattrs ? (p->xattrs - 12) / 4 + 1 : 0, 2);
	put_le(i + 4, f->mode, 2);
	put_le(i + 8, (uint64_t)size_of(f), 8);
	put_le(i + 16, where, 4);
	put_le(i + 20, f->number, 4);
	put_le(i + 24, f->uid, 4);
	put_le(i + 28, f->gid, 4);
	put_le(i + 32, (uint64_t)f->mtime.tv_sec, 8);
	put_le(i + 40, (uint64_t)f->mtime.tv_nsec, 4);
	put_le(i + 44, f->links, 4);
	r = put(e, i, sizeof(i), p->inode);
	pack_xattrs(f, &xattrs);
	if (r == 0 && xattrs.len)
		r = put(e, xattrs.data, xattrs.len, p->inode + INODE_LEN);
	buf_done(&xattrs);
	return r;
}

/* Where a byte of the data belongs. */
static int64_t place_of(const struct place *p, int64_t at, int64_t size)
{
	if (p->layout == INLINE && at >= size / BLOCK * BLOCK)
		return p->inode + INODE_LEN + p->xattrs + at % BLOCK;
	return (int64_t)p->block * BLOCK + at;
}

static int write_bytes(const struct erofs *e, const struct place *p, const void *bytes,
		       int64_t size)
{
	int64_t whole = p->layout == INLINE ? size / BLOCK * BLOCK : size;
	int r = put(e, bytes, (size_t)whole, place_of(p, 0, size + BLOCK));

	if (r == 0 && whole < size)
		r = put(e, (const char *)bytes + whole, (size_t)(size - whole),
			place_of(p, whole, size));
	return r;
}

static int write_dir(const struct erofs *e, const struct file *f)
{
	int64_t size = pack_dir(e, f, NULL);
	autofree unsigned char *bytes = xcalloc((size_t)count(size, BLOCK), BLOCK);

	(void)pack_dir(e, f, bytes);
	return write_bytes(e, &e->places[f->number], bytes, size);
}

/* map: of a file with holes, where each chunk lies. */
static int copy_content(const struct erofs *e, const struct file *f, const uint32_t *map)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	const struct place *p = &e->places[f->number];
	int64_t at = 0, start, len, size = f->content.size, chunk = chunk_size(p);
	int64_t whole = size / BLOCK * BLOCK;
	int r = content_open(&f->content, &rd, e->err);

	while (r == 0 && content_next(&rd, at, &start, &len) > 0) {
		int64_t to = place_of(p, start, size);

		if (map) {
			len = MIN(len, chunk - start % chunk);
			to = (int64_t)map[start / chunk] * BLOCK + start % chunk;
		} else if (p->layout == INLINE && start < whole) {
			len = MIN(len, whole - start);
		}
		r = content_copy(&rd, start, len, e->fd, to);
		if (r < 0)
			return error_sys(e->err, r, "copy a file's bytes");
		at = start + len;
	}
	return r;
}

static int write_chunks(const struct erofs *e, const struct file *f)
{
	const struct place *p = &e->places[f->number];
	size_t n = (size_t)count(f->content.size, chunk_size(p));
	autofree uint32_t *map = xcalloc(n, sizeof(*map));
	autofree unsigned char *bytes = xcalloc(n, 4);
	uint32_t blocks;
	int r;

	memset(map, 0xff, n * sizeof(*map));
	r = map_chunks(f, p, map, p->block, &blocks, e->err);
	for (size_t i = 0; i < n; i++)
		put_le(bytes + 4 * i, map[i], 4);
	if (r == 0)
		r = put(e, bytes, 4 * n, p->inode + INODE_LEN + p->xattrs);
	return r < 0 ? r : copy_content(e, f, map);
}

static int write_file(const struct erofs *e, const struct file *f)
{
	const struct place *p = &e->places[f->number];
	int r = write_inode(e, f);

	if (r < 0)
		return r;
	if (S_ISDIR(f->mode))
		return write_dir(e, f);
	if (S_ISLNK(f->mode))
		return write_bytes(e, p, f->target, (int64_t)strlen(f->target));
	if (S_ISREG(f->mode))
		return p->layout == CHUNKS ? write_chunks(e, f) : copy_content(e, f, NULL);
	return 0;
}

static const unsigned char volume_name[] = { 'r', 'o', 'o', 't' };

/* Features: a checksum, times are those of contents; and files in chunks, if there are any. */
static int write_super(const struct erofs *e, const uint8_t uuid[16], int64_t now_s)
{
	unsigned char block[BLOCK - SUPER] = { 0 };
	ssize_t n = pread(e->fd, block, sizeof(block), SUPER);

	if (n < 0)
		return error_sys(e->err, -errno, "read the file system");
	put_le(block, 0xe0f5e1e2U, 4);
	put_le(block + 8, 1 | 2, 4);
	block[12] = 12; /* of 4096, the binary logarithm */
	put_le(block + 14, (uint64_t)e->places[ROOT].inode / 32, 2);
	put_le(block + 16, e->tree->norder, 8);
	put_le(block + 24, (uint64_t)now_s, 8);
	put_le(block + 36, e->blocks, 4);
	memcpy(block + 48, uuid, 16);
	memcpy(block + 64, volume_name, sizeof(volume_name));
	put_le(block + 80, e->chunked ? 4 : 0, 4);
	put_le(block + 4, crc32c(~0U, block, sizeof(block)), 4);
	return put(e, block, sizeof(block), SUPER);
}

int erofs_write(struct filetree *t, int fd, const uint8_t uuid[16], int64_t now_s,
		int64_t *ret_size, struct error *err)
{
	struct erofs e = { .tree = t, .fd = fd, .meta_end = FIRST_INODE, .err = err };
	autofree struct place *places = NULL;
	int r;

	filetree_number(t, ROOT, ROOT + 1);
	places = xcalloc(t->norder + 2, sizeof(*places));
	e.places = places;
	r = plan(&e);
	if (r == 0)
		r = place_data(&e);
	if (r == 0 && ftruncate(fd, (off_t)e.blocks * BLOCK) < 0)
		r = error_sys(err, -errno, "write the file system");
	for (size_t i = 0; r == 0 && i < t->norder; i++)
		r = write_file(&e, t->order[i]);
	if (r == 0)
		r = write_super(&e, uuid, now_s);
	*ret_size = (int64_t)e.blocks * BLOCK;
	return r;
}
