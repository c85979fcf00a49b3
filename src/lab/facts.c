/* src/lab/facts.c */
#include "lab/facts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "kernel/netlink.h"

#define LOWER_UP 0x10000 /* IFF_LOWER_UP: in linux/if.h, which cannot stand beside net/if.h */

void facts_init(struct facts *f, struct lab *lab)
{
	*f = (struct facts) {
		.lab = lab,
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
		.nodes = xcalloc(lab->topology->n_nodes, sizeof(*f->nodes)),
	};
}

static void node_free(struct facts_node *n)
{
	if (!n)
		return;
	if (n->nl)
		nl_close(n->nl);
	free(n->nl);
	free(n->links);
	free(n->addresses);
	free(n);
}

void facts_done(struct facts *f)
{
	for (size_t i = 0; f->nodes && i < f->lab->topology->n_nodes; i++)
		node_free(f->nodes[i]);
	free(f->nodes);
	f->nodes = NULL;
}

/* reading */

static void read_port(struct fact_link *l, const struct nlattr *info)
{
	const struct nlattr *data = NULL, *a;
	const char *slave = "";

	mnl_attr_for_each_nested (a, info) {
		if (mnl_attr_get_type(a) == IFLA_INFO_SLAVE_KIND)
			slave = mnl_attr_get_str(a);
		else if (mnl_attr_get_type(a) == IFLA_INFO_SLAVE_DATA)
			data = a;
	}
	if (!data || strcmp(slave, "bridge") != 0)
		return;
	mnl_attr_for_each_nested (a, data) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_BRPORT_STATE:
			l->stp_state = mnl_attr_get_u8(a);
			break;
		case IFLA_BRPORT_ISOLATED:
			l->isolated = mnl_attr_get_u8(a);
			break;
		case IFLA_BRPORT_UNICAST_FLOOD:
			l->flood = mnl_attr_get_u8(a);
			break;
		case IFLA_BRPORT_BCAST_FLOOD:
			l->flood_broadcast = mnl_attr_get_u8(a);
			break;
		case IFLA_BRPORT_MCAST_FLOOD:
			l->flood_multicast = mnl_attr_get_u8(a);
			break;
		case IFLA_BRPORT_LEARNING:
			l->learns = mnl_attr_get_u8(a);
			break;
		default:
			break;
		}
	}
}

static struct ip ip_of(uint8_t family, const struct nlattr *a)
{
	struct ip ip = { .family = family };

	if (mnl_attr_get_payload_len(a) >= ip_len(&ip))
		memcpy(ip.bytes, mnl_attr_get_payload(a), ip_len(&ip));
	return ip;
}

static void read_tunnel(struct fact_link *l, const struct nlattr *info)
{
	const struct nlattr *data = NULL, *a;
	const char *kind = "";

	mnl_attr_for_each_nested (a, info) {
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			kind = mnl_attr_get_str(a);
		else if (mnl_attr_get_type(a) == IFLA_INFO_DATA)
			data = a;
	}
	if (!data || strcmp(kind, "vxlan") != 0)
		return;
	mnl_attr_for_each_nested (a, data) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_VXLAN_ID:
			l->vni = mnl_attr_get_u32(a);
			break;
		case IFLA_VXLAN_PORT:
			l->udp_port = ntohs(mnl_attr_get_u16(a));
			break;
		case IFLA_VXLAN_GROUP:
			l->group = ip_of(AF_INET, a);
			break;
		case IFLA_VXLAN_GROUP6:
			l->group = ip_of(AF_INET6, a);
			break;
		default:
			break;
		}
	}
}

