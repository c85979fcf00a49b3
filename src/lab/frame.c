/* src/lab/frame.c
 *
 * Every read goes through a cursor that refuses to pass the end, so that a frame of any length and
 * content is safe to look at.
 */
#include "lab/frame.h"

#include <stdio.h>
#include <string.h>

#define TYPE_IP4   0x0800
#define TYPE_ARP   0x0806
#define TYPE_IP6   0x86dd
#define TYPE_VLAN  0x8100
#define TYPE_VLANS 0x88a8 /* the outer one of two */

struct cursor {
	const uint8_t *at;
	size_t left;
};

/* NULL if there is not so much; then nothing is taken. */
static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *at = c->at;

	if (c->left < n)
		return NULL;
	c->at += n;
	c->left -= n;
	return at;
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static struct ip ip_at(uint8_t family, const uint8_t *bytes)
{
	struct ip ip = { .family = family };

	memcpy(ip.bytes, bytes, ip_len(&ip));
	return ip;
}

static void decode_arp(struct frame *f, struct cursor *c)
{
	const uint8_t *p = take(c, 28);

	if (!p || be16(p) != 1 || be16(p + 2) != TYPE_IP4 || p[4] != MAC_LEN || p[5] != 4)
		return;
	f->what = FRAME_ARP;
	f->arp_op = be16(p + 6);
	memcpy(f->arp_mac, p + 8, MAC_LEN);
	f->ip_src = ip_at(AF_INET, p + 14);
	f->ip_dst = ip_at(AF_INET, p + 24);
}

static enum icmp_kind icmp4_kind(uint8_t type, uint8_t code)
{
	switch (type) {
	case 0:
		return ICMP_KIND_REPLY;
	case 3:
		return code == 4 ? ICMP_KIND_TOO_BIG : ICMP_KIND_UNREACHABLE;
	case 5:
		return ICMP_KIND_REDIRECT;
	case 8:
		return ICMP_KIND_ECHO;
	case 11:
		return ICMP_KIND_EXPIRED;
	default:
		return ICMP_KIND_OTHER;
	}
}

static enum icmp_kind icmp6_kind(uint8_t type)
{
	switch (type) {
	case 1:
		return ICMP_KIND_UNREACHABLE;
	case 2:
		return ICMP_KIND_TOO_BIG;
	case 3:
		return ICMP_KIND_EXPIRED;
	case 128:
		return ICMP_KIND_ECHO;
	case 129:
		return ICMP_KIND_REPLY;
	case 135:
		return ICMP_KIND_ND_ASK;
	case 136:
		return ICMP_KIND_ND_ANSWER;
	case 137:
		return ICMP_KIND_REDIRECT;
	default:
		return ICMP_KIND_OTHER;
	}
}

/* An error carries the head of the packet that it is about. */
static void decode_about(struct frame *f, struct cursor *c)
{
	const uint8_t *p;
	bool v6 = f->ip_src.family == AF_INET6;

	if (v6 && (f->icmp == ICMP_KIND_ND_ASK || f->icmp == ICMP_KIND_ND_ANSWER ||
		   f->icmp == ICMP_KIND_REDIRECT)) {
		p = take(c, 16);
		if (p)
			f->about = ip_at(AF_INET6, p);
		return;
	}
	p = take(c, v6 ? 40 : 20);
	if (p)
		f->about = ip_at(v6 ? AF_INET6 : AF_INET, p + (v6 ? 24 : 16));
}

static void decode_icmp(struct frame *f, struct cursor *c)
{
	bool v6 = f->ip_src.family == AF_INET6;
	const uint8_t *p = take(c, 8);

	if (!p)
		return;
	f->what = FRAME_ICMP;
	f->icmp_type = p[0];
	f->icmp_code = p[1];
	f->icmp = v6 ? icmp6_kind(p[0]) : icmp4_kind(p[0], p[1]);
	f->payload = c->at;
	f->payload_len = c->left;
	switch (f->icmp) {
	case ICMP_KIND_ECHO:
	case ICMP_KIND_REPLY:
		f->icmp_id = be16(p + 4);
		f->icmp_seq = be16(p + 6);
		break;
	case ICMP_KIND_REDIRECT:
		if (!v6) {
			f->about = ip_at(AF_INET, p + 4);
			break;
		}
		decode_about(f, c);
		break;
	case ICMP_KIND_TOO_BIG:
		f->icmp_mtu = v6 ? be32(p + 4) : be16(p + 6);
		decode_about(f, c);
		break;
	case ICMP_KIND_UNREACHABLE:
	case ICMP_KIND_EXPIRED:
	case ICMP_KIND_ND_ASK:
	case ICMP_KIND_ND_ANSWER:
		decode_about(f, c);
		break;
	case ICMP_KIND_OTHER:
		break;
	}
}

