/* src/disk/tree_btrfs.c
 *
 * "btrfs restore" would need root for owners, follows links to set attributes, and leaves out
 * devices, pipes and hard links.
 */
#include "disk/tree_btrfs.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/packed.h"
#include "disk/tree_btrfs_inside.h"
#include "image/tar.h"

#define SYSTEM_MAX  2048
#define KNOWN       0x10f7fU /* incompatible features; not RAID of parities, zones, new extents */
#define SUBVOLS_MAX 1024
#define INODE_BITS  48

enum { NONE, ZLIB, LZO, ZSTD }; /* how an extent is packed */

struct subvol {
	uint64_t id;
	struct btrfs_tree files;
};

struct btrfs {
	struct btrfs_in in;
	struct btrfs_tree roots;
	struct subvol subvols[SUBVOLS_MAX]; /* a file's number begins with the number of one */
	size_t nsubvols;
};

/* What walks need of it: data of struct inodes is const, the nodes that were read last are not. */
struct view {
	struct btrfs *b;
};

static struct btrfs *btrfs_of(const struct inodes *g)
{
	const struct view *v = g->data;

	return v->b;
}

/* one inode */

struct reading_inode {
	struct file *f;
	bool found;
};

static void take_inode(struct file *f, const unsigned char *p)
{
	uint64_t device = get_le(p + 56, 8);

	f->content.size = (int64_t)get_le(p + 16, 8);
	f->uid = (uint32_t)get_le(p + 44, 4);
	f->gid = (uint32_t)get_le(p + 48, 4);
	f->mode = (mode_t)get_le(p + 52, 4);
	if (S_ISCHR(f->mode) || S_ISBLK(f->mode)) {
		f->major = (uint32_t)(device >> 20) & 0xfff;
		f->minor = (uint32_t)device & 0xfffff;
	}
	f->mtime.tv_sec = (int64_t)get_le(p + 136, 8);
	f->mtime.tv_nsec = (long)MIN(get_le(p + 144, 4), 999999999U);
}

/* Those with the same hash are in one item. */
static int take_xattrs(const struct inodes *g, struct file *f, const struct btrfs_item *item)
{
	const unsigned char *p = item->bytes;
	size_t left = item->len;

	while (left > 0) {
		size_t name_len = left < BTRFS_DIR_HEAD ? 0 : (size_t)get_le(p + 27, 2);
		size_t len = left < BTRFS_DIR_HEAD ? 0 : (size_t)get_le(p + 25, 2);

		if (name_len == 0 || name_len + len > left - BTRFS_DIR_HEAD)
			return inodes_damaged(g, "attributes");
		inodes_xattr(f, "", p + BTRFS_DIR_HEAD, name_len, p + BTRFS_DIR_HEAD + name_len,
			     len);
		p += BTRFS_DIR_HEAD + name_len + len;
		left -= BTRFS_DIR_HEAD + name_len + len;
	}
	return 0;
}

static int refuse_packing(const struct inodes *g, unsigned by)
{
	return error_set(g->err, -EOPNOTSUPP,
			 by == LZO
				 ? "files of it are compressed by lzo, which is not read (zlib and "
				   "zstd are): mount it, and take the directory"
				 : "files of it are packed in a way that is not known: mount it, "
				   "and take the directory");
}

/* Where it lies, and how it is packed, if it is. */
struct extent {
	unsigned by; /* NONE, ZLIB, LZO, ZSTD */
	int64_t place;
	uint64_t len; /* there, packed as it is */
	uint64_t size, skip;
};

static int add_extent(const struct inodes *g, struct file *f, int64_t at, int64_t len,
		      const struct extent *e)
{
	struct packed packed = { .by = e->by == ZLIB ? PACKED_BY_ZLIB : PACKED_BY_ZSTD,
				 .len = (uint32_t)MIN(e->len, UINT32_MAX),
				 .size = (uint32_t)MIN(e->size, UINT32_MAX),
				 .from = e->place };

	if (e->by == NONE)
		return inodes_piece(g, f, at, e->place, len);
	return inodes_packed(g, f, at, (int64_t)e->skip, len, &packed);
}

