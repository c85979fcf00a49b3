/* src/disk/partition.c */
#include "disk/partition.h"

#include <libfdisk.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"

#define TYPE_ESP        "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#define TYPE_ROOT_AMD64 "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
#define TYPE_SWAP       "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"
#define TYPE_HASHES     "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5"
#define TYPE_DATA       "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
/* UEFI specification 5.3.3: bit 2, "legacy BIOS bootable"; syslinux's boot code looks for it. */
#define ATTRIBUTE_LEGACY_BOOT (1ULL << 2)
#define MBR_SECTORS_MAX       UINT32_MAX
/* Backup header and 128 entries of 128 bytes are 33 sectors; a whole unit keeps sizes round. */
#define TAIL PARTITION_ALIGN

DEFINE_CLEANUP(struct fdisk_context *, fdisk, fdisk_unref_context);
DEFINE_CLEANUP(struct fdisk_partition *, fdisk_partition, fdisk_unref_partition);
DEFINE_CLEANUP(struct fdisk_parttype *, fdisk_type, fdisk_unref_parttype);
DEFINE_CLEANUP(struct fdisk_table *, fdisk_table, fdisk_unref_table);

int64_t partition_disk_size(int64_t end)
{
	return end + TAIL;
}

static const char *const types[] = {
	[PARTITION_ESP] = TYPE_ESP,       [PARTITION_ROOT] = TYPE_ROOT_AMD64,
	[PARTITION_DATA] = TYPE_DATA,     [PARTITION_SWAP] = TYPE_SWAP,
	[PARTITION_HASHES] = TYPE_HASHES,
};

static const unsigned mbr_types[] = {
	[PARTITION_ESP] = 0xef,  [PARTITION_ROOT] = 0x83,   [PARTITION_DATA] = 0x83,
	[PARTITION_SWAP] = 0x82, [PARTITION_HASHES] = 0x83,
};

const char *partition_type(enum partition_kind kind)
{
	return types[kind];
}

/* the plan */

void layout_begin(struct layout *l, enum partition_table table, const struct identity *id)
{
	uint8_t uuid[16];

	*l = (struct layout) { .table = table, .id = id, .end = PARTITION_ALIGN };
	identity_uuid(id, "disk", uuid);
	if (table == TABLE_MBR)
		(void)snprintf(l->disk, sizeof(l->disk), "%02x%02x%02x%02x", uuid[0], uuid[1],
			       uuid[2], uuid[3]);
	else
		uuid_text(uuid, l->disk);
}

struct partition *layout_add(struct layout *l, enum partition_kind kind, const char *name,
			     int64_t size)
{
	autofree char *purpose = xasprintf("%s partition", name);
	struct partition *p = &l->parts[l->n++];

	*p = (struct partition) { .kind = kind, .offset = l->end, .size = size, .name = name };
	/* As Linux and udev name it: the disk's number and the partition's. */
	if (l->table == TABLE_MBR)
		(void)snprintf(p->uuid, sizeof(p->uuid), "%.8s-%02zx", l->disk, l->n);
	else
		identity_text(l->id, purpose, p->uuid);
	l->end += size;
	return p;
}

/* writing */

static int open_table(int fd, bool readonly, struct fdisk_context **ret, struct error *err)
{
	cleanup(fdisk_cleanup) struct fdisk_context *cxt = fdisk_new_context();
	autofree char *path = xasprintf("/proc/self/fd/%d", fd);
	int r = cxt ? fdisk_assign_device(cxt, path, readonly) : -ENOMEM;

	if (r < 0)
		return error_sys(err, r, "look at the partition table");
	*ret = steal_ptr(&cxt);
	return 0;
}

static struct fdisk_parttype *type_of(struct fdisk_context *cxt, enum partition_kind kind)
{
	const struct fdisk_label *label = fdisk_get_label(cxt, NULL);

	if (fdisk_is_label(cxt, GPT))
		return fdisk_label_get_parttype_from_string(label, partition_type(kind));
	return fdisk_label_get_parttype_from_code(label, mbr_types[kind]);
}

