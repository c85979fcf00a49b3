/* tests/unit/network/test_names_port.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../scratch.h"
#include "network/attach.h"
#include "network/names_port.h"
#include "network/network.h"
#include "network/table.h"

/* Gateways on loopback, where anybody may listen; NULL: none. */
static void network_init(struct network *n, struct network_subnet subnets[2], const char *first,
			 const char *second)
{
	const char *const gateways[] = { first, second };

	*n = (struct network) { .name = "net", .subnets = subnets };
	for (size_t i = 0; i < ARRAY_SIZE(gateways) && gateways[i]; i++) {
		subnets[i] = (struct network_subnet) { .id = 0 };
		if (gateways[i][0])
			assert_int_equal(ip_parse(gateways[i], &subnets[i].gateway), 0);
		n->nsubnets++;
	}
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 at;
	socklen_t len = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin6_port);
}

static void one_port_serves_all_gateways(void **state)
{
	static const struct {
		const char *first, *second;
		size_t sockets;
	} cases[] = {
		{ "127.0.0.1", NULL, 2 }, { "127.0.0.1", "127.0.0.2", 4 },
		{ "", "127.0.0.2", 2 }, /* an internal network's subnet may have none */
		{ "", NULL, 0 },          { NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct network_subnet subnets[2];
		struct names_sockets s = { .n = 0 };
		struct network n;

		network_init(&n, subnets, cases[i].first, cases[i].second);
		assert_int_equal(names_sockets_open(&n, 0, &s), 0);
		assert_int_equal(s.n, cases[i].sockets);
		for (size_t k = 0; k < s.n; k++)
			assert_int_equal(port_of(s.fds[k]), s.port);
		names_sockets_close(&s);
		assert_int_equal(s.n, 0);
	}
}

static void the_port_of_before_is_taken_if_it_is_free(void **state)
{
	struct names_sockets first = { .n = 0 }, second = { .n = 0 }, third = { .n = 0 };
	struct network_subnet subnets[2];
	struct network n;

	(void)state;
	network_init(&n, subnets, "127.0.0.1", "127.0.0.2");
	assert_int_equal(names_sockets_open(&n, 0, &first), 0);
	assert_int_equal(names_sockets_open(&n, first.port, &second), 0);
	assert_int_not_equal(second.port, first.port);
	names_sockets_close(&first);
	assert_int_equal(names_sockets_open(&n, first.port, &third), 0);
	assert_int_equal(third.port, first.port);
	names_sockets_close(&second);
	names_sockets_close(&third);
}

static void an_address_that_is_not_here_is_refused(void **state)
{
	struct names_sockets s = { .n = 0 };
	struct network_subnet subnets[2];
	struct network n;

	(void)state;
	network_init(&n, subnets, "192.0.2.1", NULL);
	assert_int_equal(names_sockets_open(&n, 0, &s), -EADDRNOTAVAIL);
	names_sockets_close(&s);
}

/* What is written there is another process's; half of it is nothing. */
static void elements_lead_to_the_port_that_is_noted(void **state)
{
	static const struct {
		const char *noted;
		uint16_t port;
	} cases[] = {
		{ NULL, 0 }, { "", 0 }, { "65536", 0 }, { "12x", 0 }, { "-1", 0 }, { "4053", 4053 },
	};
	const struct network_site site = { .run_root = *state };
	struct network_subnet subnets[2];
	struct network n;

	network_init(&n, subnets, "10.1.0.1", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct table_elements elements = { 0 };

		if (cases[i].noted)
			scratch_put(*state, NAMES_PLACE "/net/" NAMES_PORT_FILE, cases[i].noted);
		assert_int_equal(names_port(&site, &n), cases[i].port);
		names_port_collect(&site, &n, &elements);
		assert_int_equal(elements.n, cases[i].port ? 2 : 0); /* tcp, udp */
		for (size_t k = 0; k < elements.n; k++) {
			autofree char *text = table_element_format(&elements.items[k]);

			assert_non_null(strstr(text, "10.1.0.1"));
			assert_non_null(strstr(text, "4053"));
		}
		table_elements_done(&elements);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_port_serves_all_gateways),
		cmocka_unit_test(the_port_of_before_is_taken_if_it_is_free),
		cmocka_unit_test(an_address_that_is_not_here_is_refused),
		cmocka_unit_test_setup_teardown(elements_lead_to_the_port_that_is_noted,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("network/names_port", tests, NULL, NULL);
}
