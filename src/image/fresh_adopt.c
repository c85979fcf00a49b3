/* src/image/fresh_adopt.c - a directory becomes a layer without being written again. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/walk.h"
#include "image/changes.h"
#include "image/digest.h"
#include "image/fresh.h"
#include "image/incoming.h"
#include "image/tar_write.h"
#include "image/unpack.h"
#include "image/usage.h"

struct adoption {
	struct changes_request changes;
	struct digest digest;
	int64_t newest_s;
	struct unpack_layer *layer;
	bool says_something;
};

static int note(void *data, const struct change *item, struct error *err)
{
	struct adoption *a = data;

	(void)err;
	a->says_something |= *item->path != '\0';
	if (S_ISREG(item->st.st_mode) && item->kind != CHANGE_DELETED)
		a->layer->info.size += item->st.st_size;
	return 0;
}

/* In the tree, too: a layer's directory gives the archive of its diff ID at any time. */
static int clamp(void *data, const struct walk_entry *e, struct error *err)
{
	const int64_t newest = *(const int64_t *)data;
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = newest } };

	if (e->st.st_mtim.tv_sec < newest ||
	    (e->st.st_mtim.tv_sec == newest && !e->st.st_mtim.tv_nsec))
		return 0;
	if (utimensat(e->dir, e->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "set the time of %s", e->path);
	return 0;
}

static int sink(void *data, const void *bytes, size_t len, struct error *err)
{
	struct adoption *a = data;

	(void)err;
	digest_update(&a->digest, bytes, len);
	a->layer->info.tar_size += (int64_t)len;
	return 0;
}

static int hash(struct adoption *a, struct error *err)
{
	const struct changes_tar options = { .newest_s = -1 }; /* the tree says it already */
	cleanup(tar_writer_cleanup) struct tar_writer *w = tar_writer_new(sink, a);
	int r;

	digest_init(&a->digest);
	r = changes_write(&a->changes, &options, w, err);
	if (r == 0)
		r = tar_put_end(w, err);
	if (r == 0)
		digest_final(&a->digest, a->layer->info.diff_id);
	digest_done(&a->digest);
	return r;
}

static int describe(struct adoption *a, int dir, struct error *err)
{
	int r = 0;

	a->changes.visit = note;
	a->changes.data = a;
	r = changes_walk(&a->changes, err);
	if (r < 0 || !a->says_something)
		return r;
	if (a->newest_s >= 0)
		r = walk_tree(a->changes.fd, clamp, NULL, &a->newest_s, err);
	if (r == 0)
		r = hash(a, err);
	if (r == 0)
		r = disk_usage(dir, &a->layer->info.disk, err);
	a->layer->info.blob_size = -1;
	return r;
}

static void list_lower(const struct incoming *in, const struct strv *below, struct strv *ret)
{
	for (size_t i = below->n; i > 0; i--)
		strv_addf(ret, "%s/layers/%s/diff", in->root, below->items[i - 1]);
}

int fresh_adopt(const struct incoming *in, const struct strv *below, const char *name,
		int64_t newest_s, struct unpack_layer *ret, struct error *err)
{
	autoclose int dir = -1, diff = -1;
	struct strv lower = { 0 };
	struct adoption a = { .newest_s = newest_s, .layer = ret };
	int r = dir_open_at(in->tmp_fd, name, &dir, err);

	memset(ret, 0, sizeof(*ret));
	if (r == 0)
		r = dir_open_at(dir, "diff", &diff, err);
	list_lower(in, below, &lower);
	a.changes = (struct changes_request) {
		.fd = diff,
		.lower = lower.n ? &lower : NULL,
		.is_new = true,
	};
	if (r == 0)
		r = describe(&a, dir, err);
	strv_done(&lower);
	if (r < 0 || !a.says_something)
		return r;
	fresh_find_chain(below, ret);
	r = layer_info_save(dir, &ret->info, err);
	if (r == 0 && syncfs(dir) < 0)
		r = error_sys(err, -errno, "write the layer to the disk");
	if (r == 0)
		r = fresh_publish(in, name, ret, err);
	return r < 0 ? r : 1;
}
