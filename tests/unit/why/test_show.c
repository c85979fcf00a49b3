/* tests/unit/why/test_show.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/lint.h"
#include "why/show.h"

#define RULES                                                                                      \
	"*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:U - [0:0]\n[3:4] -A INPUT -s "        \
	"10.0.0.0/8 -j U\n[0:0] -A INPUT -p tcp -j ACCEPT\n-A U -j DROP\nCOMMIT\n"

static void the_order_is_a_packets(void **state)
{
	autofree char *text = NULL;
	struct findings findings;
	struct ruleset rs;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	rules_xt(&rs, RULES);
	lint(&rs, NULL, 0, &findings);
	show_text(&rs, &findings, to);
	(void)fclose(to);
	assert_string_equal(
		text,
		"== packets\ninput: what is for this host\n"
		"      0  table ip filter, chain INPUT, policy drop   [iptables, an administrator]\n"
		"       1  packets from 10.0.0.0/8 go through chain U  [3 packets, 4 bytes]\n"
		"          -A INPUT -s 10.0.0.0/8 -j U\n"
		"       2  tcp packets are let in  [never hit]\n"
		"          -A INPUT -p tcp -j ACCEPT\n"
		"          what no rule takes is dropped\n\n"
		"forward: what goes on to another\n"
		"      0  table ip filter, chain FORWARD, policy accept   [iptables, an "
		"administrator]\n"
		"          what no rule takes may go on\n\n"
		"chains that rules go through\n"
		"         table ip filter, chain U   [iptables, an administrator]\n"
		"       1  all packets are dropped\n"
		"          -A U -j DROP\n\n");
	findings_done(&findings);
	ruleset_done(&rs);
}

static void programs_get_the_same(void **state)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	const json_t *rule;
	struct findings findings;
	struct ruleset rs;

	(void)state;
	rules_xt(&rs, RULES);
	lint(&rs, NULL, 0, &findings);
	doc = show_json(&rs, &findings);
	assert_int_equal(json_integer_value(json_object_get(doc, "schema")), SHOW_SCHEMA);
	rule = json_array_get(
		json_object_get(json_array_get(json_object_get(doc, "hooks"), 0), "rules"), 1);
	assert_string_equal(json_string_value(json_object_get(rule, "words")),
			    "tcp packets are let in");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(rule, "findings"), 0), "kind")),
			    "never-hit");
	findings_done(&findings);
	ruleset_done(&rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_a_packets),
		cmocka_unit_test(programs_get_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
