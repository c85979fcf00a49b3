/* src/disk/machine/drivers.h - which of the modules among the orders are loaded, and when.
 *
 * A module behind conditions (ORDER_IF) is loaded only for hardware that is there. Those for disks
 * come one after the other, until the disk that is looked for has been found: probing a controller
 * takes longer than the rest of a start.
 */
#ifndef DISK_MACHINE_DRIVERS_H
#define DISK_MACHINE_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>

#include "disk/machine/hardware.h"
#include "disk/machine/orders.h"

/* A place among the orders, and what the conditions before it say. */
struct drivers_at {
	size_t at;
	bool asks, skips; /* the last order was a condition; modules are passed over */
};

struct drivers {
	const char *orders; /* the caller's, len bytes, the last one a NUL */
	size_t len;
	struct hardware hardware;
	struct drivers_at disks;
};

/* All of a kind. */
void drivers_load(struct drivers *d, enum order kind);
/* The next module for disks; false: there is none left. */
bool drivers_load_disk(struct drivers *d);

#endif
