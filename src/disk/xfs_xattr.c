/* src/disk/xfs_xattr.c - attributes of an XFS: in the inode, or in one block. */
#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/region.h"
#include "disk/xfs_inside.h"
#include "image/attributes.h"
#include "image/tar.h"

#define HEAD      80 /* of a block */
#define LOCAL     1U
#define TRUSTED   2U
#define SECURITY  4U
#define ACL_HEAD  4         /* of the kernel's form: a version; then 8 bytes for each entry */
#define ACL_NAMED (2U | 8U) /* tags of entries with a number: a user, a group */

struct attribute {
	const char *name;
	unsigned flags;
	unsigned char *value; /* owned */
	size_t len;
	uint32_t hash;
};

struct attributes {
	struct attribute *items;
	size_t n;
};

static void attributes_done(struct attributes *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->items[i].value);
	free(a->items);
}

/* An ACL has four bytes for what the kernel says in two, and a count. */
static void take_acl(const struct tar_xattr *x, struct attribute *a)
{
	const unsigned char *from = (const unsigned char *)x->value + ACL_HEAD;
	size_t n = x->len < ACL_HEAD ? 0 : (x->len - ACL_HEAD) / 8;

	a->len = 4 + 12 * n;
	a->value = xcalloc(1, a->len);
	put_be(a->value, n, 4);
	for (size_t i = 0; i < n; i++) {
		unsigned char *to = a->value + 4 + 12 * i;
		uint64_t tag = get_le(from + 8 * i, 2);

		put_be(to, tag, 4);
		if (tag & ACL_NAMED)
			put_be(to + 4, get_le(from + 8 * i + 4, 4), 4);
		put_be(to + 8, get_le(from + 8 * i + 2, 2), 2);
	}
}

static bool take(const struct tar_xattr *x, struct attribute *a)
{
	static const struct {
		const char *prefix;
		unsigned flags;
	} kinds[] = { { "user.", 0 }, { "trusted.", TRUSTED }, { "security.", SECURITY } };

	if (!attribute_is_for_images(x->name))
		return false;
	*a = (struct attribute) { .flags = TRUSTED };
	if (strcmp(x->name, "system.posix_acl_access") == 0)
		a->name = "SGI_ACL_FILE";
	if (strcmp(x->name, "system.posix_acl_default") == 0)
		a->name = "SGI_ACL_DEFAULT";
	if (a->name) {
		take_acl(x, a);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(x->name, kinds[i].prefix, n) != 0 || strlen(x->name + n) > UINT8_MAX)
			continue;
		a->name = x->name + n;
		a->flags = kinds[i].flags;
		a->len = x->len;
		a->value = xmalloc(x->len + 1);
		memcpy(a->value, x->value, x->len);
		return true;
	}
	return false;
}

static int by_hash(const void *a, const void *b)
{
	const struct attribute *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static void gather(const struct file *f, struct attributes *ret)
{
	ret->items = xcalloc(f->nxattrs + 1, sizeof(*ret->items));
	for (size_t i = 0; i < f->nxattrs; i++) {
		struct attribute *a = &ret->items[ret->n];

		if (!take(&f->xattrs[i], a))
			continue;
		a->hash = xfs_hash(a->name, strlen(a->name));
		ret->n++;
	}
	qsort(ret->items, ret->n, sizeof(*ret->items), by_hash);
}

/* Four bytes of head, then each with three. */
size_t xfs_xattrs_small(const struct file *f, unsigned char *to, size_t room)
{
	cleanup(attributes_done) struct attributes a = { .n = 0 };
	size_t len = 4;

	gather(f, &a);
	for (size_t i = 0; i < a.n; i++) {
		len += 3 + strlen(a.items[i].name) + a.items[i].len;
		if (a.items[i].len > UINT8_MAX)
			return 0;
	}
	if (len > room)
		return 0;
	put_be(to, len, 2);
	to[2] = (unsigned char)a.n;
	to[3] = 0;
	to += 4;
	for (size_t i = 0; i < a.n; i++) {
		size_t n = strlen(a.items[i].name);

		to[0] = (unsigned char)n;
		to[1] = (unsigned char)a.items[i].len;
		to[2] = (unsigned char)a.items[i].flags;
		memcpy(to + 3, a.items[i].name, n);
		memcpy(to + 3 + n, a.items[i].value, a.items[i].len);
		to += 3 + n + a.items[i].len;
	}
	return len;
}

/* Names and values from the end of the block on; returns where they begin, 0: they do not fit. */
static size_t put_items(const struct attributes *a, unsigned char *b, size_t *ret_used)
{
	size_t at = XFS_BLOCK;

	for (size_t i = 0; i < a->n; i++) {
		const struct attribute *item = &a->items[i];
		size_t n = strlen(item->name), len = (3 + n + item->len + 3) / 4 * 4;

		if (at < HEAD + 8 * a->n + len)
			return 0;
		at -= len;
		*ret_used += len;
		put_be(b + at, item->len, 2);
		b[at + 2] = (unsigned char)n;
		memcpy(b + at + 3, item->name, n);
		memcpy(b + at + 3 + n, item->value, item->len);
		put_be(b + HEAD + 8 * i, item->hash, 4);
		put_be(b + HEAD + 8 * i + 4, at, 2);
		b[HEAD + 8 * i + 6] = (unsigned char)(item->flags | LOCAL);
	}
	return at;
}

int xfs_xattrs_write(struct xfs *x, const struct file *file, struct xfs_fork *f)
{
	cleanup(attributes_done) struct attributes a = { .n = 0 };
	unsigned char b[XFS_BLOCK] = { 0 };
	size_t used = 0, at, total = 0;
	uint64_t block;
	int r;

	gather(file, &a);
	for (size_t i = 0; i < a.n; i++)
		total += a.items[i].len;
	at = total > XFS_XATTR_MAX ? 0 : put_items(&a, b, &used);
	if (at == 0)
		return error_set(
			x->err, -EFBIG,
			"a file's attributes have more than %d bytes, which we do not write "
			"into an XFS: take another --fs",
			XFS_XATTR_MAX);
	r = xfs_alloc(x, f, 0, 1);
	if (r < 0)
		return r;
	block = f->runs[0].block;
	put_be(b + 8, 0x3bee, 2);
	put_be(b + 16, xfs_sector(x, block), 8);
	memcpy(b + 32, x->uuid, 16);
	put_be(b + 48, file->number, 8);
	put_be(b + 56, a.n, 2);
	put_be(b + 58, used, 2);
	put_be(b + 60, at, 2);
	put_be(b + 64, HEAD + 8 * a.n, 2);
	put_be(b + 66, at - HEAD - 8 * a.n, 2);
	xfs_sum(b, sizeof(b), 12);
	return xfs_put(x, xfs_sector(x, block), b, sizeof(b));
}
