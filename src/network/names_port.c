/* src/network/names_port.c */
#include "network/names_port.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "network/attach.h"
#include "network/network.h"
#include "network/port.h"
#include "network/table.h"

#define DNS_PORT   53
#define PORT_TRIES 32

void names_sockets_close(struct names_sockets *s)
{
	for (size_t i = 0; i < s->n; i++)
		(void)close(s->fds[i]);
	s->n = 0;
}

static int bind_one(const struct ip *ip, int type, struct names_sockets *s)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(s->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	bool is4 = ip->family == AF_INET;
	const struct sockaddr *at = is4 ? (const void *)&four : (const void *)&six;
	socklen_t len = is4 ? sizeof(four) : sizeof(six);
	struct sockaddr_in6 bound = { .sin6_port = 0 };
	socklen_t room = sizeof(bound);
	int fd = socket(ip->family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		return -errno;
	s->fds[s->n++] = fd;
	if (is4)
		memcpy(&four.sin_addr, ip->bytes, 4);
	else
		memcpy(&six.sin6_addr, ip->bytes, 16);
	/* After one that was killed its connections are remembered for a minute. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, at, len) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0) ||
	    getsockname(fd, (struct sockaddr *)&bound, &room) < 0)
		return -errno;
	s->port = ntohs(bound.sin6_port); /* at the same place in both families */
	return 0;
}

static int bind_all(const struct network *network, struct names_sockets *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < network->nsubnets; i++) {
		const struct ip *ip = &network->subnets[i].gateway;

		if (!ip_is_set(ip) || s->n / 2 == NAMES_GATEWAYS_MAX)
			continue;
		r = bind_one(ip, SOCK_DGRAM, s);
		if (r == 0)
			r = bind_one(ip, SOCK_STREAM, s);
	}
	return r;
}

int names_sockets_open(const struct network *network, uint16_t port, struct names_sockets *s)
{
	int r = -EADDRINUSE;

	for (unsigned i = 0; i < PORT_TRIES && r == -EADDRINUSE; i++) {
		names_sockets_close(s);
		s->port = i == 0 ? port : 0;
		r = bind_all(network, s);
	}
	return r;
}

uint16_t names_port(const struct network_site *site, const struct network *network)
{
	autofree char *path =
		xasprintf("%s/" NAMES_PLACE "/%s/" NAMES_PORT_FILE, site->run_root, network->name);
	autofree char *text = NULL;
	uint64_t port = 0;

	if (file_read_at(AT_FDCWD, path, 16, &text, NULL, NULL) < 0 ||
	    number_parse(text, UINT16_MAX, &port) < 0)
		return 0;
	return (uint16_t)port;
}

static void collect(const struct network *network, uint16_t port, struct table_elements *ret)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };

	for (size_t i = 0; port && i < network->nsubnets; i++) {
		const struct ip *ip = &network->subnets[i].gateway;
		const struct table_target to4 = { .to4 = *ip }, to6 = { .to6 = *ip };

		for (size_t k = 0; ip_is_set(ip) && k < ARRAY_SIZE(protocols); k++) {
			const struct port p = { .ip = *ip,
						.host = DNS_PORT,
						.container = port,
						.count = 1,
						.protocol = protocols[k] };

			table_collect_port(ret, &p, ip->family == AF_INET ? &to4 : &to6, "names");
		}
	}
}

void names_port_collect(const struct network_site *site, const struct network *network,
			struct table_elements *ret)
{
	collect(network, names_port(site, network), ret);
}

int names_port_move(const struct network_site *site, const struct network *network, uint16_t from,
		    uint16_t to, struct error *err)
{
	struct table_elements before = { 0 }, after = { 0 };
	char table[NETWORK_TABLE_LEN];
	int r = network_table(site->db, table, err);

	collect(network, from, &before);
	collect(network, to, &after);
	if (r == 0 && from && from != to)
		r = table_remove(table, &before, err);
	if (r == 0 && to)
		r = table_extend(table, &after, err);
	table_elements_done(&before);
	table_elements_done(&after);
	return r;
}
