/* src/kernel/nft.c */
#include "kernel/nft.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define BATCH_BYTES   (2U << 20) /* the fixed table is 10 KB; an element 100 bytes */
#define MESSAGE_BYTES 4096       /* at most, of one message */
#define ANSWER_BYTES  32768

struct nft {
	char *table;
	uint16_t family;
	char *bytes;
	struct mnl_nlmsg_batch *batch;
	struct nlmsghdr *last; /* the message that is acknowledged */
	uint32_t seq, last_seq;
	uint32_t set_id;
	bool full;
};

struct nft *nft_new(const char *table)
{
	return nft_new_of(NFPROTO_INET, table);
}

struct nft *nft_new_of(uint8_t family, const char *table)
{
	struct nft *nft = xnew(struct nft);

	nft->family = family;
	nft->table = xstrdup(table);
	nft->bytes = xmalloc(BATCH_BYTES + MESSAGE_BYTES);
	nft->batch = mnl_nlmsg_batch_start(nft->bytes, BATCH_BYTES);
	nft->seq = 1;
	(void)nftnl_batch_begin(mnl_nlmsg_batch_current(nft->batch), nft->seq++);
	(void)mnl_nlmsg_batch_next(nft->batch);
	return nft;
}

void nft_free(struct nft *nft)
{
	if (!nft)
		return;
	mnl_nlmsg_batch_stop(nft->batch);
	free(nft->bytes);
	free(nft->table);
	free(nft);
}

static struct nlmsghdr *message(struct nft *nft, uint16_t type, uint16_t flags)
{
	nft->last_seq = nft->seq++;
	nft->last = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(nft->batch), type, nft->family,
					  flags, nft->last_seq);
	return nft->last;
}

static void message_end(struct nft *nft)
{
	if (!mnl_nlmsg_batch_next(nft->batch))
		nft->full = true;
}

/* tables, chains, sets */

static void table_message(struct nft *nft, uint16_t type, uint16_t flags, uint32_t is)
{
	struct nftnl_table *t = nftnl_table_alloc();

	nftnl_table_set_str(t, NFTNL_TABLE_NAME, nft->table);
	if (is)
		nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, is);
	nftnl_table_nlmsg_build_payload(message(nft, type, flags), t);
	nftnl_table_free(t);
	message_end(nft);
}

void nft_add_table(struct nft *nft)
{
	table_message(nft, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, 0);
}

void nft_own_table(struct nft *nft)
{
	table_message(nft, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, NFT_TABLE_F_OWNER);
}

void nft_ensure_table(struct nft *nft)
{
	table_message(nft, NFT_MSG_NEWTABLE, NLM_F_CREATE, 0);
}

void nft_del_table(struct nft *nft)
{
	table_message(nft, NFT_MSG_DELTABLE, 0, 0);
}

static void describe_fields(struct nftnl_set *s, const struct nft_set *set)
{
	uint8_t lengths[16] = { 0 };

	memcpy(lengths, set->fields, sizeof(set->fields));
	nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, lengths, sizeof(lengths));
}

/* For nft(8) alone, which else shows names of links backwards. */
static void note_host_order(struct nftnl_set *s)
{
	struct nftnl_udata_buf *notes = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	const uint32_t host_order = 1;

	(void)nftnl_udata_put_u32(notes, NFTNL_UDATA_SET_KEYBYTEORDER, host_order);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(notes),
			   nftnl_udata_buf_len(notes));
	nftnl_udata_buf_free(notes);
}

void nft_add_set(struct nft *nft, const struct nft_set *set)
{
	struct nftnl_set *s = nftnl_set_alloc();
	uint32_t flags = (set->interval ? NFT_SET_INTERVAL : 0) |
			 (set->data_len ? NFT_SET_MAP : 0) | (set->fields[0] ? NFT_SET_CONCAT : 0);

	nftnl_set_set_str(s, NFTNL_SET_TABLE, nft->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, set->name);
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(s, NFTNL_SET_ID, ++nft->set_id);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, set->key_type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, set->key_len);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	if (set->data_len) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, set->data_type);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, set->data_len);
	}
	if (set->fields[0])
		describe_fields(s, set);
	if (set->counted)
		nftnl_set_add_expr(s, nftnl_expr_alloc("counter"));
	if (set->key_type == NFT_TYPE_IFNAME)
		note_host_order(s);
	nftnl_set_nlmsg_build_payload(message(nft, NFT_MSG_NEWSET, NLM_F_CREATE), s);
	nftnl_set_free(s);
	message_end(nft);
}

void nft_add_chain(struct nft *nft, const char *name, const char *type, int hook, int priority)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, nft->table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	if (hook >= 0) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, type);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, (uint32_t)hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	nftnl_chain_nlmsg_build_payload(message(nft, NFT_MSG_NEWCHAIN, NLM_F_CREATE), c);
	nftnl_chain_free(c);
	message_end(nft);
}