static int each_link(const struct nlmsghdr *h, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct facts_node *n = data;
	struct fact_link *l;
	const struct nlattr *a;

	VEC_GROW(n->links, n->n_links, n->room_links);
	l = &n->links[n->n_links++];
	*l = (struct fact_link) {
		.index = ifi->ifi_index,
		.up = ifi->ifi_flags & IFF_UP,
		.carrier = ifi->ifi_flags & LOWER_UP,
		.noarp = ifi->ifi_flags & IFF_NOARP,
		.stp_state = BR_STATE_FORWARDING,
	};
	mnl_attr_for_each (a, h, sizeof(*ifi)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			(void)snprintf(l->name, sizeof(l->name), "%s", mnl_attr_get_str(a));
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(a) == MAC_LEN)
				memcpy(l->mac, mnl_attr_get_payload(a), MAC_LEN);
			break;
		case IFLA_MTU:
			l->mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_MASTER:
			l->master = (int)mnl_attr_get_u32(a);
			break;
		case IFLA_LINKINFO:
			read_port(l, a);
			read_tunnel(l, a);
			break;
		default:
			break;
		}
	}
	return MNL_CB_OK;
}

static void take_vlans(struct fact_link *l, const struct nlattr *spec)
{
	const struct nlattr *a;
	unsigned first = 0;

	mnl_attr_for_each_nested (a, spec) {
		const struct bridge_vlan_info *v = mnl_attr_get_payload(a);

		if (mnl_attr_get_type(a) != IFLA_BRIDGE_VLAN_INFO ||
		    mnl_attr_get_payload_len(a) < sizeof(*v))
			continue;
		l->has_vlans = true;
		if (v->flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) {
			first = v->vid;
			continue;
		}
		for (unsigned vid = v->flags & BRIDGE_VLAN_INFO_RANGE_END ? first : v->vid;
		     vid <= v->vid && vid < 4096; vid++)
			l->vlans[vid / 8] |= (uint8_t)(1U << vid % 8);
		if (v->flags & BRIDGE_VLAN_INFO_PVID)
			l->pvid = v->vid;
	}
}

static int each_bridge_port(const struct nlmsghdr *h, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct facts_node *n = data;
	const struct nlattr *a;

	mnl_attr_for_each (a, h, sizeof(*ifi))
		if (mnl_attr_get_type(a) == IFLA_AF_SPEC)
			for (size_t i = 0; i < n->n_links; i++)
				if (n->links[i].index == ifi->ifi_index)
					take_vlans(&n->links[i], a);
	return MNL_CB_OK;
}

static int each_address(const struct nlmsghdr *h, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	struct facts_node *n = data;
	struct fact_address address = { .index = (int)ifa->ifa_index };
	const struct nlattr *a;
	bool has_local = false;

	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return MNL_CB_OK;
	mnl_attr_for_each (a, h, sizeof(*ifa)) {
		bool local = mnl_attr_get_type(a) == IFA_LOCAL;

		if (local || (mnl_attr_get_type(a) == IFA_ADDRESS && !has_local))
			address.net.ip = ip_of(ifa->ifa_family, a);
		has_local = has_local || local;
	}
	address.net.prefix_len = ifa->ifa_prefixlen;
	VEC_GROW(n->addresses, n->n_addresses, n->room_addresses);
	n->addresses[n->n_addresses++] = address;
	return MNL_CB_OK;
}

static int query(struct nl *nl, uint16_t type, uint8_t family, uint32_t mask, mnl_cb_t fn,
		 void *data)
{
	const struct ifinfomsg ifi = { .ifi_family = family };
	struct nl_req q;

	nl_req_init(&q, type, NLM_F_DUMP, &ifi, sizeof(ifi));
	if (mask)
		nl_put_u32(&q, IFLA_EXT_MASK, mask);
	return nl_query(nl, &q, fn, data);
}

static int open_inside(void *data, struct error *err)
{
	struct facts_node *n = data;

	n->nl = xnew(struct nl);
	return nl_open(n->nl, err);
}

