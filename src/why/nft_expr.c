/* src/why/nft_expr.c
 *
 * A match is two or three expressions: something is loaded into a register, some bits of it are
 * taken, it is compared.  What a match needs to hold before ("tcp" before "tcp dport") is compared
 * in the same way before it, and nft(8) does not print that.
 */
#include "why/nft_expr.h"

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum load { LOAD_NONE, LOAD_META, LOAD_CT, LOAD_NETWORK, LOAD_TRANSPORT };

struct reading {
	json_t *exprs;
	bool is_strange;
	enum load load; /* what is in the register */
	uint32_t key, offset, len;
	uint8_t mask[16];
	uint32_t mask_len; /* 0: all of it */
	bool has_low;      /* of a range */
	uint16_t low;
	/* What the packet must be, by what was compared; waits: nothing has needed it so far. */
	uint8_t l3, l4;
	bool l3_waits, l4_waits, l4_told;
};

static void emit(struct reading *in, const char *key, json_t *value)
{
	json_t *item = json_object();

	in->is_strange |= !value || json_object_set_new(item, key, value) < 0;
	(void)json_array_append_new(in->exprs, item);
}

static json_t *pair(const char *key, json_t *value)
{
	json_t *obj = json_object();

	(void)json_object_set_new(obj, key, value);
	return obj;
}

static void emit_match(struct reading *in, const char *op, json_t *left, json_t *right)
{
	json_t *obj = pair("op", json_string(op));

	in->is_strange |= !right;
	(void)json_object_set_new(obj, "left", left);
	(void)json_object_set_new(obj, "right", right);
	emit(in, "match", obj);
}

static json_t *keyed(const char *group, const char *key)
{
	return pair(group, pair("key", json_string(key)));
}

static const char *l4_name(const struct reading *in)
{
	return in->l4 == IPPROTO_TCP ? "tcp" : "udp";
}

/* What follows does not need the protocol: then it was asked for its own sake. */
static void settle(struct reading *in, enum load next)
{
	if (in->l3_waits && next != LOAD_NETWORK)
		in->is_strange = true;
	if (in->l4_waits && next != LOAD_TRANSPORT) {
		emit_match(in, "==", keyed("meta", "l4proto"), json_string(l4_name(in)));
		in->l4_told = true;
	}
	if (in->l4_told && next == LOAD_TRANSPORT)
		in->is_strange = true; /* nft(8) has rules of its own about that */
	in->l3_waits = in->l4_waits = false;
}

static void load(struct reading *in, enum load what, uint32_t dreg)
{
	settle(in, what);
	in->is_strange |= in->has_low || dreg != NFT_REG_1;
	in->load = what;
	in->mask_len = 0;
}

static void read_meta(struct reading *in, const struct nftnl_expr *e)
{
	in->is_strange |= !nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG);
	load(in, LOAD_META, nftnl_expr_get_u32(e, NFTNL_EXPR_META_DREG));
	in->key = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY);
}

static void read_ct(struct reading *in, const struct nftnl_expr *e)
{
	in->is_strange |= !nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG) ||
			  nftnl_expr_is_set(e, NFTNL_EXPR_CT_DIR);
	load(in, LOAD_CT, nftnl_expr_get_u32(e, NFTNL_EXPR_CT_DREG));
	in->key = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY);
}

static void read_payload(struct reading *in, const struct nftnl_expr *e)
{
	uint32_t base = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE);

	in->is_strange |=
		!nftnl_expr_is_set(e, NFTNL_EXPR_PAYLOAD_DREG) ||
		(base != NFT_PAYLOAD_NETWORK_HEADER && base != NFT_PAYLOAD_TRANSPORT_HEADER);
	load(in, base == NFT_PAYLOAD_NETWORK_HEADER ? LOAD_NETWORK : LOAD_TRANSPORT,
	     nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_DREG));
	in->offset = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET);
	in->len = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
	in->is_strange |= in->load == LOAD_NETWORK ? in->l3 == 0 : in->l4 == 0;
}

static void read_bitwise(struct reading *in, const struct nftnl_expr *e)
{
	static const uint8_t zero[16];
	uint32_t mask_len = 0, xor_len = 0;
	const void *mask = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &mask_len);
	const void * xor = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &xor_len);

	if (!mask || !xor || mask_len > sizeof(in->mask) || xor_len > sizeof(zero) ||
	    memcmp(xor, zero, xor_len) != 0 || in->mask_len || in->load == LOAD_NONE ||
	    nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_SREG) != NFT_REG_1 ||
	    nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_DREG) != NFT_REG_1) {
		in->is_strange = true;
		return;
	}
	memcpy(in->mask, mask, mask_len);
	in->mask_len = mask_len;
}

/* comparisons */

/* The bits of a mask that begins with ones, -1 if there is another one behind a zero. */
static int prefix_of(const uint8_t *mask, uint32_t len)
{
	int bits = 0;

	while (bits < (int)len * 8 && mask[bits / 8] & (0x80 >> (bits % 8)))
		bits++;
	for (int i = bits; i < (int)len * 8; i++)
		if (mask[i / 8] & (0x80 >> (i % 8)))
			return -1;
	return bits;
}

