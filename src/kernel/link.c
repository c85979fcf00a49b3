/* src/kernel/link.c */
#include "kernel/link.h"

#include <linux/if_link.h>
#include <net/if.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/explain.h"
#include "kernel/netlink.h"

static void take_port(const struct nlattr *data, struct link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, data) {
		if (mnl_attr_get_type(attr) == IFLA_BRPORT_MODE)
			link->hairpin = mnl_attr_get_u8(attr);
		else if (mnl_attr_get_type(attr) == IFLA_BRPORT_ISOLATED)
			link->isolated = mnl_attr_get_u8(attr);
	}
}

static void take_kind(const struct nlattr *info, struct link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			(void)snprintf(link->kind, sizeof(link->kind), "%s",
				       mnl_attr_get_str(attr));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_SLAVE_DATA)
			take_port(attr, link);
	}
}

static int take_link(const struct nlmsghdr *hdr, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(hdr);
	const struct nlattr *attr;
	struct link *link = data;

	link->index = ifi->ifi_index;
	link->is_up = ifi->ifi_flags & IFF_UP;
	mnl_attr_for_each (attr, hdr, sizeof(*ifi)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFLA_MASTER)
			link->master = (int)mnl_attr_get_u32(attr);
		else if (type == IFLA_MTU)
			link->mtu = mnl_attr_get_u32(attr);
		else if (type == IFLA_IFNAME)
			(void)snprintf(link->name, sizeof(link->name), "%s",
				       mnl_attr_get_str(attr));
		else if (type == IFLA_IFALIAS)
			(void)snprintf(link->alias, sizeof(link->alias), "%s",
				       mnl_attr_get_str(attr));
		else if (type == IFLA_LINKINFO)
			take_kind(attr, link);
	}
	return MNL_CB_OK;
}

static int read_link(struct nl *nl, int index, const char *name, struct link *ret)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct link link = { .index = 0 };
	struct nl_req q;
	int r;

	nl_req_init(&q, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	if (name)
		nl_put_str(&q, IFLA_IFNAME, name);
	r = nl_query(nl, &q, take_link, &link);
	if (r == 0)
		*ret = link;
	return r;
}

int link_read(struct nl *nl, const char *name, struct link *ret)
{
	return read_link(nl, 0, name, ret);
}

int link_read_index(struct nl *nl, int index, struct link *ret)
{
	return read_link(nl, index, NULL, ret);
}

/* A question over netlink would first let the kernel catch up with what changed about the link,
 * with a walk through all its routes of IPv6.
 */
int link_index(struct nl *nl, const char *name)
{
	struct ifreq ask = { .ifr_ifindex = 0 };
	size_t len = strlen(name);

	if (len == 0 || len >= sizeof(ask.ifr_name))
		return -ENODEV;
	memcpy(ask.ifr_name, name, len);
	return ioctl(mnl_socket_get_fd(nl->sock), SIOCGIFINDEX, &ask) < 0 ? -errno
									  : ask.ifr_ifindex;
}

static int refused(int r, const char *kind, const char *name, struct error *err)
{
	if (r == -EOPNOTSUPP)
		return error_set(
			err, r,
			"create %s %s: this kernel has no %s links; 'modprobe %s' may bring them",
			kind, name, kind, kind);
	if (r == -EXFULL)
		return error_set(
			err, r,
			"create %s %s: a bridge has at most 1023 ports; another network has room",
			kind, name);
	return error_sys(err, r, "create %s %s", kind, name);
}

int link_add_bridge(struct nl *nl, const char *name, const unsigned char mac[6], unsigned mtu,
		    struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nlattr *info;
	char address[18], size[16] = "";
	struct nl_req q;
	int r;

	(void)snprintf(address, sizeof(address), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		       mac[2], mac[3], mac[4], mac[5]);
	if (mtu)
		(void)snprintf(size, sizeof(size), "mtu %u ", mtu);
	if (explain("a switch that the containers of this network are plugged into",
		    "ip link add %s address %s %stype bridge", sq(name), address, size))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	nl_put(&q, IFLA_ADDRESS, mac, 6);
	if (mtu)
		nl_put_u32(&q, IFLA_MTU, mtu);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, "bridge");
	nl_nest_end(&q, info);
	r = nl_call(nl, &q);
	return r < 0 && r != -EEXIST ? refused(r, "bridge", name, err) : 0;
}

static void put_peer(struct nl_req *q, const struct veth *veth)
{
	const struct ifinfomsg peer = { .ifi_family = AF_UNSPEC, .ifi_index = veth->peer_index };
	struct nlattr *data = nl_nest(q, IFLA_INFO_DATA), *side = nl_nest(q, VETH_INFO_PEER);

	nl_put_head(q, &peer, sizeof(peer));
	nl_put_str(q, IFLA_IFNAME, veth->peer);
	nl_put(q, IFLA_ADDRESS, veth->mac, sizeof(veth->mac));
	if (veth->mtu)
		nl_put_u32(q, IFLA_MTU, veth->mtu);
	nl_put(q, IFLA_NET_NS_FD, &veth->netns_fd, sizeof(veth->netns_fd));
	nl_nest_end(q, side);
	nl_nest_end(q, data);
}

