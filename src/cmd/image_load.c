/* src/cmd/image_load.c - strake-image load */
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/image_options.h"
#include "engine/engine.h"
#include "image/load.h"
#include "image/reference.h"

static void report(void *data, const char *name, const char *id)
{
	const struct load_args *args = data;
	char familiar[REFERENCE_MAX];

	if (args->quiet) {
		(void)puts(id);
	} else if (name) {
		reference_familiar(name, familiar);
		(void)printf("Loaded image: %s\n", familiar);
	} else {
		(void)printf("Loaded image ID: sha256:%s\n", id);
	}
}

static int load_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	struct load_args args = *(const struct load_args *)data;
	uint64_t left_out = 0;
	const struct load_request req = {
		.all = args.all,
		.left_out = &left_out,
		.path = args.input ? args.input : "-",
		.platform = args.platform,
		.root = engine_root(engine),
		.root_fd = engine_root_fd(engine),
		.report = report,
		.data = &args,
	};

	int r;

	(void)argc;
	(void)argv;
	if (args.all && args.platform)
		return error_set(err, -EINVAL, "--platform and --all-platforms exclude each other");
	if (args.input && !*args.input)
		return error_set(err, -EINVAL,
				 "--input wants the name of a file or directory, not ''");
	if (!args.input && isatty(STDIN_FILENO))
		return error_set(err, -EINVAL,
				 "standard input is a terminal; name an archive with -i FILE");
	r = image_load_archive(engine_db(engine), &req, err);
	image_note_left_out("load", left_out);
	return r;
}

const struct cmd cmd_image_load = {
	.name = "load",
	.operands = "",
	.help = "Bring in images from an archive or a directory",
	.opts = load_opts,
	.args_size = sizeof(struct load_args),
	.flags = CMD_MAKES,
	.run = load_run,
};
