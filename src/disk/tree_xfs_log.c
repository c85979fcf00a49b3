/* src/disk/tree_xfs_log.c - whether an XFS was left cleanly.
 *
 * Each sector of the log begins with the number of the round in which it was written, or is the
 * head of a record, which has it behind a magic number.  Where the round changes is the end of what
 * was written; a clean log's last record says that the file system was unmounted, and nothing else.
 */
#include "disk/tree_xfs_inside.h"

#include "base/macros.h"

#define SECTOR      512
#define MAGIC       0xfeedbabeU
#define BACK_MAX    1024 /* sectors of the largest record, and more */
#define PER_HEAD    32768U
#define HEADS_MAX   8U
#define UNMOUNT     0x20U
#define VERSION_TWO 2U

struct log {
	const struct inodes *g;
	int64_t at;
	uint64_t n; /* sectors */
};

static int get(const struct log *l, uint64_t sector, unsigned char *to)
{
	return inodes_get(l->g, l->at + (int64_t)(sector % l->n) * SECTOR, to, SECTOR, "its log");
}

static int round_of(const struct log *l, uint64_t sector, uint64_t *ret)
{
	unsigned char s[SECTOR] = { 0 };
	int r = get(l, sector, s);

	*ret = get_be(s, 4) == MAGIC ? get_be(s + 4, 4) : get_be(s, 4);
	return r;
}

/* The first sector that is of an earlier round than the first one; all of them: the end. */
static int find_end(const struct log *l, uint64_t *ret)
{
	uint64_t low = 0, high = l->n, first, other;
	int r = round_of(l, 0, &first);

	while (r == 0 && high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		r = round_of(l, middle, &other);
		if (other == first)
			low = middle;
		else
			high = middle;
	}
	*ret = high;
	return r;
}

static unsigned heads_of(const unsigned char *head)
{
	uint64_t size = get_be(head + 320, 4);

	if (!(get_be(head + 8, 4) & VERSION_TWO) || size <= PER_HEAD)
		return 1;
	return (unsigned)MIN((size + PER_HEAD - 1) / PER_HEAD, (uint64_t)HEADS_MAX);
}

int xfs_in_log_is_clean(const struct inodes *g, int64_t at, uint64_t blocks)
{
	const struct xfs_in *x = g->data;
	const struct log l = { g, at, blocks * (x->block / SECTOR) };
	unsigned char s[SECTOR] = { 0 };
	uint64_t end = 0, head = 0;
	int r;

	if (l.n == 0)
		return inodes_damaged(g, "its log");
	r = find_end(&l, &end);
	for (uint64_t i = 1; r == 0 && get_be(s, 4) != MAGIC; i++) {
		if (i > MIN(l.n, (uint64_t)BACK_MAX))
			return 0;
		head = end + l.n - i;
		r = get(&l, head, s);
	}
	if (r < 0)
		return r;
	if (get_be(s + 40, 4) != 1)
		return 0;
	r = get(&l, head + heads_of(s), s);
	return r < 0 ? r : (s[9] & UNMOUNT) != 0;
}
