/* src/network/scene_ports.c */
#include "network/scene_ports.h"

#include <arpa/nameser.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "kernel/nft.h"
#include "network/holder.h"
#include "network/port.h"
#include "network/table.h"

static void take_port(struct scene_ports *ports, const struct port *port, const struct ip *to)
{
	struct scene_port *p;

	VEC_GROW(ports->items, ports->n, ports->room);
	p = &ports->items[ports->n++];
	*p = (struct scene_port) { .host = port->host,
				   .target = port->container,
				   .count = port->count,
				   .protocol = port->protocol };
	ip_format(&port->ip, p->ip);
	ip_format(to, p->to);
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
	struct table_elements elements = { 0 };
	size_t n = 0;
	int r = table && table[0] ? table_list(table, &elements) : 0;

	for (size_t i = 0; i < elements.n; i++) {
		struct port port;
		struct ip to;

		if (table_element_port(&elements.items[i], &port, &to))
			take_port(ret, &port, &to);
	}
	table_elements_done(&elements);
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
	const struct nft_set set = { .name = set_name, .key_len = IF_NAMESIZE };
	struct search search = { .name = link };

	return nft_list_elements(table, &set, compare_name, &search) == 0 && search.found;
}

void scene_segment_remark(const char *table, const char *bridge, struct strv *ret)
{
	if (table && set_has(table, "internal", bridge))
		strv_add(ret, "internal: no way out");
	else if (table && set_has(table, "bridges", bridge))
		strv_add(ret, "NAT on the way out");
}

void scene_service_remark(const struct scene_port *port, struct strv *ret)
{
	const struct port held = { .protocol = port->protocol };
	bool names = port->host == NAMESERVER_PORT;
	autofree char *text = NULL;
	char holder[64];

	holder_name(&held, port->target, holder, sizeof(holder));
	holder[strcspn(holder, " ")] = '\0'; /* without its process */
	text = xasprintf("%s: %s", names ? "names" : "service", holder);
	if (strv_has(ret, text)) /* UDP and TCP */
		return;
	strv_add(ret, text);
	strv_addf(ret, "%u ▶ %u", port->host, port->target);
}
