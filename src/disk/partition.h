/* src/disk/partition.h - the partition table, GPT or MBR, by libfdisk. */
#ifndef DISK_PARTITION_H
#define DISK_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/identity.h"

#define SECTOR          512
#define PARTITION_ALIGN (1 << 20)
#define PARTITIONS_MAX  128 /* as a GPT has by default */

enum partition_kind {
	PARTITION_ESP,
	PARTITION_ROOT,
	PARTITION_DATA,
	PARTITION_SWAP,
	PARTITION_HASHES,
	PARTITION_OTHER /* of a disk that is read: its type says nothing to us */
};

struct partition {
	enum partition_kind kind;
	int64_t offset, size; /* bytes, multiples of PARTITION_ALIGN */
	char uuid[UUID_TEXT_LEN + 1];
	const char *name;
};

const char *partition_type(enum partition_kind kind); /* its UUID in a GPT */

enum partition_table { TABLE_NONE, TABLE_GPT, TABLE_MBR };
#define MBR_PARTITIONS_MAX 4 /* no logical ones are made */

/* The partitions of a disk that is planned, one behind the other. */
struct layout {
	enum partition_table table;
	const struct identity *id;
	char disk[UUID_TEXT_LEN + 1]; /* its UUID, or the eight digits of an MBR */
	struct partition parts[PARTITIONS_MAX];
	size_t n;
	int64_t end; /* where the next begins */
};

void layout_begin(struct layout *l, enum partition_table table, const struct identity *id);
/* Until the next is added. */
struct partition *layout_add(struct layout *l, enum partition_kind kind, const char *name,
			     int64_t size);

/* Bytes of a disk whose partitions end at end: the second table lies behind them. */
int64_t partition_disk_size(int64_t end);

/* Into a file that has its size.  -EFBIG: too large for an MBR, or too many. */
int partition_write(int fd, const struct layout *l, struct error *err) must_check;

/* The file has grown: the second table goes to its end. */
int partition_move_tail(int fd, struct error *err) must_check;

/* The partitions of a disk image; hostile.  -EBADMSG: no table, or an MBR without any. */
int partition_read(int fd, enum partition_table *ret_table, struct partition ret[PARTITIONS_MAX],
		   size_t *ret_n, struct error *err) must_check;

#endif
