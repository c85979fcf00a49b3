/* src/network/driver.c */
#include "network/driver.h"

#include <linux/if_link.h>
#include <string.h>

#include "base/macros.h"

static const char *const names[] = {
	[NETWORK_BRIDGE] = "bridge",
	[NETWORK_MACVLAN] = "macvlan",
	[NETWORK_IPVLAN] = "ipvlan",
};

/* The first of a driver is the default. */
static const struct {
	enum network_driver driver;
	const char *name;
	unsigned mode;
} modes[] = {
	{ NETWORK_MACVLAN, "bridge", MACVLAN_MODE_BRIDGE },
	{ NETWORK_MACVLAN, "private", MACVLAN_MODE_PRIVATE },
	{ NETWORK_MACVLAN, "vepa", MACVLAN_MODE_VEPA },
	{ NETWORK_MACVLAN, "passthru", MACVLAN_MODE_PASSTHRU },
	{ NETWORK_IPVLAN, "l2", IPVLAN_MODE_L2 },
	{ NETWORK_IPVLAN, "l3", IPVLAN_MODE_L3 },
	{ NETWORK_IPVLAN, "l3s", IPVLAN_MODE_L3S },
};

const char *driver_name(enum network_driver driver)
{
	return names[driver];
}

int driver_parse(const char *name, enum network_driver *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*ret = (enum network_driver)i;
		return 0;
	}
	return -EINVAL;
}

const char *driver_mode_name(enum network_driver driver, unsigned mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (modes[i].driver == driver && modes[i].mode == mode)
			return modes[i].name;
	return "";
}

int driver_mode_parse(enum network_driver driver, const char *name, unsigned *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (modes[i].driver != driver || (name && strcmp(modes[i].name, name) != 0))
			continue;
		*ret = modes[i].mode;
		return 0;
	}
	return name ? -EINVAL : 0;
}
