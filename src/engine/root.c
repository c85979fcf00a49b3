/* src/engine/root.c */
#include "engine/root.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "engine/root_view.h"

#define OPTION_BYTES_MAX (256U * 4096) /* a path for each of the 128 layers an image may have */
#define BARE_ROOT_SIZE   "64m"         /* what a lone program may write into its root */

static int plan_directory(const char *dir, struct root *root, struct error *err)
{
	char *path = realpath(dir, NULL);
	struct stat st;

	if (!path)
		return error_sys(err, -errno, "--rootfs %s", dir);
	strv_take(&root->layers, path);
	if (stat(path, &st) < 0)
		return error_sys(err, -errno, "--rootfs %s", dir);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, -ENOTDIR,
				 "--rootfs %s is not a directory; --bare runs one executable file",
				 dir);
	if (strcmp(path, "/") == 0)
		return error_set(err, -EINVAL,
				 "--rootfs / would show the whole host to the container");
	root->kind = ROOT_DIRECTORY;
	root->source = xstrdup(path);
	return 0;
}

static int plan_bare(const struct container_options *options, struct root *root, struct error *err)
{
	int r = bare_plan(options->bare, options->with_libs, &root->bare, err);

	if (r < 0)
		return r;
	root->kind = ROOT_BARE;
	root->source = xstrdup(root->bare.host_path);
	return 0;
}

static int plan_image(struct engine *engine, const char *name, struct root *root, struct error *err)
{
	int r = image_find(engine->db, engine->root_fd, name, &root->image, err);

	if (r < 0)
		return r;
	root->kind = ROOT_IMAGE;
	root->source = xstrdup(name);
	image_lower_dirs(engine->root, root->image, &root->layers);
	return 0;
}

int root_plan(struct engine *engine, const struct container_options *options, struct root *ret,
	      struct error *err)
{
	if (options->bare)
		return plan_bare(options, ret, err);
	if (options->with_libs)
		return error_set(err, -EINVAL, "--with-libs only makes sense with --bare FILE");
	if (options->rootfs)
		return plan_directory(options->rootfs, ret, err);
	return plan_image(engine, options->image, ret, err);
}

void root_done(struct root *root)
{
	free(root->source);
	strv_done(&root->layers);
	image_free(root->image);
	bare_done(&root->bare);
}

static void add_option(json_t *options, const char *fmt, ...) printf_like(2, 3);
static void add_option(json_t *options, const char *fmt, ...)
{
	struct buf text = BUF_INIT(OPTION_BYTES_MAX);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	(void)json_array_append_new(options, json_string(buf_text(&text)));
	buf_done(&text);
}

static void add_lower(json_t *options, const struct strv *layers)
{
	autofree char *joined = overlay_join(layers);

	add_option(options, "lowerdir=%s", joined);
}

static void add_mount(json_t *mounts, const char *dest, const char *type, const char *source,
		      json_t *options)
{
	(void)json_array_append_new(mounts,
				    json_pack("{s:s, s:s, s:s, s:o}", "destination", dest, "type",
					      type, "source", source, "options", options));
}

static void add_file(json_t *mounts, const char *from, const char *to)
{
	add_mount(mounts, to, "bind", from,
		  json_pack("[s, s, s, s]", "bind", "ro", "nosuid", "nodev"));
}

static void add_bare(const struct bare *bare, json_t *mounts)
{
	json_t *options = json_pack("[s, s, s]", "mode=0755", "nodev", "size=" BARE_ROOT_SIZE);

	add_mount(mounts, "/", "tmpfs", "tmpfs", options);
	add_file(mounts, bare->host_path, bare->inside);
	for (size_t i = 0; i < bare->from.n; i++)
		add_file(mounts, bare->from.items[i], bare->to.items[i]);
}

void root_add_mounts(const struct root *root, const char *dir, json_t *mounts)
{
	json_t *options;

	if (root->kind == ROOT_BARE) {
		add_bare(&root->bare, mounts);
		return;
	}
	options = json_array();
	add_lower(options, &root->layers);
	add_option(options, "upperdir=%s/upper", dir);
	add_option(options, "workdir=%s/work", dir);
	add_mount(mounts, "/", "overlay", "overlay", options);
}
