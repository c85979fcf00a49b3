/* src/disk/appliance.h - a machine for one program: our init, and what it is told. */
#ifndef DISK_APPLIANCE_H
#define DISK_APPLIANCE_H

#include <stdint.h>
#include <time.h>

#include "base/error.h"

struct appliance_disk;
struct buf;
struct disk_source;
struct network_plan;
struct strv;

#define APPLIANCE_INIT "/.strake/init"

struct appliance_request {
	struct disk_source *source; /* whose program runs */
	struct disk_source *boot;   /* whose tree becomes the initramfs; may be the same */
	const struct appliance_disk *disk;
	const struct strv *command;         /* instead of the image's CMD; may be empty */
	const struct strv *entrypoint;      /* instead of the image's; may be empty */
	const struct strv *env;             /* over the image's */
	const char *hostname;               /* NULL: "strake" */
	const struct network_plan *network; /* unsaid is DHCP */
	const char *modules;                /* directory of the kernel's modules; NULL: none */
	int64_t now_s;
};

/* The orders alone, without modules. */
int appliance_orders(const struct appliance_request *req, struct buf *b,
		     struct error *err) must_check;
/* Directories for init to mount on, should the root turn out to be read-only. */
int appliance_places(struct disk_source *s, struct timespec mtime, struct error *err) must_check;
/* Puts init, its orders and modules into the tree; their format is in machine/orders.h.
 * -EINVAL: nothing says what is to run.
 */
int appliance_prepare(const struct appliance_request *req, struct error *err) must_check;

#endif
