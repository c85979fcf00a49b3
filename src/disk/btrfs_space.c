/* src/disk/btrfs_space.c - which part of the disk is whose. */
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/btrfs_inside.h"

#define LEAST                                                                                      \
	(16ULL << 20) /* of a space that ends before its time, at a copy of the superblock         \
		       */
#define MOST       (1ULL << 30)
#define EXTENT_MAX (128ULL << 20)

static const uint64_t supers[] = { BTRFS_SUPER_2, BTRFS_SUPER_3 };

void btrfs_write_at(struct btrfs_out *b, const void *bytes, size_t len, uint64_t at)
{
	const char *from = bytes;

	while (b->r == 0 && len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(b->fd, from, len, (off_t)at));

		if (n <= 0) {
			b->r = error_sys(b->err, n < 0 ? -errno : -EIO, "write the file system");
			return;
		}
		from += n;
		len -= (size_t)n;
		at += (size_t)n;
	}
}

/* What there is from at on, up to the next copy of the superblock or the end. */
static uint64_t room_from(const struct btrfs_out *b, uint64_t at, uint64_t *ret_next)
{
	for (size_t i = 0; i < ARRAY_SIZE(supers); i++)
		if (at <= supers[i] && supers[i] < b->size) {
			*ret_next = supers[i] + BTRFS_ALIGN;
			return supers[i] - at;
		}
	*ret_next = 0;
	return b->size - MIN(at, b->size);
}

size_t btrfs_space_new(struct btrfs_out *b, unsigned kind, uint64_t want)
{
	unsigned copies = kind & BTRFS_IS_TWICE ? 2 : 1;
	uint64_t next, room = room_from(b, b->end, &next) / copies;

	want = (MIN(want, MOST) + BTRFS_ALIGN - 1) / BTRFS_ALIGN * BTRFS_ALIGN;
	while (room < MIN(want, LEAST) && next) {
		b->end = next;
		room = room_from(b, b->end, &next) / copies;
	}
	if (room < MIN(want, LEAST)) {
		if (b->r == 0)
			b->r = error_set(b->err, -ENOSPC, "the files do not fit");
		want = room = 0;
	}
	want = MIN(want, room / BTRFS_ALIGN * BTRFS_ALIGN);
	VEC_GROW(b->spaces, b->n, b->room);
	b->spaces[b->n] = (struct btrfs_space) { .at = b->end, .len = want, .kind = kind };
	b->end += copies * want;
	return b->n++;
}

static struct btrfs_space *space_for_node(struct btrfs_out *b, uint64_t tree)
{
	struct btrfs_space *s = &b->spaces[tree == BTRFS_CHUNKS ? b->chunk_space : b->node_space];

	if (s->len - s->used >= BTRFS_NODE)
		return s;
	b->node_space =
		btrfs_space_new(b, BTRFS_IS_NODES | BTRFS_IS_TWICE, MAX(b->want_nodes, LEAST));
	s = &b->spaces[b->node_space];
	b->want_nodes -= MIN(b->want_nodes, s->len);
	return s;
}

uint64_t btrfs_node_new(struct btrfs_out *b, uint64_t tree, unsigned level)
{
	struct btrfs_space *s = b->counted ? NULL : space_for_node(b, tree);
	struct btrfs_nodes *nodes = s ? &s->nodes : b->counted;

	if (b->r < 0)
		return 0;
	VEC_GROW(nodes->items, nodes->n, nodes->room);
	nodes->items[nodes->n++] = (struct btrfs_node) { tree, level };
	if (!s)
		return 0;
	s->used += BTRFS_NODE;
	return s->at + s->used - BTRFS_NODE;
}

uint64_t btrfs_data_new(struct btrfs_out *b, const struct btrfs_data *d, uint64_t *ret_len)
{
	struct btrfs_space *s = &b->spaces[b->data_space];

	if (s->used == s->len) {
		b->data_space = btrfs_space_new(b, BTRFS_IS_DATA, MAX(b->want_data, d->len));
		s = &b->spaces[b->data_space];
	}
	*ret_len = MIN(MIN(d->len, EXTENT_MAX), s->len - s->used);
	VEC_GROW(s->data, s->ndata, s->room);
	s->data[s->ndata++] = (struct btrfs_data) { *ret_len, d->at, d->inode };
	s->used += *ret_len;
	b->want_data -= MIN(b->want_data, *ret_len);
	return s->at + s->used - *ret_len;
}

void btrfs_out_done(struct btrfs_out *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->spaces[i].nodes.items);
		free(b->spaces[i].data);
	}
	free(b->spaces);
	free(b->wait);
	free(b->buffer);
	free(b->runs);
}
