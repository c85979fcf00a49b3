/* src/kernel/route.c */
#include "kernel/route.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "kernel/netlink.h"

/* addresses */

static void put_ip(struct nl_req *q, uint16_t type, const struct ip *ip)
{
	nl_put(q, type, ip->bytes, ip_len(ip));
}

static bool narrate_address(const char *name, const struct ip_net *address, const char *where)
{
	char text[IP_NET_TEXT_LEN];

	ip_net_format(address, text);
	return explain("its address", "%sip address add %s %s dev %s", where, text,
		       address->ip.family == AF_INET6 ? "nodad" : "broadcast +", sq(name));
}

int address_add(struct nl *nl, int index, const char *name, const struct ip_net *address,
		const char *where, struct error *err)
{
	const struct ifaddrmsg ifa = { .ifa_family = address->ip.family,
				       .ifa_prefixlen = address->prefix_len,
				       .ifa_index = (unsigned)index };
	char text[IP_NET_TEXT_LEN];
	struct ip last = ip_net_last(address);
	struct nl_req q;
	int r;

	if (narrate_address(name, address, where))
		return 0;
	nl_req_init(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa, sizeof(ifa));
	put_ip(&q, IFA_LOCAL, &address->ip);
	put_ip(&q, IFA_ADDRESS, &address->ip);
	if (address->ip.family == AF_INET)
		put_ip(&q, IFA_BROADCAST, &last);
	else
		nl_put_u32(&q, IFA_FLAGS, IFA_F_NODAD);
	r = nl_call(nl, &q);
	if (r == 0 || r == -EEXIST)
		return 0;
	ip_net_format(address, text);
	if (r == -EACCES || r == -EPERM)
		return error_set(err, r, "give %s the address %s: IPv6 is disabled there", name,
				 text);
	return error_sys(err, r, "give %s the address %s", name, text);
}

struct address_search {
	const struct ip *ip;      /* NULL: any of the link index */
	const struct ip_net *net; /* where it lies; NULL: anywhere */
	int index;
	bool found;
	struct ip_net ret;
};

static int take_address(const struct nlmsghdr *hdr, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(hdr);
	struct address_search *s = data;
	const struct nlattr *attr;

	if (s->index && (int)ifa->ifa_index != s->index)
		return MNL_CB_OK;
	if (s->index && ifa->ifa_scope == RT_SCOPE_LINK)
		return MNL_CB_OK;
	mnl_attr_for_each (attr, hdr, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(attr);
		struct ip ip = { .family = ifa->ifa_family };

		/* IPv6 has IFA_ADDRESS alone; with IPv4 that is the other end's of a point to point
		 * link. */
		if (type != (ifa->ifa_family == AF_INET ? IFA_LOCAL : IFA_ADDRESS) ||
		    mnl_attr_get_payload_len(attr) != ip_len(&ip))
			continue;
		memcpy(ip.bytes, mnl_attr_get_payload(attr), ip_len(&ip));
		if (s->found || (s->ip && !ip_equal(&ip, s->ip)) ||
		    (s->net && !ip_net_has(s->net, &ip)))
			continue;
		s->found = true;
		s->ret = (struct ip_net) { ip, ifa->ifa_prefixlen };
	}
	return MNL_CB_OK;
}

