/* src/cmd/disk.c - strake disk, as strake shows it; strake-disk does it. */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/disk_options.h"
#include "cmd/handover.h"

static const struct opt no_opts[] = { { 0 } };

HANDOVER("strake-disk", build, "build", disk_build_opts)
HANDOVER("strake-disk", convert, "convert", disk_convert_opts)
HANDOVER("strake-disk", import, "import", disk_import_opts)
HANDOVER("strake-disk", ls, "ls", disk_ls_opts)
HANDOVER("strake-disk", cat, "cat", disk_read_opts)
HANDOVER("strake-disk", cp, "cp", disk_read_opts)
HANDOVER("strake-disk", check, "check", no_opts)
HANDOVER("strake-disk", inspect, "inspect", no_opts)
HANDOVER("strake-disk", run, "run", disk_run_opts)
HANDOVER("strake-disk", write, "write", disk_write_opts)

static const struct cmd disk_build_front = {
	.name = "build",
	.operands = "SOURCE [-- COMMAND...]",
	.help = "Make a disk that boots of an image, a container, a directory, an archive or one executable",
	.details =
		"SOURCE is an image, a container (container:NAME, where an image has the name, too), or, with a\n"
		"slash, a directory, a tar archive (plain, gzip, zstd) or one static executable. The disk starts on BIOS and UEFI: GPT, a boot partition with syslinux and\n"
		"systemd-boot, and an ext4 root that is found by its UUID; no mount, no loop device, and no\n"
		"root unless the image store is root's.\n\n"
		"Kernel and initrd are the newest in the source, or those that --kernel and --initrd name. A\n"
		"source without an init becomes a machine in memory, or with --size on its disk: a small init starts\n"
		"COMMAND, or what the image says, with the image's environment, directory and user, and switches\n"
		"the machine off when it ends. Its volumes are on a partition of their own.",
	.opts = disk_build_opts,
	.args_size = sizeof(struct disk_build_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = build_run,
};

static const struct cmd disk_run_front = {
	.name = "run",
	.operands = "FILE",
	.help = "Start a disk in QEMU",
	.details =
		"The serial console is the terminal; Ctrl-A x ends the machine, Ctrl-C goes to it. With KVM where\n"
		"it works, else by emulation; it says which. SIGTERM and --timeout press the power button, and what\n"
		"does not end by itself within 20 s is ended.\n\n"
		"Exits as the program of a machine without an operating system did, else with 0. A shared folder\n"
		"is where it belongs in such a machine; in another one 'mount -t 9p -o trans=virtio TARGET TARGET'\n"
		"brings it there.",
	.opts = disk_run_opts,
	.args_size = sizeof(struct disk_run_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = run_run,
};

static const struct cmd disk_check_front = {
	.name = "check",
	.operands = "FILE",
	.help = "Follow a disk's way from firmware to init, and say what lacks",
	.details =
		"Firmware, loader, kernel, initrd, root, init, a line each. Exits with 1 if one lacks.",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = check_run,
};

static const struct cmd disk_inspect_front = {
	.name = "inspect",
	.operands = "FILE",
	.help = "Show a disk's partitions as JSON",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = inspect_run,
};

static const struct cmd disk_convert_front = {
	.name = "convert",
	.operands = "FILE TARGET",
	.help = "Pack a disk for another hypervisor, unpack one, or make an ISO of it",
	.details =
		"FILE may have any of the formats, too. TARGET appears when it is whole, is sparse where its\n"
		"format allows, and of the same FILE has the same bytes. An ISO is the disk itself, which\n"
		"optical drives start, too; of a machine that writes to its root make it with 'disk build\n"
		"--format iso'.",
	.opts = disk_convert_opts,
	.args_size = sizeof(struct disk_convert_args),
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = convert_run,
};

static const struct cmd disk_import_front = {
	.name = "import",
	.operands = "FILE [NAME]",
	.help = "Make an image of the files of a disk",
	.details =
		"FILE may have any of the formats; its root is an ext2, ext3, ext4, XFS, btrfs, EROFS or squashfs. One layer,\n"
		"with owners, modes, times, attributes, hard links, devices and holes. The boot partition and what\n"
		"'disk build' added stay out. The configuration is that of the image of which 'disk build' made\n"
		"the disk, changed by --change.",
	.opts = disk_import_opts,
	.args_size = sizeof(struct disk_import_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = import_run,
};

static const struct cmd disk_ls_front = {
	.name = "ls",
	.operands = "FILE [PATH]",
	.help = "List a directory of a disk",
	.details =
		"Of its root, or of another partition: ext2, ext3, ext4, xfs, btrfs, erofs, squashfs or FAT, read without\n"
		"a mount. Times are in UTC.",
	.opts = disk_ls_opts,
	.args_size = sizeof(struct disk_read_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = ls_run,
};

static const struct cmd disk_cat_front = {
	.name = "cat",
	.operands = "FILE PATH...",
	.help = "Print files of a disk",
	.opts = disk_read_opts,
	.args_size = sizeof(struct disk_read_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run_alone = cat_run,
};

static const struct cmd disk_cp_front = {
	.name = "cp",
	.operands = "FILE PATH TARGET",
	.help = "Copy a file or a directory out of a disk",
	.details = "Links are copied as links, devices are left out, owners become yours.",
	.opts = disk_read_opts,
	.args_size = sizeof(struct disk_read_args),
	.min_operands = 3,
	.max_operands = 3,
	.run_alone = cp_run,
};

static const struct cmd disk_write_front = {
	.name = "write",
	.operands = "FILE DEVICE",
	.help = "Write a disk onto a device: a stick, a card, a disk",
	.details =
		"FILE may have any of the formats. Shows what is on DEVICE, asks, writes, reads all of it back,\n"
		"and moves the second partition table to the end. Refused is a device that is mounted, swapped\n"
		"to, part of a RAID or of LVM, or otherwise open, it or a partition of it; one that is too small;\n"
		"one that is built in (--fixed); a partition (--partition). What is interrupted does not start.",
	.opts = disk_write_opts,
	.args_size = sizeof(struct disk_write_args),
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = write_run,
};

static const struct cmd *const disk_cmds[] = {
	&disk_build_front,
	&disk_run_front,
	&disk_check_front,
	&disk_inspect_front,
	&disk_convert_front,
	&disk_import_front,
	&disk_ls_front,
	&disk_cat_front,
	&disk_cp_front,
	&disk_write_front,
	NULL,
};

const struct cmd cmd_disk = {
	.name = "disk",
	.help = "Turn images into disks that boot",
	.sub = disk_cmds,
};
