/* src/cmd/disk_import.c - strake-disk import */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "cmd/cmd.h"
#include "cmd/disk_options.h"
#include "disk/import.h"
#include "disk/reading.h"
#include "engine/engine.h"
#include "image/commit.h"
#include "image/reference.h"

static int commit(struct engine *engine, const struct import_args *args, const char *path, int fd,
		  const struct strv *said, const char *name, char id[ID_LEN + 1], struct error *err)
{
	const char *slash = strrchr(path, '/');
	autofree char *what = xasprintf("strake disk import %s", slash ? slash + 1 : path);
	uint64_t left_out = 0;
	struct commit_request req = {
		.root = engine_root(engine),
		.root_fd = engine_root_fd(engine),
		.archive = fd,
		.created_by = what,
		.message = args->message,
		.platform = args->platform,
		.instructions = said,
		.name = name,
		.left_out = &left_out,
	};
	int r = source_date_epoch(&req.newest_s, err);

	if (r == 0)
		r = image_commit(engine_db(engine), &req, id, err);
	image_note_left_out("disk import", left_out);
	return r;
}

static int import_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct disk_import_args *args = data;
	cleanup(disk_cleanup) struct disk *d = NULL;
	char name[REFERENCE_MAX], id[ID_LEN + 1];
	struct strv said = { 0 };
	autoclose int fd = -1;
	int r = argc > 1 ? reference_canonical(argv[1], name, err) : 0;

	if (r == 0 && argc > 1 && strchr(name, '@'))
		r = error_set(err, -EINVAL, "'%s': a digest is no name to give", argv[1]);
	if (r == 0)
		r = disk_open(argv[0], args->partition, &d, err);
	if (r == 0)
		r = disk_export(d, &fd, &said, err);
	for (size_t i = 0; r == 0 && i < d->left_out.n; i++)
		(void)fprintf(stderr, "disk import: %s is not on this disk: left out\n",
			      d->left_out.items[i]);
	/* What was asked for now comes last, and wins. */
	strv_extend(&said, args->as.change.items, args->as.change.n);
	if (r == 0)
		r = commit(engine, &args->as, argv[0], fd, &said, argc > 1 ? name : NULL, id, err);
	strv_done(&said);
	if (r == 0)
		(void)puts(id);
	return r < 0 ? error_wrap(err, r, "import %s", argv[0]) : 0;
}

const struct cmd cmd_disk_import = {
	.name = "import",
	.operands = "FILE [NAME]",
	.help = "Make an image of the files of a disk",
	.opts = disk_import_opts,
	.args_size = sizeof(struct disk_import_args),
	.min_operands = 1,
	.max_operands = 2,
	.flags = CMD_MAKES,
	.run = import_run,
};