/* elements */

static void element_message(struct nft *nft, const struct nft_set *set, uint16_t type,
			    struct nftnl_set_elem *const *elems, size_t n)
{
	struct nftnl_set *s = nftnl_set_alloc();

	nftnl_set_set_str(s, NFTNL_SET_TABLE, nft->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, set->name);
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	for (size_t i = 0; i < n; i++)
		nftnl_set_elem_add(s, elems[i]);
	nftnl_set_elems_nlmsg_build_payload(
		message(nft, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0), s);
	nftnl_set_free(s);
	message_end(nft);
}

static struct nftnl_set_elem *element_new(const struct nft_set *set, const struct nft_element *e)
{
	struct nftnl_set_elem *elem = nftnl_set_elem_alloc();
	struct nftnl_udata_buf *notes;

	nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, e->key, set->key_len);
	if (set->data_len)
		nftnl_set_elem_set(elem, NFTNL_SET_ELEM_DATA, e->data, set->data_len);
	if (!e->comment[0])
		return elem;
	notes = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	(void)nftnl_udata_put_strz(notes, NFTNL_UDATA_SET_ELEM_COMMENT, e->comment);
	nftnl_set_elem_set(elem, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(notes),
			   nftnl_udata_buf_len(notes));
	nftnl_udata_buf_free(notes);
	return elem;
}

/* The end of an interval of single keys is an element of its own: the first one behind.  Behind the
 * last there is none.
 */
static size_t interval_end(const struct nft_set *set, const struct nft_element *e,
			   struct nftnl_set_elem **ret)
{
	unsigned char behind[sizeof(e->key_end)];
	size_t i = set->key_len;

	memcpy(behind, e->key_end, sizeof(behind));
	while (i > 0 && ++behind[i - 1] == 0)
		i--;
	if (i == 0)
		return 0;
	*ret = nftnl_set_elem_alloc();
	nftnl_set_elem_set(*ret, NFTNL_SET_ELEM_KEY, behind, set->key_len);
	nftnl_set_elem_set_u32(*ret, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	return 1;
}

static void element(struct nft *nft, const struct nft_set *set, uint16_t type,
		    const struct nft_element *e)
{
	struct nftnl_set_elem *elems[2] = { element_new(set, e), NULL };
	size_t n = 1;

	if (e->has_end && set->fields[0])
		nftnl_set_elem_set(elems[0], NFTNL_SET_ELEM_KEY_END, e->key_end, set->key_len);
	else if (e->has_end)
		n += interval_end(set, e, &elems[1]);
	element_message(nft, set, type, elems, n);
}

void nft_add_element(struct nft *nft, const struct nft_set *set, const struct nft_element *e)
{
	element(nft, set, NFT_MSG_NEWSETELEM, e);
}

void nft_del_element(struct nft *nft, const struct nft_set *set, const struct nft_element *e)
{
	element(nft, set, NFT_MSG_DELSETELEM, e);
}

/* rules */

struct nftnl_rule *nft_rule(struct nft *nft, const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, nft->table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, nft->family);
	return r;
}

void nft_add_rule(struct nft *nft, struct nftnl_rule *rule)
{
	nftnl_rule_nlmsg_build_payload(message(nft, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND),
				       rule);
	nftnl_rule_free(rule);
	message_end(nft);
}

static uint32_t reg32(unsigned reg)
{
	return NFT_REG32_00 + reg;
}

static struct nftnl_expr *expr(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	nftnl_rule_add_expr(r, e);
	return e;
}

void nft_meta(struct nftnl_rule *r, uint32_t key, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg32(reg));
}

void nft_set_meta(struct nftnl_rule *r, uint32_t key, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, reg32(reg));
}

void nft_payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg32(reg));
}

void nft_ct(struct nftnl_rule *r, uint32_t key, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "ct");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, reg32(reg));
}

void nft_ct_original(struct nftnl_rule *r, uint32_t key, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "ct");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, IP_CT_DIR_ORIGINAL);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, reg32(reg));
}

void nft_load(struct nftnl_rule *r, unsigned reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg32(reg));
	nftnl_expr_set_data(e, NFTNL_EXPR_IMM_DATA, data, len);
}

void nft_set_address6(struct nftnl_rule *r, uint32_t offset, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, 16);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_SREG, reg32(reg));
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_NONE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, 0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_FLAGS, NFT_PAYLOAD_L4CSUM_PSEUDOHDR);
}

void nft_and(struct nftnl_rule *r, unsigned reg, uint32_t mask)
{
	struct nftnl_expr *e = expr(r, "bitwise");
	const uint32_t none = 0;

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, reg32(reg));
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, reg32(reg));
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(mask));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof(mask));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &none, sizeof(none));
}

