/* src/disk/iso.c
 *
 * ECMA-119 (its sections are named below) and "El Torito" 1.0.  Numbers in it are little-endian,
 * big-endian, or both one after the other.  There are no dates in it: the same disk, the same
 * bytes.
 */
#include "disk/iso.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "disk/fat.h"
#include "disk/format.h"
#include "disk/partition.h"

#define ISO_SECTOR   2048
#define ISOLINUX     "/usr/lib/ISOLINUX/isolinux.bin"
#define LDLINUX      "/usr/lib/syslinux/modules/bios/ldlinux.c32"
#define PROGRAM_MAX  (256U << 10)
#define EL_TORITO    "EL TORITO SPECIFICATION"
#define VOLUME_NAME  "STRAKE"
#define FILES_MAX    5
#define SYSLINUX_CFG "/syslinux/syslinux.cfg"

/* Sectors: 16 and on are told by the standard, the others are ours. */
enum {
	PRIMARY = 16,
	BOOT_RECORD,
	TERMINATOR,
	CATALOG,
	PATHS_LITTLE,
	PATHS_BIG,
	ROOT_DIR,
	FIRST_FILE
};

struct iso_file {
	const char *name;
	uint32_t sector, size;
};

struct burning {
	int fd;
	int64_t esp_offset;
	int64_t end; /* of the last partition, then of what lies behind it */
	bool bios;
	uint32_t next; /* free sector before the first partition */
	struct iso_file files[FILES_MAX];
	size_t nfiles;
	struct error *err;
};

static void le16(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
}

static void le32(unsigned char *p, uint32_t v)
{
	le16(p, v);
	le16(p + 2, v >> 16);
}

