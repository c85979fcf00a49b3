/* src/cni/config_runtime.c - what is of one attachment: capabilities, prevResult, GC's list. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cni/config_read.h"
#include "cni/request.h"
#include "network/lease.h"

#define PORTS_MAX   16384 /* mappings of one container; podman sends a range one by one */
#define VALID_MAX   100000
#define ALIASES_MAX 64

/* ports */

struct mapping {
	const char *ip, *protocol;
	unsigned host, container, count;
};

static void add_mapping(struct config_reading *g, const struct mapping *m)
{
	char range[40] = "", target[24] = "";
	bool v6;

	if (m->count == 0)
		return;
	v6 = strchr(m->ip, ':') != NULL;
	if (m->count > 1) {
		(void)snprintf(range, sizeof(range), "%u-%u", m->host, m->host + m->count - 1);
		(void)snprintf(target, sizeof(target), "%u-%u", m->container,
			       m->container + m->count - 1);
	} else {
		(void)snprintf(range, sizeof(range), "%u", m->host);
		(void)snprintf(target, sizeof(target), "%u", m->container);
	}
	strv_addf(&g->c->publish, "%s%s%s%s%s:%s/%s", v6 ? "[" : "", m->ip, v6 ? "]" : "",
		  m->ip[0] ? ":" : "", range, target, m->protocol);
}

static struct mapping read_mapping(struct config_reading *g, const json_t *obj)
{
	struct mapping m = { .ip = json_read_string(&g->rd, obj, "hostIP", ""),
			     .protocol = json_read_string(&g->rd, obj, "protocol", "tcp"),
			     .host = (unsigned)json_read_int(&g->rd, obj, "hostPort", 1, 65535, 0),
			     .container = (unsigned)json_read_int(&g->rd, obj, "containerPort", 1,
								  65535, 0),
			     .count = 1 };
	struct ip ip = config_ip(g, obj, "hostIP");

	if (g->rd.r < 0)
		return m;
	if (m.host == 0 || m.container == 0)
		json_fail(&g->rd, m.host ? "containerPort" : "hostPort", "is missing");
	if (strcasecmp(m.protocol, "tcp") != 0 && strcasecmp(m.protocol, "udp") != 0 &&
	    strcasecmp(m.protocol, "sctp") != 0)
		json_fail(&g->rd, "protocol", "'%.20s' is none of tcp, udp, sctp", m.protocol);
	m.protocol = m.protocol[0] == 'u' || m.protocol[0] == 'U'   ? "udp"
		     : m.protocol[0] == 's' || m.protocol[0] == 'S' ? "sctp"
								    : "tcp";
	if (ip_is_set(&ip) && ip_is_any(&ip) && ip.family == AF_INET6)
		m.ip = "::";
	return m;
}

/* Neighbours become one range: one element of a set in place of many. */
static void read_ports(struct config_reading *g, const json_t *runtime)
{
	const json_t *list = json_read_array(&g->rd, runtime, "portMappings"), *item;
	struct json_place here = json_enter(&g->rd, "portMappings");
	struct mapping last = { .count = 0 };
	size_t i;

	if (json_array_size(list) > PORTS_MAX)
		json_fail(&g->rd, NULL, "more than %u ports", PORTS_MAX);
	json_array_foreach (list, i, item) {
		struct json_place at = json_enter_index(&g->rd, i);
		struct mapping m = read_mapping(g, item);

		json_leave(&g->rd, at);
		if (g->rd.r < 0)
			break;
		if (last.count > 0 && m.host == last.host + last.count &&
		    m.container == last.container + last.count && m.host == m.container &&
		    strcmp(m.ip, last.ip) == 0 && strcmp(m.protocol, last.protocol) == 0) {
			last.count++;
			continue;
		}
		add_mapping(g, &last);
		last = m;
	}
	if (g->rd.r == 0)
		add_mapping(g, &last);
	json_leave(&g->rd, here);
}

/* addresses */

static void take_address(struct config_reading *g, const char *key, const char *text)
{
	struct ip_net net;

	if (ip_net_parse(text, &net) < 0)
		json_fail(&g->rd, key, "'%.60s' is not an address", text);
	else if (net.ip.family == AF_INET)
		g->c->ip = net.ip;
	else
		g->c->ip6 = net.ip;
}

