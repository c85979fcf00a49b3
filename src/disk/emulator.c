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
#define ARM_CODE  "/usr/share/AAVMF/AAVMF_CODE.fd"
#define ARM_VARS  "/usr/share/AAVMF/AAVMF_VARS.fd"
#define VARS_MAX  (64U << 20)
#define PORT_MAX  65535
#define TAG_MAX   31 /* of the protocol */

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
static int add_uefi(struct strv *argv, bool arm64, struct error *err)
{
	const char *code = arm64 ? ARM_CODE : OVMF_CODE, *vars = arm64 ? ARM_VARS : OVMF_VARS;
	autofree char *bytes = NULL;
	size_t len = 0;
	int fd, r = file_read_at(AT_FDCWD, vars, VARS_MAX, &bytes, &len, err);

	if (r == -ENOENT)
		return error_set(err, r, "%s is missing: install the package %s", vars,
				 arm64 ? "qemu-efi-aarch64" : "ovmf");
	if (r < 0)
		return r;
	fd = memfd_create("vars",
			  0); /* NOLINT(android-cloexec-memfd-create): QEMU opens it by number */
	r = fd < 0 ? -errno : file_write_all(fd, bytes, len);
	if (r < 0)
		return error_sys(err, r, "copy %s", vars);
	strv_add(argv, "-drive");
	strv_addf(argv, "if=pflash,format=raw,readonly=on,file=%s", code);
	strv_add(argv, "-drive");
	strv_addf(argv, "if=pflash,format=raw,file=/proc/self/fd/%d", fd);
	return 0;
}

/* A comma ends a value in QEMU's options, and two are one; a word before a colon is a protocol
 * ("nbd:", "json:"), unless there is a slash before it.
 */
static char *escape(const char *path)
{
	char *out = xmalloc(2 * strlen(path) + sizeof("./")), *to = out;

	if (path[strcspn(path, ":/")] == ':')
		to = stpcpy(to, "./");
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

	if (req->arm64 && strcmp(req->bus, "sata") == 0)
		return error_set(err, -EINVAL, "--disk: an arm64 machine has no SATA here");
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
	return error_set(err, -EINVAL, "--disk wants virtio, sata, nvme or cdrom, not '%s'",
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

/* "DIR[:TARGET[:ro]]": 9p, under a tag that is the place where the machine is to have it. */
static int add_share(struct strv *argv, const char *text, struct error *err)
{
	autofree char *copy = xstrdup(text), *real = NULL, *target = NULL, *path = NULL;
	char *rest = copy, *dir = strsep(&rest, ":"), *at = strsep(&rest, ":"), *slash;
	bool readonly = rest && strcmp(rest, "ro") == 0;

	real = realpath(dir, NULL);
	if (!real)
		return error_sys(err, -errno, "--share: %s", dir);
	slash = strrchr(real, '/');
	target = at && *at ? xstrdup(at) : xasprintf("/mnt/%s", slash + 1);
	if (*target != '/' || !target[1] || strchr(target, ',') || (rest && !readonly))
		return error_set(err, -EINVAL,
				 "--share wants DIR[:TARGET[:ro]], TARGET as /data, not '%s'",
				 text);
	if (strlen(target) > TAG_MAX)
		return error_set(err, -EINVAL,
				 "--share: '%s' has more than %d characters, say a shorter TARGET",
				 target, TAG_MAX);
	path = escape(real);
	strv_add(argv, "-virtfs");
	strv_addf(argv, "local,id=share%zu,path=%s,mount_tag=%s,security_model=%s%s", argv->n, path,
		  target, geteuid() == 0 ? "passthrough" : "none", readonly ? ",readonly=on" : "");
	return 0;
}

/* Where a program's exit status comes out, and where a power button can be pressed. */
static void add_talk(struct strv *argv, const struct emulator_request *req)
{
	if (!req->arm64) {
		strv_add(argv, "-chardev");
		strv_addf(argv, "file,id=status,path=/proc/self/fd/%d", req->status);
		strv_add(argv, "-device");
		strv_add(argv, "isa-debugcon,iobase=0xe9,chardev=status");
	}
	strv_add(argv, "-chardev");
	strv_addf(argv, "socket,id=monitor,fd=%d", req->monitor);
	strv_add(argv, "-mon");
	strv_add(argv, "chardev=monitor,mode=readline");
}

int emulator_command(const struct emulator_request *req, struct strv *ret, struct error *err)
{
	int r;

	strv_add(ret, req->arm64 ? "qemu-system-aarch64" : "qemu-system-x86_64");
	strv_add(ret, "-machine");
	strv_add(ret, req->arm64 ? "virt" : "q35");
	strv_add(ret, "-accel");
	strv_add(ret, req->kvm ? "kvm" : "tcg,thread=multi");
	strv_add(ret, "-cpu");
	/* All that "max" has for arm64 takes an emulator three times as long. */
	strv_add(ret, req->arm64 ? "cortex-a72" : "max");
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
	r = req->uefi ? add_uefi(ret, req->arm64, err) : 0;
	if (r == 0)
		r = add_disk(ret, req, err);
	if (r == 0)
		r = add_network(ret, &req->ports, err);
	for (size_t i = 0; r == 0 && i < req->shares.n; i++)
		r = add_share(ret, req->shares.items[i], err);
	if (r == 0 && req->monitor >= 0)
		add_talk(ret, req);
	return r;
}
