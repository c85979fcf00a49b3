/* src/cmd/load.c - strake load: hands over to strake-image, which links what reads archives. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "engine/engine.h"

struct load_args {
	const char *input, *platform;
	bool all, quiet;
};

static const struct opt load_opts[] = {
	OPT(struct load_args, input, "input", 'i', "FILE|DIR",
	    "archive or OCI layout (default: standard input)"),
	OPT(struct load_args, platform, "platform", 0, "OS/ARCH",
	    "which platform of a multi-platform image"),
	OPT(struct load_args, all, "all-platforms", 0, NULL,
	    "all of them; the name stands for their index then"),
	OPT(struct load_args, quiet, "quiet", 'q', NULL, "print nothing but the image's ID"),
	{ 0 },
};

static void add_value(struct strv *argv, const char *option, const char *value)
{
	if (!value)
		return;
	strv_add(argv, option);
	strv_add(argv, value);
}

static int load_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	const struct load_args *args = data;
	autofree char *dir = libexec_find();
	autofree char *path = xasprintf("%s/strake-image", dir);
	struct strv command = { 0 };
	int r;

	(void)argc;
	(void)argv;
	strv_add(&command, "strake-image");
	add_value(&command, "--root", g->root);
	add_value(&command, "--run-root", g->run_root);
	if (g->explain)
		strv_add(&command, "--explain");
	if (g->dry_run)
		strv_add(&command, "--dry-run");
	strv_add(&command, "load");
	add_value(&command, "--input", args->input);
	add_value(&command, "--platform", args->platform);
	if (args->all)
		strv_add(&command, "--all-platforms");
	if (args->quiet)
		strv_add(&command, "--quiet");
	(void)execv(path, command.items);
	r = error_sys(err, -errno, "run %s", path);
	strv_done(&command);
	return r;
}

const struct cmd cmd_load = {
	.name = "load",
	.operands = "",
	.help = "Bring in images from an archive or a directory",
	.details =
		"Reads what 'docker save', 'podman save', 'skopeo copy' and build tools write: docker-archive,\n"
		"OCI archive, OCI layout directory; plain, gzip or zstd. Every digest is verified. An image is\n"
		"there as a whole or not at all.",
	.opts = load_opts,
	.args_size = sizeof(struct load_args),
	.run_alone = load_run,
};