static int take_extent(const struct inodes *g, struct file *f, const struct btrfs_item *item)
{
	enum { INLINE, PLAIN, PREPARED };
	const unsigned char *p = item->bytes;
	struct extent e = { .by = NONE };
	uint64_t from, len;
	int r;

	if (item->len < BTRFS_EXTENT_HEAD || p[20] > PREPARED ||
	    (p[20] && item->len < BTRFS_EXTENT_LEN) || item->offset > (uint64_t)TAR_SIZE_MAX)
		return inodes_damaged(g, "the extents of a file");
	e.by = p[16];
	e.size = get_le(p + 8, 8);
	if (e.by == LZO || e.by > ZSTD || p[17] || p[18] || p[19])
		return refuse_packing(g, e.by);
	if (p[20] == INLINE) {
		e.place = item->place + BTRFS_EXTENT_HEAD;
		e.len = item->len - BTRFS_EXTENT_HEAD;
		len = e.by == NONE ? e.len : e.size;
		return len > PACKED_MAX ? inodes_damaged(g, "the extents of a file")
					: add_extent(g, f, (int64_t)item->offset, (int64_t)len, &e);
	}
	from = get_le(p + BTRFS_EXTENT_HEAD, 8);
	e.len = get_le(p + BTRFS_EXTENT_HEAD + 8, 8);
	e.skip = get_le(p + BTRFS_EXTENT_HEAD + 16, 8);
	len = get_le(p + BTRFS_EXTENT_HEAD + 24, 8);
	if (from == 0 || p[20] == PREPARED)
		return 0;
	if (e.skip > (uint64_t)TAR_SIZE_MAX || len > (uint64_t)TAR_SIZE_MAX)
		return inodes_damaged(g, "the extents of a file");
	/* Of one that is packed all is needed, of another what the file has of it. */
	r = e.by == NONE ? btrfs_place(g, &btrfs_of(g)->in, from + e.skip, len, &e.place)
			 : btrfs_place(g, &btrfs_of(g)->in, from, e.len, &e.place);
	return r < 0 ? r : add_extent(g, f, (int64_t)item->offset, (int64_t)len, &e);
}

static int take_item(const struct inodes *g, const struct btrfs_item *item, void *data)
{
	struct reading_inode *ri = data;
	struct file *f = ri->f;

	if (item->kind == BTRFS_INODE) {
		if (item->len < 160)
			return inodes_damaged(g, "an inode");
		take_inode(f, item->bytes);
		ri->found = true;
		return f->content.size < 0 || f->content.size > TAR_SIZE_MAX
			       ? inodes_damaged(g, "the size of a file")
			       : 0;
	}
	if (!ri->found)
		return item->kind < BTRFS_INODE ? 0 : inodes_damaged(g, "a name leads to no file");
	if (item->kind == BTRFS_XATTR && !S_ISLNK(f->mode))
		return take_xattrs(g, f, item);
	if (item->kind == BTRFS_EXTENT && (S_ISREG(f->mode) || S_ISLNK(f->mode)))
		return take_extent(g, f, item);
	return 0;
}

static struct btrfs_tree tree_of(const struct inodes *g, uint64_t number)
{
	return btrfs_of(g)->subvols[number >> INODE_BITS].files;
}

static uint64_t inode_of(uint64_t number)
{
	return number & ((1ULL << INODE_BITS) - 1);
}

static int read_link(const struct inodes *g, struct file *f)
{
	char *text = NULL;
	size_t len = (size_t)f->content.size;
	int r = inodes_bytes(g, f, TAR_NAME_MAX, &text, "a symbolic link");

	content_done(&f->content);
	return r < 0 ? r : inodes_target(g, f, text, len);
}

static int read_inode(struct inodes *g, uint64_t number, struct file *f)
{
	struct reading_inode ri = { .f = f };
	int r = btrfs_walk(g, &btrfs_of(g)->in, tree_of(g, number), inode_of(number), take_item,
			   &ri);

	if (r == 0 && !ri.found)
		r = inodes_damaged(g, "a name leads to no file");
	if (r < 0)
		return r;
	if (S_ISLNK(f->mode)) {
		f->content.kind = CONTENT_PIECES;
		return read_link(g, f);
	}
	if (!S_ISREG(f->mode))
		f->content.size = 0;
	else
		f->content.kind = f->content.size ? CONTENT_PIECES : CONTENT_BYTES;
	return 0;
}

/* directories */

struct entry {
	char *name;
	size_t len;
	uint64_t number;
	unsigned kind;
};

struct listing {
	struct entry *items;
	size_t n, room;
};

static int note_name(const struct inodes *g, const struct btrfs_item *item, void *data)
{
	const unsigned char *p = item->bytes;
	struct listing *l = data;
	size_t len;

	if (item->kind != BTRFS_DIR_INDEX)
		return 0;
	len = item->len < BTRFS_DIR_HEAD ? 0 : (size_t)get_le(p + 27, 2);
	if (len == 0 || len > item->len - BTRFS_DIR_HEAD)
		return inodes_damaged(g, "a directory");
	VEC_GROW(l->items, l->n, l->room);
	l->items[l->n++] = (struct entry) { xstrndup((const char *)p + BTRFS_DIR_HEAD, len), len,
					    get_le(p, 8), p[8] };
	return 0;
}

