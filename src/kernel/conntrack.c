/* src/kernel/conntrack.c */
#include "kernel/conntrack.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "base/buf.h"
#include "base/explain.h"
#include "kernel/netlink.h"

#define FOUND_MAX (8U << 20) /* bytes of found flows at a time, some 100 each */

/* A bit of CTA_FILTER_ORIG_FLAGS, which no header for programs has. */
#define FILTER_PROTO_NUM (1U << 3)

/* Which flows: of one container, or of some ports. */
struct wanted {
	uint8_t family;
	uint8_t protocol;
	struct ip to; /* family 0: those of the ports */
	const struct conntrack_ports *ports;
	size_t n;
	const struct ifaddrs *local; /* addresses of this host */
	struct buf found; /* an int each, how long, and that many bytes: its attributes */
};

struct side {
	struct ip from, to;
	uint8_t protocol;
	uint16_t port_to;
};

static int attribute(const struct nlattr *attr, void *data)
{
	const struct nlattr **table = data;

	if (mnl_attr_type_valid(attr, CTA_MAX) > 0)
		table[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static struct ip address(uint8_t family, const struct nlattr *attr)
{
	struct ip ip = { .family = family };

	if (!attr || mnl_attr_get_payload_len(attr) != ip_len(&ip))
		return (struct ip) { .family = 0 };
	memcpy(ip.bytes, mnl_attr_get_payload(attr), ip_len(&ip));
	return ip;
}

static struct side side_read(uint8_t family, const struct nlattr *tuple)
{
	const struct nlattr *parts[CTA_MAX + 1] = { NULL }, *ip[CTA_MAX + 1] = { NULL };
	const struct nlattr *proto[CTA_MAX + 1] = { NULL };
	bool v6 = family == AF_INET6;
	struct side side = { .protocol = 0 };

	(void)mnl_attr_parse_nested(tuple, attribute, parts);
	if (!parts[CTA_TUPLE_IP] || !parts[CTA_TUPLE_PROTO])
		return side;
	(void)mnl_attr_parse_nested(parts[CTA_TUPLE_IP], attribute, ip);
	(void)mnl_attr_parse_nested(parts[CTA_TUPLE_PROTO], attribute, proto);
	side.from = address(family, ip[v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC]);
	side.to = address(family, ip[v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST]);
	if (proto[CTA_PROTO_NUM])
		side.protocol = mnl_attr_get_u8(proto[CTA_PROTO_NUM]);
	if (proto[CTA_PROTO_DST_PORT])
		side.port_to = ntohs(mnl_attr_get_u16(proto[CTA_PROTO_DST_PORT]));
	return side;
}

static bool is_local(const struct ifaddrs *local, const struct ip *ip)
{
	for (; local; local = local->ifa_next) {
		const struct sockaddr *sa = local->ifa_addr;
		const void *bytes = NULL;

		if (sa && sa->sa_family == AF_INET)
			bytes = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
		else if (sa && sa->sa_family == AF_INET6)
			bytes = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
		if (bytes && sa->sa_family == ip->family &&
		    memcmp(bytes, ip->bytes, ip_len(ip)) == 0)
			return true;
	}
	return ip_is_loopback(ip);
}

static bool is_wanted(const struct wanted *w, const struct side *there, const struct side *back)
{
	if (there->protocol != w->protocol)
		return false;
	if (ip_is_set(&w->to))
		return ip_equal(&back->from, &w->to) && !ip_equal(&there->to, &w->to);
	if (!ip_equal(&there->to, &back->from) || !ip_equal(&there->from, &back->to))
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (there->port_to >= w->ports[i].first && there->port_to <= w->ports[i].last &&
		    (ip_is_set(&w->ports[i].at) ? ip_equal(&w->ports[i].at, &there->to)
						: is_local(w->local, &there->to)))
			return true;
	return false;
}

static int look_at(const struct nlmsghdr *message, void *data)
{
	static const int kept[] = { CTA_TUPLE_ORIG, CTA_ID, CTA_ZONE };
	const struct nlattr *attrs[CTA_MAX + 1] = { NULL };
	struct wanted *w = data;
	struct side there, back;
	int len = 0;

	(void)mnl_attr_parse(message, sizeof(struct nfgenmsg), attribute, attrs);
	if (!attrs[CTA_TUPLE_ORIG] || !attrs[CTA_TUPLE_REPLY])
		return MNL_CB_OK;
	there = side_read(w->family, attrs[CTA_TUPLE_ORIG]);
	back = side_read(w->family, attrs[CTA_TUPLE_REPLY]);
	if (!is_wanted(w, &there, &back))
		return MNL_CB_OK;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (attrs[kept[i]])
			len += (int)MNL_ALIGN(attrs[kept[i]]->nla_len);
	buf_add(&w->found, &len, sizeof(len));
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (attrs[kept[i]])
			buf_add(&w->found, attrs[kept[i]], MNL_ALIGN(attrs[kept[i]]->nla_len));
	return MNL_CB_OK;
}

static void request(struct nl_req *q, int type, uint16_t flags, uint8_t family)
{
	const struct nfgenmsg head = { .nfgen_family = family, .version = NFNETLINK_V0 };

	nl_req_init(q, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type), flags, &head, sizeof(head));
}

/* The kernel sifts first, where it can (Linux 5.8), so that the many others are not copied out. Not
 * by an address of IPv6: up to Linux 6.18 at least it leaves out those that are equal.
 */
static void put_filter(struct nl_req *q, uint8_t protocol)
{
	struct nlattr *nest = nl_nest(q, CTA_TUPLE_ORIG), *inner = nl_nest(q, CTA_TUPLE_PROTO);

	nl_put(q, CTA_PROTO_NUM, &protocol, sizeof(protocol));
	nl_nest_end(q, inner);
	nl_nest_end(q, nest);
	nest = nl_nest(q, CTA_FILTER);
	nl_put_u32(q, CTA_FILTER_ORIG_FLAGS, FILTER_PROTO_NUM);
	nl_nest_end(q, nest);
}

static int list_found(struct nl *nl, struct wanted *w)
{
	struct nl_req q;

	buf_reset(&w->found);
	request(&q, IPCTNL_MSG_CT_GET, NLM_F_DUMP, w->family);
	put_filter(&q, w->protocol);
	return nl_query(nl, &q, look_at, w);
}

/* How many went; one may have ended meanwhile. */
static size_t delete_found(struct nl *nl, const struct wanted *w)
{
	struct nl_req q;
	size_t gone = 0;
	int len;

	for (size_t at = 0; at + sizeof(len) <= w->found.len; at += (size_t)len) {
		memcpy(&len, w->found.data + at, sizeof(len));
		at += sizeof(len);
		if (at + (size_t)len > w->found.len)
			break;
		request(&q, IPCTNL_MSG_CT_DELETE, 0, w->family);
		nl_put_head(&q, w->found.data + at, (size_t)len);
		gone += nl_call(nl, &q) == 0;
	}
	return gone;
}

/* As often as there were more than we hold at once. */
static void forget(struct wanted *w)
{
	struct nl nl = { 0 };
	size_t gone = 1;
	int r = nl_open_to(&nl, NETLINK_NETFILTER, NULL);

	buf_init(&w->found, FOUND_MAX);
	while (r == 0 && gone > 0) {
		r = list_found(&nl, w);
		if (r == 0)
			gone = delete_found(&nl, w);
		if (buf_result(&w->found) == 0)
			break;
	}
	buf_done(&w->found);
	nl_close(&nl);
}

void conntrack_forget_translated(uint8_t protocol, const struct ip *to)
{
	struct wanted w = { .family = to->family, .protocol = protocol, .to = *to };
	char text[IP_TEXT_LEN];

	ip_format(to, text);
	if (!explain("flows through its ports go on to it for as long as packets come",
		     "conntrack -D -p %d --reply-src %s --any-nat >/dev/null 2>&1 || :", protocol,
		     text))
		forget(&w);
}

void conntrack_forget_untranslated(uint8_t family, uint8_t protocol,
				   const struct conntrack_ports *ports, size_t n)
{
	struct wanted w = { .family = family, .protocol = protocol, .ports = ports, .n = n };
	struct ifaddrs *local = NULL;
	bool dry = false;

	for (size_t i = 0; i < n; i++)
		dry = explain(
			i > 0 ? NULL
			      : "flows from before the port was published go on to this host",
			"for port in $(seq %u %u); do conntrack -D -f ipv%d -p %d --orig-port-dst "
			"$port >/dev/null 2>&1 || :; done",
			ports[i].first, ports[i].last, family == AF_INET6 ? 6 : 4, protocol);
	if (dry || getifaddrs(&local) < 0)
		return;
	w.local = local;
	forget(&w);
	freeifaddrs(local);
}
