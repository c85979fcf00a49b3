/* src/disk/xfs_dir.c - directories of an XFS: in the inode, in one block, or in many with an index
 * of hashes, which is one block or a tree.
 */
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/xfs_inside.h"

#define HEAD      64 /* of any block of a directory */
#define DOTS      32 /* of "." and ".." behind it */
#define LEAF_AT   (1ULL << 35 >> 12)
#define FREE_AT   (1ULL << 36 >> 12)
#define PER_LEAF  ((XFS_BLOCK - HEAD) / 8)
#define PER_FREE  ((XFS_BLOCK - HEAD) / 2)
#define NO_SPACE  0xffffU
#define DATA_LEAF 0x3df1U
#define DATA_NODE 0x3ebeU
#define LEAF_NODE 0x3dffU

struct entry {
	const char *name;
	size_t len;
	uint32_t number;
	unsigned char type;
};

struct hashed {
	uint32_t hash, address;
};

struct listing {
	struct entry *entries;
	struct hashed *hashes;
	size_t n;
	uint16_t *best; /* the free bytes of each data block */
	size_t blocks;
};

static size_t entry_len(size_t name_len)
{
	return (8 + 1 + name_len + 1 + 2 + 7) / 8 * 8;
}

size_t xfs_dir_small(const struct file *dir, unsigned char *to, size_t room)
{
	size_t len = 6, offset = HEAD + DOTS;

	for (size_t i = 0; i < dir->nnames; i++)
		len += 8 + strlen(dir->names[i].text);
	if (len > room || dir->nnames > UINT8_MAX)
		return 0;
	to[0] = (unsigned char)dir->nnames;
	to[1] = 0;
	put_be(to + 2, dir->parent, 4);
	to += 6;
	for (size_t i = 0; i < dir->nnames; i++) {
		size_t n = strlen(dir->names[i].text);

		to[0] = (unsigned char)n;
		put_be(to + 1, offset, 2);
		memcpy(to + 3, dir->names[i].text, n);
		to[3 + n] = dir_entry_type(dir->names[i].file->mode);
		put_be(to + 4 + n, dir->names[i].file->number, 4);
		to += 8 + n;
		offset += entry_len(n);
	}
	return len;
}

/* blocks */

static void put_head(const struct xfs *x, unsigned char *b, const char *magic, uint64_t block,
		     const struct file *dir)
{
	memcpy(b, magic, 4);
	put_be(b + 8, xfs_sector(x, block), 8);
	memcpy(b + 24, x->uuid, 16);
	put_be(b + 40, dir->number, 8);
}

static size_t put_entry(unsigned char *block, size_t at, const struct entry *e)
{
	unsigned char *p = block + at;
	size_t len = entry_len(e->len);

	put_be(p, e->number, 8);
	p[8] = (unsigned char)e->len;
	memcpy(p + 9, e->name, e->len);
	p[9 + e->len] = e->type;
	put_be(p + len - 2, at, 2);
	return len;
}

/* What is free between the entries and end; told in the head, too. */
static void put_rest(unsigned char *b, size_t at, size_t end)
{
	if (at == end)
		return;
	put_be(b + at, 0xffff, 2);
	put_be(b + at + 2, end - at, 2);
	put_be(b + end - 2, at, 2);
	put_be(b + 48, at, 2);
	put_be(b + 50, end - at, 2);
}

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1)
				  : (x->address > y->address) - (x->address < y->address);
}

static void put_hashes(unsigned char *to, const struct hashed *h, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put_be(to + 8 * i, h[i].hash, 4);
		put_be(to + 8 * i + 4, h[i].address, 4);
	}
}

static void list(struct listing *l, const struct file *dir)
{
	l->n = dir->nnames + 2;
	l->entries = xcalloc(l->n, sizeof(*l->entries));
	l->hashes = xcalloc(l->n, sizeof(*l->hashes));
	l->best = xcalloc(l->n, sizeof(*l->best));
	l->entries[0] = (struct entry) { ".", 1, dir->number, 2 };
	l->entries[1] = (struct entry) { "..", 2, dir->parent, 2 };
	for (size_t i = 0; i < dir->nnames; i++) {
		const struct name *n = &dir->names[i];

		l->entries[i + 2] = (struct entry) { n->text, strlen(n->text), n->file->number,
						     dir_entry_type(n->file->mode) };
	}
}

