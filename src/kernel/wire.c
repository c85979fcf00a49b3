/* src/kernel/wire.c */
#include "kernel/wire.h"

#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/explain.h"
#include "kernel/link.h"
#include "kernel/netlink.h"

#define MAC_LEN    18
#define OPTION_LEN 64
#define USER_HZ    100 /* bridge times are in clock ticks of user space */

#define STP_OPTIONS "hello_time 100 max_age 600 forward_delay 200 stp_state 1"

static void mac_text(const unsigned char mac[6], char ret[MAC_LEN])
{
	(void)snprintf(ret, MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
}

/* "mtu 1400 ", or nothing. */
static const char *option(char ret[OPTION_LEN], const char *word, unsigned value)
{
	ret[0] = '\0';
	if (value)
		(void)snprintf(ret, OPTION_LEN, "%s %u ", word, value);
	return ret;
}

static int refused(int r, const char *kind, const struct wire_place *at, const char *name,
		   struct error *err)
{
	if (r == -EOPNOTSUPP)
		return error_set(
			err, r,
			"create %s %s in %s: this kernel has no %s links; 'modprobe %s' may bring them",
			kind, name, at->name, kind, kind);
	return error_sys(err, r, "create %s %s in %s", kind, name, at->name);
}

static void put_common(struct nl_req *q, const char *name, const unsigned char *mac, unsigned mtu)
{
	nl_put_str(q, IFLA_IFNAME, name);
	if (mac)
		nl_put(q, IFLA_ADDRESS, mac, 6);
	if (mtu)
		nl_put_u32(q, IFLA_MTU, mtu);
}

/* cables */

static bool narrate_cable(const struct wire_end ends[2])
{
	char macs[2][MAC_LEN], mtu[2][OPTION_LEN], master[OPTION_LEN] = "";
	const char *up[2];

	for (int i = 0; i < 2; i++) {
		mac_text(ends[i].mac, macs[i]);
		(void)option(mtu[i], "mtu", ends[i].mtu);
		up[i] = ends[i].up ? "up " : "";
	}
	if (ends[0].master)
		(void)snprintf(master, sizeof(master), "master %s ", ends[0].master_name);
	return explain(
		"a cable",
		"ip -n %s link add %s %s%s%saddress %s type veth peer name %s %saddress %s netns %s",
		sq(ends[0].at->name), sq(ends[0].name), up[0], master, mtu[0], macs[0],
		sq(ends[1].name), mtu[1], macs[1], sq(ends[1].at->name));
}

static struct ifinfomsg born(int index, bool up)
{
	return (struct ifinfomsg) { .ifi_family = AF_UNSPEC,
				    .ifi_index = index,
				    .ifi_flags = up ? IFF_UP : 0,
				    .ifi_change = up ? IFF_UP : 0 };
}

static int add_cable(const struct wire_end ends[2], struct error *err)
{
	const struct ifinfomsg here = born(ends[0].index, ends[0].up),
			       there = born(ends[1].index, false);
	struct nlattr *info, *data, *side;
	struct nl_req q;
	int r;

	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &here, sizeof(here));
	put_common(&q, ends[0].name, ends[0].mac, ends[0].mtu);
	if (ends[0].master)
		nl_put_u32(&q, IFLA_MASTER, (uint32_t)ends[0].master);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, "veth");
	data = nl_nest(&q, IFLA_INFO_DATA);
	side = nl_nest(&q, VETH_INFO_PEER);
	nl_put_head(&q, &there, sizeof(there));
	put_common(&q, ends[1].name, ends[1].mac, ends[1].mtu);
	nl_put(&q, IFLA_NET_NS_FD, &ends[1].at->fd, sizeof(ends[1].at->fd));
	nl_nest_end(&q, side);
	nl_nest_end(&q, data);
	nl_nest_end(&q, info);
	r = nl_call(ends[0].at->nl, &q);
	return r < 0 ? refused(r, "veth", ends[0].at, ends[0].name, err) : 0;
}

/* The second end cannot be born up: it is made before it knows the first one. */
int wire_add_cable(const struct wire_end ends[2], struct error *err)
{
	int r = narrate_cable(ends) ? 0 : add_cable(ends, err);

	if (r == 0 && ends[1].up)
		r = wire_set_up(ends[1].at, ends[1].index, ends[1].name, true, err);
	return r;
}

