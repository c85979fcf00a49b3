/* src/cmd/disk.c - strake disk, as strake shows it; strake-disk does it. */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/disk_options.h"
#include "cmd/handover.h"

static int build_run(const void *globals, const void *args, int argc, char **argv,
		     struct error *err)
{
	(void)argc;
	return handover("strake-disk", "build", globals, disk_build_opts, args, argv, err);
}

static const struct cmd disk_build_front = {
	.name = "build",
	.operands = "SOURCE [-- COMMAND...]",
	.help = "Make a disk that boots of an image, a directory, an archive or one executable",
	.details =
		"SOURCE is an image, or, with a slash, a directory, a tar archive (plain, gzip, zstd) or one\n"
		"static executable. The disk starts on BIOS and UEFI: GPT, a boot partition with syslinux and\n"
		"systemd-boot, and an ext4 root that is found by its UUID; no mount, no loop device, and no\n"
		"root unless the image store is root's.\n\n"
		"Kernel and initrd are the newest in the source, or those that --kernel and --initrd name. A\n"
		"source without an init becomes a machine in memory: a small init starts COMMAND, or what the\n"
		"image says, with the image's environment, directory and user, and switches the machine off\n"
		"when it ends.",
	.opts = disk_build_opts,
	.args_size = sizeof(struct disk_build_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = build_run,
};

static const struct cmd *const disk_cmds[] = {
	&disk_build_front,
	NULL,
};

const struct cmd cmd_disk = {
	.name = "disk",
	.help = "Turn images into disks that boot",
	.sub = disk_cmds,
};