static bool narrate_veth(const struct veth *v)
{
	const char *up = v->is_down ? "" : "up ";
	char mtu[32] = "", index[32] = "";

	if (v->mtu)
		(void)snprintf(mtu, sizeof(mtu), "mtu %u ", v->mtu);
	if (v->peer_index)
		(void)snprintf(index, sizeof(index), "index %d ", v->peer_index);
	return explain("a cable: one end in the bridge, one born in the container",
		       "ip link add %s %smaster %s %stype veth peer name %s %s%s"
		       "address %02x:%02x:%02x:%02x:%02x:%02x netns %s",
		       sq(v->name), up, sq(v->bridge), mtu, sq(v->peer), index, mtu, v->mac[0],
		       v->mac[1], v->mac[2], v->mac[3], v->mac[4], v->mac[5], sq(v->netns));
}

/* The peer is born inside its namespace, so no one on the host ever sees it. */
int link_add_veth(struct nl *nl, const struct veth *v, struct error *err)
{
	const unsigned up = v->is_down ? 0 : IFF_UP;
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_flags = up, .ifi_change = up };
	struct nlattr *info;
	struct nl_req q;
	int r;

	if (narrate_veth(v))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, v->name);
	nl_put_u32(&q, IFLA_MASTER, (uint32_t)v->bridge_index);
	if (v->mtu)
		nl_put_u32(&q, IFLA_MTU, v->mtu);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, "veth");
	put_peer(&q, v);
	nl_nest_end(&q, info);
	r = nl_call(nl, &q);
	return r < 0 ? refused(r, "veth", v->name, err) : 0;
}

int link_add_on_parent(struct nl *nl, const struct vlan_link *link, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	bool macvlan = strcmp(link->kind, "macvlan") == 0;
	const uint16_t mode16 = (uint16_t)link->mode;
	struct nlattr *info, *data;
	char mac[32] = "";
	struct nl_req q;
	int r;

	if (link->has_mac)
		(void)snprintf(mac, sizeof(mac), "address %02x:%02x:%02x:%02x:%02x:%02x ",
			       link->mac[0], link->mac[1], link->mac[2], link->mac[3], link->mac[4],
			       link->mac[5]);
	if (explain("a link of the container's own on the parent's wire",
		    "ip link add link %s name %s %snetns %s type %s mode %s", sq(link->parent),
		    sq(link->name), mac, sq(link->netns), link->kind, link->mode_name))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, link->name);
	nl_put_u32(&q, IFLA_LINK, (uint32_t)link->parent_index);
	nl_put(&q, IFLA_NET_NS_FD, &link->netns_fd, sizeof(link->netns_fd));
	if (link->has_mac)
		nl_put(&q, IFLA_ADDRESS, link->mac, sizeof(link->mac));
	if (link->mtu)
		nl_put_u32(&q, IFLA_MTU, link->mtu);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, link->kind);
	data = nl_nest(&q, IFLA_INFO_DATA);
	if (macvlan)
		nl_put_u32(&q, IFLA_MACVLAN_MODE, link->mode);
	else
		nl_put(&q, IFLA_IPVLAN_MODE, &mode16, sizeof(mode16));
	nl_nest_end(&q, data);
	nl_nest_end(&q, info);
	r = nl_call(nl, &q);
	return r < 0 ? refused(r, link->kind, link->name, err) : 0;
}

static int set_port(struct nl *nl, const char *name, uint16_t flag, bool value, const char *what,
		    struct error *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE };
	const uint8_t on = value;
	struct nlattr *port;
	struct nl_req q;
	int r = link_index(nl, name);

	if (r >= 0) {
		ifi.ifi_index = r;
		nl_req_init(&q, RTM_SETLINK, 0, &ifi, sizeof(ifi));
		port = nl_nest(&q, IFLA_PROTINFO | NLA_F_NESTED);
		nl_put(&q, flag, &on, sizeof(on));
		nl_nest_end(&q, port);
		r = nl_call(nl, &q);
	}
	return r < 0 ? error_sys(err, r, "set %s mode of %s", what, name) : 0;
}

int link_set_hairpin(struct nl *nl, const char *name, bool on, struct error *err)
{
	if (explain(on ? "bridge netfilter is on: a container reaches its own port only this way"
		       : NULL,
		    "bridge link set dev %s hairpin %s", sq(name), on ? "on" : "off"))
		return 0;
	return set_port(nl, name, IFLA_BRPORT_MODE, on, "hairpin", err);
}

