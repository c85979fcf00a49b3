/* src/disk/btrfs_books.c - trees of what is used by whom.
 *
 * That of extents holds each node of each tree, its own and the later ones, too: so it is made
 * without writing, until it has as many nodes as it said.
 */
#include <string.h>
#include <sys/param.h>

#include "base/alloc.h"
#include "disk/btrfs_inside.h"
#include "disk/region.h"

#define NODE_LEN    33 /* with one owner */
#define OF_DATA     1  /* flags */
#define OF_NODE     2
#define BY_NODE     176 /* kinds of owners */
#define BY_DATA     178
#define DEVICE      1ULL
#define DEVICES     1ULL /* the object that it is of */
#define SPACE_BYTES 350  /* of items of a space, in all trees, at most */
#define LATE_LEAST  16   /* nodes */

struct books {
	struct btrfs_out *b;
	struct btrfs_nodes late; /* of what comes behind those that are written */
	size_t base;             /* how many there were before */
};

typedef void (*add_items)(const struct books *k, struct btrfs_filling *f);

/* chunks */

void btrfs_put_device(const struct btrfs_out *b, unsigned char *to)
{
	uint64_t given = 0;

	for (size_t i = 0; i < b->n; i++)
		given += b->spaces[i].len * (b->spaces[i].kind & BTRFS_IS_TWICE ? 2 : 1);
	put_le(to, DEVICE, 8);
	put_le(to + 8, b->size, 8);
	put_le(to + 16, given, 8);
	for (size_t i = 0; i < 3; i++)
		put_le(to + 24 + 4 * i, BTRFS_BLOCK, 4);
	memcpy(to + 66, b->device_uuid, 16);
	memcpy(to + 82, b->uuid, 16);
}

size_t btrfs_put_chunk(const struct btrfs_out *b, const struct btrfs_space *s, unsigned char *to)
{
	unsigned copies = s->kind & BTRFS_IS_TWICE ? 2 : 1;

	put_le(to, s->len, 8);
	put_le(to + 8, BTRFS_EXTENTS, 8);
	put_le(to + 16, BTRFS_ALIGN, 8);
	put_le(to + 24, s->kind, 8);
	put_le(to + 32, BTRFS_ALIGN, 4);
	put_le(to + 36, BTRFS_ALIGN, 4);
	put_le(to + 40, BTRFS_BLOCK, 4);
	put_le(to + 44, copies, 2);
	put_le(to + 46, 1, 2);
	for (unsigned i = 0; i < copies; i++) {
		unsigned char *stripe = to + BTRFS_CHUNK_HEAD + BTRFS_STRIPE * (size_t)i;

		put_le(stripe, DEVICE, 8);
		put_le(stripe + 8, s->at + i * s->len, 8);
		memcpy(stripe + 16, b->device_uuid, 16);
	}
	return BTRFS_CHUNK_HEAD + BTRFS_STRIPE * (size_t)copies;
}

static void add_chunks(const struct books *k, struct btrfs_filling *f)
{
	unsigned char device[BTRFS_DEVICE_LEN] = { 0 };

	btrfs_put_device(k->b, device);
	btrfs_add(f, (struct btrfs_key) { DEVICES, BTRFS_DEVICE, DEVICE }, device, sizeof(device));
	for (size_t i = 0; i < k->b->n; i++) {
		const struct btrfs_space *s = &k->b->spaces[i];
		unsigned char item[BTRFS_CHUNK_MAX] = { 0 };
		size_t len = btrfs_put_chunk(k->b, s, item);

		btrfs_add(f, (struct btrfs_key) { BTRFS_FIRST_CHUNK, BTRFS_CHUNK, s->at }, item,
			  len);
	}
}

static void add_devices(const struct books *k, struct btrfs_filling *f)
{
	for (size_t i = 0; i < k->b->n; i++) {
		const struct btrfs_space *s = &k->b->spaces[i];
		unsigned char item[48] = { 0 };

		put_le(item, BTRFS_CHUNKS, 8);
		put_le(item + 8, BTRFS_FIRST_CHUNK, 8);
		put_le(item + 16, s->at, 8);
		put_le(item + 24, s->len, 8);
		memcpy(item + 32, k->b->chunk_uuid, 16);
		for (unsigned n = 0; n < (s->kind & BTRFS_IS_TWICE ? 2U : 1U); n++)
			btrfs_add(f,
				  (struct btrfs_key) { DEVICE, BTRFS_DEVICE_EXTENT,
						       s->at + n * s->len },
				  item, sizeof(item));
	}
}

/* what is used, and what is free */

static bool is_last(const struct books *k, const struct btrfs_space *s)
{
	return s == &k->b->spaces[k->b->node_space];
}

static uint64_t used_of(const struct books *k, const struct btrfs_space *s)
{
	return is_last(k, s) ? (k->base + k->late.n) * BTRFS_NODE : s->used;
}

static void add_free(const struct books *k, struct btrfs_filling *f)
{
	for (size_t i = 0; i < k->b->n; i++) {
		const struct btrfs_space *s = &k->b->spaces[i];
		uint64_t used = used_of(k, s);
		unsigned char item[8] = { used < s->len };

		btrfs_add(f, (struct btrfs_key) { s->at, BTRFS_FREE_INFO, s->len }, item,
			  sizeof(item));
		if (used < s->len)
			btrfs_add(f,
				  (struct btrfs_key) { s->at + used, BTRFS_FREE_EXTENT,
						       s->len - used },
				  NULL, 0);
	}
}

static void put_used(unsigned char *to, unsigned flags, unsigned by)
{
	put_le(to, 1, 8);
	put_le(to + 8, BTRFS_TIME, 8);
	put_le(to + 16, flags, 8);
	to[24] = (unsigned char)by;
}

