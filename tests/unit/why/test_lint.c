/* tests/unit/why/test_lint.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/lint.h"

/* A9.11 */
static void bad_rules_are_found(void **state)
{
	static const struct {
		const char *rules;   /* of INPUT and U */
		const char *finding; /* the first that is not "never hit"; "" for none */
	} cases[] = {
		{ "-A INPUT -s 10.0.0.0/8 -j DROP\n-A INPUT -s 10.1.0.0/16 -p tcp -j ACCEPT\n",
		  "can never match: rule 1 takes all that it would" },
		{ "-A INPUT -s 10.1.0.0/16 -j DROP\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\n", "" },
		{ "-A INPUT -j DROP\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\n",
		  "can never match: rule 1 takes everything" },
		{ "-A INPUT -p tcp -j ACCEPT\n-A INPUT -p tcp -j ACCEPT\n",
		  "can never match: it is rule 1 again" },
		{ "-A INPUT -p tcp -j DROP\n-A INPUT -p tcp -j LOG\n",
		  "logs nothing: rule 1 has taken these packets before" },
		{ "-A U -j DROP\n", "no chain and no hook leads here" },
		{ "-A INPUT -i eht0 -j ACCEPT\n", "there is no interface eht0" },
		{ "-A INPUT -i eth+ -j ACCEPT\n", "" },
		{ "-A INPUT -m limit --limit 1/sec -j ACCEPT\n-A INPUT -p tcp -j DROP\n", "" },
		{ "-A INPUT -p tcp -j U\n-A INPUT -p tcp -j DROP\n", "" },
		{ "-A INPUT -m bpf --x 1 -j DROP\n-A INPUT -m bpf --x 1 -j DROP\n", "" },
		{ "-A INPUT -p tcp -m multiport --dports 80,443 -j DROP\n"
		  "-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT\n",
		  "can never match: rule 1 takes all that it would" },
		{ "-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\n"
		  "-A INPUT -m conntrack --ctstate NEW -j DROP\n",
		  "can never match: rule 1 takes all that it would" },
		/* The mark of those that pass is another then. */
		{ "-A INPUT -m mark --mark 0x1 -j ACCEPT\n-A INPUT -j MARK --set-xmark 0x1/0xff\n"
		  "-A INPUT -m mark --mark 0x1 -j DROP\n",
		  "" },
	};
	char *links[] = { (char *)"eth0", (char *)"lo" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_done) struct buf text = BUF_INIT(1000), rules = BUF_INIT(1000);
		bool is_called = strstr(cases[i].rules, "-A U") == NULL;
		struct findings findings;
		struct ruleset rs;

		buf_addf(&rules,
			 "*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n:U - [0:0]\n%s%sCOMMIT\n",
			 cases[i].rules, is_called ? "-A OUTPUT -j U\n" : "");
		rules_xt(&rs, buf_text(&rules));
		lint(&rs, links, ARRAY_SIZE(links), &findings);
		if (findings.n > 0)
			finding_format(&findings.items[0], &text);
		assert_string_equal(buf_text(&text), cases[i].finding);
		findings_done(&findings);
		ruleset_done(&rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bad_rules_are_found) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
