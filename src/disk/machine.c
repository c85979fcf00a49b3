/* src/disk/machine.c */
#include "disk/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "disk/appliance.h"
#include "disk/appliance_disk.h"
#include "disk/bootable.h"
#include "disk/esp.h"
#include "disk/filetree.h"
#include "disk/identity.h"
#include "disk/initramfs.h"
#include "disk/install.h"
#include "disk/iso.h"
#include "disk/origin.h"
#include "disk/output.h"
#include "disk/partition.h"
#include "disk/root_initrd.h"
#include "disk/source.h"
#include "image/image.h"

#define CONSOLES "console=tty0 console=ttyS0,115200"

struct building {
	const struct machine_request *req;
	struct error *err;
	struct output target;
	struct output out; /* the plain disk: target, or on its way to be packed; borrows from it */
	struct disk_source source;
	struct strv made; /* images that --install-kernel made, by ID */
	struct bootable bootable;
	struct content kernel, initrd; /* what owns them is below; no initrd_source: no initrd */
	bool own_kernel, own_initrd;   /* by path: to be freed */
	bool arm64;                    /* what the kernel is for; else amd64 */
	char version[KERNEL_VERSION_MAX];
	struct identity id;
	struct layout layout;
	struct osroot_request osroot_request;
	struct osroot osroot; /* of a source with an init */
	struct appliance_disk disk;
	struct esp_request esp;
	char *cmdline;
	char *kernel_source, *initrd_source; /* a shell's words */
};

/* One that was given or found: one of ours stands in for it. */
static void forget_initrd(struct building *b)
{
	if (b->own_initrd)
		content_done(&b->initrd);
	b->own_initrd = false;
	free(b->initrd_source);
	b->initrd_source = NULL;
}

static void building_done(struct building *b)
{
	const struct install_request ir = { .root = b->req->root, .run_root = b->req->run_root };

	if (b->own_kernel)
		content_done(&b->kernel);
	forget_initrd(b);
	osroot_done(&b->osroot);
	bootable_done(&b->bootable);
	appliance_disk_done(&b->disk);
	disk_source_done(&b->source);
	if (b->out.fd >= 0 && b->out.fd != b->target.fd)
		(void)close(b->out.fd);
	output_done(&b->target);
	install_forget(&ir, &b->made);
	strv_done(&b->made);
	free(b->cmdline);
	free(b->kernel_source);
}

/* kernel and initrd */

static char *shell_word(const char *before, const char *path)
{
	struct buf b = BUF_INIT(65536);

	buf_add_str(&b, before);
	buf_add_shell(&b, path);
	return buf_steal(&b);
}

static int given(struct building *b, const char *path, struct content *ret)
{
	autofree char *real = realpath(path, NULL);
	int fd = real ? open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct stat st;

	if (fd < 0 || fstatat(fd, real + 1, &st, 0) < 0)
		return error_sys(b->err, -errno, "%s", path);
	VEC_GROW(b->source.fds, b->source.nfds, b->source.room);
	b->source.fds[b->source.nfds++] = fd;
	if (!S_ISREG(st.st_mode))
		return error_set(b->err, -EINVAL, "%s is no regular file", path);
	*ret = content_of_path(fd, real + 1, &st);
	return 0;
}

/* BIOS is amd64's, and so is our init. */
static int check_processor(struct building *b)
{
	const struct image *image = b->source.image;
	const char *arch = image ? image->config.architecture : NULL;

	b->arm64 = kernel_is_arm64(&b->kernel);
	if (arch && *arch && strcmp(arch, b->arm64 ? "arm64" : "amd64") != 0)
		return error_set(b->err, -ENOEXEC, "%s is for %s, and the kernel for %s",
				 b->req->source, arch, b->arm64 ? "arm64" : "amd64");
	if (b->arm64 && !b->bootable.init)
		return error_set(b->err, -ENOTSUP,
				 "%s has no init, and the one that stands in for it is for amd64 "
				 "alone, not for the kernel's arm64",
				 b->req->source);
	if (b->arm64 && !b->req->uefi)
		return error_set(b->err, -EINVAL, "arm64 starts by UEFI alone: leave --boot out");
	return 0;
}

