/* src/disk/appliance.h - a machine for one program: our init, and what it is told. */
#ifndef DISK_APPLIANCE_H
#define DISK_APPLIANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct disk_source;
struct strv;

#define APPLIANCE_INIT "/.strake/init"

struct appliance_request {
	struct disk_source *source;
	const struct strv *command;    /* instead of the image's CMD; may be empty */
	const struct strv *entrypoint; /* instead of the image's; may be empty */
	const struct strv *env;        /* over the image's */
	const char *hostname;          /* NULL: "strake" */
	bool network;
	const char *modules; /* directory of the kernel's modules; NULL: none */
	int64_t now_s;
};

/* Puts init, its orders and modules into the tree; their format is in machine/config.h.
 * -EINVAL: nothing says what is to run.
 */
int appliance_prepare(const struct appliance_request *req, struct error *err) must_check;

#endif
