/* tests/unit/why/test_nft_read.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"

static void rules_are_written_as_nft_does(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{ "{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"tcp\",\"field\":"
		  "\"dport\"}},\"right\":{\"set\":[22,{\"range\":[80,90]}]}}},{\"accept\":null}",
		  "tcp dport { 22, 80-90 } accept" },
		{ "{\"match\":{\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"state\"}},\"right\":["
		  "\"established\",\"related\"]}},{\"accept\":null}",
		  "ct state established,related accept" },
		{ "{\"match\":{\"op\":\"!=\",\"left\":{\"payload\":{\"protocol\":\"ip\",\"field\":"
		  "\"saddr\"}},\"right\":{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}}}},{\"drop\":"
		  "null}",
		  "ip saddr != 10.0.0.0/8 drop" },
		{ "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"right\":"
		  "\"eth*\"}},{\"reject\":{\"type\":\"tcp reset\"}}",
		  "iifname \"eth*\" reject with tcp reset" },
		{ "{\"limit\":{\"rate\":5,\"burst\":5,\"per\":\"second\"}},{\"log\":{\"prefix\":\"x\"}}",
		  "limit rate 5/second log prefix \"x\"" },
		{ "{\"vmap\":{\"key\":{\"ct\":{\"key\":\"state\"}},\"data\":{\"set\":[[\"new\",{"
		  "\"accept\":null}]]}}}",
		  "ct state vmap { new : accept }" },
		{ "{\"mangle\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"value\":{\"|\":[{\"meta\":{"
		  "\"key\":\"mark\"}},16]}}}",
		  "meta mark set meta mark | 16" },
		{ "{\"something\":{\"of\":\"tomorrow\"}}", "something {\"of\":\"tomorrow\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_done) struct buf list = BUF_INIT(1U << 16);
		struct ruleset rs;

		buf_addf(&list,
			 "%s,{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"in\","
			 "\"handle\":9,\"expr\":[%s]}}",
			 RULES_NFT_TABLE("inet"), cases[i].json);
		rules_nft(&rs, buf_text(&list));
		assert_string_equal(rules_first(&rs)->text, cases[i].text);
		assert_int_equal(rules_first(&rs)->handle, 9);
		ruleset_done(&rs);
	}
}

static void what_is_not_known_is_kept_as_unknown(void **state)
{
	struct ruleset rs;

	(void)state;
	rules_nft(&rs, RULES_NFT_RULE("inet", "{\"something\":{\"of\":\"tomorrow\"}}"));
	assert_int_equal(rules_first(&rs)->statements[0].kind, STATEMENT_UNKNOWN);
	ruleset_done(&rs);
	rules_nft(&rs, RULES_NFT_RULE("inet",
				      "{\"match\":{\"op\":\"<\",\"left\":{\"numgen\":{\"mod\":10}},"
				      "\"right\":5}}"));
	assert_int_equal(rules_first(&rs)->statements[0].selectors[0].field, FIELD_UNKNOWN);
	ruleset_done(&rs);
	rules_nft(&rs, RULES_NFT_RULE("inet", "{\"xt\":{\"type\":\"match\",\"name\":\"bpf\"}}"));
	assert_true(rules_first(&rs)->is_foreign);
	ruleset_done(&rs);
}

static void mistakes_are_named_with_their_place(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{ "5", "rules: nftables[0]: expected an object" },
		{ "{\"table\":{\"family\":\"ipx\",\"name\":\"t\"}}",
		  "rules: nftables[0].table.family: 'ipx' is no family" },
		{ "{\"chain\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"c\"}}",
		  "rules: nftables[0].chain.table: there is no table ip t before it" },
		{ RULES_NFT_RULE("ip", "{\"match\":{\"op\":\"~\",\"left\":{},\"right\":1}}"),
		  "rules: nftables[2].rule.expr[0].op: '~' is no operator" },
		{ RULES_NFT_RULE("ip",
				 "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"mark\"}},"
				 "\"right\":\"@gone\"}}"),
		  "rules: nftables[2].rule.expr[0]: there is no set 'gone' in this table" },
		{ RULES_NFT_RULE("ip", "{\"jump\":{\"target\":\"gone\"}}"),
		  "table ip t: a rule goes to chain 'gone', which is not there: the rules are not "
		  "complete" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		struct ruleset rs;

		ruleset_init(&rs);
		assert_int_equal(rules_try_nft(&rs, cases[i].json, &err), -EBADMSG);
		assert_string_equal(err.text, cases[i].text);
		ruleset_done(&rs);
	}
}

static void names_are_as_long_as_the_kernels(void **state)
{
	(void)state;
	for (int len = 255; len <= 256; len++) {
		cleanup(buf_done) struct buf list = BUF_INIT(4096);
		struct error err = { 0 };
		struct ruleset rs;

		ruleset_init(&rs);
		buf_addf(&list, "{\"table\":{\"family\":\"ip\",\"name\":\"%0*d\"}}", len, 0);
		assert_int_equal(rules_try_nft(&rs, buf_text(&list), &err),
				 len == 255 ? 0 : -EBADMSG);
		ruleset_done(&rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_written_as_nft_does),
		cmocka_unit_test(what_is_not_known_is_kept_as_unknown),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(names_are_as_long_as_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
