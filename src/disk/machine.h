/* src/disk/machine.h - a disk that boots, out of whatever holds files: the plan of "disk build".
 *
 * A source with an init of its own becomes an ext4 root, found by its UUID, beside a boot partition
 * with its kernel.  One without becomes an initramfs with our init, which needs no driver for any
 * disk.
 */
#ifndef DISK_MACHINE_H
#define DISK_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "disk/format.h"
#include "disk/osroot.h"
#include "disk/appliance_disk.h"
#include "disk/customise.h"

struct machine_request {
	const char *source, *output;
	enum disk_format format;
	const char *root, *run_root; /* of the store */
	int64_t size;                /* of the disk; 0: as small as it goes */
	bool bios, uefi;
	enum partition_table table;
	const char *kernel, *initrd; /* instead of the source's; NULL */
	bool install_kernel;         /* where it has none, and an init, by its package manager */
	const char *kernel_package;  /* that one, NULL: the family's usual one */
	const char *modules;         /* of an own init; NULL: the kernel's, if they are here */
	const char *efi_loader;      /* instead of the installed systemd-boot; NULL */
	const char *cmdline;         /* behind what is always said; NULL */
	struct customisation custom;
	struct osroot_options osroot;
	struct strv command, entrypoint, env, volumes; /* of an own init */
	struct appliance_disk_request appliance;       /* the same */
	bool dated;                                    /* now_s was asked for */
	int64_t now_s;
};

struct machine_result {
	int64_t size, used; /* of the file, and blocks that it takes */
	bool has_os;
	char kernel[128]; /* its version */
};

int machine_build(const struct machine_request *req, struct machine_result *ret,
		  struct error *err) must_check;

#endif