static void read_ips(struct config_reading *g, const json_t *obj)
{
	struct strv ips = { 0 };

	json_read_strings(&g->rd, obj, "ips", &ips);
	for (size_t i = 0; g->rd.r == 0 && i < ips.n; i++)
		take_address(g, "ips", ips.items[i]);
	strv_done(&ips);
}

static void read_mac(struct config_reading *g, const json_t *obj)
{
	const char *text = json_read_string(&g->rd, obj, "mac", NULL);

	if (!text || !*text)
		return;
	if (mac_parse(text, g->c->mac) < 0)
		json_fail(&g->rd, "mac", "'%.60s' is not a station's address", text);
	else
		g->c->has_mac = true;
}

/* {"NETWORK": ["alias", ...]}, as podman has it */
static void read_aliases(struct config_reading *g, const json_t *runtime)
{
	const json_t *aliases = json_read_object(&g->rd, runtime, "aliases");

	json_read_strings(&g->rd, aliases, g->c->name, &g->c->aliases);
	if (g->c->aliases.n > ALIASES_MAX)
		json_fail(&g->rd, "aliases", "more than %u", ALIASES_MAX);
}

static void read_bandwidth(struct config_reading *g, const json_t *obj)
{
	g->c->rate_down = (uint64_t)json_read_int(&g->rd, obj, "ingressRate", 0, INT64_MAX,
						  (int64_t)g->c->rate_down);
	g->c->rate_up = (uint64_t)json_read_int(&g->rd, obj, "egressRate", 0, INT64_MAX,
						(int64_t)g->c->rate_up);
	ignore_result(json_read_int(&g->rd, obj, "ingressBurst", 0, INT64_MAX, 0));
	ignore_result(json_read_int(&g->rd, obj, "egressBurst", 0, INT64_MAX, 0));
}

/* the rest */

static void read_dns(struct config_reading *g, const json_t *obj)
{
	static const char *const lists[] = { "nameservers", "search", "options" };
	const char *domain = json_read_string(&g->rd, obj, "domain", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct strv words = { 0 };

		json_read_strings(&g->rd, obj, lists[i], &words);
		if (words.n > 0)
			(void)json_object_set_new(g->c->dns, lists[i], json_from_strv(&words));
		strv_done(&words);
	}
	if (domain && *domain)
		(void)json_object_set_new(g->c->dns, "domain", json_string(domain));
}

/* The first form of the specification had the second name. */
static void read_valid(struct config_reading *g, const json_t *doc)
{
	const char *key = json_object_get(doc, "cni.dev/valid-attachments")
				  ? "cni.dev/valid-attachments"
				  : "cni.dev/attachments";
	const json_t *list = json_read_array(&g->rd, doc, key), *item;
	size_t i;

	g->c->has_valid = list != NULL;
	if (json_array_size(list) > VALID_MAX)
		json_fail(&g->rd, key, "more than %u attachments", VALID_MAX);
	json_array_foreach (list, i, item) {
		const char *container = json_need_string(&g->rd, item, "containerID");
		const char *ifname = json_need_string(&g->rd, item, "ifname");

		if (g->rd.r < 0)
			break;
		strv_addf(&g->c->valid, "%s/%s", container, ifname);
	}
}

void config_read_runtime(struct config_reading *g, const json_t *doc)
{
	const json_t *runtime = json_read_object(&g->rd, doc, "runtimeConfig");
	const json_t *args = json_read_object(&g->rd, doc, "args"), *cni;
	struct json_place here;

	cni = json_is_object(json_object_get(args, "cni")) ? json_object_get(args, "cni") : NULL;
	read_bandwidth(g, doc);
	read_dns(g, json_read_object(&g->rd, doc, "dns"));
	read_ips(g, cni);
	read_mac(g, cni);
	here = json_enter(&g->rd, "runtimeConfig");
	read_ports(g, runtime);
	read_ips(g, runtime);
	read_mac(g, runtime);
	read_aliases(g, runtime);
	read_bandwidth(g, json_read_object(&g->rd, runtime, "bandwidth"));
	read_dns(g, json_read_object(&g->rd, runtime, "dns"));
	json_leave(&g->rd, here);
	read_valid(g, doc);
	g->c->previous = json_incref(json_read_object(&g->rd, doc, "prevResult"));
}
