/* src/disk/whole.c
 *
 * What is mounted comes from a tree of its own each, and goes over what lies in its place: so
 * however fstab or orders are written, no directory is in itself.
 */
#include "disk/whole.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "disk/fat.h"
#include "disk/filetree.h"
#include "disk/format.h"
#include "disk/machine/orders.h"
#include "disk/reading.h"
#include "disk/tree_cpio.h"
#include "image/attributes.h"
#include "image/tar.h"

#define FSTAB_MAX   (1U << 20)
#define INITRD_NAME "/initrd.img"

/* Kept as long as the disk is. */
static int keep_tree(struct disk *d, struct volume_tree *from, struct file **ret, struct error *err)
{
	if (d->nmore == DISK_MORE_MAX)
		return error_set(err, -E2BIG, "it has more than %d mounts", DISK_MORE_MAX);
	*ret = from->tree->root;
	d->more[d->nmore++] = *from;
	*from = VOLUME_TREE_INIT;
	return 0;
}

static int add_volume(struct disk *d, int part, const char *subvol, struct file **ret,
		      struct error *err)
{
	struct volume_tree t = VOLUME_TREE_INIT;
	const struct region at = disk_region(d, (size_t)part);
	struct volume v = d->volumes[part];
	int r;

	v.subvol = subvol;
	r = volume_read(&v, &at, &t, err);
	if (r == 0)
		r = keep_tree(d, &t, ret, err);
	volume_tree_done(&t);
	return r;
}

static int put_at(struct disk *d, const char *path, struct file *from, struct error *err)
{
	struct file *dir = filetree_make_dir(d->tree.tree, path, from->mtime);

	if (!dir || dir == from || dir == d->tree.tree->root)
		return error_set(err, -ENOTDIR,
				 "nothing can be mounted at %s: the root or a file is in the way",
				 path);
	dir_become(dir, from);
	return 0;
}

/* The partition; -1: there is none. */
static int find_volume(const struct disk *d, const char *uuid)
{
	for (size_t i = 0; i < d->nparts; i++)
		if (*uuid && strcasecmp(d->volumes[i].uuid, uuid) == 0)
			return (int)i;
	return -1;
}

/* a machine without an operating system */

/* "NAME HEX PATH" */
static void take_attribute(struct disk *d, char *value)
{
	char *hex = strchr(value, ' '), *path = hex ? strchr(hex + 1, ' ') : NULL;
	unsigned char bytes[256];
	struct file *f;
	size_t n = 0;

	if (!path)
		return;
	*hex++ = *path++ = '\0';
	f = filetree_resolve(d->tree.tree, path, NULL);
	for (unsigned byte; n < sizeof(bytes) && sscanf(&hex[2 * n], "%2x", &byte) == 1; n++)
		bytes[n] = (unsigned char)byte;
	if (!f || !S_ISREG(f->mode) || f->nxattrs || !attribute_is_for_images(value))
		return;
	f->xattrs = xnew(struct tar_xattr);
	f->nxattrs = 1;
	*f->xattrs =
		(struct tar_xattr) { .name = xstrdup(value), .value = xmalloc(n + 1), .len = n };
	memcpy(f->xattrs->value, bytes, n);
}

/* "NAME PATH" */
static int mount_order(struct disk *d, const struct file *volumes, char *value, struct error *err)
{
	char *path = strchr(value, ' ');
	struct file *from;

	if (!path)
		return 0;
	*path++ = '\0';
	from = volumes ? dir_find(volumes, value) : NULL;
	if (!from || !S_ISDIR(from->mode))
		return error_set(err, -ENOENT, "volume %s is not on the disk", path);
	return put_at(d, path, from, err);
}

static int follow_orders(struct disk *d, char *orders, size_t len, struct error *err)
{
	struct file *volumes = NULL;
	int r = 0;

	for (size_t at = 0, next; r == 0 && at < len; at = next) {
		char *value = orders + at + 1;
		int part;

		next = at + strlen(orders + at) + 1;
		if (orders[at] == ORDER_XATTR)
			take_attribute(d, value);
		if (orders[at] == ORDER_VOLUME)
			r = mount_order(d, volumes, value, err);
		if (orders[at] != ORDER_VOLUMES || volumes)
			continue;
		part = find_volume(d, value);
		r = part >= 0 ? add_volume(d, part, NULL, &volumes, err)
			      : error_set(err, -ENOENT, "its partition of volumes is not there");
	}
	return r;
}

/* Its root: a partition that the orders name, or the initrd itself. */
static int begin_tree(struct disk *d, struct volume_tree *initrd, const char *orders, size_t len,
		      struct error *err)
{
	for (size_t at = 0; at < len; at += strlen(orders + at) + 1)
		if (orders[at] == ORDER_ROOT) {
			int part = find_volume(d, orders + at + 1);
			const struct region region = disk_region(d, (size_t)MAX(part, 0));

			return part < 0 ? error_set(err, -ENOENT, "its root is not there")
					: volume_read(&d->volumes[part], &region, &d->tree, err);
		}
	d->tree = *initrd;
	*initrd = VOLUME_TREE_INIT;
	return 0;
}

