/* src/lab/name_server.h - the name server of a node with "dns:": a process of the lab that answers
 * out of the node's hosts file, as dnsmasq does, and heeds what is written into that.
 *
 * It asks nobody else: what it does not know, there is not.  It has no privileges when it reads the
 * first byte from a node.
 */
#ifndef LAB_NAME_SERVER_H
#define LAB_NAME_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "lab/raise.h"

/* For the keeper: those of all nodes that have one.  They answer when this returns. */
int name_servers_start(const struct raised *raised, const char *dir, struct error *err) must_check;
/* One, of a lab that is up.  -EADDRINUSE: it runs. */
int name_server_restart(struct lab *lab, size_t node, struct error *err) must_check;

/* What is answered to a message, out of the text of a hosts file; answer has max bytes, at least
 * 512.  Returns the length of the answer; 0: none is given.
 */
size_t name_server_answer(const char *hosts, const void *message, size_t len, uint8_t *answer,
			  size_t max);

#endif