static void decode_udp(struct frame *f, struct cursor *c)
{
	const uint8_t *p = take(c, 8), *vxlan;

	if (!p)
		return;
	f->what = FRAME_UDP;
	f->port_src = be16(p);
	f->port_dst = be16(p + 2);
	f->payload = c->at;
	f->payload_len = c->left;
	if (f->port_dst != VXLAN_PORT || c->left < 8 + FRAME_HEAD_LEN || !(c->at[0] & 0x08))
		return;
	vxlan = take(c, 8);
	f->what = FRAME_VXLAN;
	f->vni = be32(vxlan + 4) >> 8;
	f->inner = c->at;
	f->inner_len = c->left;
}

static void decode_tcp(struct frame *f, struct cursor *c)
{
	const uint8_t *p = take(c, 20);

	if (!p)
		return;
	f->what = FRAME_TCP;
	f->port_src = be16(p);
	f->port_dst = be16(p + 2);
	f->tcp_flags = p[13];
	if ((p[12] >> 4) > 5 && !take(c, ((size_t)(p[12] >> 4) - 5) * 4))
		return;
	f->payload = c->at;
	f->payload_len = c->left;
}

static void decode_transport(struct frame *f, struct cursor *c)
{
	f->what = FRAME_IP;
	f->payload = c->at;
	f->payload_len = c->left;
	if (f->fragment)
		return;
	if (f->protocol == IPPROTO_ICMP || f->protocol == IPPROTO_ICMPV6)
		decode_icmp(f, c);
	else if (f->protocol == IPPROTO_UDP)
		decode_udp(f, c);
	else if (f->protocol == IPPROTO_TCP)
		decode_tcp(f, c);
}

static void decode_ip4(struct frame *f, struct cursor *c)
{
	const uint8_t *p = take(c, 20);
	size_t head, total;

	if (!p || p[0] >> 4 != 4)
		return;
	head = (size_t)(p[0] & 15) * 4;
	total = be16(p + 2);
	if (head < 20 || total < head || !take(c, head - 20))
		return;
	c->left = MIN(c->left, total - head); /* without what fills up a short frame */
	f->ip_src = ip_at(AF_INET, p + 12);
	f->ip_dst = ip_at(AF_INET, p + 16);
	f->ttl = p[8];
	f->protocol = p[9];
	f->ip_len = total;
	f->dont_fragment = p[6] & 0x40;
	f->fragment = (be16(p + 6) & 0x1fff) != 0;
	decode_transport(f, c);
}

static void decode_ip6(struct frame *f, struct cursor *c)
{
	const uint8_t *p = take(c, 40), *hop;

	if (!p || p[0] >> 4 != 6)
		return;
	c->left = MIN(c->left, (size_t)be16(p + 4));
	f->ip_src = ip_at(AF_INET6, p + 8);
	f->ip_dst = ip_at(AF_INET6, p + 24);
	f->ttl = p[7];
	f->protocol = p[6];
	f->ip_len = (size_t)be16(p + 4) + 40;
	f->dont_fragment = true;
	if (f->protocol == 0) { /* hop-by-hop options: of MLD */
		hop = take(c, 8);
		if (hop && take(c, (size_t)hop[1] * 8))
			f->protocol = hop[0];
	}
	decode_transport(f, c);
}

void frame_decode(const uint8_t *bytes, size_t len, struct frame *ret)
{
	struct cursor c = { bytes, len };
	const uint8_t *p = take(&c, 12), *type;

	*ret = (struct frame) { .bytes = bytes, .len = len };
	type = p ? take(&c, 2) : NULL;
	if (!type)
		return;
	ret->what = FRAME_OTHER;
	memcpy(ret->dst, p, MAC_LEN);
	memcpy(ret->src, p + MAC_LEN, MAC_LEN);
	ret->type = be16(type);
	while ((ret->type == TYPE_VLAN || ret->type == TYPE_VLANS) &&
	       ret->n_tags < FRAME_TAGS_MAX) {
		p = take(&c, FRAME_TAG_LEN);
		if (!p)
			break;
		ret->tags[ret->n_tags++] = be16(p) & 0xfff;
		ret->type = be16(p + 2);
	}
	ret->payload = c.at;
	ret->payload_len = c.left;
	if (ret->type == TYPE_ARP)
		decode_arp(ret, &c);
	else if (ret->type == TYPE_IP4)
		decode_ip4(ret, &c);
	else if (ret->type == TYPE_IP6)
		decode_ip6(ret, &c);
}

void frame_decode_inner(const uint8_t *bytes, size_t len, struct frame *ret)
{
	frame_decode(bytes, len, ret);
	while (ret->what == FRAME_VXLAN)
		frame_decode(ret->inner, ret->inner_len, ret);
}

