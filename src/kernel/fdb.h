/* src/kernel/fdb.h - where the bridges and tunnels of a namespace have seen whom: bridge-fdb(8). */
#ifndef KERNEL_FDB_H
#define KERNEL_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

struct nl;

struct fdb_item {
	unsigned char mac[6];
	int index;        /* of the port, or of the tunnel */
	int master;       /* of the bridge; 0: an entry of the link itself */
	uint16_t vlan;    /* 0: none */
	bool own;         /* the port's own address */
	bool learned;     /* else it was put there */
	struct ip remote; /* of a tunnel: its other end */
	unsigned age_ms;  /* since it was seen last */
};

/* Multicast addresses that links listen to are left out. */
int fdb_list(struct nl *nl, void (*each)(void *data, const struct fdb_item *item),
	     void *data) must_check;

#endif
