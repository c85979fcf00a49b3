/* src/lab/connections.h - what a node's kernel remembers of connections, to translate addresses. */
#ifndef LAB_CONNECTIONS_H
#define LAB_CONNECTIONS_H

#include "lab/lab.h"

/* Both as "172.18.0.10:5000", without a port where there is none. */
#define CONNECTION_END_LEN (IP_TEXT_LEN + 8)

struct connection {
	char protocol[8];                                      /* "icmp" */
	char from[CONNECTION_END_LEN], to[CONNECTION_END_LEN]; /* as its first packet came */
	char back_from[CONNECTION_END_LEN], back_to[CONNECTION_END_LEN]; /* as answers come */
	bool translated; /* they are not just turned round */
};

/* One line of /proc/net/nf_conntrack; false: it is not understood. */
bool connection_parse(const char *line, struct connection *ret);
/* The caller frees ret; a kernel that does not show them has none. */
int connections_read(struct lab *lab, size_t node, struct connection **ret, size_t *ret_n,
		     struct error *err) must_check;

#endif
