/* src/disk/machine/drivers.c */
#include "disk/machine/drivers.h"

#include <string.h>

#include "disk/machine/module.h"

/* Several conditions behind one another are one: any of them is enough. */
static void heed_condition(struct drivers *d, struct drivers_at *c, const char *value, char order)
{
	if (order == ORDER_ALWAYS)
		c->skips = false;
	else if (order == ORDER_IF && (!c->asks || c->skips))
		c->skips = !hardware_has(&d->hardware, value);
	c->asks = order == ORDER_IF;
}

static bool load_next(struct drivers *d, struct drivers_at *c, enum order kind)
{
	while (c->at < d->len) {
		const char *order = d->orders + c->at;

		c->at += strlen(order) + 1;
		heed_condition(d, c, order + 1, *order);
		if (*order != (char)kind || c->skips)
			continue;
		module_load(order + 1);
		d->hardware.known = false;
		return true;
	}
	return false;
}

void drivers_load(struct drivers *d, enum order kind)
{
	struct drivers_at c = { 0 };

	while (load_next(d, &c, kind))
		;
}

bool drivers_load_disk(struct drivers *d)
{
	return load_next(d, &d->disks, ORDER_DISK_MODULE);
}