static int add(struct fdisk_context *cxt, size_t number, const struct partition *p)
{
	cleanup(fdisk_partition_cleanup) struct fdisk_partition *pa = fdisk_new_partition();
	cleanup(fdisk_type_cleanup) struct fdisk_parttype *type = type_of(cxt, p->kind);
	bool gpt = fdisk_is_label(cxt, GPT);
	int r;

	if (!pa || !type)
		return -ENOMEM;
	r = fdisk_partition_set_partno(pa, number);
	if (r == 0)
		r = fdisk_partition_set_start(pa, (fdisk_sector_t)(p->offset / SECTOR));
	if (r == 0)
		r = fdisk_partition_set_size(pa, (fdisk_sector_t)(p->size / SECTOR));
	if (r == 0)
		r = fdisk_partition_set_type(pa, type);
	if (r == 0 && gpt)
		r = fdisk_partition_set_uuid(pa, p->uuid);
	if (r == 0 && gpt)
		r = fdisk_partition_set_name(pa, p->name);
	if (r == 0)
		r = fdisk_add_partition(cxt, pa, NULL);
	if (r == 0 && p->kind == PARTITION_ESP)
		r = gpt ? fdisk_gpt_set_partition_attrs(cxt, number, ATTRIBUTE_LEGACY_BOOT)
			: fdisk_toggle_partition_flag(cxt, number, DOS_FLAG_ACTIVE);
	return r;
}

/* The library asks for the disk's name, and gets it from here. */
static int answer(struct fdisk_context *cxt, struct fdisk_ask *ask, void *data)
{
	const struct layout *l = data;

	(void)cxt;
	if (fdisk_ask_get_type(ask) == FDISK_ASKTYPE_STRING)
		return fdisk_ask_string_set_result(
			ask, xasprintf("%s%s", l->table == TABLE_MBR ? "0x" : "", l->disk));
	return 0;
}

static void explain_part(struct buf *b, enum partition_table table, const struct partition *p)
{
	bool esp = p->kind == PARTITION_ESP;

	buf_addf(b, " 'start=%lld, size=%lld, ", (long long)p->offset / SECTOR,
		 (long long)p->size / SECTOR);
	if (table == TABLE_MBR)
		buf_addf(b, "type=%02x%s'", mbr_types[p->kind], esp ? ", bootable" : "");
	else
		buf_addf(b, "type=%s, uuid=%s, name=%s%s'", partition_type(p->kind), p->uuid,
			 p->name, esp ? ", attrs=LegacyBIOSBootable" : "");
}

static bool explain_table(const struct layout *l)
{
	bool mbr = l->table == TABLE_MBR, dry;
	struct buf b = BUF_INIT(4096);

	for (size_t i = 0; i < l->n; i++)
		explain_part(&b, l->table, &l->parts[i]);
	dry = explain("the partition table",
		      "printf '%%s\\n' 'label: %s' 'label-id: %s%s'%s | sfdisk -q \"$disk\"",
		      mbr ? "dos" : "gpt", mbr ? "0x" : "", l->disk, buf_text(&b));
	buf_done(&b);
	return dry;
}

int partition_write(int fd, const struct layout *l, struct error *err)
{
	cleanup(fdisk_cleanup) struct fdisk_context *cxt = NULL;
	bool mbr = l->table == TABLE_MBR;
	int r;

	if (mbr && l->n > MBR_PARTITIONS_MAX)
		return error_set(err, -EFBIG, "an MBR has room for %d partitions: use --table gpt",
				 MBR_PARTITIONS_MAX);
	if (mbr && l->end / SECTOR > MBR_SECTORS_MAX)
		return error_set(err, -EFBIG, "an MBR reaches 2 TiB far: use --table gpt");
	if (explain_table(l))
		return 0;
	r = open_table(fd, false, &cxt, err);
	if (r < 0)
		return r;
	r = fdisk_set_ask(cxt, answer, (void *)l);
	if (r == 0)
		r = fdisk_create_disklabel(cxt, mbr ? "dos" : "gpt");
	if (r == 0)
		r = fdisk_set_disklabel_id(cxt);
	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = add(cxt, i, &l->parts[i]);
	if (r == 0)
		r = fdisk_write_disklabel(cxt);
	return r < 0 ? error_sys(err, r, "write the partition table") : 0;
}