static int search_address(struct nl *nl, uint8_t family, struct address_search *s)
{
	const struct ifaddrmsg ifa = { .ifa_family = family };
	struct nl_req q;

	nl_req_init(&q, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	return nl_query(nl, &q, take_address, s);
}

int address_find(struct nl *nl, const struct ip *ip, bool *ret)
{
	struct address_search s = { .ip = ip };
	int r = search_address(nl, ip->family, &s);

	if (r == 0)
		*ret = s.found;
	return r;
}

int address_of_link(struct nl *nl, int index, uint8_t family, struct ip_net *ret)
{
	struct address_search s = { .index = index };
	int r = search_address(nl, family, &s);

	if (r == 0 && s.found)
		*ret = s.ret;
	return r < 0 ? r : s.found ? 0 : -ENOENT;
}

int address_of_link_in(struct nl *nl, int index, const struct ip_net *net, struct ip *ret)
{
	struct address_search s = { .index = index, .net = net };
	int r = search_address(nl, net->ip.family, &s);

	if (r == 0 && s.found)
		*ret = s.ret.ip;
	return r < 0 ? r : s.found ? 0 : -ENOENT;
}

/* routes */

static bool narrate_ways(const struct route *route, const char *to, const char *metric,
			 const char *where)
{
	struct buf ways = BUF_INIT((ROUTE_ALSO_MAX + 1) * (IP_TEXT_LEN + 16));
	autofree char *list = NULL;
	char via[IP_TEXT_LEN];

	ip_format(&route->via, via);
	buf_addf(&ways, " nexthop via %s", via);
	for (size_t i = 0; i < route->n_also; i++) {
		ip_format(&route->also[i], via);
		buf_addf(&ways, " nexthop via %s", via);
	}
	list = buf_steal(&ways);
	return explain("ways of equal cost", "%sip %sroute add %s%s%s", where,
		       route->via.family == AF_INET6 ? "-6 " : "", to, metric, list);
}

static bool narrate_route(const struct route *route, const char *where)
{
	char to[IP_NET_TEXT_LEN] = "default", via[IP_TEXT_LEN], metric[32] = "";
	bool is_default = !ip_is_set(&route->to.ip);

	if (!is_default)
		ip_net_format(&route->to, to);
	ip_format(&route->via, via);
	if (route->metric)
		(void)snprintf(metric, sizeof(metric), " metric %u", route->metric);
	if (route->n_also)
		return narrate_ways(route, to, metric, where);
	return explain(is_default ? "the way to all that is not next door" : NULL,
		       "%sip %sroute %s %s%s%s%s%s%s", where,
		       route->via.family == AF_INET6 ? "-6 " : "",
		       route->is_maybe ? "replace" : "add", to, via[0] ? " via " : "", via,
		       route->index ? " dev " : "", route->index ? sq(route->name) : "", metric);
}

static void put_way(struct nl_req *q, const struct ip *via)
{
	struct rtnexthop *way = mnl_nlmsg_get_payload_tail(q->hdr);
	const struct rtnexthop none = { .rtnh_len = sizeof(none) };

	nl_put_head(q, &none, sizeof(none));
	put_ip(q, RTA_GATEWAY, via);
	if (q->r == 0)
		way->rtnh_len =
			(uint16_t)((char *)mnl_nlmsg_get_payload_tail(q->hdr) - (char *)way);
}

int route_add(struct nl *nl, const struct route *route, const char *where, struct error *err)
{
	const struct rtmsg rt = {
		.rtm_family = ip_is_set(&route->via) ? route->via.family : route->to.ip.family,
		.rtm_dst_len = route->to.prefix_len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = ip_is_set(&route->via) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST
	};
	char to[IP_NET_TEXT_LEN] = "default", via[IP_TEXT_LEN];
	struct nl_req q;
	int r;

	if (narrate_route(route, where))
		return 0;
	nl_req_init(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &rt, sizeof(rt));
	if (ip_is_set(&route->to.ip))
		put_ip(&q, RTA_DST, &route->to.ip);
	if (route->n_also) {
		struct nlattr *ways = nl_nest(&q, RTA_MULTIPATH);

		put_way(&q, &route->via);
		for (size_t i = 0; i < route->n_also; i++)
			put_way(&q, &route->also[i]);
		nl_nest_end(&q, ways);
	} else if (ip_is_set(&route->via)) {
		put_ip(&q, RTA_GATEWAY, &route->via);
	}
	if (route->index)
		nl_put_u32(&q, RTA_OIF, (uint32_t)route->index);
	if (route->metric)
		nl_put_u32(&q, RTA_PRIORITY, route->metric);
	r = nl_call(nl, &q);
	if (r == 0)
		return 0;
	if (ip_is_set(&route->to.ip))
		ip_net_format(&route->to, to);
	ip_format(&route->via, via);
	return error_sys(err, r, "add the route %s via %s", to, via);
}

struct route_search {
	const struct ip_net *net; /* NULL: a default route */
	int except;
	int index; /* of the link of the route that was found */
	bool found;
	struct ip_net ret;
};

static int take_route(const struct nlmsghdr *hdr, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(hdr);
	struct ip_net to = { .ip.family = rt->rtm_family, .prefix_len = rt->rtm_dst_len };
	struct route_search *s = data;
	const struct nlattr *attr;
	int index = 0;

	if (s->found || rt->rtm_type != RTN_UNICAST || rt->rtm_table != RT_TABLE_MAIN)
		return MNL_CB_OK;
	mnl_attr_for_each (attr, hdr, sizeof(*rt)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			index = (int)mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == RTA_DST &&
		    mnl_attr_get_payload_len(attr) == ip_len(&to.ip))
			memcpy(to.ip.bytes, mnl_attr_get_payload(attr), ip_len(&to.ip));
	}
	if (s->except && index == s->except)
		return MNL_CB_OK;
	/* Every IPv6 link has a route to fe80::/64. */
	if (s->net ? to.prefix_len > 0 && ip_net_overlaps(&to, s->net) : to.prefix_len == 0) {
		s->found = true;
		s->index = index;
		s->ret = to;
	}
	return MNL_CB_OK;
}

