/* src/disk/appliance_disk.c */
#include "disk/appliance_disk.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/number.h"
#include "disk/filetree.h"
#include "disk/identity.h"
#include "disk/partition.h"
#include "image/image.h"

#define MEMORY_MAX   (256LL << 20) /* of files: more would have to be loaded at each start */
#define FREE_BYTES   (64LL << 20)
#define SPARE_INODES 4096
#define VOLUMES_MAX  64

static int64_t bytes_of(const struct filetree *t)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < t->n; i++)
		if (S_ISREG(t->files[i]->mode))
			bytes += t->files[i]->content.size;
	return bytes;
}

/* "/data/../data/" is "/data"; the root itself is no volume. */
static int add_volume(struct appliance_disk *d, const char *path, struct error *err)
{
	autofree char *copy = xstrdup(path), *clean = xstrdup("");
	char *rest = copy, *word;

	while ((word = strsep(&rest, "/"))) {
		char *longer;

		if (!*word || strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0)
			return error_set(err, -EINVAL, "--volume: '%s' has '..' in it", path);
		longer = xasprintf("%s/%s", clean, word);
		free(clean);
		clean = longer;
	}
	if (*path != '/' || !*clean || strchr(clean, '\n'))
		return error_set(err, -EINVAL, "--volume wants a path such as /data, not '%s'",
				 path);
	if (!strv_has(&d->volumes, clean))
		strv_add(&d->volumes, clean);
	return d->volumes.n <= VOLUMES_MAX
		       ? 0
		       : error_set(err, -E2BIG, "there are more than %d volumes", VOLUMES_MAX);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The directory goes to the volumes under its number, and an empty one stays in its place. */
static int move_out(struct appliance_disk *d, struct disk_source *s, size_t i, int64_t now_s,
		    struct error *err)
{
	const char *path = d->volumes.items[i];
	const struct timespec mtime = { .tv_sec = now_s };
	struct file *dir = filetree_make_dir(s->tree, path, mtime), *there;
	autofree char *real = NULL;
	char name[24];

	if (!dir)
		return error_set(err, -ENOTDIR, "volume %s: a file is in the way", path);
	(void)snprintf(name, sizeof(name), "%zu", i);
	(void)filetree_resolve(s->tree, path, &real);
	(void)explain(
		"a volume's files lie on a partition of their own",
		"mkdir -p \"$tree\"/%s \"$work/volumes.d\"; cp -a \"$tree\"/%s \"$work/volumes.d/\"%s; "
		"find \"$tree\"/%s -mindepth 1 -delete",
		sq(real), sq(real), name, sq(real));
	there = filetree_add(d->contents, S_IFDIR | 0755);
	there->mode = dir->mode;
	there->uid = dir->uid;
	there->gid = dir->gid;
	there->mtime = dir->mtime;
	for (size_t k = 0; k < dir->nnames; k++)
		dir_put(there, dir->names[k].text, dir->names[k].file);
	dir_clear(dir);
	dir_put(d->contents->root, name, there);
	return 0;
}

static int find_volumes(struct appliance_disk *d, struct disk_source *s,
			const struct appliance_disk_request *req, struct error *err)
{
	const struct strv *image = s->image ? &s->image->config.volumes : NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && image && i < image->n; i++)
		r = add_volume(d, image->items[i], err);
	for (size_t i = 0; r == 0 && i < req->volumes->n; i++)
		r = add_volume(d, req->volumes->items[i], err);
	if (r < 0 || d->volumes.n == 0)
		return r;
	qsort(d->volumes.items, d->volumes.n, sizeof(char *), by_text);
	d->contents = filetree_new();
	d->contents->root->mtime.tv_sec = req->now_s;
	/* The deepest first: one inside another is not moved along with it. */
	for (size_t i = d->volumes.n; r == 0 && i > 0; i--)
		r = move_out(d, s, i - 1, req->now_s, err);
	return r;
}

int appliance_disk_choose(struct disk_source *s, const struct appliance_disk_request *req,
			  const struct identity *id, struct appliance_disk *ret, struct error *err)
{
	struct appliance_disk d = { .has_root = req->root == APPLIANCE_ROOT_DISK };
	int r = find_volumes(&d, s, req, err);

	if (r == 0 && req->root == APPLIANCE_ROOT_UNSAID)
		d.has_root = (req->size && d.volumes.n == 0) || bytes_of(s->tree) > MEMORY_MAX;
	if (r == 0 && req->size && !d.has_root && d.volumes.n == 0)
		r = error_set(err, -EINVAL,
			      "--size has no meaning for a machine that lives in memory and has no "
			      "volume");
	if (r < 0) {
		appliance_disk_done(&d);
		return r;
	}
	if (d.has_root) {
		d.boot.tree = filetree_new();
		d.boot.kind = SOURCE_PROGRAM; /* a tree that no directory stands for */
		identity_text(id, "root", d.root_uuid);
	}
	identity_text(id, "volumes", d.volumes_uuid);
	*ret = d;
	return 0;
}

void appliance_disk_done(struct appliance_disk *d)
{
	if (d->has_root)
		disk_source_done(&d->boot);
	filetree_free(d->contents);
	strv_done(&d->volumes);
}

/* layout */

/* rest: it takes all that the disk has, as the last one does. */
static int lay_out_one(struct appliance_layout *l, struct filetree *t, struct ext4_request *e,
		       const char *label, bool rest, struct error *err)
{
	autofree char *seed = xasprintf("%s seed", label);
	struct layout *to = l->layout;
	int64_t asked = rest && l->req->size ? l->req->size - partition_disk_size(to->end) : 0;
	char disk[NUMBER_SIZE_LEN];
	int64_t size = 0;
	int r;

	*e = (struct ext4_request) { .fd = l->fd,
				     .offset = to->end,
				     .label = label,
				     .now_s = l->req->now_s,
				     .spare_inodes = SPARE_INODES };
	identity_uuid(to->id, label, e->uuid);
	identity_uuid(to->id, seed, e->hash_seed);
	filetree_number(t, 2, 11);
	r = ext4_fit(t, e, asked > 0 ? 0 : FREE_BYTES, &size, err);
	if (r < 0)
		return r;
	if (rest && l->req->size && asked < size) {
		number_format_size((uint64_t)partition_disk_size(to->end + size), disk);
		return error_set(err, -ENOSPC, "--size is too small: it takes at least %s (%lld)",
				 disk, (long long)partition_disk_size(to->end + size));
	}
	if (asked > 0)
		size = asked / PARTITION_ALIGN * PARTITION_ALIGN;
	e->size = size;
	(void)layout_add(to, strcmp(label, "root") == 0 ? PARTITION_ROOT : PARTITION_DATA, label,
			 size);
	return 0;
}

int appliance_disk_lay_out(struct appliance_disk *d, struct disk_source *s,
			   struct appliance_layout *l, struct error *err)
{
	int r = 0;

	if (d->has_root)
		r = lay_out_one(l, s->tree, &d->root_fs, "root", !d->contents, err);
	if (r == 0 && d->contents)
		r = lay_out_one(l, d->contents, &d->volumes_fs, "volumes", true, err);
	d->volumes_fs.tree = "\"$work/volumes.d\"";
	return r;
}

int appliance_disk_write(struct appliance_disk *d, struct disk_source *s, struct error *err)
{
	int r = d->has_root ? ext4_write(s->tree, &d->root_fs, err) : 0;

	return r == 0 && d->contents ? ext4_write(d->contents, &d->volumes_fs, err) : r;
}