static int choose_kernel(struct building *b)
{
	const struct machine_request *req = b->req;
	int r = 0;

	if (req->kernel) {
		r = given(b, req->kernel, &b->kernel);
		b->kernel_source = shell_word("", req->kernel);
		b->own_kernel = r == 0;
	} else if (b->bootable.kernel) {
		b->kernel = b->bootable.kernel->content;
		b->kernel_source = shell_word("\"$tree\"/", b->bootable.kernel_path);
	} else {
		r = error_set(
			b->err, -ENOENT,
			"%s has no kernel in /boot or /lib/modules: %sname one with --kernel%s",
			req->source,
			b->source.kind == SOURCE_PROGRAM ? "" : "say --install-kernel, or ",
			b->bootable.init ? " and --initrd" : "");
	}
	if (r == 0)
		r = kernel_version(&b->kernel, b->version, b->err);
	if (r == 0)
		r = check_processor(b);
	if (r == 0 && req->initrd) {
		r = given(b, req->initrd, &b->initrd);
		b->initrd_source = shell_word("", req->initrd);
		b->own_initrd = r == 0;
	} else if (r == 0 && !req->kernel && b->bootable.initrd) {
		b->initrd = b->bootable.initrd->content;
		b->initrd_source = shell_word("\"$tree\"/", b->bootable.initrd_path);
	}
	return r;
}

static int check_machine(struct building *b)
{
	const struct osroot_options *o = &b->req->osroot;
	int r = hostname_check(b->req->custom.hostname, b->err);

	if (r < 0)
		return r;
	if (!b->bootable.init && b->req->initrd)
		return error_set(
			b->err, -EINVAL,
			"%s has no init: it brings an initrd of its own, and --initrd has no "
			"meaning for it",
			b->req->source);
	if (b->bootable.init && (b->req->appliance.root || b->req->volumes.n))
		return error_set(
			b->err, -EINVAL,
			"%s starts its own init %s: --root-on and --volume have no meaning "
			"for it",
			b->req->source, b->bootable.init);
	if (!b->bootable.init && customisation_needs_system(&b->req->custom))
		return error_set(b->err, -EINVAL,
				 "%s has no init: it runs one program, for which accounts, keys, a "
				 "time zone and cloud-init have no meaning",
				 b->req->source);
	if (!b->bootable.init &&
	    (o->fs != ROOTFS_EXT4 || o->read_only || o->verity || o->encrypt || o->swap))
		return error_set(b->err, -EINVAL,
				 "%s has no init: --fs, --read-only-root, --verity, --encrypt and "
				 "--swap have no meaning for it",
				 b->req->source);
	if (b->bootable.init && (b->req->command.n || b->req->entrypoint.n || b->req->env.n))
		return error_set(
			b->err, -EINVAL,
			"%s starts its own init %s: a command, --entrypoint and --env have no "
			"meaning for it",
			b->req->source, b->bootable.init);
	return 0;
}

/* an operating system */

/* What is asked of the root, once it is known what the source has. */
static int choose_system(struct building *b)
{
	b->osroot_request = (struct osroot_request) {
		.options = b->req->osroot,
		.source = &b->source,
		.out = &b->out,
		.id = &b->id,
		.init = b->bootable.init,
		.initrd = b->initrd_source != NULL,
		.named_initrd = b->req->initrd != NULL,
		.modules = b->bootable.has_modules,
		.optical = b->req->format == FORMAT_ISO,
		.arm64 = b->arm64,
		.more = b->req->cmdline,
		.now_s = b->req->now_s,
		.size = b->req->size,
	};
	return osroot_choose(&b->osroot_request, &b->osroot, b->err);
}

/* In place of the source's own, or where it has none. */
static int make_initrd(struct building *b)
{
	const struct osroot_options *o = &b->req->osroot;
	const struct root_initrd_request rr = { .tree = b->source.tree,
						.version = b->version,
						.kind = o->fs,
						.overlay = b->osroot.overlay,
						.verity = o->verity,
						.encrypted = o->encrypt,
						.now_s = b->req->now_s };
	int fd = -1, r = output_spool(&b->out, &fd, b->err);

	if (r < 0)
		return r;
	VEC_GROW(b->source.fds, b->source.nfds, b->source.room);
	b->source.fds[b->source.nfds++] = fd;
	forget_initrd(b);
	r = root_initrd_write(&rr, fd, &b->initrd, b->err);
	b->own_initrd = r == 0;
	b->initrd_source = xstrdup("\"$work/initrd\"");
	return r;
}

static int choose_identity(struct building *b)
{
	filetree_number(b->source.tree, 2, 11);
	return identity_choose(b->source.tree, b->req->dated, b->req->now_s, &b->id, b->err);
}

