/* src/network/driver.h - names of drivers and of their modes. */
#ifndef NETWORK_DRIVER_H
#define NETWORK_DRIVER_H

#include "network/network.h"

const char *driver_name(enum network_driver driver);
int driver_parse(const char *name, enum network_driver *ret) must_check; /* -EINVAL */
const char *driver_mode_name(enum network_driver driver, unsigned mode);
/* NULL: the default one.  -EINVAL */
int driver_mode_parse(enum network_driver driver, const char *name, unsigned *ret) must_check;

#endif
