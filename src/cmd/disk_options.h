/* src/cmd/disk_options.h - the options of "disk build", for the program that shows them and the one
 * that heeds them.
 */
#ifndef CMD_DISK_OPTIONS_H
#define CMD_DISK_OPTIONS_H

#include "base/opt.h"
#include "cmd/image_options.h"

struct disk_build_args {
	const char *output, *boot, *kernel, *initrd, *modules, *cmdline, *hostname, *network;
	const char *root_on, *timestamp, *cloud_init, *timezone, *format, *fs, *key_file, *table;
	struct strv entrypoint, env, user, volume, password_file, password_hash_file, ssh_key;
	uint64_t size, swap;
	const char *kernel_package, *efi_loader;
	bool install_kernel, quiet, read_only_root, verity, encrypt;
};

static const struct opt disk_build_opts[] = {
	OPT(struct disk_build_args, output, "output", 'o', "FILE",
	    "the disk; it appears when it is whole"),
	OPT(struct disk_build_args, size, "size", 0, "SIZE",
	    "of the whole disk (default: what is needed, and 64m free)"),
	OPT(struct disk_build_args, format, "format", 0, "FORMAT",
	    "raw, qcow2, vmdk, vhd, vhdx, vdi or iso (default: the ending of FILE, else raw)"),
	OPT(struct disk_build_args, table, "table", 0, "gpt|mbr",
	    "of partitions (default gpt; mbr for firmware that knows no other)"),
	OPT(struct disk_build_args, fs, "fs", 0, "TYPE",
	    "of the root: ext4, xfs, btrfs, squashfs or erofs (default ext4)"),
	OPT(struct disk_build_args, read_only_root, "read-only-root", 0, NULL,
	    "never write to the root: what changes stays in memory"),
	OPT(struct disk_build_args, verity, "verity", 0, NULL,
	    "check what is read of the root against hashes; never write to it"),
	OPT(struct disk_build_args, encrypt, "encrypt", 0, NULL,
	    "open the root with a passphrase only (LUKS2)"),
	OPT(struct disk_build_args, key_file, "key-file", 0, "FILE",
	    "with the passphrase of --encrypt (default: ask)"),
	OPT(struct disk_build_args, swap, "swap", 0, "SIZE", "a partition to swap to"),
	OPT(struct disk_build_args, boot, "boot", 0, "bios,uefi",
	    "firmware that can start it (default both)"),
	OPT(struct disk_build_args, kernel, "kernel", 0, "FILE",
	    "a kernel instead of the source's own"),
	OPT(struct disk_build_args, initrd, "initrd", 0, "FILE", "the initrd of that kernel"),
	OPT(struct disk_build_args, install_kernel, "install-kernel", 0, NULL,
	    "a kernel, and an init if there is none, by the source's package manager (apt, apk, dnf)"),
	OPT(struct disk_build_args, kernel_package, "kernel-package", 0, "NAME",
	    "that kernel (default linux-image-amd64, linux-image-generic, linux-lts or kernel-core)"),
	OPT(struct disk_build_args, efi_loader, "efi-loader", 0, "FILE",
	    "a loader for UEFI instead of the installed systemd-boot, as that of another architecture"),
	OPT(struct disk_build_args, cmdline, "cmdline", 0, "TEXT", "more words for the kernel"),
	OPT(struct disk_build_args, hostname, "hostname", 'h', "NAME", "name of the machine"),
	OPT(struct disk_build_args, user, "user", 'u', "NAME[:UID][:GROUP,...]",
	    "an account without a password, its home, and the groups that it joins"),
	OPT(struct disk_build_args, ssh_key, "ssh-key", 0, "[NAME=]FILE",
	    "public keys of an account (the first --user, or root); brings the network up, too"),
	OPT(struct disk_build_args, password_file, "password-file", 0, "[NAME=]FILE",
	    "its first line is the account's password, which is stored hashed"),
	OPT(struct disk_build_args, password_hash_file, "password-hash-file", 0, "[NAME=]FILE",
	    "the same with a hash, as 'openssl passwd -6' prints one"),
	OPT(struct disk_build_args, network, "network", 0, "dhcp|ADDRESS/LENGTH,...|none",
	    "how the network card gets its address: dhcp, or ADDRESS/LENGTH[,gateway=ADDRESS][,dns=ADDRESS]; "
	    "interface=NAME picks one (default: as the source has it; without an init dhcp)"),
	OPT(struct disk_build_args, timezone, "timezone", 0, "ZONE", "as Europe/Berlin"),
	OPT(struct disk_build_args, cloud_init, "cloud-init", 0, "DIR|FILE",
	    "user-data, and in a directory meta-data and network-config, for the cloud-init in it"),
	OPT(struct disk_build_args, timestamp, "timestamp", 0, "SECONDS|DATE",
	    "when it is said to be made; the same gives the same bytes (default: SOURCE_DATE_EPOCH, or now)"),
	OPT(struct disk_build_args, entrypoint, "entrypoint", 0, "WORD",
	    "without an init in the source: a word of what always runs"),
	OPT(struct disk_build_args, env, "env", 'e', "NAME=VALUE",
	    "without an init in the source: a variable of the program"),
	OPT(struct disk_build_args, volume, "volume", 'v', "PATH",
	    "without an init in the source: a directory that outlasts the machine's files, as the image's VOLUMEs"),
	OPT(struct disk_build_args, root_on, "root-on", 0, "memory|disk",
	    "without an init in the source: where its files are (default memory up to 256 MiB, without --size)"),
	OPT(struct disk_build_args, modules, "modules", 0, "DIR",
	    "without an init in the source: modules of the kernel (default /lib/modules/VERSION, if there)"),
	OPT(struct disk_build_args, quiet, "quiet", 'q', NULL, "print nothing"),
	{ 0 },
};

