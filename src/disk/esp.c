/* src/disk/esp.c */
#include "disk/esp.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "disk/content.h"
#include "disk/output.h"
#include "disk/partition.h"
#include "disk/tool.h"

#define SYSTEMD_BOOT  "/usr/lib/systemd/boot/efi/systemd-boot%s.efi"
#define BOOT_CODE     "/usr/lib/SYSLINUX/%smbr.bin"
#define BOOT_CODE_MAX 440 /* then the disk's table begins */
#define LOADERS_ROOM  (1 << 20)
/* Below it FAT32 has too few clusters, and is taken for FAT16. */
#define ESP_MIN    (36 << 20)
#define LOADER_MAX (1U << 20)

/* The kernel's own limit, of both processors. */
#define CMDLINE_MAX 2047

struct filling {
	const struct esp_request *req;
	struct error *err;
	char disk[32];  /* as a program of ours opens it */
	char image[64]; /* the same for mtools, with the offset */
};

int64_t esp_size(const struct esp_request *req)
{
	int64_t boot = req->kernel->size + (req->initrd ? req->initrd->size : 0);
	int64_t size = (req->spare ? 2 : 1) * boot + LOADERS_ROOM;

	size = (size + size / 16 + PARTITION_ALIGN - 1) / PARTITION_ALIGN * PARTITION_ALIGN;
	return MAX(size, ESP_MIN);
}

/* A loader's file is lines: what comes behind a line's end is told to the loader. */
int esp_check(const struct esp_request *req, struct error *err)
{
	size_t n = strlen(req->cmdline);

	for (const char *at = req->cmdline; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return error_set(err, -EINVAL,
					 "--cmdline: a loader takes one line, without control "
					 "characters");
	if (n > CMDLINE_MAX)
		return error_set(err, -E2BIG,
				 "--cmdline: a kernel takes %d bytes, and with ours they are %zu",
				 CMDLINE_MAX, n);
	return 0;
}

/* The disk has no name yet: a script has a variable for it. */
static void add_word(struct buf *b, const struct filling *f, const char *word)
{
	const char *disk = strstr(word, f->disk);

	if (!disk) {
		buf_add_shell(b, word);
		return;
	}
	buf_add(b, word, (size_t)(disk - word));
	buf_add_str(b, "\"$disk\"");
	buf_add_str(b, disk + strlen(f->disk));
}

/* As run; the program's own words, but from (a shell's words) in place of a file without a name. */
static bool explain_run(const struct filling *f, const struct strv *argv, const char *nameless,
			const char *from)
{
	struct buf b = BUF_INIT(65536);
	bool dry;

	for (size_t i = 0; i < argv->n; i++) {
		if (i)
			buf_add_char(&b, ' ');
		if (nameless && strcmp(argv->items[i], nameless) == 0)
			buf_add_str(&b, from);
		else
			add_word(&b, f, argv->items[i]);
	}
	dry = explain("into the boot partition",
		      "TZ=UTC MTOOLS_SKIP_CHECK=1 SOURCE_DATE_EPOCH=%lld %s",
		      (long long)f->req->now_s, buf_text(&b));
	buf_done(&b);
	return dry;
}

static int run(const struct filling *f, struct strv *argv, int also_fd, const char *package)
{
	const int fds[] = { f->req->out->fd, also_fd };
	int r = tool_run_unsynced(argv, fds, also_fd < 0 ? 1 : 2, f->req->now_s, package, f->err);

	strv_done(argv);
	return r;
}

static int say_and_run(const struct filling *f, struct strv *argv, const char *package)
{
	if (!explain_run(f, argv, NULL, NULL))
		return run(f, argv, -1, package);
	strv_done(argv);
	return 0;
}

static int make_fat(const struct filling *f)
{
	const struct esp_request *req = f->req;
	struct strv argv = { 0 };

	strv_add(&argv, "mkfs.vfat");
	strv_add(&argv, "--invariant");
	strv_add(&argv, "-F32");
	/* Else it goes by the size of the whole disk, and few clusters are taken for FAT16. */
	strv_add(&argv, "-s1");
	strv_addf(&argv, "-i%08x", req->volume_id);
	strv_add(&argv, "-nESP");
	strv_addf(&argv, "-h%lld", (long long)req->offset / SECTOR);
	strv_addf(&argv, "--offset=%lld", (long long)req->offset / SECTOR);
	strv_add(&argv, f->disk);
	strv_addf(&argv, "%lld", (long long)req->size / 1024);
	return say_and_run(f, &argv, "dosfstools");
}

static int make_dirs(const struct filling *f)
{
	struct strv argv = { 0 };

	strv_add(&argv, "mmd");
	strv_addf(&argv, "-i%s", f->image);
	if (f->req->uefi) {
		strv_add(&argv, "::/EFI");
		strv_add(&argv, "::/EFI/BOOT");
		strv_add(&argv, "::/loader");
		strv_add(&argv, "::/loader/entries");
	}
	if (f->req->bios)
		strv_add(&argv, "::/syslinux");
	return say_and_run(f, &argv, "mtools");
}

/* -m keeps the time of the file that is copied. */
static int put_fd(const struct filling *f, int fd, const char *from, const char *to)
{
	const struct timespec both[2] = { { .tv_sec = f->req->now_s },
					  { .tv_sec = f->req->now_s } };
	autofree char *nameless = xasprintf("/proc/self/fd/%d", fd);
	struct strv argv = { 0 };

	strv_add(&argv, "mcopy");
	strv_add(&argv, "-m");
	strv_addf(&argv, "-i%s", f->image);
	strv_add(&argv, nameless);
	strv_addf(&argv, "::%s", to);
	if (explain_run(f, &argv, nameless, from)) {
		strv_done(&argv);
		return 0;
	}
	if (futimens(fd, both) < 0) {
		strv_done(&argv);
		return error_sys(f->err, -errno, "set the time of %s", to);
	}
	return run(f, &argv, fd, "mtools");
}

static int put_content(const struct filling *f, const struct content *c, const char *from,
		       const char *to)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	autoclose int fd = -1;
	int64_t at = 0, start, len;
	int r;

	if (explain_dry())
		return put_fd(f, -1, from, to);
	r = output_spool(f->req->out, &fd, f->err);
	if (r == 0)
		r = content_open(c, &rd, f->err);
	if (r < 0)
		return r;
	if (ftruncate(fd, c->size) < 0)
		return error_sys(f->err, -errno, "copy %s", to);
	while (content_next(&rd, at, &start, &len) > 0) {
		r = content_copy(&rd, start, len, fd, start);
		if (r < 0)
			return error_sys(f->err, r, "copy %s", to);
		at = start + len;
	}
	return put_fd(f, fd, from, to);
}

