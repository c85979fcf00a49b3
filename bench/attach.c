/* bench/attach.c - a container's place in a network and back, without the container.
 *
 * Usage: attach floor|ours|detach|fill|drain ...; bench/network says how.
 *	floor NETNS LINK ADDRESS PORT: the bare netlink messages for a namespace, a cable into
 *strake0, an address, a route and one element of the map: what any program must send ours ROOT ID
 *NETNS PORT: what 'strake run' does for it: rows, then all of the above detach ROOT ID NETNS: what
 *the end of a run does fill ROOT N FIRST-PORT PORTS NETWORKS: N containers with so many ports
 *together, spread over that many networks; the first is "bridge" drain ROOT: all of them are
 *detached, one after the other
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/db.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/route.h"
#include "network/attach.h"
#include "network/create.h"
#include "network/port.h"
#include "network/cni_record.h"
#include "network/schema.h"
#include "network/table.h"

static const char *const containers_steps[] = {
	"CREATE TABLE containers (id TEXT PRIMARY KEY, name TEXT)",
	NULL,
};
static const struct db_schema containers_schema = { .module = "engine", .steps = containers_steps };

static int give_up(const struct error *err)
{
	(void)fprintf(stderr, "attach: %s\n", err->text);
	return 1;
}

static int floor_attach(char **argv, struct error *err)
{
	struct table_elements elements = { 0 };
	struct netns ns = NETNS_INIT;
	struct veth veth = { .name = argv[1],
			     .peer = "eth0",
			     .bridge = "strake0",
			     .peer_index = 2,
			     .netns = argv[0],
			     .mac = { 2, 0x53, 1, 1, 1, 1 } };
	struct ip_net address;
	struct route route = { .index = 0 };
	struct port port;
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	if (ip_net_parse(argv[2], &address) < 0 || port_parse(argv[3], &port, err) < 0 ||
	    ip_parse("10.120.0.1", &route.via) < 0)
		return -EINVAL;
	table_collect_port(&elements, &port, &(struct table_target) { .to4 = address.ip }, "");
	if (r == 0)
		r = netns_create(argv[0], &ns, err);
	veth.netns_fd = ns.fd;
	veth.bridge_index = link_index(&nl, "strake0");
	if (r == 0)
		r = link_add_veth(&nl, &veth, err);
	if (r == 0)
		r = link_set_up(ns.nl, 1, "lo", "", err);
	if (r == 0)
		r = address_add(ns.nl, 2, "eth0", &address, "", err);
	if (r == 0)
		r = link_set_up(ns.nl, 2, "eth0", "", err);
	if (r == 0)
		r = route_add(ns.nl, &route, "", err);
	return r < 0 ? r : table_extend("strake", &elements, err);
}

static int site_open(const char *root, struct network_site *ret, struct error *err)
{
	static const struct db_schema *const schemas[] = { &containers_schema, &network_schema,
							   &cni_record_schema, NULL };
	static struct nft_door door; /* closed by the end of the process, as a command does */
	autofree char *path = xasprintf("%s/state.db", root);
	char *run_root = xasprintf("%s/run", root); /* the process's to the end */

	(void)mkdir(run_root, 0755);

	*ret = (struct network_site) { .root_fd = open(root, O_DIRECTORY | O_CLOEXEC),
				       .run_root = run_root,
				       .libexec = getenv("STRAKE_LIBEXEC"),
				       .nft = &door };
	return db_open(path, schemas, &ret->db, err);
}

static int attach(const struct network_site *site, const char *id, const char *netns,
		  const char *network, const struct strv *publish, struct error *err)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	const struct endpoint_request endpoint = { .network = network };
	const struct network_request req = {
		.id = id, .name = id, .endpoints = &endpoint, .nendpoints = 1, .publish = publish
	};
	int r = db_begin(site->db, err);

	if (r == 0)
		r = network_reserve(site, &req, &lease, err);
	if (r == 0)
		r = db_commit(site->db, err);
	return r < 0 ? r : network_attach(site, &lease, netns, ATTACH_NEW, err);
}

static int make_networks(const struct network_site *site, unsigned n, struct error *err)
{
	const struct network_options options = { .driver = NULL };
	int r = 0;

	for (unsigned i = 1; r == 0 && i < n; i++) {
		autofree char *name = xasprintf("n%u", i);

		r = network_create(site, name, &options, err);
	}
	return r;
}

static int fill(const struct network_site *site, char **argv, struct error *err)
{
	unsigned networks = (unsigned)strtoul(argv[4], NULL, 10);
	unsigned n = (unsigned)strtoul(argv[1], NULL, 10),
		 port = (unsigned)strtoul(argv[2], NULL, 10);
	unsigned ports = (unsigned)strtoul(argv[3], NULL, 10), each = n ? (ports + n - 1) / n : 0;
	int r = make_networks(site, networks, err);

	for (unsigned i = 0; r == 0 && i < n; i++) {
		autofree char *network =
			i % networks ? xasprintf("n%u", i % networks) : xstrdup("bridge");
		autofree char *id = xasprintf("%08x", 0x10000000U + i);
		autofree char *netns = xasprintf("%s/%s", argv[0], id);
		struct strv publish = { 0 };

		/* Not as a range: each is an element of its own. */
		for (unsigned k = 0; k < each && ports > 0; k++, ports--, port++)
			strv_addf(&publish, "%u:80", port);
		r = attach(site, id, netns, network, &publish, err);
		strv_done(&publish);
	}
	return r;
}

static int drain(const struct network_site *site, const char *root, struct error *err)
{
	struct strv ids = { 0 };
	struct db_rows rows;
	int r = db_query(site->db, &rows, err, "SELECT DISTINCT container FROM leases", "");

	while (r == 0 && db_next(&rows))
		strv_add(&ids, db_text(&rows, 0));
	if (r == 0)
		r = db_finish(&rows);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		autofree char *netns = xasprintf("%s/%s", root, ids.items[i]);

		r = network_detach(site, ids.items[i], netns, err);
	}
	strv_done(&ids);
	return r;
}

int main(int argc, char **argv)
{
	struct network_site site = { .db = NULL };
	struct error err = { 0 };
	struct strv publish = { 0 };
	int r = -EINVAL;

	(void)snprintf(err.text, sizeof(err.text), "what?");
	if (argc == 6 && strcmp(argv[1], "floor") == 0)
		return floor_attach(argv + 2, &err) < 0 ? give_up(&err) : 0;
	if (argc < 3)
		return give_up(&err);
	r = site_open(argv[2], &site, &err);
	if (r == 0 && argc == 6 && strcmp(argv[1], "ours") == 0) {
		if (argv[5][0])
			strv_add(&publish, argv[5]);
		r = attach(&site, argv[3], argv[4], "bridge", &publish, &err);
	} else if (r == 0 && argc == 5 && strcmp(argv[1], "detach") == 0) {
		r = network_detach(&site, argv[3], argv[4], &err);
	} else if (r == 0 && argc == 7 && strcmp(argv[1], "fill") == 0) {
		r = fill(&site, argv + 2, &err);
	} else if (r == 0 && argc == 3 && strcmp(argv[1], "drain") == 0) {
		r = drain(&site, argv[2], &err);
	}
	strv_done(&publish);
	db_close(site.db);
	return r < 0 ? give_up(&err) : 0;
}
