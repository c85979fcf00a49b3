/* Lines of /proc/net/nf_conntrack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "lab/connections.h"

static void both_ways_of_a_connection_are_read(void **state)
{
	static const struct {
		const char *line, *protocol, *from, *to, *back_from, *back_to;
		bool translated;
	} cases[] = {
		{ "ipv4     2 icmp     1 29 src=172.18.0.10 dst=203.0.113.9 type=8 code=0 id=7 "
		  "src=203.0.113.9 dst=203.0.113.1 type=0 code=0 id=7 mark=0 zone=0 use=2",
		  "icmp", "172.18.0.10", "203.0.113.9", "203.0.113.9", "203.0.113.1", true },
		{ "ipv4     2 tcp      6 110 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=4000 dport=80 "
		  "src=10.0.0.2 dst=10.0.0.1 sport=80 dport=4000 [ASSURED] mark=0 use=1",
		  "tcp", "10.0.0.1:4000", "10.0.0.2:80", "10.0.0.2:80", "10.0.0.1:4000", false },
		{ "ipv6     10 udp      17 20 src=fd00::1 dst=fd00::2 sport=9 dport=53 [UNREPLIED] "
		  "src=fd00::2 dst=fd00::1 sport=53 dport=9 mark=0 use=1",
		  "udp", "fd00::1:9", "fd00::2:53", "fd00::2:53", "fd00::1:9", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct connection c;

		assert_true(connection_parse(cases[i].line, &c));
		assert_string_equal(c.protocol, cases[i].protocol);
		assert_string_equal(c.from, cases[i].from);
		assert_string_equal(c.to, cases[i].to);
		assert_string_equal(c.back_from, cases[i].back_from);
		assert_string_equal(c.back_to, cases[i].back_to);
		assert_int_equal(c.translated, cases[i].translated);
	}
}

static void other_lines_are_none(void **state)
{
	static const char *const lines[] = { "", "ipv4", "ipv4 2 icmp 1 29 src=x dst=y src=x dst=y",
					     "ipv4 2 icmp 1 29 src=10.0.0.1 dst=10.0.0.2" };
	struct connection c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_false(connection_parse(lines[i], &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_of_a_connection_are_read),
		cmocka_unit_test(other_lines_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
