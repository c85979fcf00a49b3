/* tests/unit/why/rules.h - rule sets out of texts.  Include it behind cmocka.h. */
#ifndef TESTS_UNIT_WHY_RULES_H
#define TESTS_UNIT_WHY_RULES_H

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/strv.h"
#include "why/nft_read.h"
#include "why/packet.h"
#include "why/ruleset.h"
#include "why/xt_read.h"

static inline int rules_try_xt(struct ruleset *rs, const char *text, struct error *err)
{
	const struct xt_said said = { .text = text, .len = strlen(text), .what = "rules" };
	int r = xt_read(rs, &said, err);

	return r < 0 ? r : ruleset_finish(rs, err);
}

/* What stands in "nftables", without the brackets. */
static inline int rules_try_nft(struct ruleset *rs, const char *list, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_INIT(1U << 20);
	cleanup(json_cleanup) json_t *doc = NULL;
	int r;

	buf_addf(&text, "{\"nftables\":[%s]}", list);
	r = json_load_bytes(text.data, text.len, "rules", &doc, err);
	if (r == 0)
		r = nft_read(rs, doc, "rules", err);
	return r < 0 ? r : ruleset_finish(rs, err);
}

static inline void rules_xt(struct ruleset *rs, const char *text)
{
	struct error err = { 0 };

	ruleset_init(rs);
	assert_int_equal(rules_try_xt(rs, text, &err), 0);
}

static inline void rules_nft(struct ruleset *rs, const char *list)
{
	struct error err = { 0 };

	ruleset_init(rs);
	assert_int_equal(rules_try_nft(rs, list, &err), 0);
}

static inline void rules_packet(const char *text, struct packet *ret)
{
	struct strv words = { 0 };
	struct error err = { 0 };

	strv_add(&words, text);
	assert_int_equal(packet_parse(&words, ret, &err), 0);
	strv_done(&words);
}

/* The first rule of the first chain that has one. */
static inline struct rule *rules_first(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		for (size_t k = 0; k < rs->tables[i]->nchains; k++)
			if (rs->tables[i]->chains[k]->n > 0)
				return &rs->tables[i]->chains[k]->rules[0];
	return NULL;
}

#define RULES_NFT_TABLE(family)                                                                    \
	"{\"table\":{\"family\":\"" family "\",\"name\":\"t\",\"handle\":1}},"                     \
	"{\"chain\":{\"family\":\"" family                                                         \
	"\",\"table\":\"t\",\"name\":\"in\",\"handle\":1,\"type\":\"filter\",\"hook\":\"input\","  \
	"\"prio\":0,\"policy\":\"drop\"}}"
#define RULES_NFT_RULE(family, statements)                                                         \
	RULES_NFT_TABLE(family)                                                                    \
	",{\"rule\":{\"family\":\"" family                                                         \
	"\",\"table\":\"t\",\"chain\":\"in\",\"handle\":9,\"expr\":[" statements "]}}"
#define RULES_XT_INPUT(rules) "*filter\n:INPUT DROP [0:0]\n:U - [0:0]\n" rules "COMMIT\n"

#endif
