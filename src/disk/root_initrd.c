/* src/disk/root_initrd.c */
#include "disk/root_initrd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/elf.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "disk/filetree.h"
#include "disk/initramfs.h"
#include "disk/machine/orders.h"
#include "disk/modules.h"
#include "engine/engine.h"

#define PROGRAM_NAME "strake-root"
#define INIT_MAX     (1U << 20)
#define ELF_MAX      (64U << 20)
#define LIBRARIES    256
#define CRYPTSETUP   "sbin/cryptsetup"

/* What disks hang on, physical and virtual. */
static const char *const disk_drivers[] = {
	"virtio_pci", "virtio_blk",   "virtio_scsi",    "ata_piix",     "ahci",        "nvme",
	"sd_mod",     "xhci_pci",     "ehci_pci",       "uas",          "usb_storage", "mmc_block",
	"sdhci_pci",  "vmw_pvscsi",   "hv_storvsc",     "xen_blkfront", "mptspi",      "sr_mod",
	"loop",       "crc32c_intel", "crc32c_generic",
};
static const char *const verity_drivers[] = { "dm_verity", "sha256_generic" };
static const char *const crypt_drivers[] = { "dm_crypt",       "xts",
					     "aes_generic",    "aesni_intel",
					     "sha256_generic", "algif_skcipher",
					     "algif_hash" };

struct packing {
	const struct root_initrd_request *req;
	struct filetree *to;
	struct strv modules;
	struct strv taken; /* libraries, by the names that others know them by */
	struct error *err;
};

/* programs of the tree */

static const char *const library_dirs[] = {
	"lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib"
};

static int take_program(struct packing *p, const char *path);

static const struct file *find_library(const struct filetree *t, const char *name, char **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(library_dirs); i++) {
		autofree char *path = xasprintf("%s/%s", library_dirs[i], name);
		const struct file *f = filetree_resolve(t, path, NULL);

		if (f && S_ISREG(f->mode)) {
			*ret = steal_ptr(&path);
			return f;
		}
	}
	return NULL;
}

static int take_file(struct packing *p, const struct file *from, const char *path)
{
	autofree char *dir_path = xstrdup(path), *real = NULL, *to = NULL;
	const struct timespec mtime = { .tv_sec = p->req->now_s };
	char *slash = strrchr(dir_path, '/');
	struct file *dir, *f;

	assert(slash);
	*slash = '\0';
	dir = S_ISREG(from->mode) && slash[1] ? filetree_make_dir(p->to, dir_path, mtime) : NULL;
	f = dir ? filetree_add(p->to, S_IFREG | 0755) : NULL;
	if (!f)
		return error_set(p->err, -ENOTDIR, "/%s does not go into the initrd", path);
	(void)filetree_resolve(p->req->tree, path, &real);
	to = filetree_place(p->to, path);
	(void)explain("a file that is needed before the root is there",
		      "install -D \"$tree\"/%s \"$early\"/%s", sq(real), sq(to));
	f->mtime = mtime;
	f->content = content_clone(&from->content);
	dir_put(dir, slash + 1, f);
	return 0;
}

static int take_libraries(struct packing *p, const struct elf *elf)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < elf->needed.n; i++) {
		const char *name = elf->needed.items[i];
		autofree char *path = NULL;

		if (strv_has(&p->taken, name))
			continue;
		if (p->taken.n >= LIBRARIES)
			return error_set(p->err, -E2BIG, "cryptsetup needs too many libraries");
		strv_add(&p->taken, name);
		if (!find_library(p->req->tree, name, &path))
			return error_set(p->err, -ENOENT,
					 "cryptsetup needs %s, which the source lacks", name);
		r = take_program(p, path);
	}
	return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): each library is taken once, and they are counted */
