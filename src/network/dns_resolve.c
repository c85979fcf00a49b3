/* src/network/dns_resolve.c */
#include "network/dns_resolve.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 4096 /* of one name: what a message of 64 KiB holds */

struct addresses {
	const char *text[ADDRESSES_MAX];
	size_t n;
};

static void collect(void *data, const struct dns_endpoint *e)
{
	struct addresses *all = data;

	for (const char *p = e->addresses; *p && all->n < ADDRESSES_MAX; p += strlen(p) + 1)
		all->text[all->n++] = p;
}

/* Clients take the first: in another order each time, the load is shared. */
static void shuffle(struct addresses *all)
{
	for (size_t i = all->n; i > 1; i--) {
		size_t k = arc4random_uniform((uint32_t)i);
		const char *text = all->text[k];

		all->text[k] = all->text[i - 1];
		all->text[i - 1] = text;
	}
}

static void add_address(struct dns_answer *a, uint16_t wanted, const char *text)
{
	uint16_t type = strchr(text, ':') ? ns_t_aaaa : ns_t_a;
	uint8_t bytes[16];

	if (wanted != type && wanted != ns_t_any)
		return;
	if (inet_pton(type == ns_t_a ? AF_INET : AF_INET6, text, bytes) == 1)
		dns_answer_address(a, type, bytes, type == ns_t_a ? 4 : 16);
}

static bool is_host_name(const char *name)
{
	static const char *const names[] = { "host." DNS_DOMAIN, "gateway." DNS_DOMAIN,
					     "host.docker.internal", "gateway.docker.internal",
					     "host.containers.internal" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* In DNS_DOMAIN: cuts it off. */
static bool strip_domain(char *name)
{
	size_t len = strlen(name), tail = sizeof("." DNS_DOMAIN) - 1;

	if (strcmp(name, DNS_DOMAIN) == 0)
		name[0] = '\0';
	else if (len > tail && strcmp(name + len - tail, "." DNS_DOMAIN) == 0)
		name[len - tail] = '\0';
	else
		return false;
	return true;
}

static bool find_name(const struct dns_view *view, char *name, struct addresses *ret)
{
	char *dot;

	if (dns_view_name(view, name, NULL, collect, ret) > 0)
		return true;
	dot = strrchr(name, '.');
	if (!dot)
		return false;
	*dot = '\0';
	if (dns_view_name(view, name, dot + 1, collect, ret) > 0)
		return true;
	*dot = '.';
	return false;
}

static int answer_reverse(const struct dns_zone *zone, const struct dns_view *view,
			  const struct dns_query *query, struct dns_answer *a)
{
	char address[INET6_ADDRSTRLEN], name[NS_MAXDNAME];
	const struct dns_endpoint *e;

	if (!dns_reverse_parse(query->name, address, sizeof(address)))
		return DNS_FORWARD;
	for (size_t i = 0; zone->gateways[i]; i++) {
		if (strcmp(zone->gateways[i], address) == 0) {
			dns_answer_name(a, ns_t_ptr, "host." DNS_DOMAIN);
			return DNS_NODATA;
		}
	}
	e = dns_view_address(view, address);
	if (!e || !*e->names)
		return DNS_FORWARD;
	if (snprintf(name, sizeof(name), "%s." DNS_DOMAIN, e->names) < (int)sizeof(name))
		dns_answer_name(a, ns_t_ptr, name);
	return DNS_NODATA;
}

static int answer_name(const struct dns_zone *zone, const struct dns_view *view,
		       const struct dns_query *query, struct dns_answer *a)
{
	struct addresses all;
	char name[NS_MAXDNAME];
	bool ours;

	all.n = 0;
	if (is_host_name(query->name)) {
		for (size_t i = 0; zone->gateways[i]; i++)
			add_address(a, query->type, zone->gateways[i]);
		return DNS_NODATA;
	}
	memcpy(name, query->name, sizeof(name));
	ours = strip_domain(name);
	if (name[0] && find_name(view, name, &all)) {
		shuffle(&all);
		for (size_t i = 0; i < all.n; i++)
			add_address(a, query->type, all.text[i]);
		return DNS_NODATA;
	}
	if (ours && !name[0])
		return DNS_NODATA; /* the domain itself */
	/* The root's servers, which "dig" asks for, are not a name of a machine. */
	return ours || (query->name[0] && !strchr(query->name, '.')) ? ns_r_nxdomain : DNS_FORWARD;
}

int dns_resolve(const struct dns_zone *zone, const struct dns_view *view,
		const struct dns_query *query, struct dns_answer *a)
{
	int r = DNS_FORWARD;

	if (query->class != ns_c_in || query->type == ns_t_axfr || query->type == ns_t_ixfr)
		return ns_r_refused;
	if (query->type == ns_t_ptr)
		r = answer_reverse(zone, view, query, a);
	if (r == DNS_FORWARD)
		r = answer_name(zone, view, query, a);
	return r == DNS_FORWARD && zone->internal ? ns_r_nxdomain : r;
}
