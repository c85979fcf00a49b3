/* src/network/names_port.h - where strake-dns answers: on one port of all gateways of its network,
 * to which elements of the table lead their port 53.
 */
#ifndef NETWORK_NAMES_PORT_H
#define NETWORK_NAMES_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define NAMES_PLACE        "networks" /* below run_root; in it a directory for each network */
#define NAMES_PORT_FILE    "port"
#define NAMES_GATEWAYS_MAX 7

struct network;
struct network_site;
struct table_elements;

struct names_sockets {
	int fds[2 * NAMES_GATEWAYS_MAX]; /* datagrams and connections in turn */
	size_t n;
	uint16_t port;
};

/* One port for all addresses, the one that it had if that is free.  To be closed in any case. */
int names_sockets_open(const struct network *network, uint16_t port,
		       struct names_sockets *s) must_check;
void names_sockets_close(struct names_sockets *s);

/* Where a network's names are answered; 0: nowhere. */
uint16_t names_port(const struct network_site *site, const struct network *network);
/* Its elements of the table. */
void names_port_collect(const struct network_site *site, const struct network *network,
			struct table_elements *ret);
/* Both ports may be the same, and their elements there or not. */
int names_port_move(const struct network_site *site, const struct network *network, uint16_t from,
		    uint16_t to, struct error *err) must_check;

#endif
