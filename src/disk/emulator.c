/* src/disk/emulator.c */
#include "disk/emulator.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "disk/tool.h"

#define OVMF_CODE "/usr/share/OVMF/OVMF_CODE_4M.fd"
#define OVMF_VARS "/usr/share/OVMF/OVMF_VARS_4M.fd"
#define VARS_MAX  (16U << 20)
#define PORT_MAX  65535

/* Some hosts let a machine be made and not be run, in ways that only QEMU finds out. */
bool emulator_has_kvm(void)
{
	struct strv argv = { 0 };
	int r;

	if (access("/dev/kvm", R_OK | W_OK) < 0)
		return false;
	strv_add(&argv, "sh");
	strv_add(&argv, "-c");
	strv_add(&argv,
		 "echo quit | qemu-system-x86_64 -machine q35 -accel kvm -cpu max -S -nodefaults "
		 "-display none -monitor stdio");
	r = tool_run(&argv, NULL, 0, 0, "qemu-system-x86", NULL);
	strv_done(&argv);
	return r == 0;
}

/* The firmware writes to its variables: a copy in memory, which goes with QEMU. */
static int add_uefi(struct strv *argv, struct error *err)
{
	autofree char *bytes = NULL;
	size_t len = 0;
	int fd, r = file_read_at(AT_FDCWD, OVMF_VARS, VARS_MAX, &bytes, &len, err);

	if (r == -ENOENT)
		return error_set(err, r, "%s is missing: install the package ovmf", OVMF_VARS);
	if (r < 0)
		return r;
	fd = memfd_create("vars",
			  0); /* NOLINT(android-cloexec-memfd-create): QEMU opens it by number */
	r = fd < 0 ? -errno : file_write_all(fd, bytes, len);
	if (r < 0)
		return error_sys(err, r, "copy %s", OVMF_VARS);
	strv_add(argv, "-drive");
	strv_add(argv, "if=pflash,format=raw,readonly=on,file=" OVMF_CODE);
	strv_add(argv, "-drive");
	strv_addf(argv, "if=pflash,format=raw,file=/proc/self/fd/%d", fd);
	return 0;
}

/* A comma ends a value in QEMU's options, and two are one. */
static char *escape(const char *path)
{
	char *out = xmalloc(2 * strlen(path) + 1), *to = out;

	for (; *path; path++) {
		if (*path == ',')
			*to++ = ',';
		*to++ = *path;
	}
	*to = '\0';
	return out;
}

static int add_disk(struct strv *argv, const struct emulator_request *req, struct error *err)
{
	static const struct {
		const char *bus, *device;
	} devices[] = {
		{ "virtio", "virtio-blk-pci,drive=disk" },
		{ "sata", "ide-hd,drive=disk" },
		{ "nvme", "nvme,drive=disk,serial=strake" },
		{ "cdrom", "scsi-cd,drive=disk" },
	};
	autofree char *path = escape(req->path);

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (strcmp(req->bus, devices[i].bus) != 0)
			continue;
		strv_add(argv, "-drive");
		strv_addf(argv, "if=none,id=disk,format=%s,file=%s%s", req->format, path,
			  strcmp(req->bus, "cdrom") == 0 ? ",media=cdrom,readonly=on"
			  : req->write                   ? ""
							 : ",snapshot=on");
		if (strcmp(req->bus, "cdrom") == 0) {
			strv_add(argv, "-device");
			strv_add(argv, "virtio-scsi-pci");
		}
		strv_add(argv, "-device");
		strv_addf(argv, "%s,bootindex=0", devices[i].device);
		return 0;
	}
	return error_set(err, -EINVAL, "--bus wants virtio, sata, nvme or cdrom, not '%s'",
			 req->bus);
}

static int add_network(struct strv *argv, const struct strv *ports, struct error *err)
{
	autofree char *text = xstrdup("user,model=virtio-net-pci");

	for (size_t i = 0; i < ports->n; i++) {
		autofree char *copy = xstrdup(ports->items[i]), *before = NULL;
		char *colon = strchr(copy, ':');
		uint64_t host, guest;

		if (colon)
			*colon = '\0';
		if (!colon || number_parse(copy, PORT_MAX, &host) < 0 ||
		    number_parse(colon + 1, PORT_MAX, &guest) < 0 || !host || !guest)
			return error_set(err, -EINVAL,
					 "--publish wants HOST:MACHINE, as 8080:80, not '%s'",
					 ports->items[i]);
		before = steal_ptr(&text);
		text = xasprintf("%s,hostfwd=tcp:127.0.0.1:%u-:%u", before, (unsigned)host,
				 (unsigned)guest);
	}
	strv_add(argv, "-nic");
	strv_add(argv, text);
	return 0;
}

int emulator_command(const struct emulator_request *req, struct strv *ret, struct error *err)
{
	int r;

	strv_add(ret, "qemu-system-x86_64");
	strv_add(ret, "-machine");
	strv_add(ret, "q35");
	strv_add(ret, "-accel");
	strv_add(ret, req->kvm ? "kvm" : "tcg,thread=multi");
	strv_add(ret, "-cpu");
	strv_add(ret, "max");
	strv_add(ret, "-smp");
	strv_addf(ret, "%d", req->cpus);
	strv_add(ret, "-m");
	strv_addf(ret, "%llu", (unsigned long long)(req->memory >> 20));
	strv_add(ret, "-display");
	strv_add(ret, "none");
	strv_add(ret, "-no-reboot");
	strv_add(ret, "-serial");
	strv_add(ret, isatty(STDIN_FILENO) ? "mon:stdio" : "stdio");
	if (!isatty(STDIN_FILENO)) {
		strv_add(ret, "-monitor");
		strv_add(ret, "none");
	}
	r = req->uefi ? add_uefi(ret, err) : 0;
	if (r == 0)
		r = add_disk(ret, req, err);
	return r < 0 ? r : add_network(ret, &req->ports, err);
}
