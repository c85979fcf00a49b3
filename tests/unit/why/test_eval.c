/* tests/unit/why/test_eval.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/eval.h"

static enum outcome outcome_of(const char *rules, const char *packet)
{
	struct ruleset rs;
	struct packet p;
	struct check check;
	enum outcome outcome;

	rules_xt(&rs, rules);
	rules_packet(packet, &p);
	check_run(&rs, &p, NULL, &check);
	outcome = check.outcome;
	check_done(&check);
	ruleset_done(&rs);
	return outcome;
}

static void packets_end_where_the_rules_say(void **state)
{
	static const struct {
		const char *rules, *packet;
		enum outcome outcome;
	} cases[] = {
		{ "*filter\n:INPUT ACCEPT [0:0]\n", "in eth0", OUTCOME_DELIVERED },
		{ "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n",
		  "in eth0 tcp to 10.0.0.1:80", OUTCOME_DELIVERED },
		{ "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n",
		  "in eth0 tcp to 10.0.0.1:81", OUTCOME_DROPPED },
		/* A9.4, A9.5: RETURN in a built-in chain is the policy; a chain falls through */
		{ "*filter\n:INPUT DROP [0:0]\n-A INPUT -j RETURN\n-A INPUT -j ACCEPT\n", "in eth0",
		  OUTCOME_DROPPED },
		{ "*filter\n:INPUT ACCEPT [0:0]\n:U - [0:0]\n:V - [0:0]\n-A U -j V\n-A U -j DROP\n"
		  "-A V -j RETURN\n-A INPUT -j U\n",
		  "in eth0", OUTCOME_DROPPED },
		{ "*filter\n:INPUT ACCEPT [0:0]\n:U - [0:0]\n:V - [0:0]\n-A U -g V\n-A U -j DROP\n"
		  "-A INPUT -j U\n",
		  "in eth0", OUTCOME_DELIVERED },
		/* A9.6: accepted in one table is not accepted in the next; dropped in one is
		   dropped */
		{ "*mangle\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n*filter\n:INPUT ACCEPT "
		  "[0:0]\n-A INPUT -j DROP\n",
		  "in eth0", OUTCOME_DROPPED },
		{ "*mangle\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n*filter\n:INPUT ACCEPT "
		  "[0:0]\n-A INPUT -j ACCEPT\n",
		  "in eth0", OUTCOME_DROPPED },
		/* A9.8 */
		{ "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n",
		  "in eth0 state established", OUTCOME_DELIVERED },
		{ "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j NOTRACK\nCOMMIT\n*filter\n:INPUT "
		  "DROP [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n",
		  "in eth0 state established", OUTCOME_DROPPED },
		/* only the first packet is translated by rules */
		{ "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DNAT --to-destination 10.0.0.2\n"
		  "COMMIT\n*filter\n:FORWARD DROP [0:0]\n",
		  "in eth0 to 192.0.2.1", OUTCOME_DROPPED },
		{ "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DNAT --to-destination 10.0.0.2\n"
		  "COMMIT\n*filter\n:FORWARD DROP [0:0]\n",
		  "in eth0 to 192.0.2.1 state established", OUTCOME_DELIVERED },
		/* A5.9: PREROUTING is not for local packets */
		{ "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DNAT --to-destination 10.0.0.2\n"
		  "COMMIT\n*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -d 10.0.0.2/32 -j DROP\n",
		  "out eth0 to 192.0.2.1", OUTCOME_SENT },
		{ "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j REJECT --reject-with icmp-net-unreachable\n",
		  "in eth0", OUTCOME_REFUSED },
		{ "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i eth0 ! -o br+ -j DROP\n",
		  "in eth0 out br0", OUTCOME_FORWARDED },
		/* what a packet has not cannot match, with or without a "!" */
		{ "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp ! --dport 80 -j DROP\n",
		  "in eth0 icmp", OUTCOME_DELIVERED },
		/* A9.7: nothing is guessed */
		{ "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m bpf --x 1 -j DROP\n", "in eth0",
		  OUTCOME_UNKNOWN },
		{ "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m bpf --x 1 -j ACCEPT\n", "in eth0",
		  OUTCOME_DELIVERED },
		{ "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.0.0.1/32 -j DROP\n", "in eth0",
		  OUTCOME_UNKNOWN },
		{ "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m limit --limit 1/sec -j DROP\n",
		  "in eth0", OUTCOME_UNKNOWN },
		{ "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j STRANGE\n", "in eth0",
		  OUTCOME_UNKNOWN },
		/* chains that go round */
		{ "*filter\n:INPUT ACCEPT [0:0]\n:U - [0:0]\n-A U -g U\n-A INPUT -j U\n", "in eth0",
		  OUTCOME_UNKNOWN },
		{ "*filter\n:INPUT ACCEPT [0:0]\n:U - [0:0]\n-A U -j U\n-A INPUT -j U\n", "in eth0",
		  OUTCOME_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (outcome_of(cases[i].rules, cases[i].packet) != cases[i].outcome)
			fail_msg("case %zu: %s", i,
				 outcome_name(outcome_of(cases[i].rules, cases[i].packet)));
}