int link_set_isolated(struct nl *nl, const char *name, bool on, struct error *err)
{
	if (explain(on ? "no frame from here to another container of this network" : NULL,
		    "bridge link set dev %s isolated %s", sq(name), on ? "on" : "off"))
		return 0;
	return set_port(nl, name, IFLA_BRPORT_ISOLATED, on, "isolated", err);
}

int link_set_up(struct nl *nl, int index, const char *name, const char *where, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC,
				       .ifi_index = index,
				       .ifi_flags = IFF_UP,
				       .ifi_change = IFF_UP };
	struct nl_req q;
	int r;

	if (explain("nothing passes before it is up", "%sip link set %s up", where, sq(name)))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	r = nl_call(nl, &q);
	return r < 0 ? error_sys(err, r, "set link %s up", name) : 0;
}

int link_set_alias(struct nl *nl, int index, const char *name, const char *alias, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nl_req q;
	int r;

	if (explain("whose it is", "ip link set %s alias %s", sq(name), sq(alias)))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_put(&q, IFLA_IFALIAS, alias, strlen(alias));
	r = nl_call(nl, &q);
	return r < 0 ? error_sys(err, r, "note the owner of link %s", name) : 0;
}

/* A request that lacks what it needs is refused in another way by a kernel that knows the kind. */
bool link_kind_is_known(struct nl *nl, const char *kind)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nlattr *info;
	struct nl_req q;

	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, kind);
	nl_nest_end(&q, info);
	return nl_call(nl, &q) != -EOPNOTSUPP;
}

int link_set_master(struct nl *nl, const char *name, const char *master, int index,
		    struct error *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC,
				 .ifi_flags = IFF_UP,
				 .ifi_change = IFF_UP };
	struct nl_req q;
	int r;

	if (explain("plugged in", "ip link set %s up master %s", sq(name), sq(master)))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	nl_put_u32(&q, IFLA_MASTER, (uint32_t)index);
	r = nl_call(nl, &q);
	return r < 0 ? error_sys(err, r, "plug link %s into %s", name, master) : 0;
}

/* The kernel tells of links through a group that the socket joins before it looks. */
bool link_wait_gone(const char *name, int ms)
{
	alignas(struct nlmsghdr) char news[32768];
	struct nl events = { 0 }, nl = { 0 };
	int64_t end = clock_monotonic_ms() + ms;
	int group = RTNLGRP_LINK;
	bool gone = false;

	if (nl_open(&events, NULL) == 0 && nl_open(&nl, NULL) == 0 &&
	    mnl_socket_setsockopt(events.sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) ==
		    0) {
		struct pollfd fd = { .fd = mnl_socket_get_fd(events.sock), .events = POLLIN };

		for (;;) {
			int64_t left = end - clock_monotonic_ms();

			gone = link_index(&nl, name) == -ENODEV;
			if (gone || left <= 0 || poll(&fd, 1, (int)left) <= 0)
				break;
			(void)mnl_socket_recvfrom(events.sock, news, sizeof(news));
		}
	}
	nl_close(&events);
	nl_close(&nl);
	return gone;
}

int link_delete(struct nl *nl, const char *name, struct error *err)
{
	return link_delete_in(nl, name, "", err);
}

int link_delete_in(struct nl *nl, const char *name, const char *where, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_req q;
	int r;

	/* A cable goes with the namespace at its other end, a moment later. */
	if (explain("the link goes, if it did not go with a namespace",
		    "%sip link delete %s 2> /dev/null || :", where, sq(name)))
		return 0;
	nl_req_init(&q, RTM_DELLINK, 0, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	r = nl_call(nl, &q);
	/* Who may not delete is told so before it is looked whether there is anything. */
	if (r == -EPERM && link_index(nl, name) == -ENODEV)
		return 0;
	return r < 0 && r != -ENODEV ? error_sys(err, r, "delete link %s", name) : 0;
}

struct names {
	const char *prefix;
	struct strv *ret;
};

static int take_name(const struct nlmsghdr *hdr, void *data)
{
	struct names *names = data;
	const struct nlattr *attr;

	mnl_attr_for_each (attr, hdr, sizeof(struct ifinfomsg)) {
		const char *name;

		if (mnl_attr_get_type(attr) != IFLA_IFNAME)
			continue;
		name = mnl_attr_get_str(attr);
		if (strncmp(name, names->prefix, strlen(names->prefix)) == 0)
			strv_add(names->ret, name);
	}
	return MNL_CB_OK;
}

int link_names(struct nl *nl, const char *prefix, struct strv *ret, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct names names = { prefix, ret };
	struct nl_req q;
	int r;

	nl_req_init(&q, RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi));
	r = nl_query(nl, &q, take_name, &names);
	return r < 0 ? error_sys(err, r, "list links") : 0;
}
