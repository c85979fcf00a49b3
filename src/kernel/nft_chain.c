/* src/kernel/nft_chain.c */
#include "kernel/nft_chain.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "base/explain.h"

#define MESSAGE_BYTES 4096
#define ANSWER_BYTES  32768

const char *nft_family_name(uint8_t family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

/* listing */

static int dump(const struct nlmsghdr *request, mnl_cb_t fn, void *data)
{
	alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int r = sock ? 0 : -errno;

	if (r == 0 && (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
		       mnl_socket_sendto(sock, request, request->nlmsg_len) < 0))
		r = -errno;
	while (r == 0) {
		ssize_t n = mnl_socket_recvfrom(sock, answer, sizeof(answer));
		int more = n < 0 ? -1
				 : mnl_cb_run(answer, (size_t)n, 0, mnl_socket_get_portid(sock), fn,
					      data);

		if (more < 0)
			r = -errno;
		if (more <= MNL_CB_STOP)
			break;
	}
	if (sock)
		(void)mnl_socket_close(sock);
	return r;
}

struct chain_listing {
	void (*each)(void *data, const struct nft_chain *chain);
	void *data;
};

static int see_chain(const struct nlmsghdr *hdr, void *data)
{
	const struct chain_listing *listing = data;
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nft_chain chain = { .hook = -1 };
	const char *table, *name;

	if (!c || nftnl_chain_nlmsg_parse(hdr, c) < 0) {
		nftnl_chain_free(c);
		return MNL_CB_ERROR;
	}
	table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
	name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
	chain.family = (uint8_t)nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY);
	if (nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM)) {
		chain.hook = (int)nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM);
		chain.priority = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO);
		chain.drops = nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP;
	}
	if (table && name && strlen(table) < NFT_NAME_LEN && strlen(name) < NFT_NAME_LEN) {
		(void)snprintf(chain.table, sizeof(chain.table), "%s", table);
		(void)snprintf(chain.name, sizeof(chain.name), "%s", name);
		listing->each(listing->data, &chain);
	}
	nftnl_chain_free(c);
	return MNL_CB_OK;
}

int nft_chain_list(void (*each)(void *data, const struct nft_chain *chain), void *data)
{
	alignas(struct nlmsghdr) char bytes[MESSAGE_BYTES];
	struct chain_listing listing = { each, data };
	const struct nlmsghdr *hdr =
		nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NLM_F_DUMP, 0);
	int r = dump(hdr, see_chain, &listing);

	return r == -EPROTONOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

struct rule_listing {
	void (*each)(void *data, const struct nft_seen_rule *rule);
	void *data;
};

static void see_comment(struct nftnl_rule *r, char ret[NFT_COMMENT_LEN])
{
	uint32_t len = 0;
	const uint8_t *notes = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &len);

	/* Type, length, text with its NUL; the comment is the first note where there is one. */
	if (notes && len > 2 && notes[0] == NFTNL_UDATA_RULE_COMMENT && notes[1] + 2U <= len)
		(void)snprintf(ret, NFT_COMMENT_LEN, "%.*s", (int)notes[1],
			       (const char *)notes + 2);
}

static bool target_rejects(struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME);

	return name && strcmp(name, "REJECT") == 0;
}

/* The first expression that is not for counting decides: anything but a verdict is a condition. */
static bool always_drops(struct nftnl_rule *r)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(r);
	struct nftnl_expr *e;
	bool drops = false;

	while (iter && (e = nftnl_expr_iter_next(iter))) {
		const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

		if (strcmp(name, "counter") == 0 || strcmp(name, "log") == 0)
			continue;
		if (strcmp(name, "immediate") == 0)
			drops = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT) == NF_DROP &&
				nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT);
		else
			drops = strcmp(name, "reject") == 0 ||
				(strcmp(name, "target") == 0 && target_rejects(e));
		break;
	}
	if (iter)
		nftnl_expr_iter_destroy(iter);
	return drops;
}

static int see_rule(const struct nlmsghdr *hdr, void *data)
{
	const struct rule_listing *listing = data;
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nft_seen_rule seen = { .handle = 0 };

	if (!r || nftnl_rule_nlmsg_parse(hdr, r) < 0) {
		nftnl_rule_free(r);
		return MNL_CB_ERROR;
	}
	seen.handle = nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE);
	seen.drops = always_drops(r);
	see_comment(r, seen.comment);
	listing->each(listing->data, &seen);
	nftnl_rule_free(r);
	return MNL_CB_OK;
}

static struct nftnl_rule *rule_in(const struct nft_chain *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, chain->family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, chain->table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain->name);
	return r;
}

int nft_chain_rules(const struct nft_chain *chain,
		    void (*each)(void *data, const struct nft_seen_rule *rule), void *data)
{
	alignas(struct nlmsghdr) char bytes[MESSAGE_BYTES];
	struct rule_listing listing = { each, data };
	struct nftnl_rule *which = rule_in(chain);
	struct nlmsghdr *hdr =
		nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETRULE, chain->family, NLM_F_DUMP, 0);

	nftnl_rule_nlmsg_build_payload(hdr, which);
	nftnl_rule_free(which);
	return dump(hdr, see_rule, &listing);
}

