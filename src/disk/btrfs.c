/* src/disk/btrfs.c
 *
 * What mkfs.btrfs 6.2 makes on one device: nodes of 16 KiB, each twice, data once; no items for
 * holes, short items for nodes, a tree of what is free.
 */
#include "disk/btrfs.h"

#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/btrfs_inside.h"
#include "disk/crc32c.h"
#include "disk/filetree.h"
#include "disk/identity.h"
#include "disk/region.h"
#include "image/tar.h"

#define MIB         (1LL << 20)
#define FIRST       (1ULL << 20) /* what is before is for starting */
#define SYSTEM_LEN  (8ULL << 20)
#define DATA_LEAST  (8ULL << 20)
#define NODES_SPARE (16LL << 20) /* for what the machine writes before it makes a space */
#define OTHER_SPARE (48LL << 20) /* beside copies of the superblock, and for new spaces */
#define SIZE_LEAST  (128LL << 20)
#define LABEL       "root"
#define FEATURES    0x341 /* mixed references, long ones, short items of nodes, no holes */
#define FREE_TREE   0x3   /* it is there, and valid */

/* how large */

/* Bytes of its items in all trees; *data grows by those of its contents. */
static int measure(const struct file *f, int64_t *nodes, int64_t *data, struct error *err)
{
	int64_t blocks = 0, runs = 0;
	int r = 0;

	*nodes += BTRFS_ITEM + BTRFS_INODE_LEN;
	for (size_t i = 0; i < f->nnames; i++)
		*nodes += 3 * (BTRFS_ITEM + (int64_t)strlen(f->names[i].text)) +
			  2 * BTRFS_DIR_HEAD + 18;
	/* Large ones may lie in a node each, half of which stays empty. */
	for (size_t i = 0; i < f->nxattrs; i++)
		*nodes += 2 * (BTRFS_ITEM + BTRFS_DIR_HEAD +
			       (int64_t)(strlen(f->xattrs[i].name) + f->xattrs[i].len));
	if (S_ISLNK(f->mode))
		*nodes += BTRFS_ITEM + BTRFS_EXTENT_HEAD + (int64_t)strlen(f->target);
	if (!S_ISREG(f->mode))
		return 0;
	if (f->content.size <= BTRFS_INLINE_MAX) {
		*nodes += BTRFS_ITEM + BTRFS_EXTENT_HEAD + f->content.size;
		return 0;
	}
	r = content_count(&f->content, BTRFS_BLOCK, &blocks, &runs, err);
	runs += blocks / 4096; /* at most 16 MiB each, to be sure */
	*nodes += 2 * runs * (BTRFS_ITEM + BTRFS_EXTENT_LEN) + BTRFS_SUM * blocks;
	*data += blocks * BTRFS_BLOCK;
	return r;
}

static int64_t round_up(int64_t size)
{
	return (size + MIB - 1) / MIB * MIB;
}

static int measure_all(const struct filetree *t, int64_t *ret_nodes, int64_t *ret_data,
		       struct error *err)
{
	int r = 0;

	*ret_nodes = *ret_data = 0;
	for (size_t i = 0; r == 0 && i < t->norder; i++)
		r = measure(t->order[i], ret_nodes, ret_data, err);
	/* Nodes are not quite full. */
	*ret_nodes = round_up(*ret_nodes / 4 * 5 + NODES_SPARE);
	*ret_data = round_up(MAX(*ret_data, (int64_t)DATA_LEAST));
	return r;
}

int btrfs_fit(struct filetree *t, int64_t free_bytes, int64_t *ret, struct error *err)
{
	int64_t nodes, data;
	int r;

	filetree_number(t, BTRFS_ROOT_DIR, BTRFS_ROOT_DIR + 1);
	r = measure_all(t, &nodes, &data, err);
	*ret = MAX((int64_t)FIRST + 2 * (int64_t)SYSTEM_LEN + 2 * nodes + data + OTHER_SPARE,
		   SIZE_LEAST) +
	       round_up(free_bytes);
	return r;
}

/* the tree of trees */

static void put_root_inode(const struct btrfs_out *b, unsigned char *to)
{
	const struct file dir = { .mode = S_IFDIR | 0755, .mtime = { .tv_sec = b->now_s } };

	btrfs_put_inode(to, &dir, 0, BTRFS_NODE, b->now_s);
}

