/* src/engine/root.c */
#include "engine/root.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/json.h"
#include "engine/engine.h"
#include "engine/archive.h"
#include "engine/bundle.h"
#include "engine/options.h"
#include "engine/supply.h"
#include "image/image.h"
#include "image/platform.h"
#include "image/reference.h"
#include "kernel/overlay.h"

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

static const char other[] =
	"; --pull always fetches the other, 'strake load --platform' brings it out of an archive";

/* name: for people. */
static int platform_check(const struct image_config *config, const char *name, const char *advice,
			  const char *wish, struct error *err)
{
	int r = platform_demand(config->os, config->architecture, wish, err);

	if (r == 0 || !config->os || !config->architecture)
		return r;
	return error_set(err, r, "image %s is %s/%s, not %s%s", name, config->os,
			 config->architecture, wish, advice);
}

static int plan_image(struct engine *engine, const char *name, struct root *root, struct error *err)
{
	int r = image_find(engine->db, engine->root_fd, name, &root->image, err);

	if (r < 0)
		return r;
	root->kind = ROOT_IMAGE;
	root->source = xstrdup(name);
	root->config = &root->image->config;
	image_lower_dirs(engine->root, root->image, &root->layers);
	return 0;
}

/* A tarball becomes an image without a name, once: the same file again is the same image. */
static int plan_archive(struct engine *engine, const char *path, const char *platform,
			struct root *root, struct error *err)
{
	char id[ID_LEN + 1];
	int r = archive_import(engine, path, id, err);

	if (r == 0)
		r = plan_image(engine, id, root, err);
	if (r == 0)
		r = platform_check(root->config, path, "", platform, err);
	if (r < 0)
		return r;
	free(root->source);
	root->source = xstrdup(path);
	return 0;
}

/* What lies at a path that was given in an image's place. */

bool root_is_path(const char *what)
{
	return what[0] == '/' || strncmp(what, "./", 2) == 0 || strncmp(what, "../", 3) == 0 ||
	       strcmp(what, ".") == 0 || strcmp(what, "..") == 0;
}

enum path_kind { PATH_OTHER, PATH_DIRECTORY, PATH_BUNDLE, PATH_LAYOUT, PATH_PROGRAM, PATH_ARCHIVE };

static bool has(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

/* By the first bytes, as the kernel and tar would tell. */
static enum path_kind file_kind(const char *path)
{
	static const struct {
		size_t offset;
		const char *bytes;
		enum path_kind kind;
	} marks[] = {
		{ 0, "\177ELF", PATH_PROGRAM },          { 0, "#!", PATH_PROGRAM },
		{ 257, "ustar", PATH_ARCHIVE },          { 0, "\x1f\x8b", PATH_ARCHIVE },
		{ 0, "\x28\xb5\x2f\xfd", PATH_ARCHIVE },
	};
	autoclose int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char bytes[512] = "";
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		size_t len = strlen(marks[i].bytes);

		if (n >= (ssize_t)(marks[i].offset + len) &&
		    memcmp(bytes + marks[i].offset, marks[i].bytes, len) == 0)
			return marks[i].kind;
	}
	return PATH_OTHER;
}

static int path_kind(const char *path, enum path_kind *ret, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_sys(err, -errno, "%s", path);
	if (S_ISREG(st.st_mode))
		*ret = file_kind(path);
	else if (!S_ISDIR(st.st_mode))
		*ret = PATH_OTHER;
	else if (has(path, "config.json"))
		*ret = PATH_BUNDLE;
	else
		*ret = has(path, "oci-layout") ? PATH_LAYOUT : PATH_DIRECTORY;
	return 0;
}

static int plan_path(struct engine *engine, const struct container_options *options,
		     struct root *root, struct error *err)
{
	const char *path = options->image;
	struct container_options bare = *options;
	enum path_kind kind = PATH_OTHER;
	int r = path_kind(path, &kind, err);

	if (r < 0)
		return r;
	if (options->with_libs && kind != PATH_PROGRAM)
		return error_set(err, -EINVAL, "--with-libs only makes sense with one executable");
	bare.bare = path;
	switch (kind) {
	case PATH_DIRECTORY:
		return plan_directory(path, root, err);
	case PATH_BUNDLE:
		return bundle_plan(path, root, err);
	case PATH_PROGRAM:
		return plan_bare(&bare, root, err);
	case PATH_LAYOUT:
	case PATH_ARCHIVE:
		return plan_archive(engine, path, options->platform, root, err);
	case PATH_OTHER:
		break;
	}
	return error_set(err, -ENOEXEC,
			 "%s is no directory, bundle, executable or tar archive; nothing to run",
			 path);
}

