/* tests/unit/base/test_ip.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ip.h"

static struct ip_net net_of(const char *text)
{
	struct ip_net net;

	assert_int_equal(ip_net_parse(text, &net), 0);
	return net;
}

static void subnets_have_a_first_and_a_last_address(void **state)
{
	static const struct {
		const char *net, *first, *last;
	} cases[] = {
		{ "10.120.16.5/20", "10.120.16.0", "10.120.31.255" },
		{ "10.0.0.1/32", "10.0.0.1", "10.0.0.1" },
		{ "10.0.0.1", "10.0.0.1", "10.0.0.1" },
		{ "1.2.3.4/0", "0.0.0.0", "255.255.255.255" },
		{ "fd00:1::7/64", "fd00:1::", "fd00:1::ffff:ffff:ffff:ffff" },
		{ "fd00::f/121", "fd00::", "fd00::7f" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ip_net net = net_of(cases[i].net);
		const struct ip first = ip_net_first(&net), last = ip_net_last(&net);
		char text[IP_TEXT_LEN];

		ip_format(&first, text);
		assert_string_equal(text, cases[i].first);
		ip_format(&last, text);
		assert_string_equal(text, cases[i].last);
		assert_true(ip_net_has(&net, &first));
		assert_true(ip_net_has(&net, &last));
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"10.0.0.0/33",
		"10.0.0.0/",
		"10.0.0/8",
		"fd00::/129",
		"fd00:::1",
		"1.2.3.4/8x",
		"1.2.3.4/-1",
		" 1.2.3.4",
		"1.2.3.4 ",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_net net;

		assert_int_equal(ip_net_parse(cases[i], &net), -EINVAL);
	}
}

static void overlap_goes_both_ways(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlaps;
	} cases[] = {
		{ "10.0.0.0/8", "10.1.2.0/24", true },     { "10.1.2.0/24", "10.1.3.0/24", false },
		{ "10.0.0.0/8", "fd00::/8", false },       { "fd00::/8", "fdff::/64", true },
		{ "0.0.0.0/0", "192.0.2.1/32", true },     { "10.120.0.0/20", "10.120.15.9", true },
		{ "10.120.0.0/20", "10.120.16.0", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ip_net a = net_of(cases[i].a), b = net_of(cases[i].b);

		assert_int_equal(ip_net_overlaps(&a, &b), cases[i].overlaps);
		assert_int_equal(ip_net_overlaps(&b, &a), cases[i].overlaps);
	}
}

static void distance_is_what_plus_undoes(void **state)
{
	static const struct {
		const char *from, *to;
		uint64_t distance;
	} cases[] = {
		{ "10.0.0.0", "10.0.1.4", 260 },
		{ "10.0.255.255", "10.1.0.0", 1 },
		{ "fd00::", "fd00::1:0", 65536 },
		{ "fd00::", "fd00::8000:0:0:0", 1ULL << 63 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip from, to, sum;

		assert_int_equal(ip_parse(cases[i].from, &from), 0);
		assert_int_equal(ip_parse(cases[i].to, &to), 0);
		assert_true(ip_distance(&from, &to) == cases[i].distance);
		sum = ip_plus(&from, cases[i].distance);
		assert_true(ip_equal(&sum, &to));
		assert_true(ip_distance(&to, &from) == UINT64_MAX);
	}
}

static void link_local_is_what_the_kernel_makes(void **state)
{
	const unsigned char mac[6] = { 0x02, 0x53, 0x0a, 0x78, 0x00, 0x01 };
	struct ip_net net = ip_link_local(mac);
	char text[IP_NET_TEXT_LEN];

	(void)state;
	ip_net_format(&net, text);
	assert_string_equal(text, "fe80::53:aff:fe78:1/64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subnets_have_a_first_and_a_last_address),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(overlap_goes_both_ways),
		cmocka_unit_test(distance_is_what_plus_undoes),
		cmocka_unit_test(link_local_is_what_the_kernel_makes),
	};

	return cmocka_run_group_tests_name("base/ip", tests, NULL, NULL);
}