static int take_program(struct packing *p, const char *path)
{
	const struct file *f = filetree_resolve(p->req->tree, path, NULL);
	autofree char *bytes = NULL;
	struct elf elf = { 0 };
	size_t len;
	int r;

	if (!f || !S_ISREG(f->mode))
		return error_set(
			p->err, -ENOENT,
			"the source has no /%s: install the package cryptsetup-bin (its own "
			"initrd may do without: name it with --initrd)",
			path);
	r = content_read(&f->content, ELF_MAX, ELF_MAX, &bytes, &len, p->err);
	if (r == 0)
		r = elf_parse((unsigned char *)bytes, len, path, &elf, p->err);
	if (r == 0)
		r = take_file(p, f, path);
	if (r == 0)
		r = take_libraries(p, &elf);
	if (r == 0 && elf.interp && !strv_has(&p->taken, elf.interp)) {
		strv_add(&p->taken, elf.interp);
		f = filetree_resolve(p->req->tree, elf.interp, NULL);
		r = f ? take_file(p, f, elf.interp + 1)
		      : error_set(p->err, -ENOENT, "the source lacks %s", elf.interp);
	}
	elf_done(&elf);
	return r;
}

/* the whole */

static int take_modules(struct packing *p, const char *const *names, size_t n)
{
	int r = modules_add_from_tree(p->req->tree, p->req->version, names, n, p->to, &p->modules,
				      p->err);

	return r < 0 ? r : 0;
}

static int take_all_modules(struct packing *p)
{
	const char *const fs = rootfs_name(p->req->kind), *const overlay = "overlay";
	int r = take_modules(p, disk_drivers, ARRAY_SIZE(disk_drivers));

	if (r == 0)
		r = take_modules(p, &fs, 1);
	if (r == 0 && p->req->overlay)
		r = take_modules(p, &overlay, 1);
	if (r == 0 && p->req->verity)
		r = take_modules(p, verity_drivers, ARRAY_SIZE(verity_drivers));
	if (r == 0 && p->req->encrypted)
		r = take_modules(p, crypt_drivers, ARRAY_SIZE(crypt_drivers));
	return r;
}

static int put_init(struct packing *p)
{
	autofree char *dir = libexec_find(), *bytes = NULL;
	autofree char *path = xasprintf("%s/" PROGRAM_NAME, dir);
	const struct timespec mtime = { .tv_sec = p->req->now_s };
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, INIT_MAX, &bytes, &len, p->err);

	if (r < 0)
		return r;
	(void)explain("a small initrd, which mounts the root and goes over to it",
		      "early=$work/early; mkdir -p \"$early/dev\" \"$early/proc\" \"$early/sys\"; "
		      "install -m 755 %s \"$early/init\"",
		      sq(path));
	return filetree_put_bytes(p->to, "init", 0755, steal_ptr(&bytes), len, mtime, p->err);
}

static int put_orders(struct packing *p)
{
	const struct timespec mtime = { .tv_sec = p->req->now_s };
	struct buf b = BUF_INIT(ORDERS_MAX), words = BUF_INIT(4 * ORDERS_MAX);
	size_t len;

	for (size_t i = 0; i < p->modules.n; i++) {
		buf_add_char(&b, ORDER_MODULE);
		buf_add(&b, p->modules.items[i], strlen(p->modules.items[i]) + 1);
		buf_addf(&words, " m%s", p->modules.items[i]);
	}
	(void)explain("what it loads",
		      "mkdir -p \"$early/.strake\"; printf '%%s\\0'%s >\"$early\"" ORDERS_PATH,
		      buf_text(&words));
	buf_done(&words);
	len = b.len;
	return filetree_put_bytes(p->to, &ORDERS_PATH[1], 0600, buf_steal(&b), len, mtime, p->err);
}

int root_initrd_write(const struct root_initrd_request *req, int fd, struct content *ret,
		      struct error *err)
{
	static const char *const mount_points[] = { "dev", "proc", "sys" };
	cleanup(filetree_cleanup) struct filetree *to = filetree_new();
	struct packing p = { .req = req, .to = to, .err = err };
	const struct timespec mtime = { .tv_sec = req->now_s };
	int r;

	to->root->mtime = mtime;
	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++)
		(void)filetree_make_dir(to, mount_points[i], mtime);
	r = put_init(&p);
	if (r == 0)
		r = take_all_modules(&p);
	if (r == 0)
		r = put_orders(&p);
	if (r == 0 && req->encrypted)
		r = take_program(&p, CRYPTSETUP);
	(void)explain("the directory that becomes it", "whole=$tree; tree=$early");
	if (r == 0)
		r = initramfs_write(to, fd, ret, err);
	(void)explain("and back", "tree=$whole");
	strv_done(&p.modules);
	strv_done(&p.taken);
	return r;
}
