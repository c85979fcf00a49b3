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
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <string.h>

#include "base/alloc.h"

#define BATCH_BYTES   (2U << 20) /* the fixed table is 10 KB; an element 100 bytes */
#define MESSAGE_BYTES 4096       /* at most, of one message */
#define ANSWER_BYTES  32768

struct nft {
	char *table;
	char *bytes;
	struct mnl_nlmsg_batch *batch;
	struct nlmsghdr *last; /* the message that is acknowledged */
	uint32_t seq, last_seq;
	uint32_t set_id;
	bool full;
};

struct nft *nft_new(const char *table)
{
	struct nft *nft = xnew(struct nft);

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
	nft->last = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(nft->batch), type, NFPROTO_INET,
					  flags, nft->last_seq);
	return nft->last;
}

static void message_end(struct nft *nft)
{
	if (!mnl_nlmsg_batch_next(nft->batch))
		nft->full = true;
}

/* tables, chains, sets */

static void table_message(struct nft *nft, uint16_t type, uint16_t flags)
{
	struct nftnl_table *t = nftnl_table_alloc();

	nftnl_table_set_str(t, NFTNL_TABLE_NAME, nft->table);
	nftnl_table_nlmsg_build_payload(message(nft, type, flags), t);
	nftnl_table_free(t);
	message_end(nft);
}

void nft_add_table(struct nft *nft)
{
	table_message(nft, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
}

void nft_del_table(struct nft *nft)
{
	table_message(nft, NFT_MSG_DELTABLE, 0);
}

static void describe_fields(struct nftnl_set *s, const struct nft_set *set)
{
	uint8_t lengths[16] = { 0 };

	memcpy(lengths, set->fields, sizeof(set->fields));
	nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, lengths, sizeof(set->fields) - 1);
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

static void element(struct nft *nft, const struct nft_set *set, uint16_t type,
		    const struct nft_element *e)
{
	struct nftnl_set_elem *elem = nftnl_set_elem_alloc();

	nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, e->key, set->key_len);
	if (e->has_end)
		nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY_END, e->key_end, set->key_len);
	if (set->data_len)
		nftnl_set_elem_set(elem, NFTNL_SET_ELEM_DATA, e->data, set->data_len);
	element_message(nft, set, type, &elem, 1);
}

void nft_add_element(struct nft *nft, const struct nft_set *set, const struct nft_element *e)
{
	element(nft, set, NFT_MSG_NEWSETELEM, e);
}

void nft_del_element(struct nft *nft, const struct nft_set *set, const struct nft_element *e)
{
	element(nft, set, NFT_MSG_DELSETELEM, e);
}

/* Addresses in host order; the end of an interval is the first one behind it. */
static void interval(struct nft *nft, const struct nft_set *set, uint16_t type, uint32_t from,
		     uint32_t to)
{
	struct nftnl_set_elem *elems[] = { nftnl_set_elem_alloc(), nftnl_set_elem_alloc() };
	const uint32_t first = htonl(from), behind = htonl(to + 1);

	nftnl_set_elem_set(elems[0], NFTNL_SET_ELEM_KEY, &first, sizeof(first));
	nftnl_set_elem_set(elems[1], NFTNL_SET_ELEM_KEY, &behind, sizeof(behind));
	nftnl_set_elem_set_u32(elems[1], NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	element_message(nft, set, type, elems, ARRAY_SIZE(elems));
}

void nft_add_interval(struct nft *nft, const struct nft_set *set, uint32_t from, uint32_t to)
{
	interval(nft, set, NFT_MSG_NEWSETELEM, from, to);
}

void nft_del_interval(struct nft *nft, const struct nft_set *set, uint32_t from, uint32_t to)
{
	interval(nft, set, NFT_MSG_DELSETELEM, from, to);
}

/* rules */

struct nftnl_rule *nft_rule(struct nft *nft, const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, nft->table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_INET);
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

void nft_lookup_map(struct nftnl_rule *r, const char *map, unsigned reg, unsigned to)
{
	struct nftnl_expr *e = expr(r, "lookup");

	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, map);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, reg32(reg));
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, reg32(to));
}

void nft_dnat4(struct nftnl_rule *r, unsigned address, unsigned port)
{
	struct nftnl_expr *e = expr(r, "nat");

	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, reg32(address));
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, reg32(port));
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

int nft_commit(struct nft *nft)
{
	struct mnl_socket *sock;
	int r = 0;

	if (nft->full)
		return -E2BIG;
	if (!nft->last)
		return 0;
	nft->last->nlmsg_flags |= NLM_F_ACK;
	(void)nftnl_batch_end(mnl_nlmsg_batch_current(nft->batch), nft->seq++);
	(void)mnl_nlmsg_batch_next(nft->batch);
	sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!sock)
		return -errno;
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(sock, mnl_nlmsg_batch_head(nft->batch),
			      mnl_nlmsg_batch_size(nft->batch)) < 0)
		r = -errno;
	if (r == 0)
		r = hear(nft, sock);
	(void)mnl_socket_close(sock);
	return r;
}

/* listing */

struct listing {
	void (*each)(void *data, const struct nft_element *e);
	void *data;
};

static void take_bytes(struct nftnl_set_elem *elem, uint16_t attr, unsigned char *ret, size_t max)
{
	uint32_t len = 0;
	const void *bytes = nftnl_set_elem_get(elem, attr, &len);

	if (bytes)
		memcpy(ret, bytes, MIN((size_t)len, max));
}

static int list_message(const struct nlmsghdr *hdr, void *data)
{
	const struct listing *listing = data;
	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elems_iter *iter;
	struct nftnl_set_elem *elem;

	if (!set || nftnl_set_elems_nlmsg_parse(hdr, set) < 0) {
		nftnl_set_free(set);
		return MNL_CB_ERROR;
	}
	iter = nftnl_set_elems_iter_create(set);
	while (iter && (elem = nftnl_set_elems_iter_next(iter))) {
		struct nft_element e = { .has_end = false };

		take_bytes(elem, NFTNL_SET_ELEM_KEY, e.key, sizeof(e.key));
		take_bytes(elem, NFTNL_SET_ELEM_DATA, e.data, sizeof(e.data));
		listing->each(listing->data, &e);
	}
	nftnl_set_elems_iter_destroy(iter);
	nftnl_set_free(set);
	return MNL_CB_OK;
}

static int list_from(struct mnl_socket *sock, const struct nlmsghdr *request,
		     struct listing *listing)
{
	alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	int r;

	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(sock, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		ssize_t n = mnl_socket_recvfrom(sock, answer, sizeof(answer));

		if (n < 0)
			return -errno;
		r = mnl_cb_run(answer, (size_t)n, 0, mnl_socket_get_portid(sock), list_message,
			       listing);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}

int nft_list_elements(const char *table, const struct nft_set *set,
		      void (*each)(void *data, const struct nft_element *e), void *data)
{
	alignas(struct nlmsghdr) char bytes[MESSAGE_BYTES];
	struct listing listing = { each, data };
	struct nftnl_set *which = nftnl_set_alloc();
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	struct nlmsghdr *hdr;
	int r = which && sock ? 0 : -ENOMEM;

	if (r == 0) {
		hdr = nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, 0);
		(void)nftnl_set_set_str(which, NFTNL_SET_TABLE, table);
		(void)nftnl_set_set_str(which, NFTNL_SET_NAME, set->name);
		nftnl_set_elems_nlmsg_build_payload(hdr, which);
		r = list_from(sock, hdr, &listing);
	}
	if (which)
		nftnl_set_free(which);
	if (sock)
		(void)mnl_socket_close(sock);
	return r;
}
