/* src/cmd/image_save.c - strake-image save and export */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/strv.h"
#include "cmd/cmd.h"
#include "cmd/image_options.h"
#include "engine/container.h"
#include "engine/container_files.h"
#include "engine/engine.h"
#include "image/changes.h"
#include "image/save.h"
#include "image/tar_out.h"
#include "kernel/overlay.h"

static int choose_packing(const char *text, struct save_request *req, struct error *err)
{
	static const char *const words[] = { "none", "gzip", "zstd" };

	req->any = !text;
	req->packing = PACKING_NONE;
	for (size_t i = 0; text && i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], text) != 0)
			continue;
		req->packing = (enum packing)i;
		return 0;
	}
	return !text ? 0
		     : error_set(err, -EINVAL, "--compression is gzip, zstd or none, not '%s'",
				 text);
}

static int check_output(const char *output, struct error *err)
{
	if (output && !*output)
		return error_set(err, -EINVAL, "--output wants the name of a file, not ''");
	if (output || !isatty(STDOUT_FILENO))
		return 0;
	return error_set(err, -EINVAL, "standard output is a terminal; name a file with -o FILE");
}

static void narrate_save(const struct save_request *req)
{
	const char *path = strcmp(req->path, "-") == 0 ? "/dev/stdout" : req->path;

	for (size_t i = 0; i < req->images->n; i++)
		(void)explain_note("%s: state.db says which blobs and layers it is made of",
				   req->images->items[i]);
	(void)explain("layers that are kept unpacked become the archive again that they came as",
		      "tar -cC %s/layers/LAYER . | sha256sum # the digest that the image names",
		      sq(req->root));
	(void)explain("documents and layers, beside its place, and named when it is whole",
		      "tar -cf %s.tmp -C %s/blobs . && mv %s.tmp %s", sq(path), sq(req->root),
		      sq(path), sq(path));
}

static int save_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct save_args *args = data;
	struct strv images = { 0 };
	struct save_request req = {
		.root = engine_root(engine),
		.root_fd = engine_root_fd(engine),
		.path = args->output ? args->output : "-",
		.images = &images,
	};
	int r = choose_packing(args->compression, &req, err);

	if (r == 0 && args->format && save_format_parse(args->format, &req.format) < 0)
		r = error_set(
			err, -EINVAL,
			"--format is docker-archive, oci-archive, oci-dir or docker-dir, not '%s'",
			args->format);
	if (r == 0 && (req.format == SAVE_OCI_DIR || req.format == SAVE_DOCKER_DIR) &&
	    !args->output)
		r = error_set(err, -EINVAL, "%s wants -o DIR", args->format);
	if (r == 0)
		r = check_output(args->output, err);
	if (r < 0)
		return r;
	strv_extend(&images, argv, (size_t)argc);
	narrate_save(&req);
	r = image_save(engine_db(engine), &req, err);
	strv_done(&images);
	return r;
}

static void narrate_export(const struct strv *layers, const char *path)
{
	autofree char *lower = xstrdup("");

	for (size_t i = 0; explain_mode() != EXPLAIN_OFF && i < layers->n; i++) {
		autofree char *before = lower;

		lower = xasprintf("%s%s%s", before, i ? ":" : "", layers->items[i]);
	}
	(void)explain("its root as it sees it, changes over the image, to be read only",
		      "mount -t overlay -o ro,lowerdir=%s overlay /mnt", sq(lower));
	(void)explain("all of that, beside its place, and named when it is whole",
		      "tar -cf %s.tmp -C /mnt . && mv %s.tmp %s", sq(path), sq(path), sq(path));
	(void)explain("nobody else saw it", "umount /mnt");
}

static int export_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct export_args *args = data;
	cleanup(container_cleanup) struct container *c = NULL;
	cleanup(container_files_done) struct container_files files = { .upper = NULL };
	struct strv layers = { 0 };
	autoclose int view = -1;
	struct changes_request req = { .fd = -1 };
	int r = check_output(args->output, err);

	(void)argc;
	if (r == 0)
		r = container_find(engine, argv[0], &c, err);
	if (r == 0)
		r = container_files_load(engine, c, &files, err);
	if (r < 0 || !c)
		return r;
	strv_add(&layers, files.upper);
	strv_extend(&layers, files.lower.items, files.lower.n);
	narrate_export(&layers, args->output ? args->output : "/dev/stdout");
	r = overlay_view(&layers, c->name, &view, err);
	strv_done(&layers);
	req.fd = view;
	return r < 0 ? r : tar_out(args->output ? args->output : "-", &req, -1, err);
}

const struct cmd cmd_image_save = {
	.name = "save",
	.operands = "IMAGE...",
	.help = "Write images to an archive or a directory",
	.opts = save_opts,
	.args_size = sizeof(struct save_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = save_run,
};

const struct cmd cmd_image_export = {
	.name = "export",
	.operands = "CONTAINER",
	.help = "Write a container's files as a tar archive",
	.opts = export_opts,
	.args_size = sizeof(struct export_args),
	.min_operands = 1,
	.max_operands = 1,
	.run = export_run,
};