static json_t *address(const struct reading *in, const uint8_t *data, uint32_t len)
{
	uint32_t full = in->l3 == NFPROTO_IPV4 ? 4 : 16;
	int bits = in->mask_len ? prefix_of(in->mask, in->mask_len) : (int)len * 8;
	char name[INET6_ADDRSTRLEN];
	uint8_t bytes[16] = { 0 };
	json_t *prefix;

	if (len != in->len || len > full || bits <= 0 || (in->mask_len && in->mask_len != full) ||
	    (in->mask_len && len != full))
		return NULL;
	memcpy(bytes, data, len);
	if (!inet_ntop(full == 4 ? AF_INET : AF_INET6, bytes, name, sizeof(name)))
		return NULL;
	if (bits == (int)full * 8)
		return in->mask_len ? NULL : json_string(name);
	prefix = pair("addr", json_string(name));
	(void)json_object_set_new(prefix, "len", json_integer(bits));
	return pair("prefix", prefix);
}

static json_t *payload(const char *protocol, const char *field)
{
	json_t *obj = pair("protocol", json_string(protocol));

	(void)json_object_set_new(obj, "field", json_string(field));
	return pair("payload", obj);
}

static void compare_network(struct reading *in, const char *op, const uint8_t *data, uint32_t len)
{
	bool v4 = in->l3 == NFPROTO_IPV4;
	uint32_t source = v4 ? 12 : 8, target = v4 ? 16 : 24;

	if (!op || (in->offset != source && in->offset != target)) {
		in->is_strange = true;
		return;
	}
	emit_match(in, op, payload(v4 ? "ip" : "ip6", in->offset == source ? "saddr" : "daddr"),
		   address(in, data, len));
}

/* A range is two comparisons. */
static void compare_transport(struct reading *in, uint32_t cmp, const char *op, const uint8_t *data,
			      uint32_t len)
{
	uint16_t port = len == 2 ? (uint16_t)(data[0] << 8 | data[1]) : 0;
	json_t *right;

	in->is_strange |= len != 2 || in->len != 2 || in->mask_len || in->offset > 2 ||
			  in->offset == 1 || in->has_low != (cmp == NFT_CMP_LTE);
	if (cmp == NFT_CMP_GTE) {
		in->low = port;
		in->has_low = true;
		return;
	}
	right = json_integer(port);
	if (cmp == NFT_CMP_LTE) {
		json_t *range = json_array();

		(void)json_array_append_new(range, json_integer(in->low));
		(void)json_array_append_new(range, right);
		right = pair("range", range);
		op = "==";
		in->has_low = false;
	}
	in->is_strange |= !op;
	emit_match(in, op ? op : "==", payload(l4_name(in), in->offset == 0 ? "sport" : "dport"),
		   right);
}

/* "eth*" is compared without the bytes behind. */
static json_t *link_name(const uint8_t *data, uint32_t len)
{
	char name[IFNAMSIZ + 2] = "";

	if (len == 0 || len > IFNAMSIZ)
		return NULL;
	memcpy(name, data, len);
	if (strpbrk(name, "*\\\"") || !*name)
		return NULL;
	if (len < IFNAMSIZ && strlen(name) == len)
		name[len] = '*';
	return json_string(name);
}

static uint32_t number(const uint8_t *data, uint32_t len)
{
	uint32_t value = 0;

	memcpy(&value, data, len == sizeof(value) ? len : 0);
	return value;
}

static void compare_meta(struct reading *in, const char *op, const uint8_t *data, uint32_t len)
{
	in->is_strange |= !op || in->mask_len;
	if (in->is_strange)
		return;
	if (in->key == NFT_META_NFPROTO && len == 1) {
		in->is_strange |= op[0] != '=' || (in->l3 && in->l3 != data[0]);
		in->l3 = data[0];
		in->l3_waits = true;
		in->is_strange |= in->l3 != NFPROTO_IPV4 && in->l3 != NFPROTO_IPV6;
	} else if (in->key == NFT_META_L4PROTO && len == 1) {
		in->is_strange |= op[0] != '=' || in->l4;
		in->l4 = data[0];
		in->l4_waits = true;
		in->is_strange |= in->l4 != IPPROTO_TCP && in->l4 != IPPROTO_UDP;
	} else if (in->key == NFT_META_IIFNAME || in->key == NFT_META_OIFNAME) {
		emit_match(in, op,
			   keyed("meta", in->key == NFT_META_IIFNAME ? "iifname" : "oifname"),
			   link_name(data, len));
	} else if (in->key == NFT_META_MARK && len == 4) {
		emit_match(in, op, keyed("meta", "mark"), json_integer(number(data, len)));
	} else {
		in->is_strange = true;
	}
}

