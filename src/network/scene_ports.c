/* src/network/scene_ports.c */
#include "network/scene_ports.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "kernel/nft.h"
#include "network/table.h"

static void take_port(void *data, const struct port *port, struct in_addr to)
{
	struct scene_ports *ports = data;
	struct scene_port *p;

	VEC_GROW(ports->items, ports->n, ports->room);
	p = &ports->items[ports->n++];
	*p = (struct scene_port) { .host = port->host,
				   .target = port->container,
				   .count = port->count,
				   .protocol = port->protocol };
	if (port->ip.s_addr)
		(void)inet_ntop(AF_INET, &port->ip, p->ip, sizeof(p->ip));
	(void)inet_ntop(AF_INET, &to, p->to, sizeof(p->to));
}

static int compare(const void *left, const void *right)
{
	const struct scene_port *a = left, *b = right;
	int r = strcmp(a->to, b->to);

	if (r == 0)
		r = strcmp(a->ip, b->ip);
	if (r == 0)
		r = a->protocol - b->protocol;
	return r ? r : a->host - b->host;
}

static bool continues(const struct scene_port *a, const struct scene_port *b)
{
	return strcmp(a->to, b->to) == 0 && strcmp(a->ip, b->ip) == 0 &&
	       a->protocol == b->protocol && a->host + a->count == b->host &&
	       a->target + a->count == b->target;
}

int scene_ports_read(const char *table, struct scene_ports *ret, struct error *err)
{
	size_t n = 0;
	int r = table ? table_list_ports(table, take_port, ret) : 0;

	if (r == -ENOENT)
		r = 0;
	if (r < 0)
		return error_sys(err, r, "list nftables table inet %s", table);
	if (ret->n > 0)
		qsort(ret->items, ret->n, sizeof(*ret->items), compare);
	for (size_t i = 1; i < ret->n; i++) {
		struct scene_port *last = &ret->items[n];

		if (continues(last, &ret->items[i]))
			last->count = (uint16_t)(last->count + ret->items[i].count);
		else
			ret->items[++n] = ret->items[i];
	}
	ret->n = MIN(ret->n, n + 1);
	return 0;
}

static char *numbers(uint16_t first, uint16_t count)
{
	return count > 1 ? xasprintf("%u-%u", first, first + count - 1) : xasprintf("%u", first);
}

char *scene_port_from(const struct scene_port *port)
{
	autofree char *range = numbers(port->host, port->count);
	bool v6 = strchr(port->ip, ':');

	return xasprintf("%s%s%s%s%s/%s", v6 ? "[" : "", port->ip, v6 ? "]" : "",
			 port->ip[0] ? ":" : "", range, port_protocol_name(port->protocol));
}

char *scene_port_to(const struct scene_port *port)
{
	autofree char *range = numbers(port->target, port->count);
	bool v6 = strchr(port->to, ':');

	return xasprintf("%s%s%s:%s", v6 ? "[" : "", port->to, v6 ? "]" : "", range);
}

/* remarks */

struct search {
	const char *name;
	bool found;
};

static void compare_name(void *data, const struct nft_element *e)
{
	struct search *search = data;

	search->found = search->found || strcmp((const char *)e->key, search->name) == 0;
}

static bool set_has(const char *table, const char *set_name, const char *link)
{
	const struct nft_set set = { .name = set_name };
	struct search search = { .name = link };

	return nft_list_elements(table, &set, compare_name, &search) == 0 && search.found;
}

char *scene_segment_remark(const char *table, const char *bridge)
{
	if (!table)
		return NULL;
	if (set_has(table, "internal", bridge))
		return xstrdup("internal: no way out");
	if (set_has(table, "bridges", bridge))
		return xstrdup("NAT on the way out");
	return NULL;
}
