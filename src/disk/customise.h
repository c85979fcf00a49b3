/* src/disk/customise.h - what makes a machine out of an operating system's files: its name, who may
 * log in, its network.  All by writing files, nothing is run.
 */
#ifndef DISK_CUSTOMISE_H
#define DISK_CUSTOMISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "disk/network_plan.h"

struct disk_source;

struct customisation {
	const char *hostname;   /* NULL: as it is */
	const char *timezone;   /* "Europe/Berlin" */
	const char *cloud_init; /* a directory with user-data, or that file */
	struct strv users;      /* as account_parse() reads them */
	/* "FILE" or "NAME=FILE"; without a name it is the first user's, else root's. */
	struct strv passwords, hashes, keys;
	struct network_plan network;
};

struct customise_request {
	const struct customisation *what;
	bool dated;
	int64_t now_s;
};

/* Does what is asked for, and puts a login on the serial console where init has a table. */
int customise(struct disk_source *s, const struct customise_request *req,
	      struct error *err) must_check;
/* Whether anything is asked for that only an operating system can have. */
/* NULL is good: the name stays as it is. */
int hostname_check(const char *name, struct error *err) must_check;

bool customisation_needs_system(const struct customisation *c);

#endif
