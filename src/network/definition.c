/* src/network/definition.c */
#include "network/definition.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "network/network.h"

#define MTU_MAX    65535
#define METRIC_MAX 2147483647

static const struct {
	const char *name;
	enum network_isolation isolation;
} isolations[] = {
	{ "true", ISOLATE_PUBLISHED },
	{ "strict", ISOLATE_STRICT },
	{ "false", ISOLATE_OPEN },
};

const char *isolation_name(int isolation)
{
	for (size_t i = 0; i < ARRAY_SIZE(isolations); i++)
		if ((int)isolations[i].isolation == isolation)
			return isolations[i].name;
	return "?";
}

int isolation_parse(const char *text, int *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(isolations); i++) {
		if (strcmp(isolations[i].name, text) != 0)
			continue;
		*ret = (int)isolations[i].isolation;
		return 0;
	}
	return -EINVAL;
}

static json_t *format_routes(const struct network *network)
{
	json_t *list = json_array();

	for (size_t i = 0; i < network->nroutes; i++) {
		const struct network_route *route = &network->routes[i];
		char to[IP_NET_TEXT_LEN], via[IP_TEXT_LEN];

		ip_net_format(&route->to, to);
		ip_format(&route->via, via);
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:i}", "to", to, "via", via,
							    "metric", (int)route->metric));
	}
	return list;
}

json_t *definition_format(const struct network *n)
{
	json_t *doc = json_pack("{s:b, s:b, s:b, s:b, s:b, s:s, s:i, s:i, s:s}", "internal",
				n->internal, "iccOff", n->icc_off, "routed", n->routed,
				"masqueradeOff", n->masquerade_off, "dnsOff", n->dns_off, "isolate",
				isolation_name((int)n->isolation), "mtu", (int)n->mtu, "mode",
				(int)n->mode, "interface", n->interface);

	(void)json_object_set_new(doc, "defaultOff", json_boolean(n->default_off));
	(void)json_object_set_new(doc, "peers", json_from_strv(&n->peers));
	(void)json_object_set_new(doc, "dns", json_from_strv(&n->dns));
	(void)json_object_set_new(doc, "labels", json_from_strv(&n->labels));
	(void)json_object_set_new(doc, "opts", json_from_strv(&n->opts));
	(void)json_object_set_new(doc, "routes", format_routes(n));
	return doc;
}

static void parse_route(struct json_reader *rd, const json_t *item, struct network_route *route)
{
	if (ip_net_parse(json_need_string(rd, item, "to"), &route->to) < 0)
		json_fail(rd, "to", "is not a subnet");
	if (ip_parse(json_need_string(rd, item, "via"), &route->via) < 0)
		json_fail(rd, "via", "is not an address");
	route->metric = (unsigned)json_read_int(rd, item, "metric", 0, METRIC_MAX, 0);
}

static void parse_routes(struct json_reader *rd, const json_t *doc, struct network *n)
{
	const json_t *list = json_read_array(rd, doc, "routes"), *item;
	struct json_place place = json_enter(rd, "routes");
	size_t i;

	if (json_array_size(list) > 0)
		n->routes = xcalloc(json_array_size(list), sizeof(*n->routes));
	json_array_foreach (list, i, item) {
		struct json_place at = json_enter_index(rd, i);

		parse_route(rd, item, &n->routes[n->nroutes++]);
		json_leave(rd, at);
	}
	json_leave(rd, place);
}

int definition_parse(const json_t *doc, const char *what, struct network *n, struct error *err)
{
	struct json_reader rd;
	int isolation = ISOLATE_PUBLISHED;

	json_reader_init(&rd, what, err);
	n->internal = json_read_bool(&rd, doc, "internal", false);
	n->icc_off = json_read_bool(&rd, doc, "iccOff", false);
	n->routed = json_read_bool(&rd, doc, "routed", false);
	n->masquerade_off = json_read_bool(&rd, doc, "masqueradeOff", false);
	n->dns_off = json_read_bool(&rd, doc, "dnsOff", false);
	n->default_off = json_read_bool(&rd, doc, "defaultOff", false);
	n->mtu = (unsigned)json_read_int(&rd, doc, "mtu", 0, MTU_MAX, 0);
	n->mode = (unsigned)json_read_int(&rd, doc, "mode", 0, UINT16_MAX, 0);
	if (isolation_parse(json_read_string(&rd, doc, "isolate", "true"), &isolation) < 0)
		json_fail(&rd, "isolate", "is not true, strict or false");
	n->isolation = (enum network_isolation)isolation;
	(void)snprintf(n->interface, sizeof(n->interface), "%s",
		       json_read_string(&rd, doc, "interface", ""));
	json_read_strings(&rd, doc, "peers", &n->peers);
	json_read_strings(&rd, doc, "dns", &n->dns);
	json_read_strings(&rd, doc, "labels", &n->labels);
	json_read_strings(&rd, doc, "opts", &n->opts);
	parse_routes(&rd, doc, n);
	return rd.r;
}
