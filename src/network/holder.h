/* src/network/holder.h - which program of this host holds a port: /proc/net and /proc/PID/fd. */
#ifndef NETWORK_HOLDER_H
#define NETWORK_HOLDER_H

#include <stddef.h>
#include <stdint.h>

struct port;

/* "nginx (process 123)"; "" if it cannot be told. */
void holder_name(const struct port *port, uint16_t number, char *ret, size_t size);

/* The inode in a line of /proc/net/tcp, udp and the like, if it is a listener (of TCP) or any
 * socket (of UDP) on that port; else 0.
 */
uint64_t holder_parse_line(const char *line, uint16_t number, uint8_t protocol);

#endif
