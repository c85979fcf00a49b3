/* src/network/inspect.h - what is known of networks and of places in them, for people and programs,
 * under the names that Docker has for it.  The caller owns *ret.
 */
#ifndef NETWORK_INSPECT_H
#define NETWORK_INSPECT_H

#include <jansson.h>

#include "base/error.h"

struct db;

int network_inspect(struct db *db, const char *name, json_t **ret, struct error *err) must_check;
/* A container's NetworkSettings: networks with addresses, and published ports. */
int network_inspect_container(struct db *db, const char *id, json_t **ret,
			      struct error *err) must_check;

#endif