/* bridges */

/* The shortest that 802.1D allows: ports forward after 4 s in place of 30. */
#define FORWARD_DELAY_S 2
#define HELLO_S         1
#define MAX_AGE_S       6

static void put_timers(struct nl_req *q)
{
	nl_put_u32(q, IFLA_BR_HELLO_TIME, HELLO_S * USER_HZ);
	nl_put_u32(q, IFLA_BR_MAX_AGE, MAX_AGE_S * USER_HZ);
	nl_put_u32(q, IFLA_BR_FORWARD_DELAY, FORWARD_DELAY_S * USER_HZ);
}

static int add_bridge(const struct wire_place *at, const struct wire_bridge *b)
{
	const struct ifinfomsg ifi = born(b->index, true);
	const uint8_t vlans = b->vlans, snoops = 0;
	const uint16_t none = 0;
	struct nlattr *info, *data;
	struct nl_req q;

	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	put_common(&q, b->name, b->mac, b->mtu);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, "bridge");
	data = nl_nest(&q, IFLA_INFO_DATA);
	nl_put_u32(&q, IFLA_BR_AGEING_TIME, b->ageing_s * USER_HZ);
	nl_put_u32(&q, IFLA_BR_STP_STATE, b->stp);
	/* A bridge that snoops joins groups, and sends frames that nobody asked for. */
	nl_put(&q, IFLA_BR_MCAST_SNOOPING, &snoops, sizeof(snoops));
	if (b->stp)
		put_timers(&q);
	if (b->vlans) {
		nl_put(&q, IFLA_BR_VLAN_FILTERING, &vlans, sizeof(vlans));
		nl_put(&q, IFLA_BR_VLAN_DEFAULT_PVID, &none, sizeof(none));
	}
	nl_nest_end(&q, data);
	nl_nest_end(&q, info);
	return nl_call(at->nl, &q);
}

int wire_add_bridge(const struct wire_place *at, const struct wire_bridge *b, struct error *err)
{
	char mac[MAC_LEN], mtu[OPTION_LEN];
	int r;

	mac_text(b->mac, mac);
	if (explain(b->ageing_s ? "a bridge, which learns where its neighbours are"
				: "a bridge that learns nothing: a hub",
		    "ip -n %s link add %s up %saddress %s type bridge ageing_time %u %s mcast_snooping 0%s",
		    sq(at->name), sq(b->name), option(mtu, "mtu", b->mtu), mac,
		    b->ageing_s * USER_HZ, b->stp ? STP_OPTIONS : "stp_state 0",
		    b->vlans ? " vlan_filtering 1 vlan_default_pvid 0" : ""))
		return 0;
	r = add_bridge(at, b);
	return r < 0 ? refused(r, "bridge", at, b->name, err) : 0;
}

int wire_set_port(const struct wire_place *at, const struct wire_port *port, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE, .ifi_index = port->index };
	const uint8_t learns = port->learns, isolated = port->isolated;
	struct nlattr *nest;
	struct nl_req q;
	int r;

	if (explain(port->isolated ? "an isolated port: nothing from here to another one" : NULL,
		    "bridge -n %s link set dev %s learning %s isolated %s", sq(at->name),
		    sq(port->name), learns ? "on" : "off", isolated ? "on" : "off"))
		return 0;
	nl_req_init(&q, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	nest = nl_nest(&q, IFLA_PROTINFO | NLA_F_NESTED);
	nl_put(&q, IFLA_BRPORT_LEARNING, &learns, sizeof(learns));
	nl_put(&q, IFLA_BRPORT_ISOLATED, &isolated, sizeof(isolated));
	nl_nest_end(&q, nest);
	r = nl_call(at->nl, &q);
	return r < 0 ? error_sys(err, r, "set up the port %s of %s", port->name, at->name) : 0;
}

int wire_plug(const struct wire_place *at, int index, const char *name, int master,
	      const char *master_name, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nl_req q;
	int r;

	if (explain(master ? "plugged in" : "unplugged", "ip -n %s link set %s %s%s", sq(at->name),
		    sq(name), master ? "master " : "nomaster", master ? sq(master_name) : ""))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_put_u32(&q, IFLA_MASTER, (uint32_t)master);
	r = nl_call(at->nl, &q);
	return r < 0 ? error_sys(err, r, "plug %s into %s of %s", name, master_name, at->name) : 0;
}

