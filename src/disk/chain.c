/* src/disk/chain.c */
#include "disk/chain.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/bootable.h"
#include "disk/fat.h"
#include "disk/reading.h"

#define BOOT_CODE_LEN 440
#define SYSLINUX_CFG  "/syslinux/syslinux.cfg"
#define ENTRIES       "/loader/entries/"
#define ENTRY_CONF    "/loader/entries/strake.conf"

struct checking {
	struct disk *disk;
	chain_fn fn;
	void *data;
	struct error *err;
	char *files; /* of the boot partition, "::/EFI/BOOT/BOOTX64.EFI", a line each */
	int lacks;
};

static void tell(struct checking *c, const char *link, bool holds, const char *text)
{
	c->fn(c->data, link, holds, text);
	c->lacks += !holds;
}

/* the boot partition */

static bool has(const struct checking *c, const char *path)
{
	size_t n = strlen(path);

	for (const char *line = c->files; line && *line; line++) {
		if (strncmp(line, "::", 2) == 0 && strncasecmp(line + 2, path, n) == 0 &&
		    (line[2 + n] == '\n' || !line[2 + n]))
			return true;
		line = strchr(line, '\n');
		if (!line)
			break;
	}
	return false;
}

/* What stands behind a word at the start of a line, blanks aside; NULL: no such line. */
static char *value_of(const char *text, const char *word)
{
	size_t n = strlen(word);

	while (text && *text) {
		const char *end = text + strcspn(text, "\n");

		text += strspn(text, " \t");
		if (strncasecmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == '\t')) {
			text += n + strspn(text + n, " \t");
			return xstrndup(text, (size_t)(end - text));
		}
		text = *end ? end + 1 : end;
	}
	return NULL;
}

/* root and init */

/* "root=UUID=X ..." to X; NULL. */
static char *word_of(const char *cmdline, const char *key)
{
	const char *at = strstr(cmdline, key);

	return at ? xstrndup(at + strlen(key), strcspn(at + strlen(key), " ")) : NULL;
}

static void check_init(struct checking *c)
{
	struct disk_entry e = { .target = NULL };
	struct error err = { 0 };
	int r = disk_read(c->disk, &err);
	bool holds;

	if (r < 0) {
		tell(c, "init", false, err.text);
		return;
	}
	r = disk_find(c->disk, "/sbin/init", &e, NULL);
	holds = r == 0 && S_ISREG(e.mode) && (e.mode & 0111);
	tell(c, "init", holds,
	     holds ? "/sbin/init" : "/sbin/init is missing, or cannot be executed: install one");
	disk_entry_done(&e);
}

/* A partition that is told by its UUID behind key; true if the key is there. */
static bool check_part(struct checking *c, const char *cmdline, const char *key, const char *link,
		       const char *what)
{
	autofree char *uuid = word_of(cmdline, key), *text = NULL;
	bool holds = false;

	for (size_t i = 0; uuid && i < c->disk->nparts; i++)
		holds = holds || strcasecmp(c->disk->parts[i].uuid, uuid) == 0;
	if (!uuid)
		return false;
	text = holds ? xasprintf("%s, PARTUUID %s", what, uuid)
		     : xasprintf("no partition has the PARTUUID %s", uuid);
	tell(c, link, holds, text);
	return true;
}

static const struct volume *volume_of(const struct disk *d, const char *uuid)
{
	for (size_t i = 0; i < d->nparts; i++)
		if (strcasecmp(d->volumes[i].uuid, uuid) == 0)
			return &d->volumes[i];
	return NULL;
}

static void check_root(struct checking *c, const char *cmdline)
{
	autofree char *uuid = word_of(cmdline, "root=UUID="), *text = NULL;
	autofree char *rdinit = word_of(cmdline, "rdinit=");
	autofree char *type = word_of(cmdline, "rootfstype=");

	if (rdinit) {
		tell(c, "root", true, "the initrd itself");
		tell(c, "init", true, rdinit);
		return;
	}
	if (check_part(c, cmdline, "strake.crypt=PARTUUID=", "root", "encrypted"))
		return;
	if (check_part(c, cmdline, "systemd.verity_root_data=PARTUUID=", "root",
		       type ? type : "")) {
		(void)check_part(c, cmdline, "systemd.verity_root_hash=PARTUUID=", "hashes",
				 "verity");
	} else if (uuid) {
		const struct volume *v = volume_of(c->disk, uuid);
		bool holds = v && (!type || strcmp(type, v->type) == 0);

		text = holds ? xasprintf("%s, UUID %s", v->type, uuid)
			     : xasprintf("no %s with UUID %s is on the disk",
					 type ? type : "file system", uuid);
		tell(c, "root", holds, text);
	} else if (!check_part(c, cmdline, "root=PARTUUID=", "root", type ? type : "")) {
		tell(c, "root", false, "the kernel is not told a root by UUID");
	}
	if (volume_is_read(&c->disk->volume))
		check_init(c);
}

/* loaders */

static void check_file(struct checking *c, const char *link, const char *path)
{
	autofree char *text = NULL;

	text = has(c, path) ? xstrdup(path)
			    : xasprintf("%s is missing on the boot partition", path);
	tell(c, link, has(c, path), text);
}

