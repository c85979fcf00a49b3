/* tests/unit/network/test_table.c - the rules themselves need a kernel: tests/system/network.bats
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "network/network.h"
#include "network/port.h"
#include "network/table.h"

/* What a port becomes, element by element, separated by "; ". */
static void ports_become_elements(void **state)
{
	static const struct {
		const char *port, *to4, *to6, *elements;
	} cases[] = {
		{ "8080:80", "10.0.0.2", NULL, "pub4 { tcp . 8080 : 10.0.0.2 . 80 }" },
		{ "8080:80", "10.0.0.2", "fd00::2",
		  "pub4 { tcp . 8080 : 10.0.0.2 . 80 }; pub6 { tcp . 8080 : fd00::2 . 80 }; "
		  "loop6 { tcp . 8080 : fd00::1 }" },
		{ "127.0.0.1:53:53/udp", "10.0.0.2", "fd00::2",
		  "pub4ip { 127.0.0.1 . udp . 53 : 10.0.0.2 . 53 }" },
		{ "[::1]:53:53/udp", "10.0.0.2", "fd00::2",
		  "pub6ip { ::1 . udp . 53 : fd00::2 . 53 }; loop6 { udp . 53 : fd00::1 }" },
		{ "[::]:7000-7009:7000-7009", "10.0.0.2", "fd00::2",
		  "pub6range { tcp . 7000-7009 : fd00::2 }; "
		  "loop6range { tcp . 7000-7009 : fd00::1 }" },
		{ "0.0.0.0:53:53", "10.0.0.2", "fd00::2", "pub4 { tcp . 53 : 10.0.0.2 . 53 }" },
		{ "1000-1999:1000-1999", "10.0.0.2", NULL,
		  "pub4range { tcp . 1000-1999 : 10.0.0.2 }" },
		{ "[fd00::9]:1-65535:1-65535", "10.0.0.2", "fd00::2",
		  "pub6iprange { fd00::9 . tcp . 1-65535 : fd00::2 }" },
		{ "1000-1001:2000-2001", "10.0.0.2", NULL,
		  "pub4 { tcp . 1000 : 10.0.0.2 . 2000 }; pub4 { tcp . 1001 : 10.0.0.2 . 2001 }" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct table_elements v = { 0 };
		struct table_target to = { .to4 = { 0 } };
		struct port port;
		char all[1000] = "";

		assert_int_equal(port_parse(cases[i].port, &port, NULL), 0);
		assert_int_equal(ip_parse(cases[i].to4, &to.to4), 0);
		if (cases[i].to6)
			assert_int_equal(ip_parse(cases[i].to6, &to.to6), 0);
		assert_int_equal(ip_parse("fd00::1", &to.gateway6), 0);
		table_collect_port(&v, &port, &to, "");
		for (size_t k = 0; k < v.n; k++) {
			autofree char *text = table_element_format(&v.items[k]);
			size_t len = strlen(all);

			(void)snprintf(all + len, sizeof(all) - len, "%s%s", k ? "; " : "", text);
		}
		assert_string_equal(all, cases[i].elements);
		table_elements_done(&v);
	}
}

static bool has(const struct table_elements *v, const char *what)
{
	for (size_t i = 0; i < v->n; i++) {
		autofree char *text = table_element_format(&v->items[i]);

		if (strcmp(text, what) == 0)
			return true;
	}
	return false;
}

/* Nothing may be dropped for the sake of a bridge that is another's. */
static void a_joined_bridge_is_in_no_set_of_links(void **state)
{
	struct network_subnet subnet = { .id = 1 };
	struct network network = {
		.link = "br0", .managed = true, .subnets = &subnet, .nsubnets = 1
	};
	char *peers[] = { (char *)"br1" };
	struct table_elements v = { 0 };

	(void)state;
	assert_int_equal(ip_net_parse("10.0.0.0/24", &subnet.net), 0);
	table_collect_network(&v, &network, peers, 1);
	assert_true(has(&v, "bridges { \"br0\" }"));
	assert_true(has(&v, "peers { \"br1\" . \"br0\" }"));
	assert_true(has(&v, "closed4 { 10.0.0.0/24 }"));
	assert_true(has(&v, "masq4 { 10.0.0.0/24 }"));
	table_elements_done(&v);
	network.managed = false;
	table_collect_network(&v, &network, peers, 1);
	assert_int_equal(v.n, 1);
	assert_true(has(&v, "same4 { 10.0.0.0/24 . 10.0.0.0/24 }"));
	table_elements_done(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_become_elements),
		cmocka_unit_test(a_joined_bridge_is_in_no_set_of_links),
	};

	return cmocka_run_group_tests_name("network/table", tests, NULL, NULL);
}
