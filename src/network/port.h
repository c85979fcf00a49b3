/* src/network/port.h - published ports: [IP:][HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL] */
#ifndef NETWORK_PORT_H
#define NETWORK_PORT_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/error.h"

#define PORT_RANGE_MAX 1024 /* ports of one range; each is an element of a map */

struct port {
	struct in_addr ip; /* of the host; 0.0.0.0: all */
	uint16_t host;     /* 0: any free one */
	uint16_t container;
	uint16_t count;   /* of a range; both sides count up together */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
};

int port_parse(const char *text, struct port *ret, struct error *err) must_check;
/* "0.0.0.0:8080->80/tcp"; the caller frees. */
char *port_format(const struct port *port);
const char *port_protocol_name(uint8_t protocol);

#endif