/* As many entries as fit from *next on; returns where they end. */
static size_t fill(struct listing *l, size_t *next, size_t room, uint64_t block, unsigned char *b)
{
	size_t at = HEAD;

	for (; *next < l->n && at + entry_len(l->entries[*next].len) <= room; (*next)++) {
		const struct entry *e = &l->entries[*next];

		l->hashes[*next] = (struct hashed) { xfs_hash(e->name, e->len),
						     (uint32_t)((block * XFS_BLOCK + at) / 8) };
		at += put_entry(b, at, e);
	}
	return at;
}

static int write_one(struct xfs *x, struct listing *l, const struct file *dir, struct xfs_fork *f)
{
	size_t tail = XFS_BLOCK - 8 - 8 * l->n, next = 0, at;
	unsigned char b[XFS_BLOCK] = { 0 };
	int r = xfs_alloc(x, f, 0, 1);

	if (r < 0)
		return r;
	put_head(x, b, "XDB3", f->runs[0].block, dir);
	at = fill(l, &next, tail, 0, b);
	put_rest(b, at, tail);
	qsort(l->hashes, l->n, sizeof(*l->hashes), by_hash);
	put_hashes(b + tail, l->hashes, l->n);
	put_be(b + XFS_BLOCK - 8, l->n, 4);
	xfs_sum(b, sizeof(b), 4);
	return xfs_put(x, xfs_sector(x, f->runs[0].block), b, sizeof(b));
}

static bool fits_one(const struct listing *l)
{
	size_t len = HEAD + 8 + 8 * l->n;

	for (size_t i = 0; len <= XFS_BLOCK && i < l->n; i++)
		len += entry_len(l->entries[i].len);
	return len <= XFS_BLOCK;
}

static size_t count_blocks(const struct listing *l)
{
	size_t blocks = 1, at = HEAD;

	for (size_t i = 0; i < l->n; i++) {
		size_t len = entry_len(l->entries[i].len);

		if (at + len > XFS_BLOCK) {
			blocks++;
			at = HEAD;
		}
		at += len;
	}
	return blocks;
}

static int write_data(struct xfs *x, struct listing *l, const struct file *dir, struct xfs_fork *f)
{
	size_t next = 0;
	int r = xfs_alloc(x, f, 0, count_blocks(l));

	for (; r == 0 && next < l->n; l->blocks++) {
		uint64_t block = xfs_find(f, l->blocks);
		unsigned char b[XFS_BLOCK] = { 0 };
		size_t at;

		put_head(x, b, "XDD3", block, dir);
		at = fill(l, &next, XFS_BLOCK, l->blocks, b);
		put_rest(b, at, XFS_BLOCK);
		l->best[l->blocks] = (uint16_t)(at == XFS_BLOCK ? 0 : XFS_BLOCK - at);
		xfs_sum(b, sizeof(b), 4);
		r = xfs_put(x, xfs_sector(x, block), b, sizeof(b));
	}
	qsort(l->hashes, l->n, sizeof(*l->hashes), by_hash);
	return r;
}

/* The head of a block of an index: its neighbours come first. */
static void put_index_head(const struct xfs *x, unsigned char *b, unsigned magic, uint64_t block,
			   const struct file *dir)
{
	put_be(b + 8, magic, 2);
	put_be(b + 16, xfs_sector(x, block), 8);
	memcpy(b + 32, x->uuid, 16);
	put_be(b + 48, dir->number, 8);
}

static int put_index(const struct xfs *x, unsigned char *b, uint64_t block)
{
	xfs_sum(b, XFS_BLOCK, 12);
	return xfs_put(x, xfs_sector(x, block), b, XFS_BLOCK);
}

static int write_leaf(struct xfs *x, const struct listing *l, const struct file *dir,
		      struct xfs_fork *f)
{
	unsigned char b[XFS_BLOCK] = { 0 };
	int r = xfs_alloc(x, f, LEAF_AT, 1);
	uint64_t block;

