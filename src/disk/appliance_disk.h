/* src/disk/appliance_disk.h - what an own init's machine has on its disk beside the boot partition:
 * its files, if they are not to live in memory, and its volumes, which outlast them.
 */
#ifndef DISK_APPLIANCE_DISK_H
#define DISK_APPLIANCE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "disk/ext4.h"
#include "disk/source.h"

struct identity;
struct layout;

struct appliance_disk {
	bool has_root;
	struct disk_source boot;   /* of an own tree for the initramfs, if it has a root */
	struct strv volumes;       /* "/data", in the order of their names on the disk: 0, 1, ... */
	struct filetree *contents; /* of the volumes; NULL: there are none */
	char root_uuid[37], volumes_uuid[37];
	struct ext4_request root_fs, volumes_fs;
};

enum appliance_root { APPLIANCE_ROOT_UNSAID, APPLIANCE_ROOT_MEMORY, APPLIANCE_ROOT_DISK };

struct appliance_disk_request {
	enum appliance_root root;   /* unsaid: by how much there is */
	const struct strv *volumes; /* further ones than the image's */
	int64_t size;               /* of the disk, 0: as small as it goes */
	int64_t now_s;
};

/* Decides, and moves what lies in volumes out of the source's tree. */
int appliance_disk_choose(struct disk_source *s, const struct appliance_disk_request *req,
			  const struct identity *id, struct appliance_disk *ret,
			  struct error *err) must_check;
void appliance_disk_done(struct appliance_disk *d);

/* Where it goes. */
struct appliance_layout {
	const struct appliance_disk_request *req;
	int fd;                /* of the disk */
	struct layout *layout; /* gets what is added, up to the disk's size */
};

int appliance_disk_lay_out(struct appliance_disk *d, struct disk_source *s,
			   struct appliance_layout *l, struct error *err) must_check;
int appliance_disk_write(struct appliance_disk *d, struct disk_source *s,
			 struct error *err) must_check;

#endif
