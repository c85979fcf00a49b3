/* tests/unit/why/test_finals.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/finals.h"

static struct finals *kept(const struct chain *chain, size_t n)
{
	struct finals *f = finals_new(n);

	for (size_t i = 0; i < n; i++) {
		struct digest d = digest_of(&chain->rules[i]);

		if (d.is_final && d.is_exact)
			finals_keep(f, &d);
	}
	return f;
}

/* The number of the rule that takes all that the last one would, 0: none does. */
static unsigned covering(const char *rules)
{
	cleanup(buf_done) struct buf text = BUF_INIT(4000);
	const struct digest *by;
	struct ruleset rs;
	struct digest last;
	struct finals *f;
	struct chain *chain;
	unsigned ret;

	buf_addf(&text, "*filter\n:INPUT DROP [0:0]\n%sCOMMIT\n", rules);
	rules_xt(&rs, buf_text(&text));
	chain = rules_first(&rs)->chain;
	f = kept(chain, chain->n - 1);
	last = digest_of(&chain->rules[chain->n - 1]);
	by = finals_cover(f, &last);
	ret = by ? by->rule->number : 0;
	finals_free(f);
	ruleset_done(&rs);
	return ret;
}

static void the_first_rule_that_takes_all_is_found(void **state)
{
	static const struct {
		const char *rules;
		unsigned by;
	} cases[] = {
		{ "-A INPUT -s 10.1.0.0/16 -j DROP\n-A INPUT -s 10.0.0.0/8 -j DROP\n"
		  "-A INPUT -s 10.2.0.0/24 -j DROP\n",
		  2 },
		{ "-A INPUT -s 10.0.0.0/8 -j DROP\n-A INPUT -s 10.2.0.0/16 -j DROP\n"
		  "-A INPUT -s 10.2.0.0/24 -p tcp -m tcp --dport 80 -j ACCEPT\n",
		  1 },
		{ "-A INPUT -p tcp -m tcp --dport 80 -j DROP\n-A INPUT -p udp -m udp --dport 80 -j DROP\n"
		  "-A INPUT -p udp -m udp --dport 80 -s 10.0.0.1/32 -j DROP\n",
		  2 },
		/* no block: looked at one by one */
		{ "-A INPUT -p tcp -m tcp --dport 1000:1999 -j DROP\n"
		  "-A INPUT -p tcp -m tcp --dport 1500:1600 -j DROP\n",
		  1 },
		{ "-A INPUT -p tcp -m tcp --dport 1024:2047 -j DROP\n"
		  "-A INPUT -p tcp -m multiport --dports 1024,2047 -j DROP\n",
		  1 },
		{ "-A INPUT -p tcp -m tcp --dport 1024:2047 -j DROP\n"
		  "-A INPUT -p tcp -m multiport --dports 1024,2048 -j DROP\n",
		  0 },
		{ "-A INPUT -i eth+ -j DROP\n-A INPUT -i eth7 -s 10.0.0.1/32 -j DROP\n", 1 },
		{ "-A INPUT ! -s 10.0.0.0/24 -j DROP\n-A INPUT ! -s 10.0.0.0/8 -j DROP\n", 1 },
		{ "-A INPUT ! -s 10.0.0.0/8 -j DROP\n-A INPUT ! -s 10.0.0.0/24 -j DROP\n", 0 },
		{ "-A INPUT -m limit --limit 1/sec -j DROP\n-A INPUT -j DROP\n", 0 },
		{ "-A INPUT -s 10.0.0.1/32 -j LOG\n-A INPUT -s 10.0.0.1/32 -j DROP\n", 0 },
		{ "-A INPUT -j DROP\n-A INPUT -j DROP\n", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(covering(cases[i].rules), cases[i].by);
}

/* What a rule before has changed of a packet is not what it was. */
static void what_is_forgotten_covers_no_more(void **state)
{
	const struct digest *by;
	struct ruleset rs;
	struct digest last;
	struct finals *f;
	struct chain *chain;

	(void)state;
	rules_xt(&rs, RULES_XT_INPUT("-A INPUT -m mark --mark 0x1 -j DROP\n"
				     "-A INPUT -p tcp -j DROP\n"
				     "-A INPUT -p tcp -m mark --mark 0x1 -j DROP\n"));
	chain = rules_first(&rs)->chain;
	last = digest_of(&chain->rules[2]);
	f = kept(chain, 2);
	assert_int_equal(finals_cover(f, &last)->rule->number, 1);
	finals_forget(f, 1ULL << FIELD_MARK);
	assert_int_equal(finals_cover(f, &last)->rule->number, 2);
	finals_forget(f, 1ULL << FIELD_PROTOCOL);
	by = finals_cover(f, &last);
	assert_null(by);
	finals_free(f);
	ruleset_done(&rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_takes_all_is_found),
		cmocka_unit_test(what_is_forgotten_covers_no_more),
	};

	return cmocka_run_group_tests_name("why/finals", tests, NULL, NULL);
}