struct root_search {
	unsigned kind;
	uint64_t offset; /* of a reference */
	bool found;
	struct btrfs_tree tree;
};

static int look_at_root(const struct inodes *g, const struct btrfs_item *item, void *data)
{
	struct root_search *s = data;

	if (item->kind != s->kind || (s->kind == BTRFS_ROOT_REF && item->offset != s->offset))
		return 0;
	s->found = true;
	if (s->kind == BTRFS_ROOT_REF)
		return 0;
	if (item->len < 239)
		return inodes_damaged(g, "a subvolume");
	s->tree = (struct btrfs_tree) { get_le(item->bytes + 176, 8), item->bytes[238] };
	return 0;
}

/* 1: it is now one of ours, *ret_number its directory; 0: this is no place of it. */
static int add_subvol(const struct inodes *g, uint64_t parent, uint64_t id, uint64_t *ret_number)
{
	struct root_search ref = { .kind = BTRFS_ROOT_REF, .offset = id },
			   root = { .kind = BTRFS_ROOT };
	struct btrfs *b = btrfs_of(g);
	int r = 0;

	if (parent)
		r = btrfs_walk(g, &b->in, b->roots, parent, look_at_root, &ref);
	if (r < 0 || (parent && !ref.found))
		return r;
	for (size_t i = 0; i < b->nsubvols; i++)
		if (b->subvols[i].id == id)
			return inodes_damaged(g, "a subvolume has two names");
	if (b->nsubvols == SUBVOLS_MAX)
		return error_set(g->err, -EFBIG, "it has more than %d subvolumes", SUBVOLS_MAX);
	r = btrfs_walk(g, &b->in, b->roots, id, look_at_root, &root);
	if (r == 0 && !root.found)
		r = inodes_damaged(g, "a subvolume");
	if (r < 0)
		return r;
	b->subvols[b->nsubvols] = (struct subvol) { id, root.tree };
	*ret_number = (uint64_t)b->nsubvols++ << INODE_BITS | BTRFS_ROOT_DIR;
	return 1;
}

static int take_name(struct inodes *g, uint64_t dir_number, struct file *dir, const struct entry *e)
{
	uint64_t subvol = dir_number >> INODE_BITS, number = subvol << INODE_BITS | e->number;
	int r = 1;

	if (e->kind == BTRFS_ROOT)
		r = add_subvol(g, btrfs_of(g)->subvols[subvol].id, e->number, &number);
	else if (e->kind != BTRFS_INODE || e->number >> INODE_BITS)
		r = inodes_damaged(g, "a name in a directory");
	return r <= 0 ? r : inodes_name(g, dir, e->name, e->len, number);
}

static int list(struct inodes *g, uint64_t number, struct file *dir)
{
	struct listing l = { .n = 0 };
	int r = btrfs_walk(g, &btrfs_of(g)->in, tree_of(g, number), inode_of(number), note_name,
			   &l);

	for (size_t i = 0; i < l.n; i++) {
		if (r == 0)
			r = take_name(g, number, dir, &l.items[i]);
		free(l.items[i].name);
	}
	free(l.items);
	return r;
}

/* one by its path */

struct name_search {
	const char *name;
	struct entry found; /* its name is not set; kind 0: none */
};

static int look_at_name(const struct inodes *g, const struct btrfs_item *item, void *data)
{
	struct name_search *s = data;
	const unsigned char *p = item->bytes;
	size_t len = strlen(s->name);

	(void)g;
	if (item->kind == BTRFS_DIR_INDEX && item->len >= BTRFS_DIR_HEAD + len &&
	    get_le(p + 27, 2) == len && memcmp(p + BTRFS_DIR_HEAD, s->name, len) == 0)
		s->found = (struct entry) { .number = get_le(p, 8), .kind = p[8] };
	return 0;
}

/* The number of a subvolume; -ENOENT. */
static int find_subvol(const struct inodes *g, const char *path, uint64_t *ret)
{
	autofree char *copy = xstrdup(path);
	uint64_t id = BTRFS_FILES, dir = BTRFS_ROOT_DIR;
	char *rest = copy;
	int r = 0;

	while (r == 0 && rest) {
		struct name_search s = { .name = strsep(&rest, "/") };
		struct root_search root = { .kind = BTRFS_ROOT };

		if (!*s.name)
			continue;
		r = btrfs_walk(g, &btrfs_of(g)->in, btrfs_of(g)->roots, id, look_at_root, &root);
		if (r == 0)
			r = btrfs_walk(g, &btrfs_of(g)->in, root.tree, dir, look_at_name, &s);
		if (r == 0 && s.found.kind != BTRFS_ROOT && s.found.kind != BTRFS_INODE)
			r = error_set(g->err, -ENOENT, "it has no subvolume %s", path);
		id = s.found.kind == BTRFS_ROOT ? s.found.number : id;
		dir = s.found.kind == BTRFS_ROOT ? BTRFS_ROOT_DIR : s.found.number;
	}
	if (r == 0 && dir != BTRFS_ROOT_DIR)
		r = error_set(g->err, -ENOENT, "%s is no subvolume of it", path);
	*ret = id;
	return r;
}

