/* src/disk/btrfs_files.c - the tree of files: of each inode its names, attributes and extents. */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "disk/btrfs_inside.h"
#include "disk/crc32c.h"
#include "disk/filetree.h"
#include "disk/region.h"
#include "image/attributes.h"
#include "image/tar.h"

#define TARGET_MAX     (BTRFS_BLOCK - 1)
#define FIRST_INDEX    2 /* of a directory's names */
#define IS_XATTR       8
#define IS_PLAIN       1 /* an extent */
#define REFERENCE_HEAD 10
#define ATTR_MAX       (BTRFS_ITEM_MAX - BTRFS_DIR_HEAD)

/* A name, as its inode knows it. */
struct reference {
	uint32_t inode, dir, index;
	const char *name;
};

struct references {
	struct reference *items; /* owned */
	size_t n, room;
};

/* What is sorted by a hash of its name: those with the same one share an item. */
struct hashed {
	uint32_t hash;
	uint32_t place;
};

struct files {
	struct btrfs_out *b;
	struct btrfs_filling *tree;
	struct references refs;
	size_t next; /* reference */
};

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1)
				  : (x->place > y->place) - (x->place < y->place);
}

static int by_inode(const void *a, const void *b)
{
	const struct reference *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static uint32_t name_hash(const char *name)
{
	return crc32c(~1U, name, strlen(name));
}

/* inodes */

static void put_time(unsigned char *to, struct timespec t)
{
	put_le(to, (uint64_t)t.tv_sec, 8);
	put_le(to + 8, (uint64_t)t.tv_nsec, 4);
}

void btrfs_put_inode(unsigned char *to, const struct file *f, uint64_t size, uint64_t taken,
		     int64_t now_s)
{
	const struct timespec now = { .tv_sec = now_s };

	put_le(to, BTRFS_TIME, 8);
	put_le(to + 8, BTRFS_TIME, 8);
	put_le(to + 16, size, 8);
	put_le(to + 24, taken, 8);
	put_le(to + 40, S_ISDIR(f->mode) ? 1 : f->links, 4);
	put_le(to + 44, f->uid, 4);
	put_le(to + 48, f->gid, 4);
	put_le(to + 52, f->mode, 4);
	if (S_ISCHR(f->mode) || S_ISBLK(f->mode))
		put_le(to + 56, (uint64_t)f->major << 20 | (f->minor & 0xfffff), 8);
	put_time(to + 112, f->mtime);
	put_time(to + 124, now);
	put_time(to + 136, f->mtime);
	put_time(to + 148, now);
}

static void add_inode(const struct files *t, const struct file *f, uint64_t size, uint64_t taken)
{
	unsigned char inode[BTRFS_INODE_LEN] = { 0 };

	btrfs_put_inode(inode, f, size, taken, t->b->now_s);
	btrfs_add(t->tree, (struct btrfs_key) { f->number, BTRFS_INODE, 0 }, inode, sizeof(inode));
}

/* names, as inodes have them */

static void add_reference(struct references *refs, uint32_t inode, uint32_t dir, uint32_t index,
			  const char *name)
{
	VEC_GROW(refs->items, refs->n, refs->room);
	refs->items[refs->n++] = (struct reference) { inode, dir, index, name };
}

static void gather_references(struct references *refs, const struct filetree *t)
{
	add_reference(refs, t->root->number, t->root->number, 0, "..");
	for (size_t i = 0; i < t->norder; i++)
		for (size_t k = 0; k < t->order[i]->nnames; k++) {
			const struct name *n = &t->order[i]->names[k];

			add_reference(refs, n->file->number, t->order[i]->number,
				      (uint32_t)k + FIRST_INDEX, n->text);
		}
	qsort(refs->items, refs->n, sizeof(*refs->items), by_inode);
}

/* Those that did not fit into their directory's item: by a hash of the directory and the name. */
static void add_long_references(const struct files *t, const struct references *left)
{
	struct buf item = BUF_INIT(BTRFS_ITEM_MAX);
	struct hashed *list = xcalloc(left->n, sizeof(*list));

	for (size_t i = 0; i < left->n; i++) {
		const struct reference *r = &left->items[i];

		list[i] = (struct hashed) { crc32c(r->dir, r->name, strlen(r->name)), (uint32_t)i };
	}
	qsort(list, left->n, sizeof(*list), by_hash);
	for (size_t i = 0; i < left->n; i++) {
		const struct reference *r = &left->items[list[i].place];
		unsigned char head[18];
		size_t len = strlen(r->name);

		put_le(head, r->dir, 8);
		put_le(head + 8, r->index, 8);
		put_le(head + 16, len, 2);
		buf_add(&item, head, sizeof(head));
		buf_add(&item, r->name, len);
		if (i + 1 < left->n && list[i + 1].hash == list[i].hash)
			continue;
		btrfs_add(t->tree,
			  (struct btrfs_key) { r->inode, BTRFS_INODE_EXTREF, list[i].hash },
			  item.data, item.len);
		buf_reset(&item);
	}
	buf_done(&item);
	free(list);
}

static void put_reference(struct buf *item, const struct reference *r)
{
	unsigned char head[REFERENCE_HEAD];
	size_t len = strlen(r->name);

	put_le(head, r->index, 8);
	put_le(head + 8, len, 2);
	buf_add(item, head, sizeof(head));
	buf_add(item, r->name, len);
}

/* One item for each directory in which it has names. */
static void add_references(struct files *t, const struct file *f)
{
	const struct reference *r = &t->refs.items[t->next], *end = &t->refs.items[t->refs.n];
	struct buf item = BUF_INIT(BTRFS_ITEM_MAX);
	struct references left = { .n = 0 };

	for (; r < end && r->inode == f->number; r++, t->next++) {
		if (item.len + REFERENCE_HEAD + strlen(r->name) <= BTRFS_ITEM_MAX) {
			put_reference(&item, r);
		} else {
			add_reference(&left, r->inode, r->dir, r->index, r->name);
		}
		if (r + 1 < end && r[1].inode == r->inode && r[1].dir == r->dir)
			continue;
		btrfs_add(t->tree, (struct btrfs_key) { r->inode, BTRFS_INODE_REF, r->dir },
			  item.data, item.len);
		buf_reset(&item);
	}
	if (left.n)
		add_long_references(t, &left);
	buf_done(&item);
	free(left.items);
}

/* names, as directories have them, and attributes */

static void put_name(struct buf *item, const struct file *to, const char *name)
{
	unsigned char head[BTRFS_DIR_HEAD] = { 0 };
	size_t len = strlen(name);

	btrfs_put_key(head, (struct btrfs_key) { to->number, BTRFS_INODE, 0 });
	put_le(head + 17, BTRFS_TIME, 8);
	put_le(head + 27, len, 2);
	head[29] = dir_entry_type(to->mode);
	buf_add(item, head, sizeof(head));
	buf_add(item, name, len);
}

static void put_xattr(struct buf *item, const struct tar_xattr *x)
{
	unsigned char head[BTRFS_DIR_HEAD] = { 0 };
	size_t len = strlen(x->name);

	put_le(head + 17, BTRFS_TIME, 8);
	put_le(head + 25, x->len, 2);
	put_le(head + 27, len, 2);
	head[29] = IS_XATTR;
	buf_add(item, head, sizeof(head));
	buf_add(item, x->name, len);
	buf_add(item, x->value, x->len);
}

/* Of one kind: names of a directory, or attributes. */
static void add_hashed(const struct files *t, const struct file *f, struct hashed *list, size_t n,
		       unsigned kind)
{
	struct buf item = BUF_INIT(BTRFS_ITEM_MAX);

	qsort(list, n, sizeof(*list), by_hash);
	for (size_t i = 0; t->b->r == 0 && i < n; i++) {
		if (kind == BTRFS_XATTR)
			put_xattr(&item, &f->xattrs[list[i].place]);
		else
			put_name(&item, f->names[list[i].place].file, f->names[list[i].place].text);
		if (i + 1 < n && list[i + 1].hash == list[i].hash)
			continue;
		if (buf_result(&item) < 0)
			t->b->r = error_set(t->b->err, -EFBIG,
					    "a btrfs has no room for so many names with one hash");
		else
			btrfs_add(t->tree, (struct btrfs_key) { f->number, kind, list[i].hash },
				  item.data, item.len);
		buf_reset(&item);
	}
	buf_done(&item);
}

static void add_xattrs(const struct files *t, const struct file *f)
{
	struct hashed *list = xcalloc(f->nxattrs + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < f->nxattrs; i++) {
		const struct tar_xattr *x = &f->xattrs[i];

		if (!attribute_is_for_images(x->name))
			continue;
		if (t->b->r == 0 && strlen(x->name) + x->len > ATTR_MAX)
			t->b->r = error_set(t->b->err, -EFBIG,
					    "a btrfs has no room for the attribute %s of %zu "
					    "bytes: take another --fs",
					    x->name, x->len);
		list[n++] = (struct hashed) { name_hash(x->name), (uint32_t)i };
	}
	add_hashed(t, f, list, n, BTRFS_XATTR);
	free(list);
}

static void add_names(const struct files *t, const struct file *dir)
{
	struct hashed *list = xcalloc(dir->nnames + 1, sizeof(*list));
	struct buf item = BUF_INIT(BTRFS_ITEM_MAX);

	for (size_t i = 0; i < dir->nnames; i++)
		list[i] = (struct hashed) { name_hash(dir->names[i].text), (uint32_t)i };
	add_hashed(t, dir, list, dir->nnames, BTRFS_DIR_ITEM);
	for (size_t i = 0; i < dir->nnames; i++) {
		buf_reset(&item);
		put_name(&item, dir->names[i].file, dir->names[i].text);
		btrfs_add(t->tree,
			  (struct btrfs_key) { dir->number, BTRFS_DIR_INDEX, i + FIRST_INDEX },
			  item.data, item.len);
	}
	buf_done(&item);
	free(list);
}

/* contents */

static void add_inline(const struct files *t, const struct file *f, const char *bytes, size_t len)
{
	unsigned char item[BTRFS_EXTENT_HEAD + TARGET_MAX] = { 0 };

	put_le(item, BTRFS_TIME, 8);
	put_le(item + 8, len, 8);
	memcpy(item + BTRFS_EXTENT_HEAD, bytes, len);
	btrfs_add(t->tree, (struct btrfs_key) { f->number, BTRFS_EXTENT, 0 }, item,
		  BTRFS_EXTENT_HEAD + len);
}

static void add_extents(const struct files *t, const struct file *f)
{
	for (size_t i = 0; i < t->b->nruns; i++) {
		const struct btrfs_run *run = &t->b->runs[i];
		unsigned char item[BTRFS_EXTENT_LEN] = { 0 };

		put_le(item, BTRFS_TIME, 8);
		put_le(item + 8, run->len, 8);
		item[20] = IS_PLAIN;
		put_le(item + 21, run->place, 8);
		put_le(item + 29, run->len, 8);
		put_le(item + 45, run->len, 8);
		btrfs_add(t->tree, (struct btrfs_key) { f->number, BTRFS_EXTENT, run->at }, item,
			  sizeof(item));
	}
}

static void add_inode_and_names(struct files *t, const struct file *f, uint64_t size,
				uint64_t taken)
{
	add_inode(t, f, size, taken);
	add_references(t, f);
	add_xattrs(t, f);
}

static void add_file(struct files *t, const struct file *f)
{
	uint64_t size = (uint64_t)f->content.size, taken = 0;

	btrfs_copy(t->b, f);
	for (size_t i = 0; i < t->b->nruns; i++)
		taken += t->b->runs[i].len;
	add_inode_and_names(t, f, size, taken);
	add_extents(t, f);
}

static void add_small_file(struct files *t, const struct file *f)
{
	autofree char *bytes = NULL;
	size_t len = 0;

	if (t->b->r == 0)
		t->b->r = content_read(&f->content, BTRFS_INLINE_MAX, BTRFS_INLINE_MAX, &bytes,
				       &len, t->b->err);
	add_inode_and_names(t, f, len, len);
	if (len)
		add_inline(t, f, bytes, len);
}

static void add_link(struct files *t, const struct file *f)
{
	size_t len = strlen(f->target);

	if (len > TARGET_MAX && t->b->r == 0)
		t->b->r = error_set(t->b->err, -ENAMETOOLONG,
				    "a btrfs has no symbolic links of more than %d bytes",
				    TARGET_MAX);
	if (t->b->r < 0)
		return;
	add_inode_and_names(t, f, len, len);
	add_inline(t, f, f->target, len);
}

static void add_dir(struct files *t, const struct file *f)
{
	uint64_t size = 0;

	for (size_t i = 0; i < f->nnames; i++)
		size += 2 * strlen(f->names[i].text);
	add_inode_and_names(t, f, size, 0);
	add_names(t, f);
}

void btrfs_put_root_dir(struct btrfs_filling *f, uint64_t object, const unsigned char *inode)
{
	static const unsigned char up[] = { 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, '.', '.' };

	btrfs_add(f, (struct btrfs_key) { object, BTRFS_INODE, 0 }, inode, BTRFS_INODE_LEN);
	btrfs_add(f, (struct btrfs_key) { object, BTRFS_INODE_REF, object }, up, sizeof(up));
}

void btrfs_files(struct btrfs_out *b, const struct filetree *tree, struct btrfs_filling *ret)
{
	struct files t = { .b = b, .tree = ret };

	btrfs_fill(ret, b, BTRFS_FILES);
	gather_references(&t.refs, tree);
	for (size_t i = 0; b->r == 0 && i < tree->norder; i++) {
		const struct file *f = tree->order[i];

		if (S_ISDIR(f->mode))
			add_dir(&t, f);
		else if (S_ISLNK(f->mode))
			add_link(&t, f);
		else if (S_ISREG(f->mode) && f->content.size > BTRFS_INLINE_MAX)
			add_file(&t, f);
		else if (S_ISREG(f->mode))
			add_small_file(&t, f);
		else
			add_inode_and_names(&t, f, 0, 0);
	}
	btrfs_finish(ret);
	free(t.refs.items);
}
