/* src/network/scene_ports.h - what our table in nf_tables does, as texts for a picture. */
#ifndef NETWORK_SCENE_PORTS_H
#define NETWORK_SCENE_PORTS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct strv;

struct scene_port {                /* count neighbours that lead to neighbours */
	char ip[INET6_ADDRSTRLEN]; /* of the host; "": all */
	char to[INET6_ADDRSTRLEN];
	uint16_t host, target, count;
	uint8_t protocol;
};

struct scene_ports {
	struct scene_port *items; /* the caller frees */
	size_t n, room;
};

/* Sorted; neighbours are put together.  A table that is not there has none. */
int scene_ports_read(const char *table, struct scene_ports *ret, struct error *err) must_check;
char *scene_port_from(const struct scene_port *port); /* "127.0.0.1:8000-8010/tcp" */
char *scene_port_to(const struct scene_port *port);   /* "[fd00::2]:80" */

/* What the table's sets say of a bridge. */
void scene_segment_remark(const char *table, const char *bridge, struct strv *ret);
/* A port that a program of this host answers: "names: strake-dns", "53 ▶ 40053". */
void scene_service_remark(const struct scene_port *port, struct strv *ret);

#endif
