/* tests/unit/network/test_network.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/db.h"
#include "base/json.h"
#include "network/network.h"
#include "network/schema.h"

/* The engine's, as far as network_inspect() looks at it. */
static const char *const containers_steps[] = {
	"CREATE TABLE containers (id TEXT PRIMARY KEY, name TEXT)",
	NULL,
};
static const struct db_schema containers_schema = { .module = "engine", .steps = containers_steps };

static struct db *open_filled(const char *dir)
{
	static const struct db_schema *const schemas[] = { &containers_schema, &network_schema,
							   NULL };
	static const char *const rows[] = {
		"INSERT INTO containers VALUES ('c1', 'web')",
		"INSERT INTO networks VALUES (1, 'bridge', 'strake0', 0x0a780000, 20)",
		"INSERT INTO networks VALUES (2, 'empty', 'strake1', 0x0a781000, 20)",
		"INSERT INTO leases VALUES ('c1', 1, 0x0a780002, 'sk1')",
		"INSERT INTO ports VALUES (0, 6, 8080, 1, 80, 'c1')",
		"INSERT INTO ports VALUES (0, 6, 9090, 1, 90, 'gone')",
	};
	autofree char *path = xasprintf("%s/state.db", dir);
	struct db *db = NULL;

	assert_int_equal(db_open(path, schemas, &db, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(db_run(db, NULL, rows[i], ""), 0);
	return db;
}

static void a_network_is_found_with_its_users(void **state)
{
	cleanup(db_cleanup) struct db *db = open_filled(*state);
	struct network network = { .id = 0 };
	struct error err = { 0 };

	assert_int_equal(network_find(db, "bridge", &network, NULL), 0);
	assert_string_equal(network.bridge, "strake0");
	assert_int_equal(network.net.s_addr, htonl(0x0a780000));
	assert_int_equal(network.prefix_len, 20);
	assert_int_equal(network.users, 1);
	assert_int_equal(network_gateway(&network).s_addr, htonl(0x0a780001));
	assert_int_equal(network_find(db, "nope", &network, &err), -ENOENT);
	assert_string_equal(err.text, "no network 'nope'; there are bridge, none and host");
}

static void one_that_is_used_stays(void **state)
{
	cleanup(db_cleanup) struct db *db = open_filled(*state);
	struct strv names = { 0 };

	assert_int_equal(network_delete(db, 1, NULL), 0);
	assert_int_equal(network_delete(db, 2, NULL), 0);
	assert_int_equal(network_names(db, &names, NULL), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.items[0], "bridge");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_network_is_found_with_its_users, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(one_that_is_used_stays, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(inspect_joins_container_and_ports, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("network/network", tests, NULL, NULL);
}
