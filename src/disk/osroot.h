/* src/disk/osroot.h - the partitions of an operating system: its root, what stands beside it, and
 * what the kernel is told of them.
 *
 * A root that is written to grows with its disk.  One that is not (a file system that cannot be, or
 * asked for) lies under a layer in memory; with hashes the kernel checks what it reads of it.
 */
#ifndef DISK_OSROOT_H
#define DISK_OSROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/ext4.h"
#include "disk/identity.h"
#include "disk/luks.h"
#include "disk/partition.h"
#include "disk/rootfs.h"

struct disk_source;
struct output;

struct osroot_options {
	enum rootfs fs;
	bool read_only, verity, encrypt;
	struct luks_key key; /* of encrypt */
	int64_t swap;        /* bytes, a multiple of 1 MiB; 0: none */
};

struct osroot_request {
	struct osroot_options options;
	struct disk_source *source;
	const struct output *out;
	const struct identity *id;
	const char *init;    /* of the source */
	bool initrd;         /* the source's own, or one that was named, starts it */
	bool modules;        /* the source has those of its kernel */
	bool named_initrd;   /* it was named: it must do what is asked for */
	bool optical;        /* for a CD: nothing can be written there */
	bool arm64;          /* else amd64 */
	const char *more;    /* words for the kernel; NULL */
	int64_t now_s, size; /* of the disk; 0: as small as it goes */
};

struct osroot {
	const struct osroot_request *req;
	bool own_initrd, overlay;
	int64_t root_offset, swap_offset, hash_offset;
	struct ext4_request ext4; /* straight into the disk, if root_fd is -1 */
	int root_fd, hash_fd;     /* nameless files, or -1 */
	int64_t root_size, hash_size;
	char root_hash[65];
	char luks[UUID_TEXT_LEN + 1], root_part[UUID_TEXT_LEN + 1], hash_part[UUID_TEXT_LEN + 1];
};
#define OSROOT_INIT ((struct osroot) { .root_fd = -1, .hash_fd = -1 })

/* What goes together: -EINVAL.  Decides own_initrd and overlay. */
int osroot_choose(const struct osroot_request *req, struct osroot *ret,
		  struct error *err) must_check;
/* What it needs in the tree: before the tree is laid out. */
int osroot_prepare(struct osroot *s, struct error *err) must_check;
/* Adds its partitions, and makes what does not lie on the disk from the first. */
int osroot_lay_out(struct osroot *s, struct layout *l, struct error *err) must_check;
/* What the kernel is told; the caller frees. */
char *osroot_words(const struct osroot *s);
int osroot_write(struct osroot *s, struct error *err) must_check;
void osroot_done(struct osroot *s);

#endif