static void add_root(struct btrfs_filling *roots, const struct btrfs_filling *f, uint64_t dir,
		     const uint8_t *uuid)
{
	unsigned char item[BTRFS_ROOT_LEN] = { 0 };

	put_root_inode(roots->b, item);
	put_le(item + 160, BTRFS_TIME, 8);
	put_le(item + 168, dir, 8);
	put_le(item + 176, f->root, 8);
	put_le(item + 192, f->nodes * BTRFS_NODE, 8);
	put_le(item + 216, 1, 4);
	item[238] = (unsigned char)f->at_level;
	put_le(item + 239, BTRFS_TIME, 8);
	if (uuid) {
		memcpy(item + 247, uuid, 16);
		put_le(item + 327, (uint64_t)roots->b->now_s, 8);
		put_le(item + 339, (uint64_t)roots->b->now_s, 8);
	}
	btrfs_add(roots, (struct btrfs_key) { f->tree, BTRFS_ROOT, 0 }, item, sizeof(item));
}

/* Which subvolume is mounted if none is named. */
static void add_default(struct btrfs_filling *roots)
{
	static const char name[7] = "default";
	unsigned char item[BTRFS_DIR_HEAD + sizeof(name)] = { 0 }, inode[BTRFS_INODE_LEN] = { 0 };

	put_root_inode(roots->b, inode);
	btrfs_put_root_dir(roots, BTRFS_TREE_DIR, inode);
	btrfs_put_key(item, (struct btrfs_key) { BTRFS_FILES, BTRFS_ROOT, UINT64_MAX });
	put_le(item + 27, sizeof(name), 2);
	item[29] = 2;
	memcpy(item + BTRFS_DIR_HEAD, name, sizeof(name));
	btrfs_add(roots,
		  (struct btrfs_key) { BTRFS_TREE_DIR, BTRFS_DIR_ITEM,
				       crc32c(~1U, name, sizeof(name)) },
		  item, sizeof(item));
}

struct trees {
	struct btrfs_filling files, uuids, relocation, roots;
	struct btrfs_books books;
};

static void write_roots(struct btrfs_out *b, struct trees *t)
{
	static const unsigned char name[] = { 0, 0,   0,   0,   0,   0,   0,   0,  7,
					      0, 'd', 'e', 'f', 'a', 'u', 'l', 't' };

	btrfs_fill(&t->roots, b, BTRFS_ROOTS);
	add_root(&t->roots, &t->books.extents, 0, NULL);
	add_root(&t->roots, &t->books.devices, 0, NULL);
	btrfs_add(&t->roots, (struct btrfs_key) { BTRFS_FILES, BTRFS_INODE_REF, BTRFS_TREE_DIR },
		  name, sizeof(name));
	add_root(&t->roots, &t->files, BTRFS_ROOT_DIR, b->files_uuid);
	add_default(&t->roots);
	add_root(&t->roots, &b->sums, 0, NULL);
	add_root(&t->roots, &t->uuids, 0, NULL);
	add_root(&t->roots, &t->books.free, 0, NULL);
	add_root(&t->roots, &t->relocation, BTRFS_ROOT_DIR, NULL);
	btrfs_finish(&t->roots);
}

/* Which subvolume has that number, and an empty tree that the kernel moves data by. */
static void write_small_trees(struct btrfs_out *b, struct trees *t)
{
	unsigned char inode[BTRFS_INODE_LEN] = { 0 }, item[8] = { BTRFS_FILES };

	btrfs_fill(&t->uuids, b, BTRFS_UUIDS);
	btrfs_add(&t->uuids,
		  (struct btrfs_key) { get_le(b->files_uuid, 8), BTRFS_UUID_SUBVOLUME,
				       get_le(b->files_uuid + 8, 8) },
		  item, sizeof(item));
	btrfs_finish(&t->uuids);
	put_root_inode(b, inode);
	btrfs_fill(&t->relocation, b, BTRFS_RELOCATION);
	btrfs_put_root_dir(&t->relocation, BTRFS_ROOT_DIR, inode);
	btrfs_finish(&t->relocation);
}