struct disk_convert_args {
	const char *format;
	bool quiet;
};

static const struct opt disk_convert_opts[] = {
	OPT(struct disk_convert_args, format, "format", 0, "FORMAT",
	    "raw, qcow2, vmdk, vhd, vhdx, vdi or iso (default: the ending of TARGET, else raw)"),
	OPT(struct disk_convert_args, quiet, "quiet", 'q', NULL, "print nothing"),
	{ 0 },
};

struct disk_read_args {
	int partition;
	bool along; /* of ls alone */
};

#define DISK_PARTITION_OPT                                                                         \
	OPT(struct disk_read_args, partition, "partition", 'p', "N",                               \
	    "another than the root, as 'disk inspect' counts them from 1 on")

static const struct opt disk_read_opts[] = { DISK_PARTITION_OPT, { 0 } };

static const struct opt disk_ls_opts[] = {
	DISK_PARTITION_OPT,
	OPT(struct disk_read_args, along, "long", 'l', NULL, "with modes, owners, sizes and times"),
	{ 0 },
};

struct disk_import_args {
	struct import_args as; /* as of an archive */
	int partition;
};

static const struct opt disk_import_opts[] = {
	OPT(struct disk_import_args, as.change, "change", 'c', "INSTRUCTION",
	    "of the config, as in a Containerfile: 'CMD [\"/app\"]'"),
	OPT(struct disk_import_args, as.message, "message", 'm', "TEXT", "for the image's history"),
	OPT(struct disk_import_args, as.platform, "platform", 0, "OS/ARCH[/VARIANT]",
	    "what the files are for (default: this machine)"),
	OPT(struct disk_import_args, partition, "partition", 'p', "N",
	    "another than the root, as 'disk inspect' counts them from 1 on"),
	{ 0 },
};

struct disk_write_args {
	bool yes, fixed, partition, no_compare, quiet;
};

static const struct opt disk_write_opts[] = {
	OPT(struct disk_write_args, yes, "yes", 'y', NULL, "do not ask"),
	OPT(struct disk_write_args, fixed, "fixed", 0, NULL,
	    "onto a disk that is built in, too, and not only onto a stick or a card"),
	OPT(struct disk_write_args, partition, "partition", 0, NULL, "onto a partition of a disk"),
	OPT(struct disk_write_args, no_compare, "no-compare", 0, NULL,
	    "do not read back what was written"),
	OPT(struct disk_write_args, quiet, "quiet", 'q', NULL, "print nothing"),
	{ 0 },
};

struct disk_run_args {
	const char *firmware, *bus, *accel;
	uint64_t memory;
	int cpus;
	struct strv publish, share;
	int timeout;
	bool snapshot;
};

static const struct opt disk_run_opts[] = {
	OPT(struct disk_run_args, firmware, "firmware", 0, "bios|uefi",
	    "what starts it (default bios)"),
	OPT(struct disk_run_args, memory, "memory", 'm', "SIZE", "of the machine (default 1g)"),
	OPT(struct disk_run_args, cpus, "cpus", 0, "N", "of the machine (default 1)"),
	OPT(struct disk_run_args, publish, "publish", 'p', "HOST:MACHINE",
	    "a TCP port of 127.0.0.1 that leads to one of the machine"),
	OPT(struct disk_run_args, share, "share", 0, "DIR[:TARGET[:ro]]",
	    "a folder of this host, in the machine at TARGET (default /mnt/NAME), by 9p"),
	OPT(struct disk_run_args, bus, "disk", 0, "virtio|sata|nvme|cdrom",
	    "how the disk is connected (default virtio)"),
	OPT(struct disk_run_args, accel, "accel", 0, "kvm|tcg", "default: kvm where it works"),
	OPT(struct disk_run_args, snapshot, "snapshot", 0, NULL,
	    "forget what the machine writes to the disk"),
	OPT(struct disk_run_args, timeout, "timeout", 0, "SECONDS",
	    "press the power button then, and exit with 124"),
	{ 0 },
};

#endif
