/* tests/unit/why/test_match.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/match.h"

/* The first statement of an INPUT rule, and a packet. */
static void matches_hold_or_not_or_nobody_knows(void **state)
{
	static const struct {
		const char *match, *packet;
		enum answer answer;
	} cases[] = {
		{ "-s 10.0.0.0/8", "in eth0 from 10.1.2.3", ANSWER_YES },
		{ "-s 10.0.0.0/8", "in eth0 from 11.1.2.3", ANSWER_NO },
		{ "-s 10.0.0.0/8", "in eth0", ANSWER_MAYBE },
		{ "! -s 10.0.0.0/8", "in eth0 from 11.1.2.3", ANSWER_YES },
		{ "-i eth+", "in eth7", ANSWER_YES },
		{ "! -i eth+", "in eth7", ANSWER_NO },
		{ "-p tcp", "in eth0 udp", ANSWER_NO },
		{ "-m mark --mark 0x1/0x3", "in eth0 mark 0x5", ANSWER_YES },
		{ "-m mark ! --mark 0x1/0x3", "in eth0 mark 0x5", ANSWER_NO },
		{ "-m conntrack --ctstate NEW,RELATED", "in eth0 state related", ANSWER_YES },
		{ "-m conntrack ! --ctstate NEW,RELATED", "in eth0 state related", ANSWER_NO },
		{ "-m conntrack --ctstate DNAT", "in eth0 state new status dnat", ANSWER_YES },
		{ "-m conntrack --ctstate DNAT", "in eth0 state new", ANSWER_NO },
		{ "-m multiport --ports 80", "in eth0 tcp sport 80 dport 5", ANSWER_YES },
		{ "-m multiport ! --ports 80", "in eth0 tcp sport 80 dport 5", ANSWER_NO },
		{ "-m multiport --dports 80,90:99", "in eth0 tcp dport 95", ANSWER_YES },
		{ "-m multiport --dports 80,90:99", "in eth0 tcp dport 81", ANSWER_NO },
		{ "-m ttl --ttl-eq 64", "in eth0 ttl 63", ANSWER_NO },
		{ "-m set --match-set blocked src", "in eth0", ANSWER_MAYBE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_done) struct buf text = BUF_INIT(1000);
		struct ruleset rs;
		struct packet p;

		buf_addf(&text, "*filter\n:INPUT DROP [0:0]\n-A INPUT %s -j DROP\n",
			 cases[i].match);
		rules_xt(&rs, buf_text(&text));
		rules_packet(cases[i].packet, &p);
		if (match_holds(&p, &rules_first(&rs)->statements[0]) != cases[i].answer)
			fail_msg("%s: %s", cases[i].match, cases[i].packet);
		ruleset_done(&rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(matches_hold_or_not_or_nobody_knows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
