/* src/disk/tree_btrfs_walk.c - items of a btrfs by their keys, and where its blocks lie. */
#include <string.h>

#include "base/alloc.h"
#include "disk/tree_btrfs_inside.h"

#define SPREAD     (0x8U | 0x40U | 0x80U | 0x100U) /* over several devices */
#define CHUNKS_MAX 1000000U

void btrfs_in_done(struct btrfs_in *b)
{
	for (size_t i = 0; i < BTRFS_LEVELS; i++)
		free(b->slots[i].bytes);
	free(b->chunks);
}

int btrfs_take_chunk(const struct inodes *g, struct btrfs_in *b, uint64_t logical,
		     const unsigned char *p, size_t len, size_t *ret_used)
{
	struct btrfs_chunk c = { .logical = logical };
	size_t stripes = len < BTRFS_CHUNK_HEAD ? 0 : (size_t)get_le(p + 44, 2);

	if (stripes == 0 || stripes > (len - BTRFS_CHUNK_HEAD) / BTRFS_STRIPE ||
	    b->n >= CHUNKS_MAX || (b->n && logical < b->chunks[b->n - 1].logical))
		return inodes_damaged(g, "its chunks");
	if (get_le(p + 24, 8) & SPREAD)
		return error_set(g->err, -EOPNOTSUPP,
				 "it is spread over several devices: mount it, and take the "
				 "directory");
	c.len = get_le(p, 8);
	c.place = (int64_t)get_le(p + BTRFS_CHUNK_HEAD + 8, 8);
	*ret_used = BTRFS_CHUNK_HEAD + stripes * BTRFS_STRIPE;
	VEC_GROW(b->chunks, b->n, b->room);
	b->chunks[b->n++] = c;
	return 0;
}

int btrfs_place(const struct inodes *g, const struct btrfs_in *b, uint64_t logical, uint64_t len,
		int64_t *ret)
{
	size_t low = 0, high = b->n;
	const struct btrfs_chunk *c;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->chunks[middle].logical <= logical)
			low = middle + 1;
		else
			high = middle;
	}
	c = low ? &b->chunks[low - 1] : NULL;
	if (!c || logical - c->logical > c->len || len > c->len - (logical - c->logical) ||
	    c->place < 0 || c->place > g->at.size ||
	    logical - c->logical > (uint64_t)(g->at.size - c->place))
		return inodes_damaged(g, "blocks outside of it");
	*ret = c->place + (int64_t)(logical - c->logical);
	return 0;
}

struct walking {
	const struct inodes *g;
	struct btrfs_in *b;
	uint64_t object;
	btrfs_item_fn fn;
	void *data;
	bool any; /* the last key is one */
	struct btrfs_item last;
};

static bool is_behind(const struct btrfs_item *a, const struct btrfs_item *b)
{
	if (a->object != b->object)
		return a->object > b->object;
	return a->kind != b->kind ? a->kind > b->kind : a->offset > b->offset;
}

static int get_node(const struct walking *w, uint64_t logical, unsigned level,
		    const struct btrfs_slot **ret)
{
	struct btrfs_slot *s = &w->b->slots[level];
	int r;

	*ret = s;
	if (s->logical == logical && logical)
		return 0;
	s->logical = 0;
	if (!s->bytes)
		s->bytes = xmalloc(w->b->node);
	r = btrfs_place(w->g, w->b, logical, w->b->node, &s->place);
	if (r == 0)
		r = inodes_get(w->g, s->place, s->bytes, w->b->node, "a tree");
	if (r < 0)
		return r;
	if (get_le(s->bytes + 48, 8) != logical || s->bytes[100] != level)
		return inodes_damaged(w->g, "a tree");
	s->logical = logical;
	return 0;
}

/* Keys ascend through all of the leaves, so none is visited twice. */
static int take_leaf(struct walking *w, const struct btrfs_slot *s, size_t n)
{
	const struct btrfs_in *b = w->b;
	int r = 0;

	if (n > (b->node - BTRFS_HEAD) / BTRFS_ITEM)
		return inodes_damaged(w->g, "a tree");
	for (size_t i = 0; r == 0 && i < n; i++) {
		const unsigned char *p = s->bytes + BTRFS_HEAD + BTRFS_ITEM * i;
		size_t at = (size_t)get_le(p + BTRFS_KEY, 4),
		       len = (size_t)get_le(p + BTRFS_KEY + 4, 4);
		struct btrfs_item item = {
			.object = get_le(p, 8), .kind = p[8], .offset = get_le(p + 9, 8), .len = len
		};

		if (at > b->node - BTRFS_HEAD || len > b->node - BTRFS_HEAD - at ||
		    (w->any && !is_behind(&item, &w->last)))
			return inodes_damaged(w->g, "a tree");
		w->last = item;
		w->any = true;
		item.bytes = s->bytes + BTRFS_HEAD + at;
		item.place = s->place + BTRFS_HEAD + (int64_t)at;
		if (item.object == w->object)
			r = w->fn(w->g, &item, w->data);
	}
	return r;
}

static int take_node(struct walking *w, uint64_t logical, unsigned level)
{
	const struct btrfs_slot *s;
	int r = get_node(w, logical, level, &s);
	size_t n;

	if (r < 0)
		return r;
	n = (size_t)get_le(s->bytes + 96, 4);
	if (level == 0)
		return take_leaf(w, s, n);
	if (n == 0 || n > (w->b->node - BTRFS_HEAD) / BTRFS_POINTER)
		return inodes_damaged(w->g, "a tree");
	for (size_t i = 0; r == 0 && i < n; i++) {
		const unsigned char *p = s->bytes + BTRFS_HEAD + BTRFS_POINTER * i;

		if (get_le(p, 8) > w->object)
			break;
		if (i + 1 < n && get_le(p + BTRFS_POINTER, 8) < w->object)
			continue;
		r = take_node(w, get_le(p + BTRFS_KEY, 8), level - 1);
	}
	return r;
}

int btrfs_walk(const struct inodes *g, struct btrfs_in *b, struct btrfs_tree tree, uint64_t object,
	       btrfs_item_fn fn, void *data)
{
	struct walking w = { .g = g, .b = b, .object = object, .fn = fn, .data = data };

	return tree.level < BTRFS_LEVELS ? take_node(&w, tree.logical, tree.level)
					 : inodes_damaged(g, "a tree");
}
