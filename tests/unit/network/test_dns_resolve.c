/* tests/unit/network/test_dns_resolve.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "network/dns_resolve.h"

static const char names[] = "add red c1 10.0.0.2,fd00::2 web,shared,0123456789ab -\n"
			    "add red c2 10.0.0.3 db,shared,dotted.name -\n"
			    "add blue c3 10.1.0.4 far -\nend\n";

struct asked {
	int rcode;
	unsigned count;
	size_t len;
	uint8_t bytes[DNS_UDP_MAX];
};

static struct asked resolve(const char *name, uint16_t type, bool internal)
{
	struct dns_zone zone = { .records = dns_records_new(),
				 .network = "red",
				 .gateways = { "10.0.0.1", "fd00::1" },
				 .internal = internal };
	struct dns_query q = { .type = type, .class = ns_c_in, .udp_max = DNS_UDP_MAX };
	struct dns_view view;
	struct dns_answer a;
	struct asked asked;

	assert_int_equal(dns_records_apply(zone.records, names, sizeof(names) - 1, NULL), 0);
	view = dns_view_of(zone.records, "red", "10.0.0.2");
	memcpy(q.name, name, strlen(name) + 1);
	dns_answer_init(&a, &q, asked.bytes, sizeof(asked.bytes));
	asked.rcode = dns_resolve(&zone, &view, &q, &a);
	asked.count = a.count;
	asked.len = asked.rcode < 0 ? 0 : dns_answer_finish(&a, asked.rcode);
	dns_records_free(zone.records);
	return asked;
}

static void who_answers_what(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		int rcode;
		unsigned count;
	} cases[] = {
		{ "web", ns_t_a, DNS_NODATA, 1 },
		{ "web", ns_t_aaaa, DNS_NODATA, 1 },
		{ "db", ns_t_aaaa, DNS_NODATA, 0 }, /* it is there, with no such address */
		{ "web", ns_t_mx, DNS_NODATA, 0 },
		{ "web", ns_t_any, DNS_NODATA, 2 },
		{ "shared", ns_t_a, DNS_NODATA, 2 },
		{ "0123456789ab", ns_t_a, DNS_NODATA, 1 },
		{ "dotted.name", ns_t_a, DNS_NODATA, 1 },
		{ "web.red", ns_t_a, DNS_NODATA, 1 },
		{ "web.blue", ns_t_a, DNS_FORWARD, 0 },
		{ "web.strake.internal", ns_t_a, DNS_NODATA, 1 },
		{ "web.red.strake.internal", ns_t_a, DNS_NODATA, 1 },
		{ "far", ns_t_a, ns_r_nxdomain, 0 }, /* another's network */
		{ "far.blue", ns_t_a, DNS_FORWARD, 0 },
		{ "far.strake.internal", ns_t_a, ns_r_nxdomain, 0 },
		{ "strake.internal", ns_t_a, DNS_NODATA, 0 },
		{ "host.strake.internal", ns_t_a, DNS_NODATA, 1 },
		{ "host.docker.internal", ns_t_aaaa, DNS_NODATA, 1 },
		{ "nobody", ns_t_a, ns_r_nxdomain, 0 },
		{ "example.org", ns_t_a, DNS_FORWARD, 0 },
		{ "", ns_t_ns, DNS_FORWARD, 0 },
		{ "2.0.0.10.in-addr.arpa", ns_t_ptr, DNS_NODATA, 1 },
		{ "1.0.0.10.in-addr.arpa", ns_t_ptr, DNS_NODATA, 1 },
		{ "4.0.1.10.in-addr.arpa", ns_t_ptr, DNS_FORWARD, 0 },
		{ "web", ns_t_axfr, ns_r_refused, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct asked asked = resolve(cases[i].name, cases[i].type, false);

		assert_int_equal(asked.rcode, cases[i].rcode);
		assert_int_equal(asked.count, cases[i].count);
		asked = resolve(cases[i].name, cases[i].type, true);
		assert_int_equal(asked.rcode,
				 cases[i].rcode == DNS_FORWARD ? ns_r_nxdomain : cases[i].rcode);
	}
}

/* Of two addresses each comes first in about half of the answers. */
static void several_addresses_are_shuffled(void **state)
{
	unsigned first = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct asked asked = resolve("shared", ns_t_a, false);

		first += asked.bytes[asked.len - 1] == 3;
	}
	assert_in_range(first, 50, 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_answers_what),
		cmocka_unit_test(several_addresses_are_shuffled),
	};

	return cmocka_run_group_tests_name("network/dns_resolve", tests, NULL, NULL);
}