static int unpack_initrd(struct disk *d, struct volume_tree *t, struct error *err)
{
	struct region at;
	int r = format_scratch(&t->fd, err);

	if (r == 0)
		r = fat_copy_out(d->fd, d->parts[d->esp].offset, INITRD_NAME, t->fd, err);
	if (r < 0)
		return r;
	at = (struct region) { .fd = t->fd, .size = lseek(t->fd, 0, SEEK_END) };
	t->tree = filetree_new();
	return filetree_add_cpio(t->tree, &at, err);
}

/* A volume's partition, or none at all beside the one that starts: it is worth to look into that.
 */
static bool may_be_appliance(const struct disk *d)
{
	bool any = false;

	if (d->esp < 0)
		return false;
	for (size_t i = 0; i < d->nparts; i++) {
		if (strcmp(d->volumes[i].label, "volumes") == 0)
			return true;
		any = any || (int)i != d->esp;
	}
	return !any;
}

int whole_read_appliance(struct disk *d, struct error *err)
{
	struct volume_tree initrd = VOLUME_TREE_INIT;
	autofree char *names = NULL, *orders = NULL;
	const struct file *f = NULL;
	size_t len = 0;
	int r;

	if (!may_be_appliance(d) || fat_list(d->fd, d->parts[d->esp].offset, &names, NULL) < 0 ||
	    !strstr(names, "::" INITRD_NAME))
		return 0;
	/* What is no plain archive is another's. */
	if (unpack_initrd(d, &initrd, NULL) == 0)
		f = filetree_resolve(initrd.tree, ORDERS_PATH, NULL);
	r = f && S_ISREG(f->mode)
		    ? content_read(&f->content, ORDERS_MAX, ORDERS_MAX, &orders, &len, err)
		    : 0;
	if (r == 0 && orders)
		r = begin_tree(d, &initrd, orders, len, err);
	if (r == 0 && orders)
		r = follow_orders(d, orders, len, err);
	volume_tree_done(&initrd);
	if (r < 0 || !orders)
		return r;
	filetree_number(d->tree.tree, 1, 2);
	return 1;
}

/* fstab */

struct mount {
	const char *what, *where, *type, *options;
};

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Four words of a line, blanks in them as "\040"; false: there are less. */
static bool split(char *line, struct mount *ret)
{
	const char **words[] = { &ret->what, &ret->where, &ret->type, &ret->options };
	size_t n = 0;

	for (char *rest = line, *word; n < ARRAY_SIZE(words) && (word = strsep(&rest, " \t"));) {
		char *to = word;

		if (!*word)
			continue;
		*words[n++] = word;
		for (const char *from = word; *from; to++) {
			bool blank = starts(from, "\\040");

			*to = blank ? ' ' : *from;
			from += blank ? 4 : 1;
		}
		*to = '\0';
	}
	return n == ARRAY_SIZE(words) && *ret->what != '#';
}

static const char *value_of(const char *what, const char *key, const char *path)
{
	return starts(what, key)    ? what + strlen(key)
	       : starts(what, path) ? what + strlen(path)
				    : NULL;
}

/* A file system that it names by what stands on this disk; -1: it does not. */
static int find_part(const struct disk *d, const char *what)
{
	autofree char *plain = xcalloc(1, strlen(what) + 1);
	const char *uuid, *label, *part;

	for (size_t n = 0; *what; what++)
		if (*what != '"')
			plain[n++] = *what;
	uuid = value_of(plain, "UUID=", "/dev/disk/by-uuid/");
	label = value_of(plain, "LABEL=", "/dev/disk/by-label/");
	part = value_of(plain, "PARTUUID=", "/dev/disk/by-partuuid/");
	for (size_t i = 0; i < MAX(d->nparts, 1); i++)
		if ((uuid && *uuid && strcasecmp(d->volumes[i].uuid, uuid) == 0) ||
		    (label && *label && strcmp(d->volumes[i].label, label) == 0) ||
		    (part && *part && strcasecmp(d->parts[i].uuid, part) == 0))
			return (int)i;
	return -1;
}

/* "rw,subvol=/@/home" to "@/home"; NULL */
static char *subvol_of(const char *options)
{
	autofree char *copy = xstrdup(options);
	char *rest = copy, *word;

	while ((word = strsep(&rest, ",")))
		if (starts(word, "subvol=")) {
			word += strlen("subvol=");
			return xstrdup(word + strspn(word, "/"));
		}
	return NULL;
}

