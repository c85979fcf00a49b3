/* src/network/detach.h - taking back a container's place in one network. */
#ifndef NETWORK_DETACH_H
#define NETWORK_DETACH_H

#include "base/error.h"

struct endpoint;
struct network_lease;
struct network_site;
struct nl;

/* In one transaction: the rows of one endpoint (NULL: of all, and of ports); a bridge and the table
 * go with their last user.
 */
int detach_rows(const struct network_site *site, struct nl *nl, const struct network_lease *lease,
		const struct endpoint *endpoint, struct error *err) must_check;
/* Deletes the link inside a namespace. */
int detach_inner(const struct endpoint *endpoint, const char *netns, struct error *err) must_check;

#endif
