/* src/cni/result.c */
#include "cni/result.h"

static json_t *text_of_ip(const struct ip *ip)
{
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	return json_string(text);
}

static json_t *text_of_net(const struct ip_net *net)
{
	char text[IP_NET_TEXT_LEN];

	ip_net_format(net, text);
	return json_string(text);
}

/* The list of the previous result, to which ours is appended. */
static json_t *list_of(const json_t *previous, const char *key)
{
	const json_t *list = json_object_get(previous, key);

	return json_is_array(list) ? json_deep_copy(list) : json_array();
}

static void add_links(const struct cni_result *result, enum cni_version version, json_t *list)
{
	for (size_t i = 0; i < result->nlinks; i++) {
		const struct cni_result_link *link = &result->links[i];
		json_t *doc = json_pack("{s:s, s:s}", "name", link->name, "mac", link->mac);

		if (link->sandbox)
			(void)json_object_set_new(doc, "sandbox", json_string(link->sandbox));
		if (version >= CNI_1_1_0 && link->mtu)
			(void)json_object_set_new(doc, "mtu", json_integer(link->mtu));
		(void)json_array_append_new(list, doc);
	}
}

static void add_ip(const struct ip_net *net, const struct ip *gateway, enum cni_version version,
		   size_t interface, json_t *list)
{
	json_t *doc;

	if (!ip_is_set(&net->ip))
		return;
	doc = json_pack("{s:o, s:i}", "address", text_of_net(net), "interface", (int)interface);
	if (version < CNI_1_0_0)
		(void)json_object_set_new(doc, "version",
					  json_string(net->ip.family == AF_INET ? "4" : "6"));
	if (ip_is_set(gateway))
		(void)json_object_set_new(doc, "gateway", text_of_ip(gateway));
	(void)json_array_append_new(list, doc);
}

static void add_default(const struct ip *gateway, json_t *list)
{
	if (ip_is_set(gateway))
		(void)json_array_append_new(
			list, json_pack("{s:s, s:o}", "dst",
					gateway->family == AF_INET ? "0.0.0.0/0" : "::/0", "gw",
					text_of_ip(gateway)));
}

static void add_routes(const struct cni_result *result, enum cni_version version, json_t *list)
{
	if (!result->no_default) {
		add_default(&result->gateway, list);
		add_default(&result->gateway6, list);
	}
	for (size_t i = 0; result->network && i < result->network->nroutes; i++) {
		const struct network_route *route = &result->network->routes[i];
		json_t *doc = json_pack("{s:o, s:o}", "dst", text_of_net(&route->to), "gw",
					text_of_ip(&route->via));

		if (version >= CNI_1_1_0 && route->metric)
			(void)json_object_set_new(doc, "priority", json_integer(route->metric));
		(void)json_array_append_new(list, doc);
	}
}

json_t *cni_result_format(const struct cni_result *result, const struct cni_config *config)
{
	json_t *links = list_of(config->previous, "interfaces");
	json_t *ips = list_of(config->previous, "ips");
	json_t *routes = list_of(config->previous, "routes");
	const json_t *dns = config->dns;
	size_t last;

	add_links(result, config->version, links);
	last = json_array_size(links) - 1;
	add_ip(&result->ip, &result->gateway, config->version, last, ips);
	add_ip(&result->ip6, &result->gateway6, config->version, last, ips);
	add_routes(result, config->version, routes);
	if (json_object_size(dns) == 0 && json_is_object(json_object_get(config->previous, "dns")))
		dns = json_object_get(config->previous, "dns");
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "cniVersion",
			 cni_version_name(config->version), "interfaces", links, "ips", ips,
			 "routes", routes, "dns", json_deep_copy(dns));
}

json_t *cni_result_failure(enum cni_version version, const struct cni_failure *f)
{
	return json_pack("{s:s, s:i, s:s}", "cniVersion", cni_version_name(version), "code",
			 (int)f->code, "msg", f->err.text);
}

json_t *cni_result_versions(enum cni_version version)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < CNI_VERSION_COUNT; i++)
		(void)json_array_append_new(list,
					    json_string(cni_version_name((enum cni_version)i)));
	return json_pack("{s:s, s:o}", "cniVersion", cni_version_name(version), "supportedVersions",
			 list);
}