void nft_fib_type(struct nftnl_rule *r, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, reg32(reg));
}

void nft_compare(struct nftnl_rule *r, bool equal, unsigned reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, reg32(reg));
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

void nft_lookup(struct nftnl_rule *r, const char *set, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "lookup");

	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, reg32(reg));
}

void nft_lookup_not(struct nftnl_rule *r, const char *set, unsigned reg)
{
	struct nftnl_expr *e = expr(r, "lookup");

	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, reg32(reg));
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void nft_lookup_map(struct nftnl_rule *r, const char *map, unsigned reg, unsigned to)
{
	struct nftnl_expr *e = expr(r, "lookup");

	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, map);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, reg32(reg));
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, reg32(to));
}

void nft_dnat(struct nftnl_rule *r, uint32_t family, unsigned address, int port)
{
	struct nftnl_expr *e = expr(r, "nat");

	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, family);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, reg32(address));
	if (port < 0)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, reg32((unsigned)port));
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

void nft_masquerade(struct nftnl_rule *r)
{
	(void)expr(r, "masq");
}

void nft_counter(struct nftnl_rule *r)
{
	(void)expr(r, "counter");
}

void nft_verdict(struct nftnl_rule *r, int verdict, const char *chain)
{
	struct nftnl_expr *e = expr(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

/* the batch */

/* A failed batch answers with one error for each message at fault; the first is the reason. */
static int hear(const struct nft *nft, struct mnl_socket *sock)
{
	alignas(struct nlmsghdr) char answer[ANSWER_BYTES];

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(sock, answer, sizeof(answer));
		const struct nlmsghdr *hdr = (const struct nlmsghdr *)answer;
		int left = (int)n;

		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(hdr, left); hdr = mnl_nlmsg_next(hdr, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(hdr);

			if (hdr->nlmsg_type != NLMSG_ERROR)
				continue;
			if (e->error != 0 || hdr->nlmsg_seq == nft->last_seq)
				return e->error;
		}
	}
}

static int door_open(struct nft_door *door)
{
	if (door->sock)
		return 0;
	door->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!door->sock)
		return -errno;
	return mnl_socket_bind(door->sock, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
}

void nft_door_close(struct nft_door *door)
{
	if (door->sock)
		(void)mnl_socket_close(door->sock);
	door->sock = NULL;
}

int nft_commit_through(struct nft *nft, struct nft_door *door)
{
	struct nft_door own = { .sock = NULL };
	struct nft_door *through = door ? door : &own;
	int r;

	if (nft->full)
		return -E2BIG;
	if (!nft->last)
		return 0;
	nft->last->nlmsg_flags |= NLM_F_ACK;
	(void)nftnl_batch_end(mnl_nlmsg_batch_current(nft->batch), nft->seq++);
	(void)mnl_nlmsg_batch_next(nft->batch);
	r = door_open(through);
	if (r == 0 && mnl_socket_sendto(through->sock, mnl_nlmsg_batch_head(nft->batch),
					mnl_nlmsg_batch_size(nft->batch)) < 0)
		r = -errno;
	if (r == 0)
		r = hear(nft, through->sock);
	/* A refusal may be followed by more of them, which are no answer to the next batch. */
	if (!door || r < 0)
		nft_door_close(through);
	return r;
}

int nft_commit(struct nft *nft)
{
	return nft_commit_through(nft, NULL);
}

/* listing */

struct listing {
	const struct nft_set *set;
	void (*each)(void *data, const struct nft_element *e);
	void *data;
	/* Of an interval set: the ends come apart, and the higher ones first or last. */
	struct bound *bounds;
	size_t n, room;
};

struct bound {
	struct nft_element e;
	bool is_end;
};

static void take_bytes(struct nftnl_set_elem *elem, uint16_t attr, unsigned char *ret, size_t max)
{
	uint32_t len = 0;
	const void *bytes = nftnl_set_elem_get(elem, attr, &len);

	if (bytes)
		memcpy(ret, bytes, MIN((size_t)len, max));
}

static int take_comment(const struct nftnl_udata *attr, void *data)
{
	struct nft_element *e = data;

	if (nftnl_udata_type(attr) == NFTNL_UDATA_SET_ELEM_COMMENT)
		(void)snprintf(e->comment, sizeof(e->comment), "%.*s", nftnl_udata_len(attr),
			       (const char *)nftnl_udata_get(attr));
	return 0;
}

static void take_element(struct listing *listing, struct nftnl_set_elem *elem)
{
	struct nft_element e = { .has_end = false };
	uint32_t len = 0;
	const void *notes = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_USERDATA, &len);

	take_bytes(elem, NFTNL_SET_ELEM_KEY, e.key, sizeof(e.key));
	take_bytes(elem, NFTNL_SET_ELEM_DATA, e.data, sizeof(e.data));
	if (notes)
		(void)nftnl_udata_parse(notes, len, take_comment, &e);
	if (listing->set->interval && listing->set->fields[0]) {
		take_bytes(elem, NFTNL_SET_ELEM_KEY_END, e.key_end, sizeof(e.key_end));
		e.has_end = true;
	}
	if (listing->set->interval && !listing->set->fields[0]) {
		VEC_GROW(listing->bounds, listing->n, listing->room);
		listing->bounds[listing->n++] =
			(struct bound) { e, nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_FLAGS) &&
						    nftnl_set_elem_get_u32(elem,
									   NFTNL_SET_ELEM_FLAGS) &
							    NFT_SET_ELEM_INTERVAL_END };
		return;
	}
	listing->each(listing->data, &e);
}

