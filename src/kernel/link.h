/* src/kernel/link.h - network links: bridges, cables, what hangs on a parent.
 *
 * where is "" for the host, or "nsenter --net=FILE " for narration of what is done in a container's
 * namespace; nl decides where it really happens.  In a dry run nl is not used.
 */
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include <net/if.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct nl;

#define LINK_ALIAS_LEN 256 /* the kernel's limit, with the end */

struct link {
	int index;
	int master; /* index of the bridge that it is plugged into; 0: none */
	unsigned mtu;
	bool is_up; /* set up, whether it has a carrier or not */
	char name[IF_NAMESIZE];
	char kind[16];              /* "bridge", "veth"; "" for hardware */
	char alias[LINK_ALIAS_LEN]; /* a note for people; "" is none */
	bool hairpin, isolated;     /* of a bridge's port */
};
/* -ENODEV */
int link_read(struct nl *nl, const char *name, struct link *ret) must_check;
int link_read_index(struct nl *nl, int index, struct link *ret) must_check;
/* The index, or -ENODEV. */
int link_index(struct nl *nl, const char *name) must_check;
/* Names that begin with prefix. */
int link_names(struct nl *nl, const char *prefix, struct strv *ret, struct error *err) must_check;

/* mtu 0: the kernel's default.  It is down.  One that is there already is fine.  mac is its own:
 * else it takes one of its cables', another one when that is pulled, and who knew it by the old one
 * loses it.
 */
int link_add_bridge(struct nl *nl, const char *name, const unsigned char mac[6], unsigned mtu,
		    struct error *err) must_check;

/* A cable: name here, plugged into bridge and up; peer is born in the namespace netns_fd. */
struct veth {
	const char *name, *peer, *bridge;
	int bridge_index;
	int peer_index; /* 0: any */
	int netns_fd;
	const char *netns; /* its path, for narration */
	unsigned mtu;      /* 0: the kernel's default */
	unsigned char mac[6];
	bool is_down; /* something comes before link_set_up() */
};
int link_add_veth(struct nl *nl, const struct veth *veth, struct error *err) must_check;

/* A link on a parent's wire, born in the namespace netns_fd; kind "macvlan" or "ipvlan", mode the
 * kernel's number.
 */
struct vlan_link {
	const char *kind, *name, *parent, *mode_name;
	unsigned mode;
	int parent_index;
	int netns_fd;
	const char *netns;
	unsigned mtu;
	bool has_mac;
	unsigned char mac[6];
};
int link_add_on_parent(struct nl *nl, const struct vlan_link *link, struct error *err) must_check;

/* A bridge sends a frame back to the port it came from: for bridge netfilter, see network/README.
 */
int link_set_hairpin(struct nl *nl, const char *name, bool on, struct error *err) must_check;
/* No frame from this port to another isolated one. */
int link_set_isolated(struct nl *nl, const char *name, bool on, struct error *err) must_check;
int link_set_up(struct nl *nl, int index, const char *name, const char *where,
		struct error *err) must_check;
/* Whether the kernel can make links of a kind. */
bool link_kind_is_known(struct nl *nl, const char *kind) must_check;
int link_set_alias(struct nl *nl, int index, const char *name, const char *alias,
		   struct error *err) must_check;
int link_set_master(struct nl *nl, const char *name, const char *master, int index,
		    struct error *err) must_check;
/* Whether it is gone, by itself, within that time. */
#define LINK_WAIT_MS 1000
bool link_wait_gone(const char *name, int ms) must_check;
/* Nothing there is fine. */
int link_delete(struct nl *nl, const char *name, struct error *err) must_check;
int link_delete_in(struct nl *nl, const char *name, const char *where,
		   struct error *err) must_check;

#endif
