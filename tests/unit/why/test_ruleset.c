/* tests/unit/why/test_ruleset.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"

static void hooks_are_in_a_packets_order(void **state)
{
	static const char *const order[] = { "first", "newer", "older" };
	struct ruleset rs;

	(void)state;
	/* Of two at one priority the newer is asked first.  A table that had many rules gives high
	 * numbers to its chains.
	 */
	rules_nft(
		&rs,
		"{\"table\":{\"family\":\"ip\",\"name\":\"t\"}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"older\",\"handle\":1,\"type\":"
		"\"filter\",\"hook\":\"input\",\"prio\":0}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"newer\",\"handle\":70002,\"type\":"
		"\"filter\",\"hook\":\"input\",\"prio\":0}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"first\",\"handle\":70003,\"type\":"
		"\"filter\",\"hook\":\"input\",\"prio\":-5}}");
	assert_int_equal(rs.nhooks[HOOK_INPUT], ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_string_equal(rs.hooks[HOOK_INPUT][i]->name, order[i]);
	ruleset_done(&rs);
}

static void a_chain_is_reached_over_jumps(void **state)
{
	const struct table *t;
	struct ruleset rs;

	(void)state;
	rules_xt(&rs, "*filter\n:INPUT DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n"
		      "-A INPUT -j A\n-A A -g B\n-A C -j C\n");
	t = ruleset_table(&rs, FAMILY_IP, "filter", BACKEND_XT_NFT);
	assert_non_null(t);
	assert_true(table_chain(t, "B")->is_reached);
	assert_false(table_chain(t, "C")->is_reached);
	assert_null(table_chain(t, "D"));
	ruleset_done(&rs);
}

static void inet_is_for_both_families(void **state)
{
	(void)state;
	assert_true(family_has(FAMILY_INET, FAMILY_IP) && family_has(FAMILY_INET, FAMILY_IP6));
	assert_false(family_has(FAMILY_IP, FAMILY_IP6) || family_has(FAMILY_BRIDGE, FAMILY_IP));
}

/* Translation of one family in a table of both: the kernel does not track the other's packets. */
static void tracking_is_of_a_family(void **state)
{
	static const struct {
		const char *rules;
		bool tracks, tracks6;
	} cases[] = {
		{ RULES_NFT_RULE("inet", "{\"dnat\":{\"family\":\"ip\",\"addr\":\"10.0.0.2\"}}"),
		  true, false },
		{ RULES_NFT_RULE("inet", "{\"dnat\":{\"family\":\"ip6\",\"addr\":\"fd00::2\"}}"),
		  false, true },
		{ RULES_NFT_RULE("inet", "{\"masquerade\":null}"), true, true },
		{ RULES_NFT_RULE("ip6", "{\"masquerade\":null}"), false, true },
		{ RULES_NFT_RULE("inet", "{\"accept\":null}"), false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ruleset rs;

		rules_nft(&rs, cases[i].rules);
		assert_int_equal(rs.tracks, cases[i].tracks);
		assert_int_equal(rs.tracks6, cases[i].tracks6);
		ruleset_done(&rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hooks_are_in_a_packets_order),
		cmocka_unit_test(a_chain_is_reached_over_jumps),
		cmocka_unit_test(inet_is_for_both_families),
		cmocka_unit_test(tracking_is_of_a_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
