/* tests/unit/why/test_words.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/words.h"

static void rules_of_iptables(void **state)
{
	static const struct {
		const char *rule, *words;
	} cases[] = {
		/* A9.3, the article's own rule */
		{ "-p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT",
		  "new or established connections to tcp 80 or 443 are let in" },
		{ "-s 192.0.2.9/32 -j DROP", "packets from 192.0.2.9 are dropped" },
		{ "! -s 10.0.0.0/8 -i eth+ -j DROP",
		  "packets not from 10.0.0.0/8 but arriving on eth* are dropped" },
		{ "-p icmp -m icmp --icmp-type 8 -j REJECT --reject-with icmp-port-unreachable",
		  "icmp packets of type echo-request are refused with icmp-port-unreachable" },
		{ "-j U", "all packets go through chain U" },
		{ "-g U", "all packets go on in chain U" },
		{ "-j RETURN", "all packets are left to the policy" },
		{ "-j LOG --log-prefix \"x\"", "all packets are logged" },
		{ "-p udp -m udp --dport 53 -j MARK --set-xmark 0x1/0xffffffff",
		  "packets to udp 53 get meta mark 0x1" },
		{ "-m bpf --bytecode \"1,6 0 0 0\" -j DROP",
		  "packets (--bytecode 1,6 0 0 0: unknown to strake) are dropped" },
		{ "-p tcp", "tcp packets are counted" },
		{ "-m limit --limit 5/min -j ACCEPT", "packets (--limit 5/min) are let in" },
		{ "-p tcp -m multiport --ports 80 -j DROP",
		  "tcp packets from or to port 80 are dropped" },
		{ "-p tcp -m tcp --tcp-flags SYN,ACK SYN -j DROP",
		  "tcp packets with flags (of syn,ack) syn are dropped" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_done) struct buf words = BUF_INIT(1000), text = BUF_INIT(1000);
		struct ruleset rs;

		buf_addf(&text, "*filter\n:INPUT DROP [0:0]\n:U - [0:0]\n-A INPUT %s\nCOMMIT\n",
			 cases[i].rule);
		rules_xt(&rs, buf_text(&text));
		words_rule(rules_first(&rs), &words);
		assert_string_equal(buf_text(&words), cases[i].words);
		ruleset_done(&rs);
	}
}

static void translation_is_told_as_what_it_does(void **state)
{
	static const struct {
		const char *chain, *rule, *words;
	} cases[] = {
		{ "PREROUTING", "-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080",
		  "packets to tcp 80 are sent on to 10.0.0.1 port 8080" },
		{ "PREROUTING", "-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 81",
		  "packets to tcp 80 are sent to this host itself, port 81" },
		{ "POSTROUTING", "-o eth0 -j MASQUERADE",
		  "packets leaving by eth0 leave as if they came from this host's own address" },
		{ "POSTROUTING", "-j SNAT --to-source 192.0.2.1",
		  "all packets leave as if they came from 192.0.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_done) struct buf words = BUF_INIT(1000), text = BUF_INIT(1000);
		struct ruleset rs;

		buf_addf(&text, "*nat\n:%s ACCEPT [0:0]\n-A %s %s\nCOMMIT\n", cases[i].chain,
			 cases[i].chain, cases[i].rule);
		rules_xt(&rs, buf_text(&text));
		words_rule(rules_first(&rs), &words);
		assert_string_equal(buf_text(&words), cases[i].words);
		ruleset_done(&rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_iptables),
		cmocka_unit_test(translation_is_told_as_what_it_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
