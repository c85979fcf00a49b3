/* src/kernel/wire.h - links between and in network namespaces that are all ours: cables, bridges
 * with their habits, tags, tunnels.
 *
 * What link.h makes hangs on the host; here both ends are in namespaces that a caller holds, so
 * each call says where it works.  In a dry run nothing but the narration is done.
 */
#ifndef KERNEL_WIRE_H
#define KERNEL_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"

struct nl;

/* A namespace to work in. */
struct wire_place {
	struct nl *nl;    /* NULL in a dry run */
	int fd;           /* of the namespace */
	const char *name; /* as ip-netns(8) knows it, for narration */
};

struct wire_end {
	const struct wire_place *at;
	const char *name;
	const unsigned char *mac;
	unsigned mtu; /* 0: the kernel's */
	int index;    /* to be given to it; 0: any */
	int master;   /* index of the bridge that it is plugged into; 0: none */
	const char *master_name;
	bool up;
};
/* Both ends at once; the second one's master is not heeded: wire_plug(). */
int wire_add_cable(const struct wire_end ends[2], struct error *err) must_check;

struct wire_bridge {
	const char *name;
	const unsigned char *mac;
	unsigned mtu;
	int index;
	unsigned ageing_s;
	bool stp, vlans; /* vlans: filtered, none by default */
};
int wire_add_bridge(const struct wire_place *at, const struct wire_bridge *bridge,
		    struct error *err) must_check;

/* What a port is like; everything is set. */
struct wire_port {
	int index;
	const char *name;
	bool learns, isolated;
};
int wire_set_port(const struct wire_place *at, const struct wire_port *port,
		  struct error *err) must_check;
int wire_plug(const struct wire_place *at, int index, const char *name, int master,
	      const char *master_name, struct error *err) must_check;
/* A bridge's port takes frames of a VLAN; is_self: the bridge itself does. */
int wire_add_port_vlan(const struct wire_place *at, int index, const char *name, uint16_t vlan,
		       bool untagged, bool is_self, struct error *err) must_check;

/* NAME.VLAN above a link. */
int wire_add_vlan(const struct wire_place *at, const char *name, int parent,
		  const char *parent_name, uint16_t vlan, int index, struct error *err) must_check;

struct wire_vxlan {
	const char *name;
	const unsigned char *mac;
	unsigned mtu;
	int index, dev; /* dev: where it leaves; 0: as routes say */
	const char *dev_name;
	uint32_t vni;
	uint16_t port;
	struct ip local, group, remote; /* family 0: none */
};
int wire_add_vxlan(const struct wire_place *at, const struct wire_vxlan *vxlan,
		   struct error *err) must_check;
/* Broadcast goes to this one, too. */
int wire_add_flood(const struct wire_place *at, int index, const char *name, const struct ip *to,
		   struct error *err) must_check;

int wire_set_up(const struct wire_place *at, int index, const char *name, bool up,
		struct error *err) must_check;
/* proxy NDP is told each address. */
int wire_proxy(const struct wire_place *at, int index, const char *name, const struct ip *ip,
	       struct error *err) must_check;

/* Whether the kernel has bridges that filter VLANs, and 802.1Q links.  Tried in a namespace that is
 * thrown away; where we may not make one, it is taken for granted.
 */
bool wire_knows_vlans(void);

#endif