	if (r < 0)
		return r;
	block = xfs_find(f, LEAF_AT);
	put_index_head(x, b, DATA_LEAF, block, dir);
	put_be(b + 56, l->n, 2);
	put_hashes(b + HEAD, l->hashes, l->n);
	for (size_t i = 0; i < l->blocks; i++)
		put_be(b + XFS_BLOCK - 4 - 2 * (l->blocks - i), l->best[i], 2);
	put_be(b + XFS_BLOCK - 4, l->blocks, 4);
	return put_index(x, b, block);
}

static int write_free(struct xfs *x, const struct listing *l, const struct file *dir,
		      struct xfs_fork *f)
{
	size_t n = (l->blocks + PER_FREE - 1) / PER_FREE;
	int r = xfs_alloc(x, f, FREE_AT, n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		uint64_t block = xfs_find(f, FREE_AT + i);
		unsigned char b[XFS_BLOCK] = { 0 };
		size_t first = i * PER_FREE, valid = MIN(l->blocks - first, (size_t)PER_FREE);

		put_head(x, b, "XDF3", block, dir);
		put_be(b + 48, first, 4);
		put_be(b + 52, valid, 4);
		put_be(b + 56, valid, 4);
		for (size_t k = 0; k < valid; k++)
			put_be(b + HEAD + 2 * k, l->best[first + k], 2);
		xfs_sum(b, sizeof(b), 4);
		r = xfs_put(x, xfs_sector(x, block), b, sizeof(b));
	}
	return r;
}

/* A root, and below it the leaves, of about the same number of entries each. */
static int write_tree(struct xfs *x, const struct listing *l, const struct file *dir,
		      struct xfs_fork *f)
{
	size_t leaves = (l->n + PER_LEAF - 1) / PER_LEAF, first = 0;
	unsigned char root[XFS_BLOCK] = { 0 };
	int r = xfs_alloc(x, f, LEAF_AT, leaves + 1);

	for (size_t i = 0; r == 0 && i < leaves; i++) {
		uint64_t block = xfs_find(f, LEAF_AT + 1 + i);
		size_t n = (l->n - first) / (leaves - i);
		unsigned char b[XFS_BLOCK] = { 0 };

		put_index_head(x, b, LEAF_NODE, block, dir);
		put_be(b, i + 1 < leaves ? LEAF_AT + 2 + i : 0, 4);
		put_be(b + 4, i ? LEAF_AT + i : 0, 4);
		put_be(b + 56, n, 2);
		put_hashes(b + HEAD, l->hashes + first, n);
		r = put_index(x, b, block);
		first += n;
		put_be(root + HEAD + 8 * i, l->hashes[first - 1].hash, 4);
		put_be(root + HEAD + 8 * i + 4, LEAF_AT + 1 + i, 4);
	}
	if (r < 0)
		return r;
	put_index_head(x, root, DATA_NODE, xfs_find(f, LEAF_AT), dir);
	put_be(root + 56, leaves, 2);
	put_be(root + 58, 1, 2);
	r = put_index(x, root, xfs_find(f, LEAF_AT));
	return r < 0 ? r : write_free(x, l, dir, f);
}

static int write_many(struct xfs *x, struct listing *l, const struct file *dir, struct xfs_fork *f)
{
	int r;

	if (l->n > (size_t)PER_LEAF * PER_LEAF)
		return error_set(x->err, -EFBIG, "a directory has more than %d names",
				 PER_LEAF * PER_LEAF - 2);
	r = write_data(x, l, dir, f);
	if (r < 0)
		return r;
	return HEAD + 8 * l->n + 2 * l->blocks + 4 <= XFS_BLOCK ? write_leaf(x, l, dir, f)
								: write_tree(x, l, dir, f);
}

int xfs_dir_write(struct xfs *x, const struct file *dir, struct xfs_fork *f, int64_t *ret_size)
{
	struct listing l = { .n = 0 };
	int r;

	list(&l, dir);
	if (fits_one(&l)) {
		r = write_one(x, &l, dir, f);
		l.blocks = 1;
	} else {
		r = write_many(x, &l, dir, f);
	}
	*ret_size = (int64_t)l.blocks * XFS_BLOCK;
	free(l.entries);
	free(l.hashes);
	free(l.best);
	return r;
}
