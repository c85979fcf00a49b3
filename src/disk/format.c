/* src/disk/format.c */
#include "disk/format.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/strv.h"
#include "disk/format_numbers.h"
#include "disk/tool.h"

#define PACKAGE "qemu-utils"
/* qcow2 specification: 1.1 header, bit 2 of the incompatible features. */
#define QCOW2_EXTERNAL_DATA 4U
#define ISO_MAGIC_AT        32769
/* Where QEMU looks for a vmdk's description, and how much of it it reads. */
#define VMDK_TEXT_AT  512
#define VMDK_TEXT_MAX (20 * 512)

static const struct kind {
	const char *name, *qemu, *options;
	const char *endings[3];
	bool backing; /* the format knows a file beneath it, and QEMU is told that there is none */
} kinds[] = {
	[FORMAT_RAW] = { "raw", "raw", NULL, { ".raw", ".img" }, false },
	[FORMAT_QCOW2] = { "qcow2", "qcow2", "compat=1.1", { ".qcow2" }, true },
	[FORMAT_VMDK] = { "vmdk", "vmdk", "subformat=monolithicSparse", { ".vmdk" }, true },
	/* Else the size becomes one of cylinders, heads and sectors. */
	[FORMAT_VHD] = { "vhd",
			 "vpc",
			 "subformat=dynamic,force_size=on",
			 { ".vhd", ".vpc" },
			 false },
	[FORMAT_VHDX] = { "vhdx", "vhdx", "subformat=dynamic", { ".vhdx" }, false },
	[FORMAT_VDI] = { "vdi", "vdi", "static=off", { ".vdi" }, false },
	[FORMAT_ISO] = { "iso", "raw", NULL, { ".iso" }, false },
};

const char *format_name(enum disk_format f)
{
	return kinds[f].name;
}

const char *format_qemu_name(enum disk_format f)
{
	return kinds[f].qemu;
}

static bool ends_with(const char *path, const char *ending)
{
	size_t n = strlen(path), k = ending ? strlen(ending) : 0;

	return k && n > k && strcasecmp(path + n - k, ending) == 0;
}

int format_choose(const char *asked, const char *path, enum disk_format *ret, struct error *err)
{
	*ret = FORMAT_RAW;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool is = asked ? strcmp(asked, kinds[i].name) == 0 : false;

		for (size_t k = 0; !asked && k < ARRAY_SIZE(kinds[i].endings); k++)
			is = is || ends_with(path, kinds[i].endings[k]);
		if (!is)
			continue;
		*ret = (enum disk_format)i;
		return 0;
	}
	return asked ? error_set(err, -EINVAL, "--format wants " FORMAT_NAMES ", not '%s'", asked)
		     : 0;
}

/* what a file is */

static uint64_t big_endian(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static int check_qcow2(const unsigned char *head, struct error *err)
{
	uint64_t version = big_endian(head + 4, 4);

	if (version != 2 && version != 3)
		return error_set(err, -EOPNOTSUPP, "it is a qcow of version %llu; 2 and 3 are read",
				 (unsigned long long)version);
	if (big_endian(head + 8, 8) ||
	    (version == 3 && big_endian(head + 72, 8) & QCOW2_EXTERNAL_DATA))
		return error_set(err, -EPERM,
				 "it is a qcow2 that lies on another file, which is not opened for "
				 "it: flatten it with 'qemu-img convert -O qcow2'");
	return 0;
}

/* A capacity of zero means that text in the file names others that hold the bytes; a parent holds
 * those that are not in it.
 */
static int check_vmdk(int fd, const unsigned char *head, struct error *err)
{
	static const unsigned char none[8] = { 0 };
	static const char parent[] = "parentFileNameHint";
	char text[VMDK_TEXT_MAX];
	ssize_t n = pread(fd, text, sizeof(text), VMDK_TEXT_AT);

	if (n < 0)
		return error_sys(err, -errno, "read");
	if (memcmp(head, "KDMV", 4) != 0 || memcmp(head + 12, none, 8) == 0 ||
	    memmem(text, (size_t)n, parent, strlen(parent)))
		return error_set(err, -EPERM,
				 "it is a vmdk whose bytes lie in other files, which are not "
				 "opened for it: make it one file with 'qemu-img convert -O vmdk'");
	return 0;
}

int format_detect(int fd, enum disk_format *ret, struct error *err)
{
	unsigned char head[512] = { 0 }, foot[8] = { 0 }, iso[5] = { 0 };
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0 || pread(fd, head, sizeof(head), 0) < 0)
		return error_sys(err, -errno, "read");
	if (end >= 512 && pread(fd, foot, sizeof(foot), (end - 1) / 512 * 512) < 0)
		return error_sys(err, -errno, "read");
	if (pread(fd, iso, sizeof(iso), ISO_MAGIC_AT) < 0)
		return error_sys(err, -errno, "read");
	*ret = FORMAT_RAW;
	if (memcmp(head, "QFI\xfb", 4) == 0) {
		*ret = FORMAT_QCOW2;
		return check_qcow2(head, err);
	}
	if (memcmp(head, "KDMV", 4) == 0 || memcmp(head, "COWD", 4) == 0 ||
	    memcmp(head, "# Disk Desc", 11) == 0) {
		*ret = FORMAT_VMDK;
		return check_vmdk(fd, head, err);
	}
	if (memcmp(head, "vhdxfile", 8) == 0)
		*ret = FORMAT_VHDX;
	else if (memcmp(head, "conectix", 8) == 0 || memcmp(foot, "conectix", 8) == 0)
		*ret = FORMAT_VHD;
	else if (memcmp(head + 64, "\x7f\x10\xda\xbe", 4) == 0)
		*ret = FORMAT_VDI;
	else if (memcmp(iso, "CD001", 5) == 0)
		*ret = FORMAT_ISO;
	return 0;
}

