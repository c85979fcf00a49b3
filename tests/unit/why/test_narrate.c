/* tests/unit/why/test_narrate.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/eval.h"
#include "why/narrate.h"

static void a_way_is_told_step_by_step(void **state)
{
	autofree char *text = NULL;
	struct ruleset rs;
	struct packet p;
	struct check check;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	rules_xt(&rs,
		 "*filter\n:INPUT DROP [0:0]\n:U - [0:0]\n-A INPUT -j U\n-A U -p udp -j DROP\n");
	rules_packet("in eth0 tcp from 10.0.0.1:5 to 10.0.0.2:80", &p);
	check_run(&rs, &p, NULL, &check);
	narrate_text(&check, &p, to);
	(void)fclose(to);
	assert_string_equal(
		text,
		"10.0.0.1:5 > 10.0.0.2:80 tcp, in eth0\n"
		"  1  prerouting\n"
		"  2    connection tracking: new\n"
		"  3  routed: it is for this host\n"
		"  4  input\n"
		"  5    table ip filter, chain INPUT (priority 0, iptables, an administrator)\n"
		"  6      rule 1: all packets go through chain U\n"
		"           -A INPUT -j U\n"
		"  7        end of chain U: no verdict, back to INPUT after rule 1\n"
		"  8      end of INPUT, policy drop   <== here\n"
		"verdict: dropped by the policy of table ip filter, chain INPUT (iptables, an "
		"administrator)\n");
	assert_int_equal(narrate_status(&check), 3);
	check_done(&check);
	ruleset_done(&rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_way_is_told_step_by_step) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
