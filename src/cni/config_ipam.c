/* src/cni/config_ipam.c - the "ipam" section: subnets, ranges and routes, with host-local's keys.
 *
 * Addresses are managed by us, in the same exec; "type" only says which keys are meant.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cni/config_read.h"

#define SUBNETS_MAX       64 /* of one network; more would be a mistake */
#define ROUTES_MAX        256
#define RESOLV_CONF_MAX   65536
#define SHORTEST_SUBNET_4 30 /* a gateway and a container */
#define SHORTEST_SUBNET_6 126

/* What is given without asking: all but the network's own address, and IPv4's broadcast. */
static void set_range(struct network_subnet *s)
{
	const struct ip first = ip_net_first(&s->net), last = ip_net_last(&s->net);

	s->first = ip_plus(&first, 1);
	s->last = last;
	if (s->net.ip.family == AF_INET)
		s->last.bytes[3] &= 0xfe; /* the last but one */
}

static void place(struct config_reading *g, const json_t *obj, const char *key,
		  const struct ip_net *net, struct ip *ret)
{
	const struct ip ip = config_ip(g, obj, key);

	if (!ip_is_set(&ip))
		return;
	if (ip_net_has(net, &ip))
		*ret = ip;
	else
		json_fail(&g->rd, key, "is not in the subnet");
}

static struct network_subnet *new_subnet(struct config_reading *g, const struct ip_net *net)
{
	struct network *n = &g->c->network;
	unsigned longest = net->ip.family == AF_INET ? SHORTEST_SUBNET_4 : SHORTEST_SUBNET_6;
	struct network_subnet *s;

	if (net->prefix_len == 0 || net->prefix_len > longest) {
		json_fail(&g->rd, "subnet", "/%u is no subnet: expected /1 to /%u", net->prefix_len,
			  longest);
		return NULL;
	}
	if (n->nsubnets == SUBNETS_MAX) {
		json_fail(&g->rd, "subnet", "is one too many: the limit is %u", SUBNETS_MAX);
		return NULL;
	}
	n->subnets = xrealloc(n->subnets, n->nsubnets + 1, sizeof(*n->subnets));
	s = &n->subnets[n->nsubnets++];
	*s = (struct network_subnet) { .net = ip_net_of(net) };
	set_range(s);
	s->gateway = s->first;
	return s;
}

/* {subnet, rangeStart, rangeEnd, gateway} */
static void read_range(struct config_reading *g, const json_t *obj)
{
	const char *text = json_need_string(&g->rd, obj, "subnet");
	struct network_subnet *s;
	struct ip_net net;

	if (g->rd.r < 0)
		return;
	if (ip_net_parse(text, &net) < 0 || !strchr(text, '/')) {
		json_fail(&g->rd, "subnet", "'%.60s' is not an address with /N", text);
		return;
	}
	s = new_subnet(g, &net);
	if (!s)
		return;
	place(g, obj, "gateway", &s->net, &s->gateway);
	place(g, obj, "rangeStart", &s->net, &s->first);
	place(g, obj, "rangeEnd", &s->net, &s->last);
	if (ip_compare(&s->first, &s->last) > 0)
		json_fail(&g->rd, "rangeEnd", "lies before rangeStart");
}

/* Each set of ranges stands for one address; we give one of each family. */
static void read_ranges(struct config_reading *g, const json_t *ipam)
{
	const struct network *n = &g->c->network;
	const json_t *sets = json_read_array(&g->rd, ipam, "ranges"), *set, *range;
	struct json_place here = json_enter(&g->rd, "ranges");
	bool have4 = false, have6 = false;
	size_t i, k;

	json_array_foreach (sets, i, set) {
		struct json_place at = json_enter_index(&g->rd, i);
		size_t first = n->nsubnets;
		bool v6;

		json_array_foreach (set, k, range)
			read_range(g, range);
		if (g->rd.r == 0 && n->nsubnets > first) {
			v6 = n->subnets[first].net.ip.family == AF_INET6;
			if (v6 ? have6 : have4)
				json_fail(&g->rd, NULL, "a container has one address of a family");
			have4 = have4 || !v6;
			have6 = have6 || v6;
		}
		json_leave(&g->rd, at);
	}
	json_leave(&g->rd, here);
}

/* The static plugin's: {"addresses": [{"address": "10.1.0.7/24", "gateway": "10.1.0.1"}]} */
static void read_static(struct config_reading *g, const json_t *ipam)
{
	const json_t *list = json_read_array(&g->rd, ipam, "addresses"), *item;
	struct json_place here = json_enter(&g->rd, "addresses");
	size_t i;

	json_array_foreach (list, i, item) {
		const char *text = json_need_string(&g->rd, item, "address");
		struct network_subnet *s;
		struct ip_net net;

		if (g->rd.r < 0)
			break;
		if (ip_net_parse(text, &net) < 0 || !strchr(text, '/')) {
			json_fail(&g->rd, "address", "'%.60s' is not an address with /N", text);
			break;
		}
		s = new_subnet(g, &net);
		if (!s)
			break;
		s->gateway = (struct ip) { .family = 0 };
		place(g, item, "gateway", &s->net, &s->gateway);
		if (net.ip.family == AF_INET)
			g->c->ip = net.ip;
		else
			g->c->ip6 = net.ip;
	}
	json_leave(&g->rd, here);
}