int wire_add_port_vlan(const struct wire_place *at, int index, const char *name, uint16_t vlan,
		       bool untagged, bool is_self, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE, .ifi_index = index };
	const struct bridge_vlan_info info = {
		.flags = (uint16_t)(untagged ? BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED
					     : 0),
		.vid = vlan
	};
	const uint16_t flags = is_self ? BRIDGE_FLAGS_SELF : BRIDGE_FLAGS_MASTER;
	struct nlattr *spec;
	struct nl_req q;
	int r;

	if (explain(NULL, "bridge -n %s vlan add dev %s vid %u%s%s", sq(at->name), sq(name), vlan,
		    untagged ? " pvid untagged" : "", is_self ? " self" : ""))
		return 0;
	nl_req_init(&q, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	spec = nl_nest(&q, IFLA_AF_SPEC | NLA_F_NESTED);
	nl_put(&q, IFLA_BRIDGE_FLAGS, &flags, sizeof(flags));
	nl_put(&q, IFLA_BRIDGE_VLAN_INFO, &info, sizeof(info));
	nl_nest_end(&q, spec);
	r = nl_call(at->nl, &q);
	return r < 0 ? error_sys(err, r, "put %s of %s into VLAN %u", name, at->name, vlan) : 0;
}

/* tags and tunnels */

int wire_add_vlan(const struct wire_place *at, const char *name, int parent,
		  const char *parent_name, uint16_t vlan, int index, struct error *err)
{
	const struct ifinfomsg ifi = born(index, true);
	struct nlattr *info, *data;
	struct nl_req q;
	int r;

	if (explain("frames with this tag", "ip -n %s link add link %s name %s up type vlan id %u",
		    sq(at->name), sq(parent_name), sq(name), vlan))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	nl_put_u32(&q, IFLA_LINK, (uint32_t)parent);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, "vlan");
	data = nl_nest(&q, IFLA_INFO_DATA);
	nl_put(&q, IFLA_VLAN_ID, &vlan, sizeof(vlan));
	nl_nest_end(&q, data);
	nl_nest_end(&q, info);
	r = nl_call(at->nl, &q);
	return r < 0 ? refused(r, "vlan", at, name, err) : 0;
}

/* "local 10.0.0.1 ", or nothing. */
static const char *address_option(char ret[OPTION_LEN], const char *word, const struct ip *ip)
{
	char text[IP_TEXT_LEN];

	ret[0] = '\0';
	ip_format(ip, text);
	if (text[0])
		(void)snprintf(ret, OPTION_LEN, " %s %s", word, text);
	return ret;
}

static bool narrate_vxlan(const struct wire_place *at, const struct wire_vxlan *v)
{
	char mac[MAC_LEN], mtu[OPTION_LEN], local[OPTION_LEN], group[OPTION_LEN],
		remote[OPTION_LEN];

	mac_text(v->mac, mac);
	return explain("frames travel in UDP from here",
		       "ip -n %s link add %s up %saddress %s type vxlan id %u dstport %u%s%s%s%s%s",
		       sq(at->name), sq(v->name), option(mtu, "mtu", v->mtu), mac, v->vni, v->port,
		       address_option(local, "local", &v->local),
		       address_option(group, "group", &v->group),
		       address_option(remote, "remote", &v->remote), v->dev ? " dev " : "",
		       v->dev ? sq(v->dev_name) : "");
}

static void put_ip_of(struct nl_req *q, uint16_t v4, uint16_t v6, const struct ip *ip)
{
	if (ip_is_set(ip))
		nl_put(q, ip->family == AF_INET6 ? v6 : v4, ip->bytes, ip_len(ip));
}

