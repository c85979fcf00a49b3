/* tests/unit/why/test_nft_expr.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h> /* libnftnl's headers need it */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/json.h"
#include "why/nft_expr.h"

/* An expression in short: what is loaded, compared, done. */
struct step {
	enum { END, META, NETWORK, TRANSPORT, STATE, MASK, EQ, NEQ, GTE, LTE, VERDICT, OTHER } kind;
	uint32_t number; /* a key, an offset, a verdict */
	const char *data;
	uint32_t len;
};

static struct nftnl_expr *loaded(const struct step *s)
{
	struct nftnl_expr *e;

	if (s->kind == META) {
		e = nftnl_expr_alloc("meta");
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, s->number);
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
	} else if (s->kind == STATE) {
		e = nftnl_expr_alloc("ct");
		nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
		nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	} else {
		e = nftnl_expr_alloc("payload");
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE,
				   s->kind == NETWORK ? NFT_PAYLOAD_NETWORK_HEADER
						      : NFT_PAYLOAD_TRANSPORT_HEADER);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, s->number);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, s->len);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	}
	return e;
}

static struct nftnl_expr *compared(const struct step *s)
{
	static const uint32_t ops[] = {
		[EQ] = NFT_CMP_EQ, [NEQ] = NFT_CMP_NEQ, [GTE] = NFT_CMP_GTE, [LTE] = NFT_CMP_LTE
	};
	struct nftnl_expr *e = nftnl_expr_alloc("cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, ops[s->kind]);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, s->data, s->len);
	return e;
}

static struct nftnl_expr *made(const struct step *s)
{
	struct nftnl_expr *e;

	if (s->kind == OTHER)
		return nftnl_expr_alloc(s->data);
	if (s->kind == VERDICT) {
		e = nftnl_expr_alloc("immediate");
		nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
		nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, s->number);
		return e;
	}
	if (s->kind == MASK) {
		e = nftnl_expr_alloc("bitwise");
		nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
		nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
		nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, s->data, s->len);
		nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, "\0\0\0\0", s->len);
		return e;
	}
	return s->kind < MASK ? loaded(s) : compared(s);
}

#define IPV4                                                                                       \
	{ META, NFT_META_NFPROTO, NULL, 0 },                                                       \
	{                                                                                          \
		EQ, 0, "\x02", 1                                                                   \
	}
#define TCP                                                                                        \
	{ META, NFT_META_L4PROTO, NULL, 0 },                                                       \
	{                                                                                          \
		EQ, 0, "\x06", 1                                                                   \
	}
#define ACCEPT                                                                                     \
	{                                                                                          \
		VERDICT, NF_ACCEPT, NULL, 0                                                        \
	}

static void expressions_are_what_nft_prints(void **state)
{
	static const struct {
		struct step steps[10];
		const char *said; /* NULL: nft(8) must be asked */
	} cases[] = {
		{ { ACCEPT }, "[{\"accept\":null}]" },
		{ { IPV4, { NETWORK, 12, NULL, 3 }, { EQ, 0, "\x0a\x01\x02", 3 } },
		  "[{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}},"
		  "\"right\":{\"prefix\":{\"addr\":\"10.1.2.0\",\"len\":24}}}}]" },
		{ { TCP, { TRANSPORT, 2, NULL, 2 }, { NEQ, 0, "\0\x50", 2 } },
		  "[{\"match\":{\"op\":\"!=\",\"left\":{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}},"
		  "\"right\":80}}]" },
		{ { TCP,
		    { TRANSPORT, 0, NULL, 2 },
		    { GTE, 0, "\0\x50", 2 },
		    { LTE, 0, "\0\x51", 2 } },
		  "[{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"tcp\",\"field\":\"sport\"}},"
		  "\"right\":{\"range\":[80,81]}}}]" },
		{ { TCP, ACCEPT },
		  "[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"l4proto\"}},\"right\":\"tcp\"}},"
		  "{\"accept\":null}]" },
		{ { { META, NFT_META_IIFNAME, NULL, 0 }, { EQ, 0, "eth", 3 } },
		  "[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"right\":\"eth*\"}}]" },
		{ { { STATE, 0, NULL, 0 },
		    { MASK, 0, "\x0a\0\0\0", 4 },
		    { NEQ, 0, "\0\0\0\0", 4 } },
		  "[{\"match\":{\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"state\"}},"
		  "\"right\":[\"new\",\"established\"]}}]" },
		{ { IPV4, ACCEPT }, NULL },
		{ { { TRANSPORT, 2, NULL, 2 }, { EQ, 0, "\0\x50", 2 } }, NULL },
		{ { { NETWORK, 12, NULL, 4 }, { EQ, 0, "\x0a\0\0\x01", 4 } }, NULL },
		{ { IPV4, { NETWORK, 9, NULL, 1 }, { EQ, 0, "\x06", 1 } }, NULL },
		{ { TCP, { TRANSPORT, 2, NULL, 2 }, { GTE, 0, "\0\x50", 2 } }, NULL },
		{ { TCP, { TRANSPORT, 2, NULL, 2 }, { LTE, 0, "\0\x50", 2 } }, NULL },
		{ { { STATE, 0, NULL, 0 }, { MASK, 0, "\x0a\0\0\0", 4 }, { EQ, 0, "\0\0\0\0", 4 } },
		  NULL },
		{ { { META, NFT_META_MARK, NULL, 0 } }, NULL },
		{ { { OTHER, 0, "limit", 0 } }, NULL },
		{ { { EQ, 0, "\0", 1 } }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nftnl_rule *rule = nftnl_rule_alloc();
		cleanup(json_cleanup) json_t *exprs = json_array();
		autofree char *said = NULL;
		int r;

		for (const struct step *s = cases[i].steps; s->kind != END; s++)
			nftnl_rule_add_expr(rule, made(s));
		r = nft_expr_read(rule, NFPROTO_INET, exprs);
		assert_int_equal(r, cases[i].said ? 0 : -EOPNOTSUPP);
		said = json_dumps(exprs, JSON_COMPACT);
		if (cases[i].said)
			assert_string_equal(said, cases[i].said);
		nftnl_rule_free(rule);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(expressions_are_what_nft_prints) };

	return cmocka_run_group_tests_name("why/nft_expr", tests, NULL, NULL);
}
