/* src/disk/emulator.h - a disk started in QEMU. */
#ifndef DISK_EMULATOR_H
#define DISK_EMULATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct emulator_request {
	const char *path;
	const char *format; /* as QEMU calls it */
	bool uefi;
	bool arm64;      /* else amd64 */
	bool kvm;        /* else by emulation */
	bool write;      /* to the disk; else what is written is forgotten */
	const char *bus; /* "virtio", "sata", "nvme", "cdrom" */
	uint64_t memory; /* bytes */
	int cpus;
	struct strv ports;  /* "8080:80", of the loopback address, TCP */
	struct strv shares; /* "DIR[:TARGET[:ro]]" */
	int monitor;        /* one end of a socket pair, for QEMU's commands */
	int status;         /* a file for what the machine says of its program's end */
};

/* Whether this process may use KVM: that the device can be opened does not say so. */
bool emulator_has_kvm(void);
/* The command; fds that it names are left open for it.  */
int emulator_command(const struct emulator_request *req, struct strv *ret,
		     struct error *err) must_check;

#endif
