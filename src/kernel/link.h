/* src/kernel/link.h - network links, their addresses and routes.
 *
 * where is "" for the host, or "nsenter --net=FILE " for narration of what is done in a container's
 * namespace; nl decides where it really happens.  In a dry run nl is not used.
 */
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include <netinet/in.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct nl;

#define LINK_PEER_INDEX 2 /* of a veth's end in a fresh namespace: 1 is lo */

/* The index, or -ENODEV. */
int link_index(struct nl *nl, const char *name) must_check;
/* The index of the bridge that it is plugged into, 0 for none; -ENODEV. */
int link_master(struct nl *nl, const char *name) must_check;
int link_add_bridge(struct nl *nl, const char *name, struct error *err) must_check;
/* A cable: name here, plugged into bridge and up; peer is born in the namespace netns_fd. */
struct veth {
	const char *name, *peer, *bridge;
	int bridge_index;
	int netns_fd;
	const char *netns; /* its path, for narration */
	unsigned char mac[6];
};
int link_add_veth(struct nl *nl, const struct veth *veth, struct error *err) must_check;
/* The bridge sends a frame back to the port it came from: for bridge netfilter, see network.md. */
int link_set_hairpin(struct nl *nl, const char *name, struct error *err) must_check;
int link_set_up(struct nl *nl, int index, const char *name, const char *where,
		struct error *err) must_check;
/* Nothing there is fine. */
int link_delete(struct nl *nl, const char *name, struct error *err) must_check;
/* Names that begin with prefix. */
int link_names(struct nl *nl, const char *prefix, struct strv *ret, struct error *err) must_check;

int address_add(struct nl *nl, int index, const char *name, struct in_addr ip, unsigned prefix_len,
		const char *where, struct error *err) must_check;
int route_add_default(struct nl *nl, struct in_addr gateway, const char *where,
		      struct error *err) must_check;

struct subnet {
	struct in_addr net;
	unsigned prefix_len;
};
/* Whether an IPv4 route of the main table other than the default one overlaps. */
int route_overlaps(struct nl *nl, struct subnet subnet, bool *ret, struct error *err) must_check;

#endif
