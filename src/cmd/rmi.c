/* src/cmd/rmi.c - strake rmi */
#include <limits.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "engine/engine.h"
#include "image/image.h"

struct rmi_args {
	bool force;
};

static const struct opt rmi_opts[] = {
	OPT(struct rmi_args, force, "force", 'f', NULL, "with all its names"),
	{ 0 },
};

static void print(void *data, const char *text)
{
	(void)data;
	(void)puts(text);
}

static int rmi_run(struct engine *engine, const void *data, int argc, char **argv,
		   struct error *err)
{
	const struct rmi_args *args = data;
	int status = 0;

	(void)err;
	for (int i = 0; i < argc; i++) {
		struct error failure = { 0 };

		if (image_remove(engine_db(engine), engine_root_fd(engine), argv[i], args->force,
				 print, NULL, &failure) == 0)
			continue;
		cmd_report("rmi", &failure);
		status = 1;
	}
	return status;
}

const struct cmd cmd_rmi = {
	.name = "rmi",
	.operands = "IMAGE...",
	.help = "Remove names of images, and images without a name",
	.opts = rmi_opts,
	.args_size = sizeof(struct rmi_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = rmi_run,
};
