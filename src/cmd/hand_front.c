/* src/cmd/hand_front.c - working containers, as strake shows them; strake-build does it. */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/hand_options.h"
#include "cmd/handover.h"

#define FRONT(name, command, opts)                                                                 \
	static int name##_front(const void *globals, const void *args, int argc, char **argv,      \
				struct error *err)                                                 \
	{                                                                                          \
		(void)argc;                                                                        \
		return handover("strake-build", command, globals, opts, args, argv, err);          \
	}

static const struct opt none[] = { { 0 } };

FRONT(from, "from", hand_from_opts)
FRONT(run, "run", hand_run_opts)
FRONT(copy, "copy", hand_copy_opts)
FRONT(add, "add", hand_copy_opts)
FRONT(config, "config", hand_config_opts)
FRONT(commit, "commit", hand_commit_opts)
FRONT(mount, "mount", none)
FRONT(umount, "umount", hand_umount_opts)
FRONT(ps, "ps", hand_ps_opts)
FRONT(rm, "rm", hand_rm_opts)

const struct cmd cmd_hand_from = {
	.name = "from",
	.operands = "IMAGE|scratch",
	.help = "Begin an image by hand: a working container",
	.details =
		"Prints its name, for the commands that change it: run, copy, add, config, mount. Each is a\n"
		"step, as its instruction in a Containerfile is one, and commit makes the image.",
	.opts = hand_from_opts,
	.args_size = sizeof(struct hand_from_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = from_front,
};

const struct cmd cmd_hand_run = {
	.name = "run",
	.operands = "CONTAINER [--] COMMAND...",
	.help = "Run a command in a working container: the next layer",
	.details =
		"As RUN [\"COMMAND\", ...] does. Its input and output are ours, and its exit status is. What it\n"
		"changed stays, whatever that is; of a command that is killed together with this one\n"
		"nothing stays.",
	.opts = hand_run_opts,
	.args_size = sizeof(struct hand_run_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND,
	.error_status = 125,
	.run_alone = run_front,
};

const struct cmd cmd_hand_copy = {
	.name = "copy",
	.operands = "CONTAINER SOURCE... [DEST]",
	.help = "Copy files into a working container",
	.details =
		"As COPY does. Sources are ours, from where we are; without DEST they go to the\n"
		"working directory.",
	.opts = hand_copy_opts,
	.args_size = sizeof(struct hand_copy_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run_alone = copy_front,
};

const struct cmd cmd_hand_add = {
	.name = "add",
	.operands = "CONTAINER SOURCE... [DEST]",
	.help = "Copy files into a working container, and unpack archives there",
	.details = "As ADD does.",
	.opts = hand_copy_opts,
	.args_size = sizeof(struct hand_copy_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run_alone = add_front,
};

const struct cmd cmd_hand_config = {
	.name = "config",
	.operands = "CONTAINER",
	.help = "Change what the image will say about running it",
	.opts = hand_config_opts,
	.args_size = sizeof(struct hand_config_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = config_front,
};

const struct cmd cmd_hand_commit = {
	.name = "commit",
	.operands = "CONTAINER [NAME]",
	.help = "Make an image of a working container",
	.details = "Prints the image's ID. The working container stays, and may go on.",
	.opts = hand_commit_opts,
	.args_size = sizeof(struct hand_commit_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = commit_front,
};

const struct cmd cmd_hand_mount = {
	.name = "mount",
	.operands = "[CONTAINER...]",
	.help = "Show a working container's files at a place on the host",
	.details =
		"Prints the place. What is written there becomes a layer before the next step; for that\n"
		"nobody may be in there. Without CONTAINER what is mounted is listed.",
	.max_operands = INT_MAX,
	.run_alone = mount_front,
};

const struct cmd cmd_hand_umount = {
	.name = "umount",
	.operands = "CONTAINER...",
	.help = "Take what 'strake builder mount' showed away",
	.opts = hand_umount_opts,
	.args_size = sizeof(struct hand_all_args),
	.max_operands = INT_MAX,
	.run_alone = umount_front,
};

const struct cmd cmd_hand_ps = {
	.name = "ps",
	.operands = "",
	.help = "List working containers",
	.opts = hand_ps_opts,
	.args_size = sizeof(struct hand_ps_args),
	.run_alone = ps_front,
};

const struct cmd cmd_hand_rm = {
	.name = "rm",
	.operands = "CONTAINER...",
	.help = "Remove working containers",
	.details = "Images made of them stay.",
	.opts = hand_rm_opts,
	.args_size = sizeof(struct hand_all_args),
	.max_operands = INT_MAX,
	.run_alone = rm_front,
};
