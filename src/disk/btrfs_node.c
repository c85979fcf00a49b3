/* src/disk/btrfs_node.c - nodes of a tree, filled in order. */
#include <string.h>

#include "base/alloc.h"
#include "disk/btrfs_inside.h"
#include "disk/crc32c.h"
#include "disk/region.h"

#define WRITTEN  (1ULL << 56 | 1) /* and the only revision of references back */
#define POINTERS ((BTRFS_NODE - BTRFS_HEAD) / BTRFS_POINTER)

void btrfs_put_key(unsigned char *to, struct btrfs_key key)
{
	put_le(to, key.object, 8);
	to[8] = (unsigned char)key.kind;
	put_le(to + 9, key.offset, 8);
}

void btrfs_seal(unsigned char *p, size_t len)
{
	put_le(p, ~crc32c(~0U, p + 32, len - 32), BTRFS_SUM);
}

void btrfs_fill(struct btrfs_filling *f, struct btrfs_out *b, uint64_t tree)
{
	*f = (struct btrfs_filling) { .b = b, .tree = tree };
	f->levels[0] = (struct btrfs_level) { .bytes = xcalloc(1, BTRFS_NODE), .end = BTRFS_NODE };
}

/* Returns where it is now. */
static uint64_t write_node(struct btrfs_filling *f, unsigned level)
{
	struct btrfs_out *b = f->b;
	uint64_t at = btrfs_node_new(b, f->tree, level);
	unsigned char *p = f->levels[level].bytes;

	f->nodes++;
	if (b->counted || b->r < 0)
		return at;
	memcpy(p + 32, b->uuid, 16);
	put_le(p + 48, at, 8);
	put_le(p + 56, WRITTEN, 8);
	memcpy(p + 64, b->chunk_uuid, 16);
	put_le(p + 80, BTRFS_TIME, 8);
	put_le(p + 88, f->tree, 8);
	put_le(p + 96, f->levels[level].n, 4);
	p[100] = (unsigned char)level;
	btrfs_seal(p, BTRFS_NODE);
	btrfs_write_at(b, p, BTRFS_NODE, at);
	btrfs_write_at(
		b, p, BTRFS_NODE,
		at + b->spaces[f->tree == BTRFS_CHUNKS ? b->chunk_space : b->node_space].len);
	return at;
}

static void flush(struct btrfs_filling *f, unsigned level);

static void add_pointer(struct btrfs_filling *f, unsigned level, struct btrfs_key key, uint64_t at)
{
	struct btrfs_level *l = &f->levels[level];
	unsigned char *p;

	if (!l->bytes) {
		assert(level + 1 < BTRFS_LEVELS); /* a disk has not so many nodes */
		l->bytes = xcalloc(1, BTRFS_NODE);
		f->height = level;
	}
	if (l->n == POINTERS)
		flush(f, level);
	if (l->n == 0)
		l->first = key;
	p = l->bytes + BTRFS_HEAD + BTRFS_POINTER * (size_t)l->n++;
	btrfs_put_key(p, key);
	put_le(p + BTRFS_KEY, at, 8);
	put_le(p + BTRFS_KEY + 8, BTRFS_TIME, 8);
}

/* What is full goes to the disk, and a pointer to it one level up. */
static void flush(struct btrfs_filling *f, unsigned level)
{
	struct btrfs_level *l = &f->levels[level];
	uint64_t at = write_node(f, level);

	memset(l->bytes, 0, BTRFS_NODE);
	l->n = 0;
	l->end = BTRFS_NODE;
	add_pointer(f, level + 1, l->first, at);
}

void btrfs_add(struct btrfs_filling *f, struct btrfs_key key, const void *bytes, size_t len)
{
	struct btrfs_level *l = &f->levels[0];
	unsigned char *p;

	assert(len <= BTRFS_ITEM_MAX);
	if (BTRFS_HEAD + BTRFS_ITEM * ((size_t)l->n + 1) + len > l->end)
		flush(f, 0);
	if (l->n == 0)
		l->first = key;
	l->end -= len;
	p = l->bytes + BTRFS_HEAD + BTRFS_ITEM * (size_t)l->n++;
	btrfs_put_key(p, key);
	put_le(p + BTRFS_KEY, l->end - BTRFS_HEAD, 4);
	put_le(p + BTRFS_KEY + 4, len, 4);
	if (len)
		memcpy(l->bytes + l->end, bytes, len);
}

void btrfs_finish(struct btrfs_filling *f)
{
	unsigned level = 0;

	for (; level < f->height; level++)
		flush(f, level);
	f->root = write_node(f, level);
	f->at_level = level;
	for (unsigned i = 0; i < BTRFS_LEVELS; i++)
		free(f->levels[i].bytes);
	memset(f->levels, 0, sizeof(f->levels));
}
