/* src/cni/config.c */
#include "cni/config.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cni/config_read.h"
#include "cni/request.h"
#include "network/driver.h"
#include "network/lease.h"

#define MTU_MAX 65535

static const char *const versions[CNI_VERSION_COUNT] = {
	[CNI_0_3_0] = "0.3.0", [CNI_0_3_1] = "0.3.1", [CNI_0_4_0] = "0.4.0",
	[CNI_1_0_0] = "1.0.0", [CNI_1_1_0] = "1.1.0",
};

const char *cni_version_name(enum cni_version version)
{
	return versions[version];
}

enum cni_version cni_version_find(const char *name)
{
	for (unsigned i = 0; i < CNI_VERSION_COUNT; i++)
		if (strcmp(versions[i], name) == 0)
			return (enum cni_version)i;
	return CNI_VERSION_COUNT;
}

void cni_config_done(struct cni_config *c)
{
	free(c->name);
	free(c->root);
	free(c->run_root);
	network_done(&c->network);
	strv_done(&c->publish);
	strv_done(&c->aliases);
	strv_done(&c->valid);
	json_decref(c->dns);
	json_decref(c->previous);
	*c = (struct cni_config) { .name = NULL };
}

void config_refuse(struct config_reading *g, const json_t *obj, const char *key)
{
	autofree char *value = NULL;
	struct json_place here;

	if (g->rd.r < 0)
		return;
	value = json_dumps(json_object_get(obj, key), JSON_COMPACT | JSON_ENCODE_ANY);
	here = json_enter(&g->rd, key);
	g->rd.r = cni_fail(g->f, CNI_UNSUPPORTED, -EOPNOTSUPP, "%s: %.100s is not supported",
			   g->rd.path, value ? value : "?");
	json_leave(&g->rd, here);
}

struct ip config_ip(struct config_reading *g, const json_t *obj, const char *key)
{
	const char *text = json_read_string(&g->rd, obj, key, NULL);
	struct ip_net net = { .ip.family = 0 };

	if (text && *text && ip_net_parse(text, &net) < 0) {
		json_fail(&g->rd, key, "'%.60s' is not an address", text);
		net.ip.family = 0;
	}
	return net.ip;
}

/* Whether ipam.routes has a default route of its own. */
static bool routes_by_default(const json_t *doc)
{
	const json_t *list = json_object_get(json_object_get(doc, "ipam"), "routes"), *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *to = json_string_value(json_object_get(item, "dst"));

		if (to && (strcmp(to, "0.0.0.0/0") == 0 || strcmp(to, "::/0") == 0))
			return true;
	}
	return false;
}

/* What the bridge plugin can and we do not; false, 0 and "" ask for nothing. */
static void refuse_foreign(struct config_reading *g, const json_t *doc)
{
	static const char *const keys[] = { "vlan", "vlanTrunk", "promiscMode", "macspoofchk",
					    "disableContainerInterface" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const json_t *value = json_object_get(doc, keys[i]);

		if (json_is_true(value) || json_integer_value(value) != 0 ||
		    json_array_size(value) > 0)
			config_refuse(g, doc, keys[i]);
	}
	/* A network has a gateway here; whether containers get a default route by it is another
	 * thing.
	 */
	if (json_is_false(json_object_get(doc, "isGateway")))
		config_refuse(g, doc, "isGateway");
}

static void read_link(struct config_reading *g, const json_t *doc, const char *key)
{
	struct network *n = &g->c->network;
	const char *name = json_read_string(&g->rd, doc, key, "");

	if (*name && !interface_name_is_valid(name))
		json_fail(&g->rd, key, "'%.60s' is not a name for a link", name);
	else
		(void)snprintf(n->link, sizeof(n->link), "%.15s", name);
}

static void read_driver(struct config_reading *g, const json_t *doc)
{
	struct network *n = &g->c->network;
	const char *driver = json_read_string(&g->rd, doc, "driver", "bridge");
	const char *mode = json_read_string(&g->rd, doc, "mode", NULL);

	if (driver_parse(driver, &n->driver) < 0)
		json_fail(&g->rd, "driver", "'%.60s' is none of bridge, macvlan, ipvlan", driver);
	else if (n->driver != NETWORK_BRIDGE && driver_mode_parse(n->driver, mode, &n->mode) < 0)
		json_fail(&g->rd, "mode", "'%.60s' is no mode of %s", mode ? mode : "", driver);
	read_link(g, doc, n->driver == NETWORK_BRIDGE ? "bridge" : "master");
	if (n->driver != NETWORK_BRIDGE && !n->link[0])
		json_fail(&g->rd, "master", "is missing: what the %s stands on", driver);
	n->managed = n->driver == NETWORK_BRIDGE;
}

