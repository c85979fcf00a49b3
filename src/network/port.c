/* src/network/port.c */
#include "network/port.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"

static const struct {
	const char *name;
	uint8_t protocol;
} protocols[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
};

const char *port_protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].protocol == protocol)
			return protocols[i].name;
	return "?";
}

static bool parse_protocol(const char *text, uint8_t *ret)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(protocols[i].name, text) != 0)
			continue;
		*ret = protocols[i].protocol;
		return true;
	}
	return !text;
}

/* "80" or "80-89". */
static bool parse_range(char *text, uint16_t *ret_first, uint16_t *ret_count)
{
	char *last = strchr(text, '-');
	uint64_t from, to;

	if (last)
		*last++ = '\0';
	if (number_parse(text, UINT16_MAX, &from) < 0)
		return false;
	to = from;
	if (last && number_parse(last, UINT16_MAX, &to) < 0)
		return false;
	if (to < from || to - from >= UINT16_MAX)
		return false;
	*ret_first = (uint16_t)from;
	*ret_count = (uint16_t)(to - from + 1);
	return true;
}

/* The three parts, cut at colons from behind; what is not said is NULL. */
struct parts {
	char *ip, *host, *container, *protocol;
};

static bool is_ip(const char *text)
{
	struct ip ip;

	return ip_parse(text, &ip) == 0;
}

/* ::ffff:127.0.0.1: packets to it are of IPv4, and no map of IPv6 sees them. */
static bool is_mapped(const struct ip *ip)
{
	static const unsigned char head[12] = { [10] = 0xff, [11] = 0xff };

	return ip->family == AF_INET6 && memcmp(ip->bytes, head, sizeof(head)) == 0;
}

static struct parts cut(char *text)
{
	struct parts parts = { .container = text, .protocol = strchr(text, '/') };
	char *bracket = text[0] == '[' ? strchr(text, ']') : NULL, *colon;

	if (parts.protocol)
		*parts.protocol++ = '\0';
	if (bracket && bracket[1] == ':') {
		*bracket = '\0';
		parts.ip = text + 1;
		text = parts.container = bracket + 2;
	}
	colon = strrchr(text, ':');
	if (!colon)
		return parts;
	*colon = '\0';
	parts.container = colon + 1;
	parts.host = text;
	if (parts.ip)
		return parts;
	colon = strrchr(text, ':');
	if (colon) {
		*colon = '\0';
		parts.ip = text;
		parts.host = colon + 1;
	} else if (is_ip(text)) { /* IP:CONTAINER */
		parts.ip = text;
		parts.host = NULL;
	}
	return parts;
}

static int check_range(const struct port *port, const char *text, struct error *err)
{
	if (port->count > PORT_SHIFT_MAX && port->host != port->container)
		return error_set(err, -EINVAL,
				 "--publish '%s': a range of more than %u ports has the same "
				 "numbers on both sides",
				 text, PORT_SHIFT_MAX);
	if (port->host && port->host + port->count - 1 > UINT16_MAX)
		return error_set(err, -EINVAL, "--publish '%s': ports end at 65535", text);
	return 0;
}

int port_parse(const char *text, struct port *ret, struct error *err)
{
	autofree char *copy = xstrdup(text);
	struct parts parts = cut(copy);
	struct port port = { .protocol = IPPROTO_TCP };
	uint16_t count = 1;

	if (parts.ip && ip_parse(parts.ip, &port.ip) < 0)
		return error_set(err, -EINVAL, "--publish '%s': '%s' is not an IP address", text,
				 parts.ip);
	if (is_mapped(&port.ip))
		return error_set(err, -EINVAL,
				 "--publish '%s': an IPv4 address in IPv6's form; write it as IPv4",
				 text);
	if (!parse_protocol(parts.protocol, &port.protocol))
		return error_set(err, -EINVAL, "--publish '%s': '%s' is not tcp, udp or sctp", text,
				 parts.protocol);
	if (!parse_range(parts.container, &port.container, &port.count) || port.container == 0)
		return error_set(
			err, -EINVAL,
			"--publish '%s': expected [IP:][HOST:]CONTAINER[/udp], ports 1 to 65535",
			text);
	if (parts.host && *parts.host && !parse_range(parts.host, &port.host, &count))
		return error_set(err, -EINVAL, "--publish '%s': '%s' is not a port", text,
				 parts.host);
	if (parts.host && *parts.host && (port.host || count > 1) && count != port.count)
		return error_set(err, -EINVAL, "--publish '%s': the two ranges differ in length",
				 text);
	*ret = port;
	return check_range(&port, text, err);
}

static char *format_range(uint16_t first, uint16_t count)
{
	return count > 1 ? xasprintf("%u-%u", first, first + count - 1) : xasprintf("%u", first);
}

char *port_format(const struct port *port)
{
	autofree char *host = format_range(port->host, port->count);
	autofree char *container = format_range(port->container, port->count);
	char ip[IP_TEXT_LEN];

	ip_format(&port->ip, ip);
	return xasprintf(port->ip.family == AF_INET6 ? "[%s]:%s->%s/%s" : "%s:%s->%s/%s",
			 ip[0] ? ip : "0.0.0.0", host, container,
			 port_protocol_name(port->protocol));
}

/* "->" to ":", which makes it what a user would have typed. */
int port_parse_formatted(const char *text, struct port *ret, struct error *err)
{
	autofree char *option = xstrdup(text);
	char *arrow = strstr(option, "->");
	int r;

	if (arrow) {
		*arrow = ':';
		memmove(arrow + 1, arrow + 2, strlen(arrow + 2) + 1);
	}
	r = port_parse(option, ret, err);
	if (r == 0 && ip_is_any(&ret->ip) && ret->ip.family == AF_INET)
		ret->ip.family = 0;
	return r;
}