static int put_text(const struct filling *f, const char *to, char *text)
{
	struct content c = content_of_bytes(text, strlen(text));
	int r;

	(void)explain("what the loader is told", "printf %%s %s%s >\"$work/text\"", sq(text),
		      strstr(text, ESP_ROOTHASH) ? " | sed \"s/" ESP_ROOTHASH "/$roothash/\"" : "");
	r = put_content(f, &c, "\"$work/text\"", to);

	content_done(&c);
	return r;
}

static int put_loader(const struct filling *f, const char *from, const char *package,
		      const char *to)
{
	autofree char *bytes = NULL;
	size_t len = 0;
	struct content c;
	int r = file_read_at(AT_FDCWD, from, LOADER_MAX, &bytes, &len, f->err);

	if (r == -ENOENT)
		return error_set(f->err, r, "%s is missing: install the package %s", from, package);
	if (r < 0)
		return r;
	c = content_of_bytes(steal_ptr(&bytes), len);
	r = put_content(f, &c, from, to);
	content_done(&c);
	return r;
}

static int put_uefi(const struct filling *f)
{
	const struct esp_request *req = f->req;
	autofree char *usual = xasprintf(SYSTEMD_BOOT, req->arm64 ? "aa64" : "x64");
	int r = put_loader(f, req->efi_loader ? req->efi_loader : usual,
			   req->arm64 ? "systemd-boot-efi:arm64, or name its file with --efi-loader"
				      : "systemd-boot-efi",
			   req->arm64 ? "/EFI/BOOT/BOOTAA64.EFI" : "/EFI/BOOT/BOOTX64.EFI");

	if (r == 0)
		r = put_text(f, "/loader/loader.conf",
			     xstrdup("default strake.conf\ntimeout 0\nconsole-mode keep\n"));
	if (r == 0)
		r = put_text(f, "/loader/entries/strake.conf",
			     xasprintf("title %s\nlinux /vmlinuz\n%soptions %s\n", req->title,
				       req->initrd ? "initrd /initrd.img\n" : "", req->cmdline));
	return r;
}

static int put_boot_code(const struct filling *f)
{
	autofree char *path = xasprintf(BOOT_CODE, f->req->mbr ? "" : "gpt"), *bytes = NULL;
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, BOOT_CODE_MAX, &bytes, &len, f->err);

	if (r == -ENOENT)
		return error_set(f->err, r, "%s is missing: install the package syslinux-common",
				 path);
	if (r == 0 && explain("the boot code of the disk finds that partition by its attribute",
			      "dd if=%s of=\"$disk\" conv=notrunc status=none", path))
		return 0;
	if (r == 0 && pwrite(f->req->out->fd, bytes, len, 0) != (ssize_t)len)
		r = error_sys(f->err, errno ? -errno : -EIO, "write the boot code");
	return r;
}

static int put_bios(const struct filling *f)
{
	const struct esp_request *req = f->req;
	struct strv argv = { 0 };
	int r = put_text(f, "/syslinux/syslinux.cfg",
			 xasprintf("SERIAL 0 115200\nDEFAULT strake\nPROMPT 0\nTIMEOUT 1\n"
				   "LABEL strake\n\tLINUX /vmlinuz\n%s\tAPPEND %s\n",
				   req->initrd ? "\tINITRD /initrd.img\n" : "", req->cmdline));

	if (r < 0)
		return r;
	strv_add(&argv, "syslinux");
	strv_add(&argv, "--install");
	strv_addf(&argv, "--offset=%lld", (long long)req->offset);
	strv_add(&argv, "--directory=/syslinux");
	strv_add(&argv, f->disk);
	r = say_and_run(f, &argv, "syslinux");
	return r < 0 ? r : put_boot_code(f);
}

int esp_write(const struct esp_request *req, struct error *err)
{
	struct filling f = { .req = req, .err = err };
	int r;

	(void)snprintf(f.disk, sizeof(f.disk), "/proc/self/fd/%d", req->out->fd);
	(void)snprintf(f.image, sizeof(f.image), "%s@@%lld", f.disk, (long long)req->offset);
	r = make_fat(&f);
	if (r == 0)
		r = make_dirs(&f);
	if (r == 0)
		r = put_content(&f, req->kernel, req->kernel_source, "/vmlinuz");
	if (r == 0 && req->initrd)
		r = put_content(&f, req->initrd, req->initrd_source, "/initrd.img");
	if (r == 0 && req->uefi)
		r = put_uefi(&f);
	if (r == 0 && req->bios)
		r = put_bios(&f);
	return r < 0 ? error_wrap(err, r, "boot partition") : 0;
}
