/* src/disk/esp.h - the boot partition: FAT, with a loader for UEFI, one for BIOS, and what they
 * load.
 *
 * mkfs.vfat, mtools and syslinux write it straight into the disk's file; systemd-boot and
 * syslinux are Debian's binaries.  One copy of kernel and initrd serves both.
 */
#ifndef DISK_ESP_H
#define DISK_ESP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct content;
struct output;

struct esp_request {
	const struct output *out; /* the disk */
	int64_t offset, size;
	uint32_t volume_id;
	int64_t now_s;
	bool bios, uefi;
	bool mbr;               /* the table; else a GPT */
	bool arm64;             /* else amd64 */
	const char *efi_loader; /* instead of the installed systemd-boot; NULL */
	bool spare;             /* room for a second kernel and initrd, as an upgrade needs */
	const struct content *kernel, *initrd; /* initrd may be NULL */
	const char *kernel_source,
		*initrd_source; /* the two as a shell finds them, for narration */
	const char *cmdline;
	const char *title;
};

/* In a dry run's cmdline: what the script itself finds out, and has in $roothash. */
#define ESP_ROOTHASH "@roothash@"

/* A multiple of PARTITION_ALIGN. */
/* That its words for the kernel are such that a loader and a kernel take. */
int esp_check(const struct esp_request *req, struct error *err) must_check;
int64_t esp_size(const struct esp_request *req);
int esp_write(const struct esp_request *req, struct error *err) must_check;

#endif
