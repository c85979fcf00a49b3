/* src/network/port.c */
#include "network/port.h"

#include <arpa/inet.h>
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
	if (to < from || to - from >= PORT_RANGE_MAX)
		return false;
	*ret_first = (uint16_t)from;
	*ret_count = (uint16_t)(to - from + 1);
	return true;
}

int port_parse(const char *text, struct port *ret, struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *protocol = strchr(copy, '/'), *container = strrchr(copy, ':'), *host = NULL;
	struct port port = { .protocol = IPPROTO_TCP };
	uint16_t count = 1;

	if (protocol)
		*protocol++ = '\0';
	if (container && protocol && container > protocol)
		container = NULL;
	if (container) {
		*container++ = '\0';
		host = strrchr(copy, ':');
		if (host)
			*host++ = '\0';
		else if (inet_pton(AF_INET, copy, &port.ip) != 1)
			host = copy;
		if (host != copy && inet_pton(AF_INET, copy, &port.ip) != 1)
			return error_set(err, -EINVAL,
					 "--publish '%s': '%s' is not an IPv4 address", text, copy);
	}
	if (!parse_protocol(protocol, &port.protocol))
		return error_set(err, -EINVAL, "--publish '%s': '%s' is not tcp, udp or sctp", text,
				 protocol);
	if (!parse_range(container ? container : copy, &port.container, &port.count) ||
	    port.container == 0)
		return error_set(
			err, -EINVAL,
			"--publish '%s': expected [IP:][HOST:]CONTAINER[/udp], ports 1 to 65535",
			text);
	if (host && *host && !parse_range(host, &port.host, &count))
		return error_set(err, -EINVAL, "--publish '%s': '%s' is not a port", text, host);
	if (host && *host && (port.host || count > 1) && count != port.count)
		return error_set(err, -EINVAL, "--publish '%s': the two ranges differ in length",
				 text);
	*ret = port;
	return 0;
}

char *port_format(const struct port *port)
{
	const char *protocol = port_protocol_name(port->protocol);
	char ip[INET_ADDRSTRLEN];

	(void)inet_ntop(AF_INET, &port->ip, ip, sizeof(ip));
	if (port->count > 1)
		return xasprintf("%s:%u-%u->%u-%u/%s", ip, port->host, port->host + port->count - 1,
				 port->container, port->container + port->count - 1, protocol);
	return xasprintf("%s:%u->%u/%s", ip, port->host, port->container, protocol);
}