static int prepare_system(struct building *b)
{
	const struct customise_request cr = { .what = &b->req->custom,
					      .dated = b->req->dated,
					      .now_s = b->req->now_s };

	int r = choose_system(b);

	if (r == 0)
		r = choose_identity(b);
	if (r == 0)
		r = customise(&b->source, &cr, b->err);
	if (r == 0)
		r = osroot_prepare(&b->osroot, b->err);
	return r == 0 && b->osroot.own_initrd ? make_initrd(b) : r;
}

/* an own init */

/* The initramfs is the source's tree, or, with that on the disk, one that leads there. */
static int write_initramfs(struct building *b)
{
	struct disk_source *boot = b->disk.has_root ? &b->disk.boot : &b->source;
	int fd, r = output_spool(&b->out, &fd, b->err);

	if (r < 0)
		return r;
	VEC_GROW(b->source.fds, b->source.nfds, b->source.room);
	b->source.fds[b->source.nfds++] = fd;
	forget_initrd(b);
	r = initramfs_write(boot->tree, fd, &b->initrd, b->err);
	b->own_initrd = r == 0;
	b->initrd_source = xstrdup("\"$work/initrd\"");
	return r;
}

static int prepare_appliance(struct building *b)
{
	const struct machine_request *req = b->req;
	autofree char *usual = xasprintf("/lib/modules/%s", b->version);
	const char *more = req->cmdline ? req->cmdline : "";
	struct appliance_request ar = {
		.source = &b->source,
		.disk = &b->disk,
		.command = &req->command,
		.entrypoint = &req->entrypoint,
		.env = &req->env,
		.hostname = req->custom.hostname,
		.network = &req->custom.network,
		.modules = req->modules               ? req->modules
			   : access(usual, F_OK) == 0 ? usual
						      : NULL,
		.now_s = req->now_s,
	};
	int r = choose_identity(b);

	/* Volumes are moved out of it. */
	if (b->source.kind == SOURCE_DIRECTORY)
		(void)explain("the directory itself stays as it is",
			      "cp -a \"$tree\" \"$work/tree\"; tree=$work/tree");
	if (r == 0)
		r = appliance_disk_choose(&b->source, &req->appliance, &b->id, &b->disk, b->err);
	if (r < 0)
		return r;
	ar.boot = b->disk.has_root ? &b->disk.boot : &b->source;
	if (b->disk.has_root)
		(void)explain("what starts first has a tree of its own",
			      "system=$tree; tree=$work/early; mkdir \"$tree\"");
	r = appliance_prepare(&ar, b->err);
	if (r == 0)
		r = write_initramfs(b);
	if (b->disk.has_root) {
		(void)explain("and the rest lies on the disk", "tree=$system");
		if (r == 0)
			r = appliance_places(&b->source, (struct timespec) { .tv_sec = req->now_s },
					     b->err);
	}
	b->cmdline = xasprintf("rdinit=" APPLIANCE_INIT " quiet panic=10 " CONSOLES "%s%s",
			       *more ? " " : "", more);
	return r;
}

/* layout */

static void lay_out_esp(struct building *b)
{
	const struct machine_request *req = b->req;
	uint8_t id[16];

	identity_uuid(&b->id, "boot volume", id);
	b->esp = (struct esp_request) {
		.out = &b->out,
		.offset = b->layout.end,
		.mbr = req->table == TABLE_MBR,
		.volume_id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 |
			     id[3],
		.now_s = req->now_s,
		.bios = req->bios && !b->arm64,
		.uefi = req->uefi,
		.arm64 = b->arm64,
		.efi_loader = req->efi_loader,
		.spare = b->bootable.init != NULL,
		.kernel = &b->kernel,
		.initrd = b->initrd_source ? &b->initrd : NULL,
		.kernel_source = b->kernel_source,
		.initrd_source = b->initrd_source,
		.cmdline = b->cmdline,
		.title = "Linux",
	};
	b->esp.size = esp_size(&b->esp);
	(void)layout_add(&b->layout, PARTITION_ESP, "boot", b->esp.size);
}

static int lay_out(struct building *b)
{
	struct appliance_layout al = { .req = &b->req->appliance,
				       .fd = b->out.fd,
				       .layout = &b->layout };
	int r;

	layout_begin(&b->layout, b->req->table, &b->id);
	lay_out_esp(b);
	if (!b->bootable.init) {
		r = appliance_disk_lay_out(&b->disk, &b->source, &al, b->err);
	} else {
		r = osroot_lay_out(&b->osroot, &b->layout, b->err);
		if (r == 0)
			b->esp.cmdline = b->cmdline = osroot_words(&b->osroot);
	}
	return r == 0 ? esp_check(&b->esp, b->err) : r;
}

/* writing */