static void add_group(const struct books *k, const struct btrfs_space *s, struct btrfs_filling *f)
{
	unsigned char item[24] = { 0 };

	put_le(item, used_of(k, s), 8);
	put_le(item + 8, BTRFS_FIRST_CHUNK, 8);
	put_le(item + 16, s->kind, 8);
	btrfs_add(f, (struct btrfs_key) { s->at, BTRFS_BLOCK_GROUP, s->len }, item, sizeof(item));
}

static void add_data(const struct books *k, const struct btrfs_space *s, struct btrfs_filling *f)
{
	uint64_t at = s->at;

	for (size_t i = 0; i < s->ndata; i++) {
		const struct btrfs_data *d = &s->data[i];
		unsigned char item[25 + 28];

		put_used(item, OF_DATA, BY_DATA);
		put_le(item + 25, BTRFS_FILES, 8);
		put_le(item + 33, d->inode, 8);
		put_le(item + 41, d->at, 8);
		put_le(item + 49, 1, 4);
		btrfs_add(f, (struct btrfs_key) { at, BTRFS_USED_DATA, d->len }, item,
			  sizeof(item));
		if (i == 0)
			add_group(k, s, f);
		at += d->len;
	}
}

static void add_nodes(const struct books *k, const struct btrfs_space *s, struct btrfs_filling *f)
{
	size_t own = is_last(k, s) ? k->base : s->nodes.n, n = own;

	if (is_last(k, s))
		n += k->late.n;
	for (size_t i = 0; i < n; i++) {
		const struct btrfs_node *node =
			i < own ? &s->nodes.items[i] : &k->late.items[i - own];
		unsigned char item[NODE_LEN];

		put_used(item, OF_NODE, BY_NODE);
		put_le(item + 25, node->tree, 8);
		btrfs_add(
			f,
			(struct btrfs_key) { s->at + i * BTRFS_NODE, BTRFS_USED_NODE, node->level },
			item, sizeof(item));
		if (i == 0)
			add_group(k, s, f);
	}
}

static void add_extents(const struct books *k, struct btrfs_filling *f)
{
	for (size_t i = 0; i < k->b->n; i++) {
		const struct btrfs_space *s = &k->b->spaces[i];

		if (used_of(k, s) == 0)
			add_group(k, s, f);
		else if (s->kind & BTRFS_IS_DATA)
			add_data(k, s, f);
		else
			add_nodes(k, s, f);
	}
}

/* in which order, and how many nodes */

static void make(const struct books *k, uint64_t tree, add_items add, struct btrfs_filling *ret)
{
	btrfs_fill(ret, k->b, tree);
	add(k, ret);
	btrfs_finish(ret);
}

static void append(struct btrfs_nodes *to, const struct btrfs_nodes *from)
{
	for (size_t i = 0; i < from->n; i++) {
		VEC_GROW(to->items, to->n, to->room);
		to->items[to->n++] = from->items[i];
	}
}

static void count(const struct books *k, uint64_t tree, add_items add, struct btrfs_nodes *ret)
{
	struct btrfs_filling f;

	ret->n = 0;
	k->b->counted = ret;
	make(k, tree, add, &f);
	k->b->counted = NULL;
}

static void plan(struct books *k)
{
	struct btrfs_node all = { BTRFS_ROOTS, 0 };
	struct btrfs_nodes free_nodes = { 0 }, extents = { 0 }, roots = { &all, 1, 1 };
	size_t before;

	count(k, BTRFS_FREE, add_free, &free_nodes);
	do {
		before = extents.n;
		k->late.n = 0;
		append(&k->late, &free_nodes);
		append(&k->late, &extents);
		append(&k->late, &roots);
		count(k, BTRFS_EXTENTS, add_extents, &extents);
	} while (extents.n != before);
	k->late.n = 0;
	append(&k->late, &free_nodes);
	append(&k->late, &extents);
	append(&k->late, &roots);
	free(free_nodes.items);
	free(extents.items);
}

/* All that is still to come goes into one space, so that no other one begins meanwhile. */
static void make_room(struct btrfs_out *b)
{
	uint64_t bytes = b->n * SPACE_BYTES, late;
	const struct btrfs_space *s;

	for (size_t i = 0; i < b->n; i++) {
		bytes += b->spaces[i].nodes.n * (BTRFS_ITEM + NODE_LEN);
		bytes += b->spaces[i].ndata * (BTRFS_ITEM + BTRFS_EXTENT_LEN);
	}
	late = (bytes / (BTRFS_NODE / 2) + LATE_LEAST) * BTRFS_NODE;
	s = &b->spaces[b->node_space];
	if (s->len - s->used < late)
		b->node_space = btrfs_space_new(b, BTRFS_IS_NODES | BTRFS_IS_TWICE, late);
	s = &b->spaces[b->node_space];
	if (b->r == 0 && s->len - s->used < late)
		b->r = error_set(b->err, -ENOSPC, "the files do not fit");
}

void btrfs_books(struct btrfs_out *b, struct btrfs_books *ret)
{
	struct books k = { .b = b };

	make_room(b);
	if (b->r < 0)
		return;
	make(&k, BTRFS_CHUNKS, add_chunks, &ret->chunks);
	make(&k, BTRFS_DEVICES, add_devices, &ret->devices);
	k.base = b->spaces[b->node_space].nodes.n;
	plan(&k);
	make(&k, BTRFS_FREE, add_free, &ret->free);
	make(&k, BTRFS_EXTENTS, add_extents, &ret->extents);
	assert(b->r < 0 || b->spaces[b->node_space].nodes.n + 1 == k.base + k.late.n);
	free(k.late.items);
}
