/* src/network/create.h - networks that a user makes and removes.
 *
 * A network made by a user is a row and a file, root/networks/NAME.json, from which it is made
 * again when the database is lost.  In the kernel it is nothing until its first container comes.
 */
#ifndef NETWORK_CREATE_H
#define NETWORK_CREATE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct network_site;

/* As the user says it; see 'strake network create --help'.  Strings are borrowed. */
struct network_options {
	const char *driver; /* NULL: bridge */
	struct strv subnets, gateways, ranges;
	bool ipv6, internal, dns_off;
	const char *isolation; /* NULL, "true", "strict", "false" */
	const char *icc;       /* NULL, "true", "false" */
	const char *interface;
	const char *parent; /* of macvlan and ipvlan */
	struct strv peers, routes, dns, labels, opts;
	int mtu; /* 0: as the uplink */
};

int network_create(const struct network_site *site, const char *name,
		   const struct network_options *options, struct error *err) must_check;
/* -EBUSY with the names of containers that use it; -ENOENT. */
int network_remove(const struct network_site *site, const char *name, struct error *err) must_check;
/* Networks of users that no container uses. */
int network_unused(const struct network_site *site, struct strv *ret, struct error *err) must_check;

/* When the database was lost: the rows of all networks that have a file. */
int network_restore_all(const struct network_site *site, struct error *err) must_check;

#endif