/* packing */

int format_scratch(int *ret_fd, struct error *err)
{
	const char *dir = getenv("TMPDIR");
	autofree char *path = NULL;
	int fd;

	dir = dir && *dir == '/' ? dir : "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		path = xasprintf("%s/strake-XXXXXX", dir);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(path);
	}
	if (fd < 0)
		return error_sys(err, -errno, "make a temporary file in %s", dir);
	*ret_fd = fd;
	return 0;
}

static void convert_words(struct strv *argv, const char *from_format, const char *to_format)
{
	strv_add(argv, "qemu-img");
	strv_add(argv, "convert");
	strv_add(argv, "-m1"); /* one after the other: the order of blocks is that of the disk */
	if (from_format) {
		strv_add(argv, "-f");
		strv_add(argv, from_format);
	}
	strv_add(argv, "-O");
	strv_add(argv, to_format);
}

/* qemu-img knows no -f for a description in JSON, which alone can say that nothing lies beneath. */
int format_unpack(int fd, enum disk_format f, int *ret_fd, struct error *err)
{
	autoclose int to = -1;
	struct strv argv = { 0 };
	int r;

	if (f == FORMAT_RAW || f == FORMAT_ISO) {
		*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		return *ret_fd < 0 ? error_sys(err, -errno, "open it once more") : 0;
	}
	r = format_scratch(&to, err);
	if (r < 0)
		return r;
	convert_words(&argv, NULL, "raw");
	strv_addf(&argv,
		  "json:{\"driver\":\"%s\",\"file\":{\"driver\":\"file\",\"filename\":"
		  "\"/proc/self/fd/%d\",\"locking\":\"off\"}%s}",
		  kinds[f].qemu, fd, kinds[f].backing ? ",\"backing\":null" : "");
	strv_addf(&argv, "/proc/self/fd/%d", to);
	r = tool_run(&argv, (const int[]) { fd, to }, 2, 0, PACKAGE, err);
	strv_done(&argv);
	if (r == 0)
		*ret_fd = steal_fd(&to);
	return r;
}

int format_pack(int raw_fd, enum disk_format f, int fd, const char *name, struct error *err)
{
	struct strv argv = { 0 };
	int r;

	if (explain("the file of the hypervisor's kind",
		    "qemu-img convert -m1 -f raw -O %s -o %s \"$disk\" \"$work/packed\"; "
		    "chmod --reference=\"$disk\" \"$work/packed\"; mv \"$work/packed\" \"$disk\"",
		    kinds[f].qemu, kinds[f].options))
		return 0;
	convert_words(&argv, "raw", kinds[f].qemu);
	strv_add(&argv, "-o");
	strv_add(&argv, kinds[f].options);
	strv_addf(&argv, "/proc/self/fd/%d", raw_fd);
	strv_addf(&argv, "/proc/self/fd/%d", fd);
	r = tool_run(&argv, (const int[]) { raw_fd, fd }, 2, 0, PACKAGE, err);
	strv_done(&argv);
	return r < 0 ? r : format_fix_numbers(raw_fd, f, fd, name, err);
}