/* words */

bool mac_is_broadcast(const unsigned char mac[MAC_LEN])
{
	static const unsigned char all[MAC_LEN] = { 255, 255, 255, 255, 255, 255 };

	return memcmp(mac, all, MAC_LEN) == 0;
}

bool mac_is_multicast(const unsigned char mac[MAC_LEN])
{
	return mac[0] & 1;
}

void mac_format(const unsigned char mac[MAC_LEN], char ret[MAC_TEXT_LEN])
{
	(void)snprintf(ret, MAC_TEXT_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *text, unsigned char ret[MAC_LEN])
{
	unsigned char mac[MAC_LEN];

	for (size_t i = 0; i < MAC_LEN; i++, text += 3) {
		int high = hex(text[0]), low = high < 0 ? -1 : hex(text[1]);

		if (low < 0 || text[2] != (i + 1 < MAC_LEN ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (unsigned char)(high << 4 | low);
	}
	memcpy(ret, mac, MAC_LEN);
	return 0;
}

static void put_ip(struct buf *to, const struct ip *ip)
{
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	buf_add_str(to, text);
}

static void put_ends(const struct frame *f, struct buf *to, const char *what)
{
	put_ip(to, &f->ip_src);
	buf_add_str(to, " > ");
	put_ip(to, &f->ip_dst);
	buf_addf(to, ": %s", what);
}

static void describe_arp(const struct frame *f, struct buf *to)
{
	char mac[MAC_TEXT_LEN];

	mac_format(f->arp_mac, mac);
	if (f->arp_op == 1 && ip_equal(&f->ip_src, &f->ip_dst)) {
		buf_add_str(to, "ARP: I have ");
		put_ip(to, &f->ip_src);
	} else if (f->arp_op == 1) {
		buf_add_str(to, "ARP: who has ");
		put_ip(to, &f->ip_dst);
		buf_add_str(to, "? tell ");
		put_ip(to, &f->ip_src);
	} else {
		buf_add_str(to, "ARP: ");
		put_ip(to, &f->ip_src);
		buf_addf(to, " is at %s", mac);
	}
}

static const char *unreachable_text(const struct frame *f)
{
	static const char *const v4[] = { "network", "host", "protocol", "port" };
	static const char *const v6[] = { "network", "administratively", "scope", "host", "port" };
	bool is_v6 = f->ip_src.family == AF_INET6;

	if (is_v6)
		return f->icmp_code < ARRAY_SIZE(v6) ? v6[f->icmp_code] : "address";
	if (f->icmp_code == 9 || f->icmp_code == 10 || f->icmp_code == 13)
		return "administratively";
	return f->icmp_code < ARRAY_SIZE(v4) ? v4[f->icmp_code] : "address";
}

static void describe_icmp(const struct frame *f, struct buf *to)
{
	put_ends(f, to, "");
	switch (f->icmp) {
	case ICMP_KIND_ECHO:
	case ICMP_KIND_REPLY:
		buf_addf(to, "echo %s %u", f->icmp == ICMP_KIND_ECHO ? "request" : "reply",
			 f->icmp_seq);
		break;
	case ICMP_KIND_UNREACHABLE:
		buf_addf(to, "%s unreachable: ", unreachable_text(f));
		put_ip(to, &f->about);
		break;
	case ICMP_KIND_TOO_BIG:
		buf_addf(to, "too big, MTU %u: for ", f->icmp_mtu);
		put_ip(to, &f->about);
		break;
	case ICMP_KIND_EXPIRED:
		buf_add_str(to, "TTL expired: on the way to ");
		put_ip(to, &f->about);
		break;
	case ICMP_KIND_REDIRECT:
		buf_add_str(to, "redirect: ");
		put_ip(to, &f->about);
		buf_add_str(to, " is a shorter way");
		break;
	case ICMP_KIND_ND_ASK:
		buf_add_str(to, "neighbour: who has ");
		put_ip(to, &f->about);
		buf_add_str(to, "?");
		break;
	case ICMP_KIND_ND_ANSWER:
		buf_add_str(to, "neighbour: ");
		put_ip(to, &f->about);
		buf_add_str(to, " is here");
		break;
	case ICMP_KIND_OTHER:
		buf_addf(to, "ICMP type %u code %u", f->icmp_type, f->icmp_code);
		break;
	}
	buf_addf(to, ", TTL %u", f->ttl);
}

static void describe_tcp(const struct frame *f, struct buf *to)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG" };

	put_ends(f, to, "TCP");
	buf_addf(to, " %u > %u", f->port_src, f->port_dst);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (f->tcp_flags & 1U << i)
			buf_addf(to, " %s", names[i]);
	buf_addf(to, ", %zu bytes, TTL %u", f->payload_len, f->ttl);
}

static bool is_printable(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] >= 0x7f)
			return false;
	return true;
}

