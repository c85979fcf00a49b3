/* tests/unit/disk/test_network_plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/network_plan.h"

static void what_is_said(void **state)
{
	static const struct {
		const char *text;
		enum network_way way;
		size_t addresses, gateways, dns;
	} cases[] = {
		{ NULL, NETWORK_UNSAID, 0, 0, 0 },
		{ "dhcp", NETWORK_DHCP, 0, 0, 0 },
		{ "none", NETWORK_NONE, 0, 0, 0 },
		{ "dhcp,interface=eth1", NETWORK_DHCP, 0, 0, 0 },
		{ "192.0.2.5/24", NETWORK_STATIC, 1, 0, 0 },
		{ "192.0.2.5/24,gateway=192.0.2.1,dns=192.0.2.53,dns=2001:db8::53", NETWORK_STATIC,
		  1, 1, 2 },
		{ "192.0.2.5/24,2001:db8::5/64,gateway=192.0.2.1,gateway=fe80::1", NETWORK_STATIC,
		  2, 2, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct network_plan plan;

		assert_int_equal(network_plan_parse(cases[i].text, &plan, NULL), 0);
		assert_int_equal(plan.way, cases[i].way);
		assert_int_equal(plan.naddresses, cases[i].addresses);
		assert_int_equal(plan.ngateways, cases[i].gateways);
		assert_int_equal(plan.ndns, cases[i].dns);
	}
}

static void what_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"static",
		"dhcp,gateway=192.0.2.1",
		"192.0.2.5",
		"192.0.2.5/33",
		"192.0.2.5/24,dhcp",
		"192.0.2.5/24,gateway=198.51.100.1",
		"192.0.2.5/24,gateway=",
		"interface=eth0",
		"dhcp,interface=",
		"dhcp,interface=a/b",
		"dhcp,interface=much-too-long-a-name",
		"gateway=192.0.2.1",
		"192.0.2.5/24,dns=1.1.1.1,dns=1.1.1.2,dns=1.1.1.3,dns=1.1.1.4",
		"192.0.2.5/24,,",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct network_plan plan = { .way = NETWORK_NONE };
		struct error err = { 0 };

		assert_int_equal(network_plan_parse(cases[i], &plan, &err), -EINVAL);
		assert_non_null(strstr(err.text, "--network"));
		assert_int_equal(plan.way, NETWORK_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
