/* src/cmd/check_front.c - strake image check, as strake shows it; strake-image does it. */
#include <limits.h>

#include "cmd/check_options.h"
#include "cmd/cmd.h"
#include "cmd/handover.h"

static int check_run(const void *globals, const void *args, int argc, char **argv,
		     struct error *err)
{
	(void)argc;
	return handover("strake-image", "check", globals, image_check_opts, args, argv, err);
}

const struct cmd cmd_image_check_front = {
	.name = "check",
	.operands = "[IMAGE...]",
	.help = "Compare every byte of images with the digests that name it",
	.details =
		"Documents and blobs are hashed; every unpacked layer is compared with its blob: names, kinds,\n"
		"owners, modes, times, attributes, contents. One that was made here is compared with its diff\n"
		"ID. Without IMAGE all are checked. The exit status is 1 if something was found and not\n"
		"repaired. 'strake system check' looks for what nobody needs, and is quick.",
	.opts = image_check_opts,
	.args_size = sizeof(struct image_check_args),
	.max_operands = INT_MAX,
	.run_alone = check_run,
};
