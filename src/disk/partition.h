/* src/disk/partition.h - the partition table: GPT, by libfdisk. */
#ifndef DISK_PARTITION_H
#define DISK_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/identity.h"

#define SECTOR          512
#define PARTITION_ALIGN (1 << 20)
#define PARTITIONS_MAX  8

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

const char *partition_type(enum partition_kind kind); /* its UUID */

/* Bytes of a disk whose partitions end at end: the second table lies behind them. */
int64_t partition_disk_size(int64_t end);

/* Writes both tables into a file that has its size. */
int partition_write(int fd, const char *disk_uuid, const struct partition *list, size_t n,
		    struct error *err) must_check;

/* The file has grown: the second table goes to its end. */
int partition_move_tail(int fd, struct error *err) must_check;

enum partition_table { TABLE_NONE, TABLE_GPT, TABLE_MBR };

/* The partitions of a disk image; hostile.  -EBADMSG: no table, or no partition in it. */
int partition_read(int fd, struct partition ret[PARTITIONS_MAX], size_t *ret_n,
		   enum partition_table *ret_table, struct error *err) must_check;

#endif