enum pull_when { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

static int pull_when(const struct container_options *options, struct error *err)
{
	static const char *const words[] = { "missing", "always", "never" };

	for (size_t i = 0; options->pull && i < ARRAY_SIZE(words); i++)
		if (strcmp(options->pull, words[i]) == 0)
			return (int)i;
	if (options->pull)
		return error_set(err, -EINVAL, "--pull wants missing, always or never, not '%.40s'",
				 options->pull);
	return PULL_MISSING;
}

/* The name stays what was typed, whatever registry it turned out to mean. */
static int plan_fetched(struct engine *engine, const struct container_options *options, bool always,
			struct root *root, struct error *err)
{
	char id[ID_LEN + 1];
	const struct fetch_request req = { .name = options->image,
					   .platform = options->platform,
					   .always = always };
	int r = archive_fetch(engine, &req, id, err);

	if (r == 0)
		r = plan_image(engine, id, root, err);
	if (r == 0)
		r = platform_check(root->config, options->image, "", options->platform, err);
	if (r < 0)
		return r;
	free(root->source);
	root->source = xstrdup(options->image);
	return 0;
}

/* An ID is nothing that a registry could be asked for. */
static bool can_be_fetched(const char *name)
{
	char canonical[REFERENCE_MAX];

	return strncmp(name, "sha256:", 7) != 0 && reference_canonical(name, canonical, NULL) == 0;
}

static int plan_named(struct engine *engine, const struct container_options *options,
		      struct root *root, struct error *err)
{
	const char *name = options->image;
	int when = pull_when(options, err), r;

	if (when < 0)
		return when;
	if (engine->is_blind)
		return error_set(err, -EACCES,
				 "whether image %s is here only root can see, who reads %s: run "
				 "this as root",
				 name, engine->root);
	if (when == PULL_ALWAYS)
		return plan_fetched(engine, options, true, root, err);
	r = plan_image(engine, name, root, err);
	if (r == 0)
		r = platform_check(root->config, name, other, options->platform, err);
	if (r != -ENOENT)
		return r;
	if (when == PULL_MISSING && can_be_fetched(name))
		r = plan_fetched(engine, options, false, root, err);
	if (r < 0 && access(name, F_OK) == 0)
		return error_set(err, r, "no image '%s'; to run what lies here say ./%s", name,
				 name);
	return r;
}

static int plan_prepared(const struct prepared_root *prepared, struct root *root)
{
	root->kind = ROOT_DIRECTORY;
	root->source = xstrdup(prepared->source);
	root->config = prepared->config;
	strv_extend(&root->layers, prepared->layers->items, prepared->layers->n);
	return 0;
}

int root_plan(struct engine *engine, const struct container_options *options, struct root *ret,
	      struct error *err)
{
	if (options->platform && (options->bare || options->rootfs))
		return error_set(err, -EINVAL, "--platform only makes sense with an image");
	if (options->prepared)
		return plan_prepared(options->prepared, ret);
	if (options->bare)
		return plan_bare(options, ret, err);
	if (!options->rootfs && root_is_path(options->image))
		return plan_path(engine, options, ret, err);
	if (options->with_libs)
		return error_set(err, -EINVAL, "--with-libs only makes sense with --bare FILE");
	if (options->rootfs)
		return plan_directory(options->rootfs, ret, err);
	return plan_named(engine, options, ret, err);
}

void root_done(struct root *root)
{
	free(root->source);
	strv_done(&root->layers);
	image_free(root->image);
	bare_done(&root->bare);
	image_config_done(&root->bundle_config);
	json_decref(root->bundle);
}

void root_diagnose(struct engine *engine, const struct container_options *options,
		   const char *last_words, struct strv *ret)
{
	struct container_options again = *options;
	struct root root = { .source = NULL };
	autoclose int view = -1;
	int r;

	/* Planned again, which changes nothing any more: an archive is there since the run, and so
	 * is what was pulled.
	 */
	again.pull = "never";
	r = root_plan(engine, &again, &root, NULL);
	if (r == 0 && root.layers.n > 0)
		r = overlay_view(&root.layers, "its root", &view, NULL);
	if (r == 0)
		supply_diagnose(last_words, view, &options->with, ret);
	root_done(&root);
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
	autofree char *escaped = overlay_escape(dir);
	json_t *options;

	if (root->kind == ROOT_BARE) {
		add_bare(&root->bare, mounts);
		return;
	}
	options = json_array();
	add_lower(options, &root->layers);
	add_option(options, "upperdir=%s/upper", escaped);
	add_option(options, "workdir=%s/work", escaped);
	add_mount(mounts, "/", "overlay", "overlay", options);
}
