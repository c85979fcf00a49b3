/* src/network/bridge.h - a network's switch in the kernel: made with the first container, gone with
 * the last.
 *
 * Bridge netfilter decides how a published port is reached from its own network (hairpin) and how
 * containers are kept apart, so it is looked at whenever a container is plugged in:
 *	off	frames between containers are not seen by the table; isolated ports keep them apart
 *	on	they are: hairpin mode lets a frame go back to its port, and the table keeps them
 *apart
 */
#ifndef NETWORK_BRIDGE_H
#define NETWORK_BRIDGE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "kernel/link.h"

struct db;
struct network;
struct network_site;
struct nl;
struct table_elements;

/* Finds or makes it, with addresses and its place in the table; ret->index is 0 in a dry run.  1 if
 * it was made.
 */
int bridge_ensure(const struct network_site *site, struct nl *nl, const struct network *network,
		  const char *table, struct link *ret, struct error *err) must_check;
/* What a bridge that is there may have lost: addresses, sysctls; it is made if it is gone. */
int bridge_mend(const struct network_site *site, struct nl *nl, const struct network *network,
		const char *table, struct error *err) must_check;
/* Its elements; peers are looked up in the database. */
int bridge_collect(struct db *db, const struct network *network, struct table_elements *ret,
		   struct error *err) must_check;
/* Bridge, elements, and with is_last the table. */
int bridge_remove(struct nl *nl, struct db *db, const struct network *network, const char *table,
		  bool is_last, struct error *err) must_check;

/* What is noted at each bridge of an instance as its alias; false: none is. */
bool bridge_note(const struct network_site *site, char ret[LINK_ALIAS_LEN]);

enum bridge_netfilter { BRIDGE_NETFILTER_OFF = 0, BRIDGE_NETFILTER_4 = 1, BRIDGE_NETFILTER_6 = 2 };
/* Both bits: for both families. */
enum bridge_netfilter bridge_netfilter(void);
/* The sysctl whose 0 keeps packets from going out of and into this network; NULL: none. */
const char *bridge_forwarding_off(const struct network *network);

#endif