int partition_move_tail(int fd, struct error *err)
{
	cleanup(fdisk_cleanup) struct fdisk_context *cxt = NULL;
	int r = open_table(fd, false, &cxt, err);

	if (r < 0)
		return r;
	r = fdisk_is_label(cxt, GPT) ? fdisk_write_disklabel(cxt) : -EBADMSG;
	return r < 0 ? error_sys(err, r, "move the second partition table") : 0;
}

static enum partition_kind kind_of(const struct fdisk_parttype *type, bool gpt)
{
	const char *text = type && gpt ? fdisk_parttype_get_string(type) : NULL;

	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++)
		if (gpt ? text && strcasecmp(text, types[i]) == 0
			: fdisk_parttype_get_code(type) == mbr_types[i])
			return (enum partition_kind)i;
	return PARTITION_OTHER;
}

/* The library knows UUIDs of GPTs alone. */
static void take_uuid(struct fdisk_context *cxt, struct fdisk_partition *pa, struct partition *ret)
{
	const char *uuid = fdisk_partition_get_uuid(pa);
	autofree char *disk = NULL;

	if (uuid && strlen(uuid) == UUID_TEXT_LEN)
		memcpy(ret->uuid, uuid, UUID_TEXT_LEN);
	else if (fdisk_is_label(cxt, DOS) && fdisk_get_disklabel_id(cxt, &disk) == 0)
		(void)snprintf(ret->uuid, sizeof(ret->uuid), "%.8s-%02zx", disk + strlen("0x"),
			       fdisk_partition_get_partno(pa) + 1);
}

/* An extended partition holds others, and nothing else. */
static bool take(struct fdisk_context *cxt, struct fdisk_partition *pa, int64_t file_size,
		 struct partition *ret)
{
	uint64_t start = fdisk_partition_get_start(pa);
	uint64_t size = fdisk_partition_get_size(pa);
	uint64_t sectors = (uint64_t)file_size / SECTOR;

	if (!fdisk_partition_is_used(pa) || fdisk_partition_is_container(pa) || start == 0 ||
	    start >= sectors || size > sectors - start)
		return false;
	*ret = (struct partition) { .kind = kind_of(fdisk_partition_get_type(pa),
						    fdisk_is_label(cxt, GPT)),
				    .offset = (int64_t)start * SECTOR,
				    .size = (int64_t)size * SECTOR };
	take_uuid(cxt, pa, ret);
	return true;
}

int partition_read(int fd, enum partition_table *ret_table, struct partition ret[PARTITIONS_MAX],
		   size_t *ret_n, struct error *err)
{
	cleanup(fdisk_cleanup) struct fdisk_context *cxt = NULL;
	cleanup(fdisk_table_cleanup) struct fdisk_table *table = NULL;
	off_t end = lseek(fd, 0, SEEK_END); /* stat() says nothing of a device */
	size_t n = 0;
	bool gpt;
	int r = open_table(fd, true, &cxt, err);

	if (r < 0)
		return r;
	if (end < 0)
		return error_sys(err, -errno, "look at the disk");
	gpt = fdisk_is_label(cxt, GPT);
	if (!gpt && !fdisk_is_label(cxt, DOS))
		return error_set(err, -EBADMSG, "it has no partition table (GPT or MBR)");
	r = fdisk_get_partitions(cxt, &table);
	if (r < 0)
		return error_sys(err, r, "read the partition table");
	for (size_t i = 0; i < fdisk_table_get_nents(table) && n < PARTITIONS_MAX; i++)
		if (take(cxt, fdisk_table_get_partition(table, i), end, &ret[n]))
			n++;
	/* The two bytes that tell an MBR stand at the start of much else. */
	if (n == 0 && !gpt)
		return error_set(err, -EBADMSG, "it has no partition table (GPT or MBR)");
	*ret_table = gpt ? TABLE_GPT : TABLE_MBR;
	*ret_n = n;
	return 0;
}
