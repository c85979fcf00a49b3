/* src/disk/format_numbers.c
 *
 * Offsets are those of the formats' specifications: "Virtual Hard Disk Image Format" (vhd),
 * MS-VHDX, "Virtual Disk Format 5.0" (vmdk); VDI's header is in VirtualBox's VDICore.h.
 */
#include "disk/format_numbers.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "disk/crc32c.h"
#include "disk/identity.h"

#define SEED_LEN        (1U << 20) /* of the disk: with the table, which has its UUID */
#define VHD_FOOTER      512
#define VHDX_HEADER_1   (64 << 10)
#define VHDX_HEADER_2   (128 << 10)
#define VHDX_HEADER_LEN 4096
#define VHDX_TABLE      (192 << 10)
#define VMDK_TEXT_MAX   (64 << 10)

struct fixing {
	int fd;
	struct identity id;
	struct error *err;
};

static int get(const struct fixing *f, void *to, size_t len, int64_t at)
{
	ssize_t n = pread(f->fd, to, len, at);

	return n == (ssize_t)len
		       ? 0
		       : error_sys(f->err, n < 0 ? -errno : -EIO, "read what qemu-img wrote");
}

static int put(const struct fixing *f, const void *from, size_t len, int64_t at)
{
	ssize_t n = pwrite(f->fd, from, len, at);

	return n == (ssize_t)len ? 0
				 : error_sys(f->err, n < 0 ? -errno : -EIO, "write its numbers");
}

static void put_big32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static uint64_t little(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = n; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

/* The time of making at 24, a checksum at 64, a UUID at 68. */
static int fix_vhd(const struct fixing *f)
{
	int64_t end = lseek(f->fd, 0, SEEK_END);
	unsigned char foot[VHD_FOOTER];
	uint32_t sum = 0;
	int r = get(f, foot, sizeof(foot), end - VHD_FOOTER);

	if (r < 0)
		return r;
	memset(foot + 24, 0, 4);
	memset(foot + 64, 0, 4);
	identity_uuid(&f->id, "vhd", foot + 68);
	for (size_t i = 0; i < sizeof(foot); i++)
		sum += foot[i];
	put_big32(foot + 64, ~sum);
	r = put(f, foot, sizeof(foot), end - VHD_FOOTER);
	return r < 0 ? r : put(f, foot, sizeof(foot), 0);
}

static int fix_vdi(const struct fixing *f)
{
	uint8_t both[32];

	identity_uuid(&f->id, "vdi", both);
	identity_uuid(&f->id, "vdi snapshot", both + 16);
	return put(f, both, sizeof(both), 392);
}

/* "page 83 data": the number that the machine sees as the disk's serial number. */
static int fix_vhdx_serial(const struct fixing *f)
{
	static const unsigned char region[16] = { 0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
						  0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e };
	static const unsigned char item[16] = { 0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45,
						0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46 };
	unsigned char table[16 + 32 * 8] = { 0 }, items[32 + 32 * 8] = { 0 };
	uint8_t id[16];
	int64_t at = 0;
	int r = get(f, table, sizeof(table), VHDX_TABLE);

	for (size_t i = 16; r == 0 && i < sizeof(table); i += 32)
		if (memcmp(table + i, region, 16) == 0)
			at = (int64_t)little(table + i + 16, 8);
	if (r == 0)
		r = get(f, items, sizeof(items), at);
	identity_uuid(&f->id, "vhdx serial", id);
	for (size_t i = 32; r == 0 && at && i < sizeof(items); i += 32)
		if (memcmp(items + i, item, 16) == 0)
			r = put(f, id, 16, at + (int64_t)little(items + i + 16, 4));
	return r;
}

/* Checksum at 4, sequence at 8 (the higher one is valid), then three UUIDs: of the file, of its
 * data, of the log, which is empty and of which nothing stays.
 */
static int fix_vhdx_header(const struct fixing *f, unsigned char *h, int64_t at, uint8_t sequence)
{
	uint32_t sum;

	memset(h + 4, 0, 12);
	memset(h + 48, 0, 16);
	h[8] = sequence;
	identity_uuid(&f->id, "vhdx file", h + 16);
	identity_uuid(&f->id, "vhdx data", h + 32);
	sum = ~crc32c(~0U, h, VHDX_HEADER_LEN);
	for (int k = 0; k < 4; k++)
		h[4 + k] = (unsigned char)(sum >> (8 * k));
	return put(f, h, VHDX_HEADER_LEN, at);
}

static int fix_vhdx(const struct fixing *f)
{
	unsigned char first[VHDX_HEADER_LEN] = { 0 }, second[VHDX_HEADER_LEN] = { 0 };
	bool later;
	int r = get(f, first, sizeof(first), VHDX_HEADER_1);

	if (r == 0)
		r = get(f, second, sizeof(second), VHDX_HEADER_2);
	if (r < 0)
		return r;
	later = little(second + 8, 8) > little(first + 8, 8);
	r = fix_vhdx_header(f, first, VHDX_HEADER_1, later ? 1 : 2);
	if (r == 0)
		r = fix_vhdx_header(f, second, VHDX_HEADER_2, later ? 2 : 1);
	if (r == 0 && fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)little(first + 72, 8), (off_t)little(first + 68, 4)) < 0)
		r = error_sys(f->err, -errno, "empty the log");
	return r < 0 ? r : fix_vhdx_serial(f);
}