static void translation_changes_what_later_rules_see(void **state)
{
	struct world w = { 0 };
	struct error err = { 0 };
	struct ruleset rs;
	struct packet p;
	struct check check;

	(void)state;
	assert_int_equal(world_add_route(&w, "10.0.0.0/8=br0", &err), 0);
	rules_xt(&rs,
		 "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp "
		 "-m tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80\nCOMMIT\n*filter\n"
		 ":FORWARD DROP [0:0]\n-A FORWARD -d 10.0.0.2/32 -o br0 -p tcp -m tcp --dport 80 "
		 "-m conntrack --ctstate DNAT -j ACCEPT\n");
	rules_packet("in eth0 tcp from 192.0.2.9:5 to 192.0.2.1:8080", &p);
	check_run(&rs, &p, &w, &check);
	assert_int_equal(check.outcome, OUTCOME_FORWARDED);
	assert_int_equal(check.ndoubts, 0);
	assert_true(check.path.packet.value[FIELD_IP_DADDR] == 0x0a000002);
	assert_true(check.path.packet.value[FIELD_DPORT] == 80);
	check_done(&check);
	ruleset_done(&rs);
	world_done(&w);
}

#define REFUSAL(type) RULES_NFT_RULE("inet", "{\"reject\":{\"type\":\"" type "\"}}")

/* An ICMP of one family refuses that family alone, though nft(8) does not say so. */
static void refusals_are_of_a_family(void **state)
{
	static const struct {
		const char *rules, *packet;
		enum outcome outcome;
	} cases[] = {
		{ REFUSAL("icmpv6"), "in eth0 tcp to 10.0.0.1:80", OUTCOME_DROPPED },
		{ REFUSAL("icmpv6"), "in eth0 tcp to [fd00::1]:80", OUTCOME_REFUSED },
		{ REFUSAL("icmp"), "in eth0 tcp to [fd00::1]:80", OUTCOME_DROPPED },
		{ REFUSAL("icmp"), "in eth0 tcp to 10.0.0.1:80", OUTCOME_REFUSED },
		{ REFUSAL("icmpx"), "in eth0 tcp to 10.0.0.1:80", OUTCOME_REFUSED },
		{ RULES_NFT_RULE("inet", "{\"match\":{\"op\":\"==\",\"left\":{\"ct\":{\"key\":"
					 "\"ip6 saddr\",\"dir\":\"original\"}},\"right\":"
					 "\"fd00::2\"}},{\"accept\":null}"),
		  "in eth0 tcp from fd00::2 to [fd00::1]:80", OUTCOME_DELIVERED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ruleset rs;
		struct packet p;
		struct check check;

		rules_nft(&rs, cases[i].rules);
		rules_packet(cases[i].packet, &p);
		check_run(&rs, &p, NULL, &check);
		assert_int_equal(check.outcome, cases[i].outcome);
		check_done(&check);
		ruleset_done(&rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_end_where_the_rules_say),
		cmocka_unit_test(refusals_are_of_a_family),
		cmocka_unit_test(translation_changes_what_later_rules_see),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