static json_t *states(uint32_t bits)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} rows[] = { /* as nft(8) orders them */
		     { NF_CT_STATE_INVALID_BIT, "invalid" },
		     { NF_CT_STATE_BIT(IP_CT_NEW), "new" },
		     { NF_CT_STATE_BIT(IP_CT_ESTABLISHED), "established" },
		     { NF_CT_STATE_BIT(IP_CT_RELATED), "related" },
		     { NF_CT_STATE_UNTRACKED_BIT, "untracked" }
	};
	json_t *list = json_array(), *one;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (bits & rows[i].bit) {
			(void)json_array_append_new(list, json_string(rows[i].name));
			bits &= ~rows[i].bit;
		}
	if (bits != 0 || json_array_size(list) == 0) {
		json_decref(list);
		return NULL;
	}
	if (json_array_size(list) > 1)
		return list;
	one = json_incref(json_array_get(list, 0));
	json_decref(list);
	return one;
}

static void compare_ct(struct reading *in, const char *op, const uint8_t *data, uint32_t len)
{
	uint32_t value = number(data, len), mask = number(in->mask, in->mask_len);
	bool is_state = in->key == NFT_CT_STATE;

	if (!op || len != 4 || (in->mask_len && in->mask_len != 4) ||
	    (!is_state && in->key != NFT_CT_MARK) || (!is_state && in->mask_len)) {
		in->is_strange = true;
	} else if (!is_state) {
		emit_match(in, op, keyed("ct", "mark"), json_integer(value));
	} else if (in->mask_len) {
		in->is_strange |= op[0] != '!' || value != 0;
		emit_match(in, "in", keyed("ct", "state"), states(mask));
	} else {
		in->is_strange |= (value & (value - 1)) != 0;
		emit_match(in, op, keyed("ct", "state"), states(value));
	}
}

static void read_cmp(struct reading *in, const struct nftnl_expr *e)
{
	uint32_t cmp = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP), len = 0;
	const uint8_t *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);
	const char *op = cmp == NFT_CMP_EQ ? "==" : cmp == NFT_CMP_NEQ ? "!=" : NULL;

	if (!data || in->load == LOAD_NONE ||
	    nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_SREG) != NFT_REG_1)
		in->is_strange = true;
	else if (in->load == LOAD_META)
		compare_meta(in, op, data, len);
	else if (in->load == LOAD_CT)
		compare_ct(in, op, data, len);
	else if (in->load == LOAD_NETWORK)
		compare_network(in, op, data, len);
	else
		compare_transport(in, cmp, op, data, len);
	if (!in->has_low)
		in->load = LOAD_NONE;
}

/* what a rule does */

static void read_immediate(struct reading *in, const struct nftnl_expr *e)
{
	static const struct {
		uint32_t verdict;
		const char *name;
		bool has_target;
	} rows[] = {
		{ NF_ACCEPT, "accept", false },
		{ NF_DROP, "drop", false },
		{ (uint32_t)NFT_RETURN, "return", false },
		{ (uint32_t)NFT_JUMP, "jump", true },
		{ (uint32_t)NFT_GOTO, "goto", true },
	};
	uint32_t verdict = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT);
	const char *target = nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN);

	settle(in, LOAD_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT) && verdict == rows[i].verdict &&
		    (!rows[i].has_target || target)) {
			emit(in, rows[i].name,
			     rows[i].has_target ? pair("target", json_string(target))
						: json_null());
			return;
		}
	in->is_strange = true;
}

static void read_counter(struct reading *in, const struct nftnl_expr *e)
{
	uint64_t packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	uint64_t bytes = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
	json_t *obj = pair("packets", json_integer((json_int_t)packets));

	settle(in, LOAD_NONE);
	(void)json_object_set_new(obj, "bytes", json_integer((json_int_t)bytes));
	emit(in, "counter", obj);
}

static void read_one(struct reading *in, const struct nftnl_expr *e)
{
	static const struct {
		const char *name;
		void (*read)(struct reading *in, const struct nftnl_expr *e);
	} rows[] = {
		{ "meta", read_meta },       { "payload", read_payload },
		{ "ct", read_ct },           { "cmp", read_cmp },
		{ "bitwise", read_bitwise }, { "immediate", read_immediate },
		{ "counter", read_counter },
	};
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (name && strcmp(name, rows[i].name) == 0) {
			rows[i].read(in, e);
			return;
		}
	in->is_strange = true;
}

int nft_expr_read(const struct nftnl_rule *rule, uint8_t nfproto, json_t *exprs)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule);
	struct reading in = { .exprs = exprs, .l3 = nfproto == NFPROTO_INET ? 0 : nfproto };
	struct nftnl_expr *e;

	while (iter && !in.is_strange && (e = nftnl_expr_iter_next(iter)))
		read_one(&in, e);
	nftnl_expr_iter_destroy(iter);
	settle(&in, LOAD_NONE);
	return in.is_strange || in.has_low || in.load != LOAD_NONE ? -EOPNOTSUPP : 0;
}
