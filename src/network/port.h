/* src/network/port.h - published ports: [IP:][HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL] */
#ifndef NETWORK_PORT_H
#define NETWORK_PORT_H

#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"

/* Of a range whose two sides differ each port is an element of a map; one whose sides are the same
 * is a single element, however long.
 */
#define PORT_SHIFT_MAX 1024

struct port {
	struct ip ip;  /* of the host; family 0: all addresses of both families */
	uint16_t host; /* 0: any free one */
	uint16_t container;
	uint16_t count;   /* of a range; both sides count up together */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
};

int port_parse(const char *text, struct port *ret, struct error *err) must_check;
/* "0.0.0.0:8080->80/tcp", "[::1]:8080->80/tcp"; the caller frees. */
char *port_format(const struct port *port);
/* The reverse. */
int port_parse_formatted(const char *text, struct port *ret, struct error *err) must_check;
const char *port_protocol_name(uint8_t protocol);

#endif
