/* src/base/ip.c */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

struct ip ip_from_in(struct in_addr in)
{
	struct ip ip = { .family = AF_INET };

	memcpy(ip.bytes, &in, sizeof(in));
	return ip;
}

int ip_parse(const char *text, struct ip *ret)
{
	struct ip ip = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(ip.family, text, ip.bytes) != 1)
		return -EINVAL;
	*ret = ip;
	return 0;
}

int ip_net_parse(const char *text, struct ip_net *ret)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char address[IP_TEXT_LEN];
	uint64_t prefix_len;
	struct ip_net net;

	if (len >= sizeof(address))
		return -EINVAL;
	(void)snprintf(address, sizeof(address), "%.*s", (int)len, text);
	if (ip_parse(address, &net.ip) < 0)
		return -EINVAL;
	prefix_len = 8 * ip_len(&net.ip);
	if (slash && number_parse(slash + 1, prefix_len, &prefix_len) < 0)
		return -EINVAL;
	net.prefix_len = (uint8_t)prefix_len;
	*ret = net;
	return 0;
}

void ip_format(const struct ip *ip, char ret[IP_TEXT_LEN])
{
	ret[0] = '\0';
	if (ip_is_set(ip))
		(void)inet_ntop(ip->family, ip->bytes, ret, IP_TEXT_LEN);
}

void ip_net_format(const struct ip_net *net, char ret[IP_NET_TEXT_LEN])
{
	size_t len;

	ip_format(&net->ip, ret);
	len = strlen(ret);
	if (len > 0)
		(void)snprintf(ret + len, IP_NET_TEXT_LEN - len, "/%u", net->prefix_len);
}

bool ip_is_any(const struct ip *ip)
{
	static const uint8_t none[16];

	return ip_is_set(ip) && memcmp(ip->bytes, none, sizeof(none)) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
	return ip->family == AF_INET
		       ? ip->bytes[0] == 127
		       : ip->family == AF_INET6 &&
				 memcmp(ip->bytes, &in6addr_loopback, sizeof(ip->bytes)) == 0;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

struct ip ip_plus(const struct ip *ip, uint64_t n)
{
	struct ip sum = *ip;

	for (size_t i = ip_len(ip); i > 0 && n > 0; i--) {
		n += sum.bytes[i - 1];
		sum.bytes[i - 1] = (uint8_t)n;
		n >>= 8;
	}
	return sum;
}

uint64_t ip_distance(const struct ip *a, const struct ip *b)
{
	uint64_t distance = 0;
	size_t len = ip_len(a), tail = len > 8 ? len - 8 : 0;

	if (ip_compare(a, b) > 0 || memcmp(a->bytes, b->bytes, tail) != 0)
		return UINT64_MAX;
	for (size_t i = tail; i < len; i++)
		distance = (distance << 8) + b->bytes[i] - a->bytes[i];
	return distance;
}

/* The host bits of byte i. */
static uint8_t host_bits(const struct ip_net *net, size_t i)
{
	size_t before = i * 8;

	if (net->prefix_len >= before + 8)
		return 0;
	return net->prefix_len <= before ? 0xff : (uint8_t)(0xff >> (net->prefix_len - before));
}

struct ip ip_net_first(const struct ip_net *net)
{
	struct ip ip = net->ip;

	for (size_t i = 0; i < ip_len(&ip); i++)
		ip.bytes[i] &= (uint8_t)~host_bits(net, i);
	return ip;
}

struct ip ip_net_last(const struct ip_net *net)
{
	struct ip ip = net->ip;

	for (size_t i = 0; i < ip_len(&ip); i++)
		ip.bytes[i] |= host_bits(net, i);
	return ip;
}

struct ip_net ip_net_of(const struct ip_net *address)
{
	return (struct ip_net) { ip_net_first(address), address->prefix_len };
}

bool ip_net_has(const struct ip_net *net, const struct ip *ip)
{
	const struct ip_net there = { *ip, net->prefix_len };
	const struct ip a = ip_net_first(net), b = ip_net_first(&there);

	return ip_equal(&a, &b);
}

bool ip_net_is_edge(const struct ip_net *net, const struct ip *ip)
{
	const struct ip first = ip_net_first(net), last = ip_net_last(net);

	if (net->prefix_len + 2U > 8 * ip_len(&net->ip))
		return false; /* of one or two addresses both are usable */
	return ip_equal(ip, &first) || (net->ip.family == AF_INET && ip_equal(ip, &last));
}

bool ip_net_overlaps(const struct ip_net *a, const struct ip_net *b)
{
	return a->prefix_len <= b->prefix_len ? ip_net_has(a, &b->ip) : ip_net_has(b, &a->ip);
}

struct ip_net ip_link_local(const unsigned char mac[6])
{
	struct ip_net net = { { AF_INET6, { 0xfe, 0x80 } }, 64 };
	unsigned char *id = net.ip.bytes + 8;

	memcpy(id, mac, 3);
	id[0] ^= 2;
	id[3] = 0xff;
	id[4] = 0xfe;
	memcpy(id + 5, mac + 3, 3);
	return net;
}
