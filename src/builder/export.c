/* src/builder/export.c */
#include "builder/export.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/copy.h"
#include "base/file.h"
#include "builder/draft.h"
#include "builder/listing.h"
#include "builder/output_spec.h"
#include "builder/step.h"
#include "engine/engine.h"
#include "image/changes.h"
#include "image/incoming.h"
#include "image/tar_out.h"
#include "kernel/overlay.h"

/* The root of the target, to be read; an empty one if it has no layers. */
static int open_target(const struct build *b, const struct incoming *in, int *ret,
		       struct error *err)
{
	struct strv layers = { 0 };
	int r;

	state_lower(b->engine, &b->states[b->plan.target], &layers);
	r = layers.n ? overlay_view(&layers, "what was built", ret, err)
		     : dir_ensure_at(in->tmp_fd, "empty", 0755, ret, err);
	strv_done(&layers);
	return r;
}

/* "linux/arm64/v8" as a name of a directory. */
static char *platform_dir(const struct build *b)
{
	char *name = xstrdup(b->req->platform);

	for (char *p = name; *p; p++)
		*p = *p == '/' ? '_' : *p;
	return name;
}

/* local */

/* A directory is put in the place of a file or a link, which is not followed. */
static int make_way(struct draft *d, const char *path, struct error *err)
{
	struct stat st;

	if (draft_look(d, path, &st) < 0 || S_ISDIR(st.st_mode) || unlinkat(d->fd, path, 0) == 0)
		return 0;
	return error_sys(err, -errno, "remove %s", path);
}

static int copy_item(struct draft *d, const struct listing_item *item, struct error *err)
{
	const struct draft_looks looks = { .uid = getuid(), .gid = getgid() };
	struct listing_place place = LISTING_PLACE_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < item->n; i++) {
		const struct listing_entry *e = &item->entries[i];
		struct draft_source source = { .st = e->st };

		if (!*e->path) /* the directory that was given keeps its looks */
			continue;
		r = listing_open(&place, item, e->path, &source.dir, &source.name, err);
		if (r == 0 && S_ISDIR(e->st.st_mode))
			r = make_way(d, e->path, err);
		if (r == 0)
			r = draft_copy(d, e->path, &source, &looks, err);
	}
	listing_place_done(&place);
	return r;
}

static int copy_local(int root, int to, struct error *err)
{
	const struct strv none = { 0 };
	const struct listing_request lr = { .root = root, .what = "what was built" };
	struct listing list = { .n = 0 };
	struct draft draft;
	int r = listing_add(&list, &lr, ".", err);

	draft_init(&draft, to, &none);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = copy_item(&draft, &list.items[i], err);
	if (r == 0)
		r = draft_finish(&draft, err);
	draft_done(&draft);
	listing_done(&list);
	return r;
}

static int export_local(struct build *builds, size_t n, const struct incoming *in, const char *dest,
			struct error *err)
{
	autoclose int top = -1;
	int r = dir_ensure_at(AT_FDCWD, dest, 0755, &top, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		autofree char *name = n > 1 ? platform_dir(&builds[i]) : xstrdup(".");
		autoclose int root = -1, to = -1;

		r = open_target(&builds[i], in, &root, err);
		if (r == 0)
			r = dir_ensure_at(top, name, 0755, &to, err);
		if (r == 0)
			r = copy_local(root, to, err);
	}
	return r < 0 ? error_wrap(err, r, "%s", dest) : 0;
}

/* tar */

static int gather(struct build *builds, size_t n, const struct incoming *in, int *ret,
		  struct error *err)
{
	int r = dir_ensure_at(in->tmp_fd, "platforms", 0755, ret, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		autofree char *name = platform_dir(&builds[i]);
		autoclose int root = -1, to = -1;

		r = open_target(&builds[i], in, &root, err);
		if (r == 0)
			r = dir_ensure_at(*ret, name, 0755, &to, err);
		if (r == 0)
			r = copy_tree(root, to, err);
	}
	return r;
}

static int export_tar(struct build *builds, size_t n, const struct incoming *in, const char *dest,
		      struct error *err)
{
	autoclose int root = -1;
	struct changes_request req = { .fd = -1 };
	int r = n > 1 ? gather(builds, n, in, &root, err) : open_target(builds, in, &root, err);

	req.fd = root;
	return r < 0 ? r : tar_out(dest, &req, builds[0].req->newest_s, err);
}

int export_tree(struct build *builds, size_t n, const struct output *output, struct error *err)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	int r = incoming_begin(engine_root(builds[0].engine), engine_root_fd(builds[0].engine), &in,
			       err);

	if (r < 0)
		return r;
	return output->type == OUTPUT_LOCAL ? export_local(builds, n, &in, output->dest, err)
					    : export_tar(builds, n, &in, output->dest, err);
}
