/* src/cmd/debug.c - strake debug */
#include <limits.h>

#include "cmd/cmd.h"
#include "engine/container.h"
#include "engine/debug.h"

struct debug_args {
	const char *image;
};

static const struct opt debug_opts[] = {
	OPT(struct debug_args, image, "image", 0, "IMAGE",
	    "take the tools from this image (default: from the host)"),
	{ 0 },
};

static int debug_run(struct engine *engine, const void *data, int argc, char **argv,
		     struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	const struct debug_args *args = data;
	const struct debug_options options = {
		.image = args->image,
		.command = argv + 1,
		.ncommand = (size_t)argc - 1,
	};
	int r = container_find(engine, argv[0], &c, err);

	return r < 0 ? r : container_debug(engine, c, &options, err);
}

const struct cmd cmd_debug = {
	.name = "debug",
	.operands = "[OPTIONS] CONTAINER [COMMAND [ARGUMENT...]]",
	.help = "Look into a container with tools that it does not have",
	.details =
		"Starts a shell, or COMMAND, of the host or of an image, in the container's process, network\n"
		"and IPC namespaces: ps, ss, ip, strace see what the container's own would. Its root directory\n"
		"is /proc/1/root ($TARGET). The tools' own root is read-only; nothing is put into the container.",
	.opts = debug_opts,
	.args_size = sizeof(struct debug_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND,
	.error_status = 125,
	.run = debug_run,
};
