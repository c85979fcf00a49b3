/* tests/unit/network/test_dns_upstream.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../scratch.h"
#include "base/buf.h"
#include "network/dns_upstream.h"

static const char *const ours[] = { "10.0.0.1", NULL };

static void assert_servers(const struct dns_servers *servers, const char *want)
{
	struct buf text = BUF_INIT(1000);

	for (size_t i = 0; i < servers->n; i++) {
		char address[INET6_ADDRSTRLEN];

		assert_true(dns_address_format(&servers->list[i], address));
		buf_addf(&text, "%s ", address);
	}
	assert_string_equal(buf_text(&text), want);
	buf_done(&text);
}

static void servers_are_found_in_a_resolv_conf(void **state)
{
	static const struct {
		const char *text, *servers;
	} cases[] = {
		{ "", "" },
		{ "nameserver 127.0.0.53\noptions edns0\nsearch example.org\n", "127.0.0.53 " },
		{ "# nameserver 1.1.1.1\n;nameserver 2.2.2.2\nnameserver\t192.0.2.1 \r\n",
		  "192.0.2.1 " },
		{ "nameserver fe80::1%lo\nnameserver 2001:db8::53", "fe80::1 2001:db8::53 " },
		{ "nameserver 10.0.0.1\nnameserver 192.0.2.1\n", "192.0.2.1 " },
		{ "nameserver 1.2.3\nnameserver\nnameservers 1.2.3.4\nnameserver 1.2.3.4.5\n", "" },
		{ "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n",
		  "1.1.1.1 2.2.2.2 3.3.3.3 " },
	};
	struct dns_servers servers;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		dns_servers_parse(cases[i].text, ours, &servers);
		assert_servers(&servers, cases[i].servers);
	}
}

static void a_changed_file_is_read_again_a_second_later(void **state)
{
	autofree char *path = xasprintf("%s/resolv.conf", (const char *)*state);
	struct dns_conf conf = { .path = path };

	scratch_put(*state, "resolv.conf", "nameserver 192.0.2.1\n");
	assert_servers(dns_conf_servers(&conf, ours, 5000), "192.0.2.1 ");
	scratch_put(*state, "resolv.conf", "nameserver 192.0.2.22\n");
	assert_servers(dns_conf_servers(&conf, ours, 5500), "192.0.2.1 ");
	assert_servers(dns_conf_servers(&conf, ours, 6000), "192.0.2.22 ");
	assert_int_equal(unlink(path), 0);
	assert_servers(dns_conf_servers(&conf, ours, 7000), "127.0.0.1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_found_in_a_resolv_conf),
		cmocka_unit_test_setup_teardown(a_changed_file_is_read_again_a_second_later,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("network/dns_upstream", tests, NULL, NULL);
}