int wire_add_vxlan(const struct wire_place *at, const struct wire_vxlan *v, struct error *err)
{
	const struct ifinfomsg ifi = born(v->index, true);
	const uint16_t port = htons(v->port);
	struct nlattr *info, *data;
	struct nl_req q;
	int r;

	if (narrate_vxlan(at, v))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	put_common(&q, v->name, v->mac, v->mtu);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, "vxlan");
	data = nl_nest(&q, IFLA_INFO_DATA);
	nl_put_u32(&q, IFLA_VXLAN_ID, v->vni);
	nl_put(&q, IFLA_VXLAN_PORT, &port, sizeof(port));
	put_ip_of(&q, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6, &v->local);
	put_ip_of(&q, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6, &v->group);
	put_ip_of(&q, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6, &v->remote);
	if (v->dev)
		nl_put_u32(&q, IFLA_VXLAN_LINK, (uint32_t)v->dev);
	nl_nest_end(&q, data);
	nl_nest_end(&q, info);
	r = nl_call(at->nl, &q);
	return r < 0 ? refused(r, "vxlan", at, v->name, err) : 0;
}

static int neighbour_add(const struct wire_place *at, const struct ndmsg *ndm,
			 const unsigned char *mac, const struct ip *ip, uint16_t flags)
{
	struct nl_req q;

	nl_req_init(&q, RTM_NEWNEIGH, NLM_F_CREATE | flags, ndm, sizeof(*ndm));
	if (mac)
		nl_put(&q, NDA_LLADDR, mac, 6);
	nl_put(&q, NDA_DST, ip->bytes, ip_len(ip));
	return nl_call(at->nl, &q);
}

int wire_add_flood(const struct wire_place *at, int index, const char *name, const struct ip *to,
		   struct error *err)
{
	static const unsigned char anyone[6];
	const struct ndmsg ndm = { .ndm_family = AF_BRIDGE,
				   .ndm_ifindex = index,
				   .ndm_state = NUD_NOARP | NUD_PERMANENT,
				   .ndm_flags = NTF_SELF };
	char text[IP_TEXT_LEN];
	int r;

	ip_format(to, text);
	if (explain("what has no known place goes there, too",
		    "bridge -n %s fdb append 00:00:00:00:00:00 dev %s dst %s", sq(at->name),
		    sq(name), text))
		return 0;
	r = neighbour_add(at, &ndm, anyone, to, NLM_F_APPEND);
	return r < 0 ? error_sys(err, r, "let %s of %s flood to %s", name, at->name, text) : 0;
}

int wire_proxy(const struct wire_place *at, int index, const char *name, const struct ip *ip,
	       struct error *err)
{
	const struct ndmsg ndm = { .ndm_family = ip->family,
				   .ndm_ifindex = index,
				   .ndm_flags = NTF_PROXY };
	char text[IP_TEXT_LEN];
	int r;

	ip_format(ip, text);
	if (explain("asked for this address, the router answers",
		    "ip -n %s neigh add proxy %s dev %s", sq(at->name), text, sq(name)))
		return 0;
	r = neighbour_add(at, &ndm, NULL, ip, NLM_F_EXCL);
	return r < 0 ? error_sys(err, r, "answer for %s on %s of %s", text, name, at->name) : 0;
}

int wire_set_up(const struct wire_place *at, int index, const char *name, bool up,
		struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC,
				       .ifi_index = index,
				       .ifi_flags = up ? IFF_UP : 0,
				       .ifi_change = IFF_UP };
	struct nl_req q;
	int r;

	if (explain(NULL, "ip -n %s link set %s %s", sq(at->name), sq(name), up ? "up" : "down"))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	r = nl_call(at->nl, &q);
	return r < 0 ? error_sys(err, r, "set %s of %s %s", name, at->name, up ? "up" : "down") : 0;
}

static bool try_vlans(struct nl *nl)
{
	static const unsigned char mac[] = { 2, 0, 0, 0, 0, 1 };
	const struct wire_place at = { .nl = nl, .name = "trial" };
	const struct wire_bridge bridge = {
		.name = "trial", .mac = mac, .index = 99, .vlans = true
	};

	return link_kind_is_known(nl, "vlan") && add_bridge(&at, &bridge) == 0;
}

bool wire_knows_vlans(void)
{
	autoclose int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nl nl = { .sock = NULL };
	bool known = true;

	if (home < 0 || unshare(CLONE_NEWNET) < 0)
		return true;
	if (nl_open(&nl, NULL) == 0)
		known = try_vlans(&nl);
	nl_close(&nl);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* going on in the wrong network would be worse */
	return known;
}