/* The text ends in zeros and has room for more; VMware looks for the name that stands there. */
static int fix_vmdk(const struct fixing *f, const char *name)
{
	unsigned char head[44] = { 0 };
	autofree char *text = NULL;
	struct buf made;
	char *extent, *rest, *cid;
	int64_t at, len;
	uint8_t id[16];
	int r = get(f, head, sizeof(head), 0);

	if (r < 0)
		return r;
	at = (int64_t)little(head + 28, 8) * 512;
	len = (int64_t)little(head + 36, 8) * 512;
	if (len <= 0 || len > VMDK_TEXT_MAX)
		return error_set(f->err, -EIO, "qemu-img wrote no description");
	buf_init(&made, (size_t)len);
	text = xcalloc(1, (size_t)len + 1);
	r = get(f, text, (size_t)len, at);
	if (r < 0)
		return r;
	cid = strstr(text, "\nCID=");
	extent = cid ? strstr(cid, " SPARSE \"") : NULL;
	rest = extent ? strchr(extent + 9, '"') : NULL;
	if (!rest)
		return error_set(f->err, -EIO,
				 "qemu-img wrote a description without a CID or an extent");
	identity_uuid(&f->id, "vmdk", id);
	cid[5] = extent[9] = '\0';
	buf_addf(&made, "%s%02x%02x%02x%02x%s%s%s", text, id[0], id[1], id[2], id[3],
		 strchr(cid + 6, '\n'), strchr(name, '"') ? "disk.vmdk" : name, rest);
	while ((int64_t)made.len < len && buf_result(&made) == 0)
		buf_add_char(&made, '\0');
	r = buf_result(&made) < 0
		    ? error_set(f->err, -ENAMETOOLONG, "the name is too long for a vmdk")
		    : put(f, made.data, made.len, at);
	buf_done(&made);
	return r;
}

int format_fix_numbers(int raw_fd, enum disk_format f, int fd, const char *name, struct error *err)
{
	struct fixing g = { .fd = fd, .err = err };
	autofree char *seed = xcalloc(1, SEED_LEN);
	ssize_t n = pread(raw_fd, seed, SEED_LEN, 0);

	if (n < 0)
		return error_sys(err, -errno, "read the disk");
	identity_of_bytes(seed, (size_t)n, &g.id);
	switch (f) {
	case FORMAT_VHD:
		return fix_vhd(&g);
	case FORMAT_VHDX:
		return fix_vhdx(&g);
	case FORMAT_VDI:
		return fix_vdi(&g);
	case FORMAT_VMDK:
		return fix_vmdk(&g, name);
	case FORMAT_RAW:
	case FORMAT_QCOW2:
	case FORMAT_ISO:
		break;
	}
	return 0;
}