static void be32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void both16(unsigned char *p, uint32_t v)
{
	le16(p, v);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

static void both32(unsigned char *p, uint32_t v)
{
	le32(p, v);
	be32(p + 4, v);
}

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int put_at(const struct burning *b, const void *bytes, size_t len, int64_t at)
{
	ssize_t n = pwrite(b->fd, bytes, len, at);

	return n == (ssize_t)len ? 0 : error_sys(b->err, n < 0 ? -errno : -EIO, "write the ISO");
}

/* files */

static int add_small(struct burning *b, const char *name, const void *bytes, size_t len)
{
	uint32_t sectors = ((uint32_t)len + ISO_SECTOR - 1) / ISO_SECTOR;

	if (((int64_t)b->next + sectors) * ISO_SECTOR > b->esp_offset)
		return error_set(b->err, -ENOSPC,
				 "there is no room for an ISO before the first partition");
	b->files[b->nfiles++] = (struct iso_file) { name, b->next, (uint32_t)len };
	b->next += sectors;
	return put_at(b, bytes, len, (int64_t)b->files[b->nfiles - 1].sector * ISO_SECTOR);
}

/* isolinux is told where it lies: "boot info table" of mkisofs(8), 8 bytes in, 56 long. */
static void tell_place(unsigned char *isolinux, size_t len, uint32_t sector)
{
	uint32_t sum = 0;

	memset(isolinux + 8, 0, 56);
	for (size_t i = 64; i + 4 <= len; i += 4)
		sum += get32(isolinux + i);
	le32(isolinux + 8, PRIMARY);
	le32(isolinux + 12, sector);
	le32(isolinux + 16, (uint32_t)len);
	le32(isolinux + 20, sum);
}

static int read_program(const struct burning *b, const char *path, const char *package, char **ret,
			size_t *ret_len)
{
	int r = file_read_at(AT_FDCWD, path, PROGRAM_MAX, ret, ret_len, b->err);

	return r == -ENOENT ? error_set(b->err, r, "%s is missing: install the package %s", path,
					package)
			    : r;
}

static int add_loader(struct burning *b)
{
	autofree char *isolinux = NULL, *ldlinux = NULL, *cfg = NULL;
	size_t isolinux_len = 0, ldlinux_len = 0;
	int r = read_program(b, ISOLINUX, "isolinux", &isolinux, &isolinux_len);

	if (r == 0)
		r = read_program(b, LDLINUX, "syslinux-common", &ldlinux, &ldlinux_len);
	if (r == 0)
		r = fat_read(b->fd, b->esp_offset, SYSLINUX_CFG, &cfg, b->err);
	if (r != 0)
		return r;
	assert(isolinux && ldlinux && cfg);
	if (isolinux_len < 2048)
		return error_set(b->err, -EBADMSG, ISOLINUX " is none");
	tell_place((unsigned char *)isolinux, isolinux_len, b->next);
	r = add_small(b, "ISOLINUX.BIN;1", isolinux, isolinux_len);
	if (r == 0)
		r = add_small(b, "ISOLINUX.CFG;1", cfg, strlen(cfg));
	return r < 0 ? r : add_small(b, "LDLINUX.C32;1", ldlinux, ldlinux_len);
}

/* A file of the boot partition, once more, behind the last partition. */
static int add_large(struct burning *b, const char *path, const char *name)
{
	autoclose int from = -1;
	off_t at = 0;
	struct stat st;
	int r = format_scratch(&from, b->err);

	if (r == 0)
		r = fat_copy_out(b->fd, b->esp_offset, path, from, b->err);
	if (r < 0)
		return r;
	if (fstat(from, &st) < 0 || lseek(b->fd, b->end, SEEK_SET) < 0)
		return error_sys(b->err, -errno, "write the ISO");
	if (st.st_size > UINT32_MAX)
		return error_set(b->err, -EFBIG, "%s is too large for an ISO", path);
	while (at < st.st_size)
		if (sendfile(b->fd, from, &at, (size_t)(st.st_size - at)) <= 0)
			return error_sys(b->err, errno ? -errno : -EIO, "write the ISO");
	b->files[b->nfiles++] =
		(struct iso_file) { name, (uint32_t)(b->end / ISO_SECTOR), (uint32_t)st.st_size };
	b->end += (st.st_size + ISO_SECTOR - 1) / ISO_SECTOR * ISO_SECTOR;
	return 0;
}

/* the books */

/* ECMA-119 9.1; returns its length. */
static size_t put_record(unsigned char *p, const char *name, size_t name_len, uint32_t sector,
			 uint32_t size, bool dir)
{
	size_t len = (33 + name_len + 1) & ~(size_t)1;

	p[0] = (unsigned char)len;
	both32(p + 2, sector);
	both32(p + 10, size);
	p[25] = dir ? 2 : 0;
	both16(p + 28, 1);
	p[32] = (unsigned char)name_len;
	memcpy(p + 33, name, name_len);
	return len;
}

static int by_name(const void *a, const void *b)
{
	const struct iso_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int write_root_dir(struct burning *b)
{
	unsigned char s[ISO_SECTOR] = { 0 };
	size_t at = put_record(s, "\0", 1, ROOT_DIR, ISO_SECTOR, true);

	at += put_record(s + at, "\1", 1, ROOT_DIR, ISO_SECTOR, true);
	qsort(b->files, b->nfiles, sizeof(*b->files), by_name);
	for (size_t i = 0; i < b->nfiles; i++)
		at += put_record(s + at, b->files[i].name, strlen(b->files[i].name),
				 b->files[i].sector, b->files[i].size, false);
	return put_at(b, s, sizeof(s), (int64_t)ROOT_DIR * ISO_SECTOR);
}

/* 9.4: the root alone, its number is 1, its name a zero. */
static int write_paths(const struct burning *b)
{
	unsigned char little[10] = { 1 }, big[10] = { 1 };
	int r;

	le32(little + 2, ROOT_DIR);
	le16(little + 6, 1);
	be32(big + 2, ROOT_DIR);
	big[7] = 1;
	r = put_at(b, little, sizeof(little), (int64_t)PATHS_LITTLE * ISO_SECTOR);
	return r < 0 ? r : put_at(b, big, sizeof(big), (int64_t)PATHS_BIG * ISO_SECTOR);
}

/* 8.4 */
static int write_primary(const struct burning *b, int64_t size)
{
	unsigned char s[ISO_SECTOR] = { 1, 'C', 'D', '0', '0', '1', 1 };

	memset(s + 8, ' ', 64);
	memcpy(s + 40, VOLUME_NAME, sizeof(VOLUME_NAME) - 1);
	both32(s + 80, (uint32_t)(size / ISO_SECTOR));
	both16(s + 120, 1);
	both16(s + 124, 1);
	both16(s + 128, ISO_SECTOR);
	both32(s + 132, 10);
	le32(s + 140, PATHS_LITTLE);
	be32(s + 148, PATHS_BIG);
	(void)put_record(s + 156, "\0", 1, ROOT_DIR, ISO_SECTOR, true);
	memset(s + 190, ' ', 813 - 190);
	for (size_t i = 0; i < 4; i++) /* 8.4.26.1: dates that are not told */
		memset(s + 813 + 17 * i, '0', 16);
	s[881] = 1;
	return put_at(b, s, sizeof(s), (int64_t)PRIMARY * ISO_SECTOR);
}

/* An entry of the catalog: bootable, no emulation. */
static void put_entry(unsigned char *p, uint32_t sectors512, uint32_t sector)
{
	p[0] = 0x88;
	le16(p + 6, sectors512);
	le32(p + 8, sector);
}

/* BIOS first, as its validation entry says; UEFI's has a header of its own if it is the second. */
static int write_catalog(const struct burning *b)
{
	unsigned char record[ISO_SECTOR] = { 0, 'C', 'D', '0', '0', '1', 1 };
	unsigned char end[7] = { 255, 'C', 'D', '0', '0', '1', 1 };
	unsigned char c[ISO_SECTOR] = { 1, (unsigned char)(b->bios ? 0 : 0xef) };
	uint32_t sum = 0, esp = (uint32_t)(b->esp_offset / ISO_SECTOR);
	unsigned char *uefi = b->bios ? c + 96 : c + 32;
	int r;

	memcpy(record + 7, EL_TORITO, sizeof(EL_TORITO) - 1);
	le32(record + 71, CATALOG);
	c[30] = 0x55;
	c[31] = 0xaa;
	for (size_t i = 0; i < 32; i += 2)
		sum += (uint32_t)c[i] | (uint32_t)c[i + 1] << 8;
	le16(c + 28, 0x10000 - (sum & 0xffff));
	if (b->bios) {
		put_entry(c + 32, 4, FIRST_FILE);
		c[64] = 0x91;
		c[65] = 0xef;
		le16(c + 66, 1);
	}
	put_entry(uefi, 0, esp); /* no count: up to the end of the medium */
	r = put_at(b, record, sizeof(record), (int64_t)BOOT_RECORD * ISO_SECTOR);
	if (r == 0)
		r = put_at(b, end, sizeof(end), (int64_t)TERMINATOR * ISO_SECTOR);
	return r < 0 ? r : put_at(b, c, sizeof(c), (int64_t)CATALOG * ISO_SECTOR);
}

/* the whole */

bool iso_explain(const struct partition *parts, size_t n, bool bios, bool initrd)
{
	struct buf append = BUF_INIT(65536), name = BUF_INIT(65536);
	const char *const loader =
		"-isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin --mbr-force-bootable -c boot.cat "
		"-b isolinux.bin -no-emul-boot -boot-load-size 4 -boot-info-table "
		"-eltorito-alt-boot ";
	bool dry;

	for (size_t i = 0; i < n; i++) {
		long long first = (long long)parts[i].offset / SECTOR;

		buf_addf(&append,
			 "-append_partition %zu %s --interval:local_fs:%lldd-%lldd::\"$disk\" ",
			 i + 2, partition_type(parts[i].kind), first,
			 first + (long long)parts[i].size / SECTOR - 1);
		buf_addf(&name, "sfdisk -q --part-uuid \"$work/iso\" %zu %s; ", i + 2,
			 parts[i].uuid);
	}
	dry = explain("for optical drives: what BIOS starts from there",
		      "mkdir \"$work/cd\"; mcopy -n -i \"$disk\"@@%lld ::/vmlinuz %s\"$work/cd\"%s",
		      (long long)parts[0].offset, initrd ? "::/initrd.img " : "",
		      bios ? "; mcopy -n -i \"$disk\"@@1048576 ::" SYSLINUX_CFG
			     " \"$work/cd/isolinux.cfg\"; cp " ISOLINUX " " LDLINUX " \"$work/cd\""
			   : "");
	(void)explain("the same partitions in a file that is an ISO 9660 file system, too",
		      "xorriso -as mkisofs -quiet -o \"$work/iso\" -V " VOLUME_NAME
		      " -partition_offset 16 -appended_part_as_gpt %s%s-e "
		      "--interval:appended_partition_2:all:: -no-emul-boot \"$work/cd\"; %s"
		      "mv \"$work/iso\" \"$disk\"",
		      buf_text(&append), bios ? loader : "", buf_text(&name));
	buf_done(&append);
	buf_done(&name);
	return dry;
}

static int look(struct burning *b, struct partition parts[PARTITIONS_MAX], size_t *ret_n)
{
	autofree char *files = NULL;
	enum partition_table table = TABLE_NONE;
	size_t n = 0;
	int r = partition_read(b->fd, &table, parts, &n, b->err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		b->end = MAX(b->end, parts[i].offset + parts[i].size);
		if (parts[i].kind == PARTITION_ESP && !b->esp_offset)
			b->esp_offset = parts[i].offset;
	}
	*ret_n = n;
	if (r == 0 && table != TABLE_GPT)
		return error_set(b->err, -EINVAL, "an ISO is made of a disk with a GPT");
	if (r == 0 && !b->esp_offset)
		return error_set(b->err, -EINVAL, "an ISO is made of a disk with a boot partition");
	if (r == 0)
		r = fat_list(b->fd, b->esp_offset, &files, b->err);
	if (r == 0 && !strstr(files, "::/vmlinuz"))
		return error_set(b->err, -EINVAL,
				 "an ISO is made of a disk of 'strake disk build'");
	b->bios = files && strstr(files, "::" SYSLINUX_CFG) != NULL;
	if (r == 0 && b->bios)
		r = add_loader(b);
	if (r == 0 && b->bios)
		r = add_large(b, "/vmlinuz", "VMLINUZ.;1");
	if (r == 0 && b->bios && strstr(files, "::/initrd.img"))
		r = add_large(b, "/initrd.img", "INITRD.IMG;1");
	return r;
}

int iso_make(int fd, struct error *err)
{
	struct burning b = { .fd = fd, .next = FIRST_FILE, .err = err };
	struct partition parts[PARTITIONS_MAX];
	size_t n = 0;
	int64_t size;
	int r = look(&b, parts, &n);

	if (r < 0)
		return error_wrap(err, r, "ISO");
	size = partition_disk_size((b.end + PARTITION_ALIGN - 1) / PARTITION_ALIGN *
				   PARTITION_ALIGN);
	if (ftruncate(fd, size) < 0)
		return error_sys(err, -errno, "grow the ISO");
	r = partition_move_tail(fd, err);
	if (r == 0)
		r = write_root_dir(&b);
	if (r == 0)
		r = write_paths(&b);
	if (r == 0)
		r = write_catalog(&b);
	return r < 0 ? r : write_primary(&b, size);
}