static void read_isolation(struct config_reading *g, const json_t *doc)
{
	static const struct {
		const char *name;
		enum network_isolation isolation;
	} words[] = {
		{ "published", ISOLATE_PUBLISHED },
		{ "strict", ISOLATE_STRICT },
		{ "open", ISOLATE_OPEN },
	};
	const char *word = json_read_string(&g->rd, doc, "isolation", "published");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].name, word) != 0)
			continue;
		g->c->network.isolation = words[i].isolation;
		return;
	}
	json_fail(&g->rd, "isolation", "'%.60s' is none of published, strict, open", word);
}

static void read_network(struct config_reading *g, const json_t *doc)
{
	struct network *n = &g->c->network;
	const char *name = json_read_string(&g->rd, doc, "network", g->c->name);

	if (!cni_name_is_valid(name) || strlen(name) >= sizeof(n->name))
		json_fail(&g->rd, "network", "'%.60s' is not a name for a network", name);
	else
		(void)snprintf(n->name, sizeof(n->name), "%s", name);
	read_driver(g, doc);
	read_isolation(g, doc);
	n->internal = json_read_bool(&g->rd, doc, "internal", false);
	n->icc_off = json_read_bool(&g->rd, doc, "portIsolation", false);
	n->routed = !json_read_bool(&g->rd, doc, "ipMasq", true);
	n->default_off =
		!json_read_bool(&g->rd, doc, "isDefaultGateway", true) && !routes_by_default(doc);
	n->dns_off = !json_read_bool(&g->rd, doc, "names", false);
	n->mtu = (unsigned)json_read_int(&g->rd, doc, "mtu", 0, MTU_MAX, 0);
	g->c->ipv6 = json_read_bool(&g->rd, doc, "ipv6", false);
	refuse_foreign(g, doc);
	config_read_ipam(g, doc);
	/* Without a word on what it is, it is one that "strake network create" made. */
	g->c->own = !json_object_get(doc, "network") || n->nsubnets > 0 || n->link[0];
}

static void read_root(struct config_reading *g, const json_t *doc, const char *key, char **ret)
{
	const char *path = json_read_string(&g->rd, doc, key, NULL);

	if (path && path[0] != '/')
		json_fail(&g->rd, key, "'%.60s' is not an absolute path", path);
	*ret = xstrdup_or_null(path);
}

static void read_version(struct config_reading *g, const json_t *doc)
{
	const char *name = json_read_string(&g->rd, doc, "cniVersion", "");

	g->c->version = cni_version_find(name);
	if (g->rd.r == 0 && g->c->version == CNI_VERSION_COUNT) {
		g->c->version = CNI_1_1_0;
		g->rd.r = cni_fail(g->f, CNI_VERSION, -EPROTONOSUPPORT,
				   "cniVersion '%.60s': this plugin speaks 0.3.0 to 1.1.0", name);
	}
}

static void read_all(struct config_reading *g, const json_t *doc)
{
	const char *name;

	g->c->dns = json_object();
	read_version(g, doc);
	name = json_need_string(&g->rd, doc, "name");
	if (!cni_name_is_valid(name))
		json_fail(&g->rd, "name", "'%.60s' is not a name for a network", name);
	g->c->name = xstrdup(name);
	read_root(g, doc, "root", &g->c->root);
	read_root(g, doc, "runRoot", &g->c->run_root);
	read_network(g, doc);
	config_read_runtime(g, doc);
}

int cni_config_parse(const char *bytes, size_t len, struct cni_config *ret, struct cni_failure *f)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct cni_config c = { .version = CNI_1_1_0 };
	struct config_reading g = { .f = f, .c = &c };
	int r;

	if (len > CNI_CONFIG_MAX)
		return cni_fail(f, CNI_DECODE, -EFBIG, "the configuration is larger than %u bytes",
				CNI_CONFIG_MAX);
	r = json_load_bytes(bytes, len, "the configuration", &doc, &f->err);
	if (r == 0 && !json_is_object(doc))
		r = error_set(&f->err, -EBADMSG, "the configuration is not an object");
	if (r < 0) {
		f->code = CNI_DECODE;
		return r;
	}
	json_reader_init(&g.rd, "configuration", &f->err);
	read_all(&g, doc);
	if (g.rd.r < 0) {
		if (f->code == CNI_OK)
			f->code = CNI_CONFIG;
		cni_config_done(&c);
		return g.rd.r;
	}
	*ret = c;
	return 0;
}