static int check_config(struct checking *c, const char *path, const char *words[3], bool rest)
{
	autofree char *text = NULL, *kernel = NULL, *initrd = NULL, *cmdline = NULL;
	int r = fat_read(c->disk->fd, c->disk->parts[c->disk->esp].offset, path, &text, c->err);

	if (r < 0)
		return r;
	kernel = value_of(text, words[0]);
	initrd = value_of(text, words[1]);
	cmdline = value_of(text, words[2]);
	if (kernel)
		check_file(c, "kernel", kernel);
	else
		tell(c, "kernel", false, "the loader is told none");
	if (initrd)
		check_file(c, "initrd", initrd);
	if (rest)
		check_root(c, cmdline ? cmdline : "");
	return 0;
}

static int check_bios(struct checking *c, bool rest)
{
	static const char *words[] = { "LINUX", "INITRD", "APPEND" };
	unsigned char code[BOOT_CODE_LEN] = { 0 };
	bool there = pread(c->disk->fd, code, sizeof(code), 0) == sizeof(code) && code[0] != 0;

	tell(c, "firmware (BIOS)", there,
	     there ? "boot code in the first sector" : "no boot code in the first sector");
	check_file(c, "loader (BIOS)", "/syslinux/ldlinux.sys");
	if (!has(c, SYSLINUX_CFG)) {
		check_file(c, "loader (BIOS)", SYSLINUX_CFG);
		return 0;
	}
	return check_config(c, SYSLINUX_CFG, words, rest);
}

/* strake.conf, or another's first: "/loader/entries/debian.conf"; NULL. */
static char *find_entry(const struct checking *c)
{
	if (has(c, ENTRY_CONF))
		return xstrdup(ENTRY_CONF);
	for (const char *line = c->files; (line = strstr(line, "::" ENTRIES)); line++) {
		size_t n = strcspn(line, "\n");

		if (n > 5 && strncasecmp(line + n - 5, ".conf", 5) == 0)
			return xstrndup(line + 2, n - 2);
	}
	return NULL;
}

/* A loader such as GRUB, whose way is its own: that there is something to start. */
static int check_own_way(struct checking *c)
{
	struct filetree *t = NULL;
	struct error err = { 0 };
	struct bootable b = { .kernel = NULL };
	autofree char *text = NULL, *kernel = NULL, *initrd = NULL;
	int r = disk_read_tree(c->disk, &t, &err);

	if (r < 0) {
		tell(c, "root", false, err.text);
		return 0;
	}
	r = bootable_find(t, &b, c->err);
	if (r < 0)
		return r;
	kernel = b.kernel ? xasprintf("/%s, if the loader finds it: it has no entry in " ENTRIES,
				      b.kernel_path)
			  : NULL;
	tell(c, "kernel", b.kernel,
	     kernel ? kernel : ENTRY_CONF " is missing, and there is no kernel in /boot");
	initrd = b.initrd ? xasprintf("/%s", b.initrd_path) : NULL;
	if (initrd)
		tell(c, "initrd", true, initrd);
	bootable_done(&b);
	text = xasprintf("%s, UUID %s", c->disk->volume.type, c->disk->volume.uuid);
	tell(c, "root", true, text);
	check_init(c);
	return 0;
}

static int check_uefi(struct checking *c)
{
	autofree char *entry = find_entry(c);
	static const char *words[] = { "linux", "initrd", "options" };

	tell(c, "firmware (UEFI)", true,
	     c->disk->table == TABLE_MBR ? "a boot partition in an MBR"
					 : "a boot partition in a GPT");
	check_file(c, "loader (UEFI)",
		   has(c, "/EFI/BOOT/BOOTAA64.EFI") ? "/EFI/BOOT/BOOTAA64.EFI"
						    : "/EFI/BOOT/BOOTX64.EFI");
	return entry ? check_config(c, entry, words, true) : check_own_way(c);
}

int chain_check(struct disk *d, chain_fn fn, void *data, struct error *err)
{
	struct checking c = { .disk = d, .fn = fn, .data = data, .err = err };
	bool uefi, bios;
	int r;

	if (d->esp < 0) {
		tell(&c, "firmware", false,
		     "there is no boot partition: no firmware finds a loader");
		return c.lacks;
	}
	r = fat_list(d->fd, d->parts[d->esp].offset, &c.files, err);
	if (r < 0)
		return error_wrap(err, r, "boot partition");
	uefi = has(&c, "/EFI/BOOT/BOOTX64.EFI") || has(&c, "/EFI/BOOT/BOOTAA64.EFI") ||
	       has(&c, ENTRY_CONF);
	bios = has(&c, "/syslinux/ldlinux.sys") || has(&c, SYSLINUX_CFG);
	if (!uefi && !bios)
		tell(&c, "loader", false,
		     "the boot partition holds none: neither systemd-boot nor syslinux");
	if (bios)
		r = check_bios(&c, !uefi);
	if (r == 0 && uefi)
		r = check_uefi(&c);
	free(c.files);
	return r < 0 ? r : c.lacks;
}
