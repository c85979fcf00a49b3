/* src/cmd/pack_front.c - strake image pack, as strake shows it; strake-image does it. */
#include "cmd/cmd.h"
#include "cmd/handover.h"
#include "cmd/pack_options.h"

static int pack_run(const void *globals, const void *args, int argc, char **argv, struct error *err)
{
	(void)argc;
	return handover("strake-image", "pack", globals, pack_opts, args, argv, err);
}

const struct cmd cmd_image_pack_front = {
	.name = "pack",
	.operands = "FILE|DIR|BUNDLE [NAME]",
	.help = "Make an image of one executable, a directory or a bundle",
	.details =
		"One layer. Of a FILE it holds that file, which is what runs; the same file gives the same\n"
		"image on any day. A bundle that 'strake bundle' wrote gives back the image's configuration.",
	.opts = pack_opts,
	.args_size = sizeof(struct pack_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = pack_run,
};