static bool is_default(const struct ip_net *net)
{
	return net->prefix_len == 0;
}

static void read_route(struct config_reading *g, const json_t *obj)
{
	struct network *n = &g->c->network;
	const char *text = json_need_string(&g->rd, obj, "dst");
	struct network_route route = { .via = config_ip(g, obj, "gw") };
	static const char *const foreign[] = { "mtu", "advmss", "table", "scope" };

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (json_object_get(obj, foreign[i]))
			config_refuse(g, obj, foreign[i]);
	if (g->rd.r < 0)
		return;
	if (ip_net_parse(text, &route.to) < 0) {
		json_fail(&g->rd, "dst", "'%.60s' is not a subnet", text);
		return;
	}
	route.to = ip_net_of(&route.to);
	route.metric = (unsigned)json_read_int(&g->rd, obj, "priority", 0, INT32_MAX, 0);
	if (!ip_is_set(&route.via)) {
		const struct network_subnet *s = network_subnet(n, route.to.ip.family);

		route.via = s ? s->gateway : (struct ip) { .family = 0 };
	}
	if (is_default(&route.to)) /* the gateway's, which every container has anyway */
		return;
	if (!ip_is_set(&route.via)) {
		json_fail(&g->rd, "gw", "is missing, and no subnet of the family has a gateway");
		return;
	}
	n->routes = xrealloc(n->routes, n->nroutes + 1, sizeof(*n->routes));
	n->routes[n->nroutes++] = route;
}

static void read_routes(struct config_reading *g, const json_t *ipam)
{
	const json_t *list = json_read_array(&g->rd, ipam, "routes"), *item;
	struct json_place here = json_enter(&g->rd, "routes");
	size_t i;

	if (json_array_size(list) > ROUTES_MAX)
		json_fail(&g->rd, NULL, "more than %u routes", ROUTES_MAX);
	json_array_foreach (list, i, item) {
		struct json_place at = json_enter_index(&g->rd, i);

		if (g->rd.r < 0)
			break;
		read_route(g, item);
		json_leave(&g->rd, at);
	}
	json_leave(&g->rd, here);
}

static void add_word(json_t *dns, const char *key, const char *word)
{
	json_t *list = json_object_get(dns, key);

	if (!list) {
		list = json_array();
		(void)json_object_set_new(dns, key, list);
	}
	(void)json_array_append_new(list, json_string(word));
}

static void take_resolv_line(char *line, json_t *dns)
{
	char *rest = line, *word, *kind;

	while ((kind = strsep(&rest, " \t")) && !*kind)
		;
	if (!kind)
		return;
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (strcmp(kind, "nameserver") == 0)
			add_word(dns, "nameservers", word);
		else if (strcmp(kind, "search") == 0)
			add_word(dns, "search", word);
		else if (strcmp(kind, "options") == 0)
			add_word(dns, "options", word);
		else if (strcmp(kind, "domain") == 0)
			(void)json_object_set_new(dns, "domain", json_string(word));
	}
}

/* The host's file that tells the result's "dns", as host-local has it. */
static void read_resolv_conf(struct config_reading *g, const json_t *ipam)
{
	const char *path = json_read_string(&g->rd, ipam, "resolvConf", NULL);
	autofree char *text = NULL;
	char *rest, *line;

	if (!path || !*path || g->rd.r < 0)
		return;
	if (file_read_at(AT_FDCWD, path, RESOLV_CONF_MAX, &text, NULL, &g->f->err) < 0) {
		json_fail(&g->rd, "resolvConf", "'%.100s' cannot be read", path);
		return;
	}
	rest = text;
	while ((line = strsep(&rest, "\n")))
		take_resolv_line(line, g->c->dns);
}

void config_read_ipam(struct config_reading *g, const json_t *doc)
{
	const json_t *ipam = json_read_object(&g->rd, doc, "ipam");
	struct json_place here = json_enter(&g->rd, "ipam");
	const char *type = json_read_string(&g->rd, ipam, "type", "strake-cni");

	if (strcmp(type, "strake-cni") != 0 && strcmp(type, "host-local") != 0 &&
	    strcmp(type, "static") != 0 && *type)
		config_refuse(g, ipam, "type");
	if (json_object_get(ipam, "subnet"))
		read_range(g, ipam);
	read_ranges(g, ipam);
	read_static(g, ipam);
	read_routes(g, ipam);
	read_resolv_conf(g, ipam);
	json_leave(&g->rd, here);
}