/* the superblock */

static int note_default(const struct inodes *g, const struct btrfs_item *item, void *data)
{
	uint64_t *id = data;

	(void)g;
	if (item->kind == BTRFS_DIR_ITEM && item->len == BTRFS_DIR_HEAD + 7 &&
	    memcmp(item->bytes + BTRFS_DIR_HEAD, "default", 7) == 0)
		*id = get_le(item->bytes, 8);
	return 0;
}

static int note_chunk(const struct inodes *g, const struct btrfs_item *item, void *data)
{
	size_t used;

	return item->kind != BTRFS_CHUNK
		       ? 0
		       : btrfs_take_chunk(g, data, item->offset, item->bytes, item->len, &used);
}

/* Those of the superblock lead to the tree of all. */
static int read_chunks(const struct inodes *g, struct btrfs_in *in, const unsigned char *s)
{
	struct btrfs_tree tree = { get_le(s + 88, 8), s[199] };
	struct btrfs_in first = { .node = in->node };
	size_t left = (size_t)get_le(s + 160, 4), used = 0;
	const unsigned char *p = s + BTRFS_SYSTEM_CHUNKS;
	int r = left > SYSTEM_MAX ? inodes_damaged(g, "the superblock") : 0;

	while (r == 0 && left > 17) {
		r = btrfs_take_chunk(g, &first, get_le(p + 9, 8), p + 17, left - 17, &used);
		p += 17 + used;
		left -= MIN(left, 17 + used);
	}
	if (r == 0) {
		struct btrfs_in all = { .node = in->node };

		/* Walked by the first ones, noted in the others. */
		r = btrfs_walk(g, &first, tree, BTRFS_FIRST_CHUNK, note_chunk, &all);
		*in = all;
	}
	btrfs_in_done(&first);
	return r;
}

static int check_super(const struct inodes *g, const unsigned char *s)
{
	uint64_t node = get_le(s + 148, 4), features = get_le(s + 188, 8);

	if (memcmp(s + 64, "_BHRfS_M", 8) != 0 || node < 4096 || node > 65536 ||
	    (node & (node - 1)))
		return inodes_damaged(g, "the superblock");
	if (get_le(s + 136, 8) != 1)
		return error_set(g->err, -EOPNOTSUPP,
				 "it is spread over several devices: mount it, and take the "
				 "directory");
	if (features & ~(uint64_t)KNOWN)
		return error_set(
			g->err, -EOPNOTSUPP,
			"it is a btrfs with features that are not read (0x%llx): mount it, "
			"and take the directory",
			(unsigned long long)features);
	if (get_le(s + 96, 8))
		return error_set(g->err, -EBUSY,
				 "its file system was not left cleanly: start the machine and "
				 "switch it off, or mount it once, which replays its log");
	return 0;
}

int filetree_add_btrfs(struct filetree *t, const struct region *at, const char *subvol,
		       struct error *err)
{
	static const struct inodes_kind kind = { "btrfs check", read_inode, list };
	unsigned char super[BTRFS_SUPER_LEN] = { 0 };
	struct btrfs *b = xnew(struct btrfs);
	const struct view view = { b };
	struct inodes g = { .kind = &kind, .data = &view, .at = *at, .tree = t, .err = err };
	uint64_t id = BTRFS_FILES, root = 0;
	int r = inodes_get(&g, BTRFS_SUPER, super, sizeof(super), "the superblock");

	if (r == 0)
		r = check_super(&g, super);
	b->in.node = (uint32_t)get_le(super + 148, 4);
	b->roots = (struct btrfs_tree) { get_le(super + 80, 8), super[198] };
	if (r == 0)
		r = read_chunks(&g, &b->in, super);
	if (r == 0)
		r = subvol ? find_subvol(&g, subvol, &id)
			   : btrfs_walk(&g, &b->in, b->roots, BTRFS_TREE_DIR, note_default, &id);
	if (r == 0)
		r = add_subvol(&g, 0, id, &root);
	if (r > 0)
		r = inodes_read(&g, root);
	btrfs_in_done(&b->in);
	free(b);
	return r;
}
