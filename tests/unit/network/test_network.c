/* tests/unit/network/test_network.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/db.h"
#include "base/json.h"
#include "network/attach.h"
#include "network/cni_record.h"
#include "network/inspect.h"
#include "network/network.h"
#include "network/schema.h"

/* The engine's, as far as network/ looks at it. */
static const char *const containers_steps[] = {
	"CREATE TABLE containers (id TEXT PRIMARY KEY, name TEXT)",
	NULL,
};
static const struct db_schema containers_schema = { .module = "engine", .steps = containers_steps };

static void fill(struct db *db, const char *const *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(db_run(db, NULL, rows[i], ""), 0);
}

static struct db *open_db(const char *dir, const struct db_schema *network)
{
	const struct db_schema *const schemas[] = { &containers_schema, network, &cni_record_schema,
						    NULL };
	autofree char *path = xasprintf("%s/state.db", dir);
	struct db *db = NULL;

	assert_int_equal(db_open(path, schemas, &db, NULL), 0);
	return db;
}

static struct db *open_filled(const char *dir)
{
	static const char *const rows[] = {
		"INSERT INTO containers VALUES ('c1', 'web')",
		"INSERT INTO networks VALUES (1, 'bridge', 0, 'strake0', 1, 0, 0, '{}')",
		"INSERT INTO networks VALUES (2, 'empty', 0, 'strake1', 1, 0, 0, '{}')",
		"INSERT INTO networks VALUES (3, 'kept', 0, '', 1, 1, 0, '{\"internal\":true}')",
		("INSERT INTO subnets VALUES (1, 1, 2, '10.120.0.0/20', '10.120.0.1', '10.120.0.1',"
		 " '10.120.15.254', 0)"),
		"INSERT INTO leases VALUES ('c1', 1, 'sk1', 'eth0', '02:53:0a:78:00:02', 0, 0)",
		"INSERT INTO addresses VALUES (1, '10.120.0.2', 1, 2, 'c1')",
		"INSERT INTO ports VALUES (0, '', 6, 8080, 1, 80, 'c1')",
		"INSERT INTO ports VALUES (0, '', 6, 9090, 1, 90, 'gone')",
	};
	struct db *db = open_db(dir, &network_schema);

	fill(db, rows, ARRAY_SIZE(rows));
	return db;
}

static void a_network_is_found_with_its_users(void **state)
{
	cleanup(db_cleanup) struct db *db = open_filled(*state);
	struct network network = { .id = 0 };
	struct error err = { 0 };
	char text[IP_NET_TEXT_LEN];

	assert_int_equal(network_find(db, "bridge", &network, NULL), 0);
	assert_string_equal(network.link, "strake0");
	assert_int_equal(network.users, 1);
	assert_int_equal(network.nsubnets, 1);
	ip_net_format(&network.subnets[0].net, text);
	assert_string_equal(text, "10.120.0.0/20");
	network_done(&network);
	assert_int_equal(network_find(db, "kept", &network, NULL), 0);
	assert_true(network.internal);
	network_done(&network);
	assert_int_equal(network_find(db, "nope", &network, &err), -ENOENT);
	assert_string_equal(err.text, "no network 'nope'; 'strake network ls' lists them");
}

static void one_that_is_used_or_kept_stays(void **state)
{
	cleanup(db_cleanup) struct db *db = open_filled(*state);
	struct strv names = { 0 };

	for (int64_t id = 1; id <= 3; id++)
		assert_int_equal(network_forget(db, id, NULL), 0);
	assert_int_equal(network_names(db, false, &names, NULL), 0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.items[0], "bridge");
	assert_string_equal(names.items[1], "kept");
	strv_done(&names);
}

static void inspect_joins_container_and_ports(void **state)
{
	cleanup(db_cleanup) struct db *db = open_filled(*state);
	cleanup(json_cleanup) json_t *doc = NULL;
	const char *subnet, *gateway, *name, *ip, *port;

	assert_int_equal(network_inspect(db, "bridge", &doc, NULL), 0);
	assert_int_equal(json_unpack(doc, "{s:s, s:s, s:{s:{s:s, s:s, s:[s!]}!}}", "Subnet",
				     &subnet, "Gateway", &gateway, "Containers", "c1", "Name",
				     &name, "IPv4Address", &ip, "Ports", &port),
			 0);
	assert_string_equal(subnet, "10.120.0.0/20");
	assert_string_equal(gateway, "10.120.0.1");
	assert_string_equal(name, "web");
	assert_string_equal(ip, "10.120.0.2");
	assert_string_equal(port, "0.0.0.0:8080->80/tcp");
}

/* A database of the first form, with a container that runs. */
static void an_old_database_migrates(void **state)
{
	static const char *const rows[] = {
		"INSERT INTO networks VALUES (7, 'bridge', 'strake2', 0x0a781000, 20)",
		"INSERT INTO leases VALUES ('aabbccdd11', 7, 0x0a781005, 'sk-aabbccdd11')",
		"INSERT INTO ports VALUES (0, 6, 8080, 1, 80, 'aabbccdd11')",
		"INSERT INTO ports VALUES (0x7f000001, 17, 53, 2, 53, 'aabbccdd11')",
	};
	const char *const old_steps[] = { network_schema.steps[0], NULL };
	const struct db_schema old = { .module = "network", .steps = old_steps };
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	cleanup(db_cleanup) struct db *db = open_db(*state, &old);
	const struct endpoint *e;
	char text[IP_NET_TEXT_LEN];
	autofree char *port = NULL;

	fill(db, rows, ARRAY_SIZE(rows));
	db_close(db);
	db = open_db(*state, &network_schema);
	assert_int_equal(network_lease_read(db, "aabbccdd11", &lease, NULL), 0);
	assert_string_equal(lease.table, "strake-2");
	assert_int_equal(lease.nendpoints, 1);
	e = &lease.endpoints[0];
	assert_string_equal(e->link, "sk-aabbccdd11");
	assert_string_equal(e->network.link, "strake2");
	assert_true(e->network.managed);
	assert_int_equal(e->mac[5], 5);
	ip_net_format(&e->ip, text);
	assert_string_equal(text, "10.120.16.5/20");
	ip_format(&e->gateway, text);
	assert_string_equal(text, "10.120.16.1");
	ip_format(&e->network.subnets[0].last, text);
	assert_string_equal(text, "10.120.31.254");
	assert_int_equal(lease.nports, 2);
	port = port_format(&lease.ports[1]);
	assert_string_equal(port, "127.0.0.1:53-54->53-54/udp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_network_is_found_with_its_users, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(one_that_is_used_or_kept_stays, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(inspect_joins_container_and_ports, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(an_old_database_migrates, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("network/network", tests, NULL, NULL);
}