static int64_t disk_size(const struct building *b)
{
	return b->req->size ? b->req->size : partition_disk_size(b->layout.end);
}

static int write_disk(struct building *b)
{
	int r;

	if (!explain("all of it a hole", "truncate -s %lld \"$disk\"", (long long)disk_size(b)) &&
	    ftruncate(b->out.fd, disk_size(b)) < 0)
		return error_sys(b->err, -errno, "make %s", b->req->output);
	r = partition_write(b->out.fd, &b->layout, b->err);
	if (r == 0)
		r = b->bootable.init ? osroot_write(&b->osroot, b->err)
				     : appliance_disk_write(&b->disk, &b->source, b->err);
	if (r == 0)
		r = esp_write(&b->esp, b->err);
	return r;
}

/* Hashes can be tried against words, and what a passphrase protects tried against passphrases. */
static bool is_secret(const struct machine_request *req)
{
	return req->custom.passwords.n || req->custom.hashes.n || req->custom.cloud_init ||
	       req->osroot.encrypt;
}

/* An ISO is the disk itself, with more in it. */
static int open_output(struct building *b)
{
	enum disk_format f = b->req->format;
	int r = output_open(b->req->output, is_secret(b->req) ? OUTPUT_SECRET : OUTPUT_PLAIN,
			    &b->target, b->err);

	if (r < 0)
		return r;
	b->out = b->target;
	return f == FORMAT_RAW || f == FORMAT_ISO || explain_dry()
		       ? 0
		       : output_spool(&b->target, &b->out.fd, b->err);
}

static int pack(struct building *b)
{
	enum disk_format f = b->req->format;

	if (f == FORMAT_RAW)
		return 0;
	if (f != FORMAT_ISO)
		return format_pack(b->out.fd, f, b->target.fd, b->target.name, b->err);
	if (iso_explain(b->layout.parts, b->layout.n, b->req->bios, b->initrd_source != NULL))
		return 0;
	return iso_make(b->out.fd, b->err);
}

static int read_source(struct building *b, const char *what)
{
	const struct machine_request *req = b->req;
	const struct source_request sr = { .what = what,
					   .root = req->root,
					   .run_root = req->run_root,
					   .out = &b->out,
					   .now_s = req->now_s };
	int r = source_read(&sr, &b->source, b->err);

	return r == 0 ? bootable_find(b->source.tree, &b->bootable, b->err) : r;
}

/* Then the source is the image that this makes. */
static int install_missing(struct building *b)
{
	const struct machine_request *req = b->req;
	autofree char *script = NULL;
	struct install_request ir = { .what = req->source,
				      .root = req->root,
				      .run_root = req->run_root };
	int r;

	if (!req->install_kernel || (b->bootable.kernel && b->bootable.init))
		return 0;
	r = install_script(b->source.tree, req->kernel_package, b->bootable.init != NULL, &script,
			   b->err);
	ir.script = script;
	if (r == 0)
		r = install_run(&ir, &b->made, b->err);
	if (r < 0)
		return r;
	bootable_done(&b->bootable);
	disk_source_done(&b->source);
	return read_source(b, b->made.items[b->made.n - 1]);
}

static int build(struct building *b)
{
	const struct machine_request *req = b->req;
	int r = open_output(b);

	if (r == 0)
		r = read_source(b, req->source);
	if (r == 0)
		r = install_missing(b);
	if (r == 0)
		r = check_machine(b);
	if (r == 0)
		r = choose_kernel(b);
	if (r == 0)
		r = origin_put(&b->source, req->now_s, b->err);
	if (r == 0)
		r = b->bootable.init ? prepare_system(b) : prepare_appliance(b);
	if (r == 0)
		r = lay_out(b);
	if (r == 0)
		r = write_disk(b);
	if (r == 0)
		r = pack(b);
	return r == 0 ? output_finish(&b->target, b->err) : r;
}

int machine_build(const struct machine_request *req, struct machine_result *ret, struct error *err)
{
	struct building b = { .req = req,
			      .err = err,
			      .osroot = OSROOT_INIT,
			      .target = OUTPUT_INIT,
			      .out = OUTPUT_INIT };
	struct stat st = { .st_size = 0 };
	int r = build(&b);

	if (r == 0 && fstat(b.target.fd, &st) == 0) {
		*ret = (struct machine_result) { .size = disk_size(&b),
						 .used = st.st_blocks * 512,
						 .has_os = b.bootable.init != NULL };
		(void)snprintf(ret->kernel, sizeof(ret->kernel), "%s", b.version);
	}
	building_done(&b);
	return r;
}