static int search_route(struct nl *nl, uint8_t family, struct route_search *s)
{
	const struct rtmsg rt = { .rtm_family = family };
	struct nl_req q;

	nl_req_init(&q, RTM_GETROUTE, NLM_F_DUMP, &rt, sizeof(rt));
	return nl_query(nl, &q, take_route, s);
}

int route_uplink(struct nl *nl)
{
	struct route_search s = { .index = 0 };
	int r = search_route(nl, AF_INET, &s);

	if (r == 0 && !s.found)
		r = search_route(nl, AF_INET6, &s);
	return r < 0 ? r : s.found && s.index ? s.index : -ENOENT;
}

struct gateway_search {
	const struct ip_net *net;
	int index;
	struct ip ret; /* family 0: none */
};

static int take_gateway(const struct nlmsghdr *hdr, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(hdr);
	struct ip via = { .family = rt->rtm_family };
	struct gateway_search *s = data;
	const struct nlattr *attr;
	bool has_via = false;
	int index = 0;

	if (ip_is_set(&s->ret) || rt->rtm_type != RTN_UNICAST || rt->rtm_table != RT_TABLE_MAIN ||
	    rt->rtm_dst_len > 0)
		return MNL_CB_OK;
	mnl_attr_for_each (attr, hdr, sizeof(*rt)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			index = (int)mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) != RTA_GATEWAY ||
		    mnl_attr_get_payload_len(attr) != ip_len(&via))
			continue;
		memcpy(via.bytes, mnl_attr_get_payload(attr), ip_len(&via));
		has_via = true;
	}
	if (has_via && index == s->index && ip_net_has(s->net, &via))
		s->ret = via;
	return MNL_CB_OK;
}

int route_gateway_in(struct nl *nl, int index, const struct ip_net *net, struct ip *ret)
{
	const struct rtmsg rt = { .rtm_family = net->ip.family };
	struct gateway_search s = { .net = net, .index = index };
	struct nl_req q;
	int r;

	nl_req_init(&q, RTM_GETROUTE, NLM_F_DUMP, &rt, sizeof(rt));
	r = nl_query(nl, &q, take_gateway, &s);
	if (r < 0)
		return r;
	if (!ip_is_set(&s.ret))
		return -ENOENT;
	*ret = s.ret;
	return 0;
}

int route_overlaps(struct nl *nl, const struct ip_net *net, int except, char ret[ROUTE_TEXT_LEN],
		   struct error *err)
{
	struct route_search s = { .net = net, .except = except };
	char to[IP_NET_TEXT_LEN], name[IF_NAMESIZE] = "?";
	int r = search_route(nl, net->ip.family, &s);

	if (r < 0)
		return error_sys(err, r, "list routes");
	ret[0] = '\0';
	if (!s.found)
		return 0;
	ip_net_format(&s.ret, to);
	if (s.index)
		(void)if_indextoname((unsigned)s.index, name);
	(void)snprintf(ret, ROUTE_TEXT_LEN, "%s dev %s", to, name);
	return 0;
}
