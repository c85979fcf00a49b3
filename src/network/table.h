/* src/network/table.h - the table in nftables: rules that never change, and sets and maps that do.
 *
 * What a network or a published port adds is an element, so that neither attaching nor a packet
 * costs more when there are many.  A bridge is in "bridges" and "self", its subnet in "subnets4"
 * and "samenet4"; a published port is one element of "pub4", or of "pub4ip" if it is for one
 * address.
 */
#ifndef NETWORK_TABLE_H
#define NETWORK_TABLE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "base/error.h"
#include "network/port.h"

struct table_network {
	const char *table; /* see table_name() */
	const char *bridge;
	struct in_addr net;
	unsigned prefix_len;
};

#define TABLE_NAME_LEN 32
/* Instances with other roots live side by side: the one whose bridge is strake0 has "strake", the
 * one of strake3 "strake-3".
 */
void table_name(const char *bridge, char ret[TABLE_NAME_LEN]);

/* Makes the table if it is not there, and adds the network. */
int table_add_network(const struct table_network *network, struct error *err) must_check;
/* Removes the network; the table too if it was the last one.  Nothing there is fine. */
int table_del_network(const struct table_network *network, bool last, struct error *err) must_check;

/* All ports of one container in one transaction. */
int table_add_ports(const char *table, const struct port *ports, size_t n, struct in_addr to,
		    struct error *err) must_check;
/* What is published now, port by port (count 1); -ENOENT: there is no such table. */
typedef void (*table_port_fn)(void *data, const struct port *port, struct in_addr to);
int table_list_ports(const char *table, table_port_fn each, void *data) must_check;
/* Nothing there is fine. */
int table_del_ports(const char *table, const struct port *ports, size_t n, struct in_addr to,
		    struct error *err) must_check;

#endif
