/* src/kernel/link.c */
#include "kernel/link.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "base/explain.h"
#include "kernel/netlink.h"

static int take_index(const struct nlmsghdr *hdr, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(hdr);

	*(int *)data = ifi->ifi_index;
	return MNL_CB_OK;
}

int link_index(struct nl *nl, const char *name)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_req q;
	int index = -ENODEV, r;

	nl_req_init(&q, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	r = nl_query(nl, &q, take_index, &index);
	return r < 0 ? r : index;
}

static int take_master(const struct nlmsghdr *hdr, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, hdr, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_MASTER)
			*(int *)data = (int)mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

int link_master(struct nl *nl, const char *name)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_req q;
	int master = 0, r;

	nl_req_init(&q, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	r = nl_query(nl, &q, take_master, &master);
	return r < 0 ? r : master;
}

static int refused(int r, const char *kind, const char *name, struct error *err)
{
	if (r == -EOPNOTSUPP)
		return error_set(
			err, r,
			"create %s %s: this kernel has no %s links; 'modprobe %s' may bring them",
			kind, name, kind, kind);
	return error_sys(err, r, "create %s %s", kind, name);
}

int link_add_bridge(struct nl *nl, const char *name, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC,
				       .ifi_flags = IFF_UP,
				       .ifi_change = IFF_UP };
	struct nlattr *info;
	struct nl_req q;
	int r;

	if (explain("a switch that the containers of this network are plugged into",
		    "ip link add %s up type bridge", sq(name)))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, "bridge");
	nl_nest_end(&q, info);
	r = nl_call(nl, &q);
	return r < 0 && r != -EEXIST ? refused(r, "bridge", name, err) : 0;
}

static void put_peer(struct nl_req *q, const struct veth *veth)
{
	const struct ifinfomsg peer = { .ifi_family = AF_UNSPEC, .ifi_index = LINK_PEER_INDEX };
	struct nlattr *data = nl_nest(q, IFLA_INFO_DATA), *side = nl_nest(q, VETH_INFO_PEER);

	nl_put_head(q, &peer, sizeof(peer));
	nl_put_str(q, IFLA_IFNAME, veth->peer);
	nl_put(q, IFLA_ADDRESS, veth->mac, sizeof(veth->mac));
	nl_put(q, IFLA_NET_NS_FD, &veth->netns_fd, sizeof(veth->netns_fd));
	nl_nest_end(q, side);
	nl_nest_end(q, data);
}

/* The peer is born inside its namespace, so no one on the host ever sees it. */
int link_add_veth(struct nl *nl, const struct veth *v, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC,
				       .ifi_flags = IFF_UP,
				       .ifi_change = IFF_UP };
	struct nlattr *info;
	struct nl_req q;
	int r;

	if (explain("a cable: one end in the bridge, one born in the container",
		    "ip link add %s up master %s type veth peer name %s index %d "
		    "address %02x:%02x:%02x:%02x:%02x:%02x netns %s",
		    sq(v->name), sq(v->bridge), sq(v->peer), LINK_PEER_INDEX, v->mac[0], v->mac[1],
		    v->mac[2], v->mac[3], v->mac[4], v->mac[5], sq(v->netns)))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, v->name);
	nl_put_u32(&q, IFLA_MASTER, (uint32_t)v->bridge_index);
	info = nl_nest(&q, IFLA_LINKINFO);
	nl_put_str(&q, IFLA_INFO_KIND, "veth");
	put_peer(&q, v);
	nl_nest_end(&q, info);
	r = nl_call(nl, &q);
	return r < 0 ? refused(r, "veth", v->name, err) : 0;
}

int link_set_hairpin(struct nl *nl, const char *name, struct error *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE };
	const uint8_t on = 1;
	struct nlattr *port;
	struct nl_req q;
	int r;

	if (explain("bridge netfilter is on: a container reaches its own port only this way",
		    "bridge link set dev %s hairpin on", sq(name)))
		return 0;
	r = link_index(nl, name);
	if (r >= 0) {
		ifi.ifi_index = r;
		nl_req_init(&q, RTM_SETLINK, 0, &ifi, sizeof(ifi));
		port = nl_nest(&q, IFLA_PROTINFO | NLA_F_NESTED);
		nl_put(&q, IFLA_BRPORT_MODE, &on, sizeof(on));
		nl_nest_end(&q, port);
		r = nl_call(nl, &q);
	}
	return r < 0 ? error_sys(err, r, "set hairpin mode of %s", name) : 0;
}