int facts_node(struct facts *f, size_t node, const struct facts_node **ret, struct error *err)
{
	struct facts_node *n = f->nodes[node];
	int r;

	if (n) {
		*ret = n;
		return 0;
	}
	n = xnew(struct facts_node);
	r = lab_inside(f->lab, node, open_inside, n, err);
	if (r == 0) {
		r = query(n->nl, RTM_GETLINK, AF_UNSPEC, 0, each_link, n);
		if (r >= 0)
			r = query(n->nl, RTM_GETADDR, AF_UNSPEC, 0, each_address, n);
		if (r >= 0 && node_is_bridge(&f->lab->topology->nodes[node]))
			(void)query(n->nl, RTM_GETLINK, AF_BRIDGE, RTEXT_FILTER_BRVLAN,
				    each_bridge_port, n);
		if (r < 0)
			r = error_sys(err, r, "read links and addresses of %s",
				      f->lab->topology->nodes[node].name);
	}
	if (r < 0) {
		node_free(n);
		return r;
	}
	*ret = f->nodes[node] = n;
	return 0;
}

const struct fact_link *fact_link(const struct facts_node *n, int index)
{
	for (size_t i = 0; i < n->n_links; i++)
		if (n->links[i].index == index)
			return &n->links[i];
	return NULL;
}

const struct fact_address *fact_address(const struct facts_node *n, const struct ip *ip)
{
	for (size_t i = 0; i < n->n_addresses; i++)
		if (ip_equal(&n->addresses[i].net.ip, ip))
			return &n->addresses[i];
	return NULL;
}

const struct fact_address *fact_subnet(const struct facts_node *n, const struct ip *ip)
{
	for (size_t i = 0; i < n->n_addresses; i++)
		if (ip_net_has(&n->addresses[i].net, ip))
			return &n->addresses[i];
	return NULL;
}

struct reading_sysctl {
	const char *path;
	int value;
};

static int read_sysctl(void *data, struct error *err)
{
	struct reading_sysctl *s = data;
	autofree char *path = xasprintf("/proc/sys/net/%s", s->path), *text = NULL;
	int r = file_read_at(AT_FDCWD, path, 64, &text, NULL, err);

	if (r == 0)
		s->value = (int)strtol(text, NULL, 10);
	return r;
}

int facts_sysctl(struct facts *f, size_t node, const char *path)
{
	struct reading_sysctl s = { .path = path, .value = -1 };

	return lab_inside(f->lab, node, read_sysctl, &s, NULL) < 0 ? -1 : s.value;
}

/* asking */

static int take_way(const struct nlmsghdr *h, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(h);
	struct way *way = data;
	const struct nlattr *a;

	way->type = rtm->rtm_type;
	mnl_attr_for_each (a, h, sizeof(*rtm)) {
		switch (mnl_attr_get_type(a)) {
		case RTA_OIF:
			way->index = (int)mnl_attr_get_u32(a);
			break;
		case RTA_GATEWAY:
			way->via = ip_of(rtm->rtm_family, a);
			break;
		case RTA_PREFSRC:
			way->source = ip_of(rtm->rtm_family, a);
			break;
		default:
			break;
		}
	}
	return MNL_CB_OK;
}

int facts_route(struct facts *f, size_t node, const struct ip *to, const struct ip *from, int in,
		struct way *ret)
{
	const struct facts_node *n;
	struct rtmsg rtm = { .rtm_family = to->family, .rtm_dst_len = (uint8_t)(ip_len(to) * 8) };
	struct way way = { .type = RTN_UNICAST };
	struct nl_req q;
	int r = facts_node(f, node, &n, NULL);