static void put_super(const struct btrfs_out *b, const struct trees *t, unsigned char *s)
{
	static const char magic[8] = "_BHRfS_M";
	const struct btrfs_space *first = &b->spaces[b->chunk_space];
	uint64_t used = 0;

	for (size_t i = 0; i < b->n; i++)
		used += b->spaces[i].used;
	memcpy(s + 32, b->uuid, 16);
	put_le(s + 56, 1, 8); /* written */
	memcpy(s + 64, magic, sizeof(magic));
	put_le(s + 72, BTRFS_TIME, 8);
	put_le(s + 80, t->roots.root, 8);
	put_le(s + 88, t->books.chunks.root, 8);
	put_le(s + 112, b->size, 8);
	put_le(s + 120, used, 8);
	put_le(s + 128, BTRFS_TREE_DIR, 8);
	put_le(s + 136, 1, 8); /* device */
	put_le(s + 144, BTRFS_BLOCK, 4);
	put_le(s + 148, BTRFS_NODE, 4);
	put_le(s + 152, BTRFS_NODE, 4);
	put_le(s + 156, BTRFS_BLOCK, 4);
	put_le(s + 164, BTRFS_TIME, 8);
	put_le(s + 180, FREE_TREE, 8);
	put_le(s + 188, FEATURES, 8);
	s[198] = (unsigned char)t->roots.at_level;
	s[199] = (unsigned char)t->books.chunks.at_level;
	btrfs_put_device(b, s + 201);
	memcpy(s + 299, LABEL, sizeof(LABEL));
	put_le(s + 563, BTRFS_TIME, 8); /* of the tree of numbers of subvolumes: it is complete */
	btrfs_put_key(s + BTRFS_SYSTEM_CHUNKS,
		      (struct btrfs_key) { BTRFS_FIRST_CHUNK, BTRFS_CHUNK, first->at });
	put_le(s + 160, BTRFS_KEY + btrfs_put_chunk(b, first, s + BTRFS_SYSTEM_CHUNKS + BTRFS_KEY),
	       4);
}

static void write_super(struct btrfs_out *b, const struct trees *t)
{
	static const uint64_t places[] = { BTRFS_SUPER, BTRFS_SUPER_2, BTRFS_SUPER_3 };
	unsigned char s[BTRFS_SUPER_LEN] = { 0 };

	put_super(b, t, s);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (places[i] + sizeof(s) > b->size)
			break;
		put_le(s + 48, places[i], 8);
		btrfs_seal(s, sizeof(s));
		btrfs_write_at(b, s, sizeof(s), places[i]);
	}
}

static void write_all(struct btrfs_out *b, const struct filetree *tree)
{
	struct trees t = { 0 };

	b->chunk_space = btrfs_space_new(b, BTRFS_IS_SYSTEM | BTRFS_IS_TWICE, SYSTEM_LEN);
	b->node_space = btrfs_space_new(b, BTRFS_IS_NODES | BTRFS_IS_TWICE, b->want_nodes);
	b->want_nodes -= MIN(b->want_nodes, b->spaces[b->node_space].len);
	b->data_space = btrfs_space_new(b, BTRFS_IS_DATA, b->want_data);
	btrfs_fill(&b->sums, b, BTRFS_ALL_SUMS);
	btrfs_files(b, tree, &t.files);
	btrfs_copy_end(b);
	btrfs_finish(&b->sums);
	write_small_trees(b, &t);
	btrfs_books(b, &t.books);
	write_roots(b, &t);
	if (b->r == 0)
		write_super(b, &t);
}

int btrfs_write(struct filetree *t, int fd, int64_t size, const uint8_t uuid[16], int64_t now_s,
		struct error *err)
{
	struct btrfs_out b = { .fd = fd,
			       .now_s = now_s,
			       .size = (uint64_t)size / BTRFS_BLOCK * BTRFS_BLOCK,
			       .end = FIRST,
			       .err = err };
	struct identity id;
	int64_t nodes, data;

	memcpy(b.uuid, uuid, sizeof(b.uuid));
	identity_of_bytes(uuid, 16, &id);
	identity_uuid(&id, "btrfs chunks", b.chunk_uuid);
	identity_uuid(&id, "btrfs device", b.device_uuid);
	identity_uuid(&id, "btrfs files", b.files_uuid);
	filetree_number(t, BTRFS_ROOT_DIR, BTRFS_ROOT_DIR + 1);
	b.r = measure_all(t, &nodes, &data, err);
	b.want_nodes = (uint64_t)nodes;
	b.want_data = (uint64_t)data;
	if (b.r == 0)
		write_all(&b, t);
	btrfs_out_done(&b);
	return b.r;
}