static int list_message(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elems_iter *iter;
	struct nftnl_set_elem *elem;

	if (!set || nftnl_set_elems_nlmsg_parse(hdr, set) < 0) {
		nftnl_set_free(set);
		return MNL_CB_ERROR;
	}
	iter = nftnl_set_elems_iter_create(set);
	while (iter && (elem = nftnl_set_elems_iter_next(iter)))
		take_element(data, elem);
	nftnl_set_elems_iter_destroy(iter);
	nftnl_set_free(set);
	return MNL_CB_OK;
}

/* An end goes before the start of the next interval at the same place. */
static int compare_bounds(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;
	int r = memcmp(x->e.key, y->e.key, sizeof(x->e.key));

	return r ? r : (int)y->is_end - (int)x->is_end;
}

static void join_intervals(struct listing *listing)
{
	size_t len = listing->set->key_len;

	if (listing->n > 0)
		qsort(listing->bounds, listing->n, sizeof(*listing->bounds), compare_bounds);
	for (size_t i = 0; i < listing->n; i++) {
		struct nft_element *e = &listing->bounds[i].e;

		if (listing->bounds[i].is_end)
			continue;
		e->has_end = true;
		memset(e->key_end, 0xff, len);
		if (i + 1 < listing->n && listing->bounds[i + 1].is_end) {
			memcpy(e->key_end, listing->bounds[i + 1].e.key, len);
			for (size_t k = len; k > 0 && e->key_end[k - 1]-- == 0; k--)
				;
		}
		listing->each(listing->data, e);
	}
}

/* A request with its answers; fn may be NULL. */
static int ask(const struct nlmsghdr *request, mnl_cb_t fn, void *data)
{
	alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int r = -1;

	if (sock && mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(sock, request, request->nlmsg_len) >= 0)
		r = 0;
	do {
		ssize_t n = r < 0 ? -1 : mnl_socket_recvfrom(sock, answer, sizeof(answer));

		if (n < 0)
			r = -1;
		else
			r = mnl_cb_run(answer, (size_t)n, 0, mnl_socket_get_portid(sock), fn, data);
	} while (r > MNL_CB_STOP);
	r = r < 0 ? -errno : 0;
	if (sock)
		(void)mnl_socket_close(sock);
	return r;
}

int nft_find_table(const char *table)
{
	alignas(struct nlmsghdr) char bytes[MESSAGE_BYTES];
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *hdr =
		nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETTABLE, NFPROTO_INET, NLM_F_ACK, 0);

	nftnl_table_set_str(t, NFTNL_TABLE_NAME, table);
	nftnl_table_nlmsg_build_payload(hdr, t);
	nftnl_table_free(t);
	return ask(hdr, NULL, NULL);
}

static int take_table(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_table *t = nftnl_table_alloc();

	if (nftnl_table_nlmsg_parse(hdr, t) == 0)
		strv_add(data, nftnl_table_get_str(t, NFTNL_TABLE_NAME));
	nftnl_table_free(t);
	return MNL_CB_OK;
}

int nft_list_tables(struct strv *ret)
{
	alignas(struct nlmsghdr) char bytes[MESSAGE_BYTES];

	return ask(nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETTABLE, NFPROTO_INET, NLM_F_DUMP, 0),
		   take_table, ret);
}

int nft_list_elements(const char *table, const struct nft_set *set,
		      void (*each)(void *data, const struct nft_element *e), void *data)
{
	alignas(struct nlmsghdr) char bytes[MESSAGE_BYTES];
	struct listing listing = { .set = set, .each = each, .data = data };
	struct nftnl_set *which = nftnl_set_alloc();
	struct nlmsghdr *hdr =
		nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, 0);
	int r;

	(void)nftnl_set_set_str(which, NFTNL_SET_TABLE, table);
	(void)nftnl_set_set_str(which, NFTNL_SET_NAME, set->name);
	nftnl_set_elems_nlmsg_build_payload(hdr, which);
	nftnl_set_free(which);
	r = ask(hdr, list_message, &listing);
	if (r == 0)
		join_intervals(&listing);
	free(listing.bounds);
	return r;
}