static void describe_other(const struct frame *f, struct buf *to)
{
	size_t n = f->payload_len;

	while (n && f->payload[n - 1] == 0) /* what fills up a short frame */
		n--;
	if (f->type < ETH_TYPE_FIRST) {
		static const unsigned char stp[MAC_LEN] = { 0x01, 0x80, 0xc2, 0, 0, 0 };

		buf_add_str(to, memcmp(f->dst, stp, MAC_LEN) == 0 ? "spanning tree" : "802.3");
		return;
	}
	buf_addf(to, "type 0x%04x, %zu bytes", f->type, n);
	if (n && is_printable(f->payload, MIN(n, (size_t)40)))
		buf_addf(to, " \"%.*s\"", (int)MIN(n, (size_t)40), (const char *)f->payload);
}

static void describe_plain(const struct frame *f, struct buf *to)
{
	switch (f->what) {
	case FRAME_SHORT:
		buf_addf(to, "%zu bytes, no Ethernet header", f->len);
		break;
	case FRAME_OTHER:
		describe_other(f, to);
		break;
	case FRAME_ARP:
		describe_arp(f, to);
		break;
	case FRAME_IP:
		put_ends(f, to, f->fragment ? "fragment" : "IP");
		buf_addf(to, ", %zu bytes, TTL %u", f->ip_len, f->ttl);
		break;
	case FRAME_ICMP:
		describe_icmp(f, to);
		break;
	case FRAME_UDP:
		put_ends(f, to, "UDP");
		buf_addf(to, " %u > %u, %zu bytes, TTL %u", f->port_src, f->port_dst,
			 f->payload_len, f->ttl);
		break;
	case FRAME_TCP:
		describe_tcp(f, to);
		break;
	case FRAME_VXLAN:
		put_ends(f, to, "VXLAN");
		buf_addf(to, " %u", f->vni);
		break;
	}
}

void frame_describe(const struct frame *f, struct buf *to)
{
	struct frame now = *f;
	unsigned depth = 0;

	for (;; depth++) {
		for (unsigned i = 0; i < now.n_tags; i++)
			buf_addf(to, "[VLAN %u] ", now.tags[i]);
		describe_plain(&now, to);
		if (now.what != FRAME_VXLAN)
			break;
		buf_add_str(to, " { ");
		frame_decode(now.inner, now.inner_len, &now);
	}
	while (depth-- > 0)
		buf_add_str(to, " }");
}

void frame_nesting(const struct frame *f, struct buf *to)
{
	static const char *const what[] = {
		[FRAME_SHORT] = "",     [FRAME_OTHER] = "data",          [FRAME_ARP] = "ARP",
		[FRAME_IP] = "IP(data", [FRAME_ICMP] = "IP(ICMP",        [FRAME_UDP] = "IP(UDP",
		[FRAME_TCP] = "IP(TCP", [FRAME_VXLAN] = "IP(UDP(VXLAN(",
	};
	struct frame now = *f;
	unsigned closing = 0;

	for (;;) {
		buf_add_str(to, "frame(");
		for (unsigned i = 0; i < now.n_tags; i++)
			buf_add_str(to, "VLAN ");
		buf_add_str(to, what[now.what]);
		closing += now.what == FRAME_VXLAN ? 4 : now.what >= FRAME_IP ? 2 : 1;
		if (now.what != FRAME_VXLAN)
			break;
		frame_decode(now.inner, now.inner_len, &now);
	}
	while (closing-- > 0)
		buf_add_char(to, ')');
}

/* putting together */

static void put16(struct buf *to, uint16_t v)
{
	const uint8_t bytes[] = { (uint8_t)(v >> 8), (uint8_t)v };

	buf_add(to, bytes, sizeof(bytes));
}

void frame_put_head(struct buf *to, const struct frame_head *head)
{
	buf_add(to, head->dst, MAC_LEN);
	buf_add(to, head->src, MAC_LEN);
	if (head->vlan) {
		put16(to, TYPE_VLAN);
		put16(to, head->vlan);
	}
	put16(to, head->type);
}

void frame_put_arp(struct buf *to, uint16_t op, const unsigned char mac[MAC_LEN],
		   const struct ip *from, const unsigned char target_mac[MAC_LEN],
		   const struct ip *target)
{
	static const uint8_t sizes[] = { MAC_LEN, 4 };

	put16(to, 1);
	put16(to, TYPE_IP4);
	buf_add(to, sizes, sizeof(sizes));
	put16(to, op);
	buf_add(to, mac, MAC_LEN);
	buf_add(to, from->bytes, 4);
	buf_add(to, target_mac, MAC_LEN);
	buf_add(to, target->bytes, 4);
}

uint16_t inet_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