/* changing */

/* A batch of one message, with the kernel's verdict on it. */
static int change(uint16_t type, uint16_t flags, struct nftnl_rule *rule)
{
	char bytes[3 * MESSAGE_BYTES];
	alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(bytes, sizeof(bytes));
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int r = sock ? 0 : -errno;

	(void)nftnl_batch_begin(mnl_nlmsg_batch_current(batch), 1);
	(void)mnl_nlmsg_batch_next(batch);
	nftnl_rule_nlmsg_build_payload(
		nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch), type,
				      nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
				      flags | NLM_F_ACK, 2),
		rule);
	(void)mnl_nlmsg_batch_next(batch);
	(void)nftnl_batch_end(mnl_nlmsg_batch_current(batch), 3);
	(void)mnl_nlmsg_batch_next(batch);
	if (r == 0 &&
	    (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	     mnl_socket_sendto(sock, mnl_nlmsg_batch_head(batch), mnl_nlmsg_batch_size(batch)) < 0))
		r = -errno;
	if (r == 0) {
		ssize_t n = mnl_socket_recvfrom(sock, answer, sizeof(answer));

		if (n < 0 ||
		    mnl_cb_run(answer, (size_t)n, 2, mnl_socket_get_portid(sock), NULL, NULL) < 0)
			r = -errno;
	}
	mnl_nlmsg_batch_stop(batch);
	if (sock)
		(void)mnl_socket_close(sock);
	return r;
}

static struct nftnl_expr *add(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	nftnl_rule_add_expr(r, e);
	return e;
}

static void load_meta(struct nftnl_rule *r, uint32_t key)
{
	struct nftnl_expr *e = add(r, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void equal(struct nftnl_rule *r, const void *data, uint32_t len)
{
	struct nftnl_expr *e = add(r, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void match_port(struct nftnl_rule *r, uint8_t protocol, uint16_t port)
{
	const uint16_t number = htons(port);
	struct nftnl_expr *e;

	load_meta(r, NFT_META_L4PROTO);
	equal(r, &protocol, sizeof(protocol));
	e = add(r, "payload");
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, 2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, sizeof(number));
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	equal(r, &number, sizeof(number));
}

static void note_comment(struct nftnl_rule *r, const char *comment)
{
	struct nftnl_udata_buf *notes = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);

	(void)nftnl_udata_put_strz(notes, NFTNL_UDATA_RULE_COMMENT, comment);
	nftnl_rule_set_data(r, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(notes),
			    nftnl_udata_buf_len(notes));
	nftnl_udata_buf_free(notes);
}

static struct nftnl_rule *accept_rule(const struct nft_chain *chain,
				      const struct nft_accept *accept)
{
	struct nftnl_rule *r = rule_in(chain);
	char link[IF_NAMESIZE] = "";
	struct nftnl_expr *e;

	(void)snprintf(link, sizeof(link), "%s", accept->link);
	load_meta(r, accept->out ? NFT_META_OIFNAME : NFT_META_IIFNAME);
	equal(r, link, sizeof(link));
	if (accept->protocol)
		match_port(r, accept->protocol, accept->port);
	(void)add(r, "counter");
	e = add(r, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, NF_ACCEPT);
	note_comment(r, accept->comment);
	return r;
}

static bool narrate_accept(const struct nft_chain *chain, const struct nft_accept *accept)
{
	char port[64] = "";

	if (accept->protocol)
		(void)snprintf(port, sizeof(port), "%s dport %u ",
			       accept->protocol == IPPROTO_TCP ? "tcp" : "udp", accept->port);
	return explain("another firewall drops what it does not know: two rules in its chain, and "
		       "ours still decides",
		       "nft 'insert rule %s %s %s %s \"%s\" %scounter accept comment \"%s\"'",
		       nft_family_name(chain->family), chain->table, chain->name,
		       accept->out ? "oifname" : "iifname", accept->link, port, accept->comment);
}

int nft_chain_accept(const struct nft_chain *chain, const struct nft_accept *accept,
		     struct error *err)
{
	struct nftnl_rule *rule;
	int r;

	if (narrate_accept(chain, accept))
		return 0;
	rule = accept_rule(chain, accept);
	r = change(NFT_MSG_NEWRULE, NLM_F_CREATE, rule);
	nftnl_rule_free(rule);
	return r < 0 ? error_sys(err, r, "accept %s in chain %s of table %s %s", accept->link,
				 chain->name, nft_family_name(chain->family), chain->table)
		     : 0;
}

int nft_chain_delete(const struct nft_chain *chain, uint64_t handle, struct error *err)
{
	struct nftnl_rule *rule;
	int r;

	if (explain(NULL, "nft delete rule %s %s %s handle %llu", nft_family_name(chain->family),
		    chain->table, chain->name, (unsigned long long)handle))
		return 0;
	rule = rule_in(chain);
	nftnl_rule_set_u64(rule, NFTNL_RULE_HANDLE, handle);
	r = change(NFT_MSG_DELRULE, 0, rule);
	nftnl_rule_free(rule);
	return r < 0 && r != -ENOENT ? error_sys(err, r, "delete a rule of ours in table %s %s",
						 nft_family_name(chain->family), chain->table)
				     : 0;
}