	if (r < 0)
		return r;
	if (from)
		rtm.rtm_src_len = rtm.rtm_dst_len;
	nl_req_init(&q, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	nl_put(&q, RTA_DST, to->bytes, ip_len(to));
	if (from)
		nl_put(&q, RTA_SRC, from->bytes, ip_len(from));
	if (in)
		nl_put_u32(&q, RTA_IIF, (uint32_t)in);
	r = nl_query(n->nl, &q, take_way, &way);
	if (r < 0)
		return r;
	*ret = way;
	return 0;
}

struct neighbour_found {
	const struct ip *ip;
	int index;
	int state;
	unsigned char mac[MAC_LEN];
	bool any;
};

static int each_neighbour(const struct nlmsghdr *h, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	struct neighbour_found *found = data;
	const struct nlattr *a, *mac = NULL;
	bool same = false;

	if (nd->ndm_ifindex != found->index || nd->ndm_family != found->ip->family)
		return MNL_CB_OK;
	mnl_attr_for_each (a, h, sizeof(*nd)) {
		struct ip ip;

		if (mnl_attr_get_type(a) == NDA_LLADDR)
			mac = a;
		if (mnl_attr_get_type(a) != NDA_DST)
			continue;
		ip = ip_of(nd->ndm_family, a);
		same = ip_equal(&ip, found->ip);
	}
	if (!same)
		return MNL_CB_OK;
	found->any = true;
	found->state = nd->ndm_state;
	if (mac && mnl_attr_get_payload_len(mac) == MAC_LEN)
		memcpy(found->mac, mnl_attr_get_payload(mac), MAC_LEN);
	return MNL_CB_OK;
}

static bool find_neighbour(struct facts *f, size_t node, uint8_t flags,
			   struct neighbour_found *found)
{
	const struct ndmsg nd = { .ndm_family = found->ip->family, .ndm_flags = flags };
	const struct facts_node *n;
	struct nl_req q;

	if (facts_node(f, node, &n, NULL) < 0)
		return false;
	nl_req_init(&q, RTM_GETNEIGH, NLM_F_DUMP, &nd, sizeof(nd));
	return nl_query(n->nl, &q, each_neighbour, found) >= 0 && found->any;
}

int facts_neighbour(struct facts *f, size_t node, int index, const struct ip *ip,
		    unsigned char ret_mac[MAC_LEN])
{
	struct neighbour_found found = { .ip = ip, .index = index };

	if (!find_neighbour(f, node, 0, &found))
		return 0;
	memcpy(ret_mac, found.mac, MAC_LEN);
	return found.state;
}

bool facts_proxies(struct facts *f, size_t node, int index, const struct ip *ip)
{
	struct neighbour_found found = { .ip = ip, .index = index };

	return find_neighbour(f, node, NTF_PROXY, &found);
}

bool facts_owners(struct facts *f, const struct ip *ip,
		  bool (*each)(void *data, size_t node, const struct fact_address *address),
		  void *data)
{
	for (size_t i = 0; i < f->lab->topology->n_nodes; i++) {
		const struct fact_address *a;
		const struct facts_node *n;

		if (facts_node(f, i, &n, NULL) < 0)
			continue;
		a = fact_address(n, ip);
		if (a && each(data, i, a))
			return true;
	}
	return false;
}

bool facts_mac(struct facts *f, const unsigned char mac[MAC_LEN], size_t other, size_t *ret_node,
	       int *ret_index)
{
	for (size_t i = 0; i < f->lab->topology->n_nodes; i++) {
		const struct facts_node *n;

		if (i == other || facts_node(f, i, &n, NULL) < 0)
			continue;
		for (size_t k = 0; k < n->n_links; k++)
			if (n->links[k].index != 1 && memcmp(n->links[k].mac, mac, MAC_LEN) == 0) {
				*ret_node = i;
				*ret_index = n->links[k].index;
				return true;
			}
	}
	return false;
}

char *facts_name(struct facts *f, size_t node, int index)
{
	const char *name = f->lab->topology->nodes[node].name;
	const struct facts_node *n;
	const struct fact_link *l = facts_node(f, node, &n, NULL) == 0 ? fact_link(n, index) : NULL;

	return l ? xasprintf("%s:%s", name, l->name) : xstrdup(name);
}
