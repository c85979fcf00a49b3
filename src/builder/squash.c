/* src/builder/squash.c - what each layer did is done once more, the lowest first, in an overlay
 * whose upper directory is the result: so the kernel says what is to be hidden of the layers below.
 */
#include "builder/squash.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strv.h"
#include "builder/draft.h"
#include "image/changes.h"
#include "image/incoming.h"
#include "kernel/mount.h"
#include "kernel/overlay.h"

struct applying {
	struct draft draft; /* the result, as it is seen */
	int root;           /* the same */
	int view;           /* this layer and those below it, from which is copied */
};

static const struct draft_looks own_looks = { .uid = -1, .gid = -1 };

static bool is_dir_there(int root, const char *path)
{
	struct stat st;

	return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int apply(void *data, const struct change *c, struct error *err)
{
	struct applying *a = data;
	const char *path = *c->path ? c->path : ".";
	struct draft_source source = { .dir = a->view, .name = path, .with_xattrs = true };
	bool is_dir = S_ISDIR(c->st.st_mode);
	int r = 0;

	/* What is in the way goes with all that is in it. */
	if (*c->path &&
	    (c->kind == CHANGE_DELETED || c->opaque || is_dir != is_dir_there(a->root, c->path)))
		r = dir_remove_at(a->root, c->path, err);
	if (r < 0 || c->kind == CHANGE_DELETED)
		return r;
	if (fstatat(a->view, path, &source.st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "look at /%s", c->path);
	return draft_copy(&a->draft, c->path, &source, &own_looks, err);
}

static int apply_layer(int root, const struct strv *from, struct error *err)
{
	const struct strv below = { .items = from->items + 1, .n = from->n - 1 }, none = { 0 };
	struct applying a = { .root = root, .view = -1 };
	struct changes_request req = { .lower = below.n ? &below : NULL,
				       .visit = apply,
				       .data = &a };
	autoclose int layer = -1, view = -1;
	int r = dir_open_at(AT_FDCWD, from->items[0], &layer, err);

	if (r == 0)
		r = overlay_view(from, "a layer", &view, err);
	draft_init(&a.draft, root, &none);
	a.view = view;
	req.fd = layer;
	if (r == 0)
		r = changes_walk(&req, err);
	if (r == 0)
		r = draft_finish(&a.draft, err);
	draft_done(&a.draft);
	return r;
}

/* Over nothing the directory itself will do. */
static int open_root(const char *dir, int diff, const struct strv *base, int *ret,
		     struct error *err)
{
	struct mount_options o = { .set = 0 };
	autofree char *joined = NULL;
	int r;

	if (base->n == 0) {
		*ret = openat(diff, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return *ret < 0 ? error_sys(err, -errno, "open %s", dir) : 0;
	}
	joined = overlay_join(base);
	strv_addf(&o.data, "lowerdir=%s", joined);
	strv_addf(&o.data, "upperdir=%s/diff", dir);
	strv_addf(&o.data, "workdir=%s/work", dir);
	r = mount_new("overlay", "strake", &o, "the layers as one", ret, err);
	mount_options_done(&o);
	return r;
}

int squash_layers(const struct incoming *in, const char *name, const struct strv *lower,
		  size_t below, struct error *err)
{
	autofree char *dir = xasprintf("%s/%s/%s", in->root, in->tmp_name, name);
	autofree char *diff_name = xasprintf("%s/diff", name), *work = xasprintf("%s/work", name);
	const struct strv base = { .items = lower->items + lower->n - below, .n = below };
	autoclose int diff = -1, root = -1;
	int r = dir_make_at(in->tmp_fd, name, 0711, err);

	if (r == 0)
		r = dir_ensure_at(in->tmp_fd, diff_name, 0755, &diff, err);
	if (r == 0 && base.n)
		r = dir_make_at(in->tmp_fd, work, 0700, err);
	if (r == 0)
		r = open_root(dir, diff, &base, &root, err);
	for (size_t i = lower->n - below; r == 0 && i > 0; i--) {
		const struct strv from = { .items = lower->items + i - 1, .n = lower->n - i + 1 };

		r = apply_layer(root, &from, err);
	}
	if (root >= 0)
		(void)close(steal_fd(&root));
	return r < 0 ? r : dir_remove_at(in->tmp_fd, work, err);
}