/* What no image has: the root itself, swap, memory, the boot partition, snapshots of all of it. */
static bool is_wanted(const struct disk *d, const struct mount *m, int part)
{
	static const char *const kinds[] = { "swap",   "tmpfs",    "proc", "sysfs",
					     "devpts", "devtmpfs", "nfs",  "none" };
	const char *where = m->where + strspn(m->where, "/");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(m->type, kinds[i]) == 0)
			return false;
	return *m->where == '/' && *where && strcmp(where, ".snapshots") != 0 &&
	       (part < 0 || part != d->esp);
}

static int mount_line(struct disk *d, const struct mount *m, struct error *err)
{
	int part = find_part(d, m->what), r = 0;
	struct file *from = NULL;
	autofree char *subvol = subvol_of(m->options);

	if (!is_wanted(d, m, part))
		return 0;
	if (part < 0) {
		strv_addf(&d->left_out, "%s (%s)", m->where, m->what);
		return 0;
	}
	/* The root once more, at another place. */
	if (part == MAX(d->root, 0) && !subvol)
		return 0;
	r = disk_read_tree(d, &(struct filetree *) { NULL }, err);
	if (r == 0)
		r = add_volume(d, part, subvol, &from, err);
	if (r == 0 && from)
		r = put_at(d, m->where, from, err);
	return r < 0 ? error_wrap(err, r, "%s", m->where) : 0;
}

/* NULL: there is none that can be read. */
static char *read_fstab(const struct disk *d)
{
	struct disk_entry e = { .target = NULL };
	autofree char *text = NULL;
	autoclose int fd = -1;
	bool is =
		disk_find(d, "/etc/fstab", &e, NULL) == 0 && S_ISREG(e.mode) && e.size <= FSTAB_MAX;

	disk_entry_done(&e);
	if (!is || format_scratch(&fd, NULL) < 0 || disk_copy_out(d, e.number, fd, NULL) < 0)
		return NULL;
	text = xcalloc(1, (size_t)e.size + 1);
	return pread(fd, text, (size_t)e.size, 0) == e.size ? steal_ptr(&text) : NULL;
}

static bool looks_like_root(const struct filetree *t)
{
	return filetree_resolve(t, "etc", NULL) || filetree_resolve(t, "usr", NULL);
}

/* Distributions have it in a subvolume, which the kernel's command line names and seldom the file
 * system.
 */
static int find_root_subvol(struct disk *d, struct error *err)
{
	static const char *const names[] = { "root", "@", "@rootfs" }; /* Fedora, Ubuntu, Debian */

	if (strcmp(d->volume.type, "btrfs") != 0 || looks_like_root(d->tree.tree))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct volume_tree t = VOLUME_TREE_INIT;
		struct volume v = d->volume;
		struct error why = { 0 };
		int r;

		v.subvol = names[i];
		r = volume_read(&v, &d->at, &t, &why);
		if (r < 0 && r != -ENOENT)
			return error_set(err, r, "%s", why.text);
		if (r == 0 && looks_like_root(t.tree)) {
			volume_tree_done(&d->tree);
			d->tree = t;
			return 0;
		}
		volume_tree_done(&t);
	}
	return 0;
}

static bool is_root(const struct disk *d)
{
	struct disk_entry e = { .target = NULL };
	bool is = disk_find(d, "/etc", &e, NULL) == 0 || disk_find(d, "/usr", &e, NULL) == 0;

	disk_entry_done(&e);
	return is;
}

/* Among partitions of which none says that it is the root, the largest may be another. */
static int find_root_part(struct disk *d, struct error *err)
{
	int first = d->root, r;

	if (is_root(d))
		return 0;
	for (size_t i = 0; i < d->nparts; i++) {
		if ((int)i == first || (int)i == d->esp || !volume_is_read(&d->volumes[i]))
			continue;
		r = disk_turn_to(d, (int)i, err);
		if (r == 0 && d->tree.tree)
			r = find_root_subvol(d, err);
		if (r < 0 || is_root(d))
			return r;
	}
	return d->root == first ? 0 : disk_turn_to(d, first, err);
}

static int mount_all(struct disk *d, struct error *err)
{
	autofree char *text = read_fstab(d);
	char *rest = text, *line;
	int r = 0;

	while (r == 0 && rest && (line = strsep(&rest, "\n"))) {
		struct mount m = { NULL };

		if (split(line, &m))
			r = mount_line(d, &m, err);
	}
	return r;
}

int whole_mount(struct disk *d, struct error *err)
{
	int r = d->tree.tree ? find_root_subvol(d, err) : 0;

	if (r == 0)
		r = find_root_part(d, err);
	if (r == 0)
		r = mount_all(d, err);
	if (r == 0 && d->nmore)
		filetree_number(d->tree.tree, 1, 2);
	return r;
}