int link_set_up(struct nl *nl, int index, const char *name, const char *where, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC,
				       .ifi_index = index,
				       .ifi_flags = IFF_UP,
				       .ifi_change = IFF_UP };
	struct nl_req q;
	int r;

	if (explain(NULL, "%sip link set %s up", where, sq(name)))
		return 0;
	nl_req_init(&q, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	r = nl_call(nl, &q);
	return r < 0 ? error_sys(err, r, "set link %s up", name) : 0;
}

int link_delete(struct nl *nl, const char *name, struct error *err)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_req q;
	int r;

	/* A cable goes with the namespace at its other end, a moment later. */
	if (explain(NULL, "ip link delete %s 2> /dev/null || :", sq(name)))
		return 0;
	nl_req_init(&q, RTM_DELLINK, 0, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	r = nl_call(nl, &q);
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

int address_add(struct nl *nl, int index, const char *name, struct in_addr ip, unsigned prefix_len,
		const char *where, struct error *err)
{
	const struct ifaddrmsg ifa = { .ifa_family = AF_INET,
				       .ifa_prefixlen = (uint8_t)prefix_len,
				       .ifa_index = (unsigned)index };
	struct in_addr broadcast = { .s_addr = ip.s_addr | htonl(UINT32_MAX >> prefix_len) };
	char text[INET_ADDRSTRLEN];
	struct nl_req q;
	int r;

	(void)inet_ntop(AF_INET, &ip, text, sizeof(text));
	if (explain(NULL, "%sip address add %s/%u broadcast + dev %s", where, text, prefix_len,
		    sq(name)))
		return 0;
	nl_req_init(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa, sizeof(ifa));
	nl_put(&q, IFA_LOCAL, &ip, sizeof(ip));
	nl_put(&q, IFA_ADDRESS, &ip, sizeof(ip));
	nl_put(&q, IFA_BROADCAST, &broadcast, sizeof(broadcast));
	r = nl_call(nl, &q);
	return r < 0 && r != -EEXIST ? error_sys(err, r, "give %s the address %s", name, text) : 0;
}

int route_add_default(struct nl *nl, struct in_addr gateway, const char *where, struct error *err)
{
	const struct rtmsg rt = { .rtm_family = AF_INET,
				  .rtm_table = RT_TABLE_MAIN,
				  .rtm_protocol = RTPROT_BOOT,
				  .rtm_scope = RT_SCOPE_UNIVERSE,
				  .rtm_type = RTN_UNICAST };
	char text[INET_ADDRSTRLEN];
	struct nl_req q;
	int r;

	(void)inet_ntop(AF_INET, &gateway, text, sizeof(text));
	if (explain("what is not next door goes through the bridge's own address",
		    "%sip route add default via %s", where, text))
		return 0;
	nl_req_init(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &rt, sizeof(rt));
	nl_put(&q, RTA_GATEWAY, &gateway, sizeof(gateway));
	r = nl_call(nl, &q);
	return r < 0 ? error_sys(err, r, "add the default route via %s", text) : 0;
}

struct overlap {
	struct subnet subnet;
	bool found;
};

static int compare_route(const struct nlmsghdr *hdr, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(hdr);
	struct overlap *o = data;
	const struct nlattr *attr;

	if (rt->rtm_dst_len == 0 || rt->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	mnl_attr_for_each (attr, hdr, sizeof(*rt)) {
		uint32_t mask =
			htonl(UINT32_MAX << (32 - MIN(rt->rtm_dst_len, o->subnet.prefix_len)));

		if (mnl_attr_get_type(attr) == RTA_DST &&
		    ((mnl_attr_get_u32(attr) ^ o->subnet.net.s_addr) & mask) == 0)
			o->found = true;
	}
	return MNL_CB_OK;
}

int route_overlaps(struct nl *nl, struct subnet subnet, bool *ret, struct error *err)
{
	const struct rtmsg rt = { .rtm_family = AF_INET };
	struct overlap o = { .subnet = subnet };
	struct nl_req q;
	int r;

	nl_req_init(&q, RTM_GETROUTE, NLM_F_DUMP, &rt, sizeof(rt));
	r = nl_query(nl, &q, compare_route, &o);
	if (r < 0)
		return error_sys(err, r, "list routes");
	*ret = o.found;
	return 0;
}
