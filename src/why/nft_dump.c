/* src/why/nft_dump.c - chains and rules of a table, as messages of netlink. */
#include "why/nft_dump.h"

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/json.h"
#include "kernel/netlink.h"
#include "why/nft_expr.h"

struct dump {
	uint8_t nfproto;
	const char *family, *name;
	json_t *list;
	bool is_strange; /* nft(8) must be asked */
};

static void add(struct dump *d, const char *kind, json_t *obj)
{
	json_t *item = json_object();

	(void)json_object_set_new(obj, "family", json_string(d->family));
	(void)json_object_set_new(item, kind, obj);
	(void)json_array_append_new(d->list, item);
}

static json_t *text(struct dump *d, const char *value)
{
	json_t *ret = value ? json_string(value) : NULL;

	d->is_strange |= !ret; /* not UTF-8 */
	return ret;
}

static int query(struct dump *d, struct nl *nl, uint16_t message, mnl_cb_t each)
{
	const struct nfgenmsg head = { .nfgen_family = d->nfproto, .version = NFNETLINK_V0 };
	struct nl_req q;

	nl_req_init(&q, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8) | message, NLM_F_DUMP, &head,
		    sizeof(head));
	/* of rules and of sets; the kernel lists the chains of all tables */
	nl_put_str(&q, message == NFT_MSG_GETRULE ? NFTA_RULE_TABLE : NFTA_SET_TABLE, d->name);
	return nl_query(nl, &q, each, d);
}

static int take_set(const struct nlmsghdr *hdr, void *data)
{
	struct dump *d = data;

	(void)hdr;
	d->is_strange = true;
	return MNL_CB_OK;
}

static void add_chain(struct dump *d, const struct nftnl_chain *c)
{
	static const char *const hooks[] = { "prerouting", "input", "forward", "output",
					     "postrouting" };
	json_t *obj = json_object();
	uint32_t hook;

	(void)json_object_set_new(obj, "table", json_string(d->name));
	(void)json_object_set_new(obj, "name", text(d, nftnl_chain_get_str(c, NFTNL_CHAIN_NAME)));
	(void)json_object_set_new(
		obj, "handle",
		json_integer((json_int_t)nftnl_chain_get_u64(c, NFTNL_CHAIN_HANDLE)));
	if (nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM)) {
		hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM);
		d->is_strange |= hook >= ARRAY_SIZE(hooks) ||
				 nftnl_chain_is_set(c, NFTNL_CHAIN_DEV) ||
				 nftnl_chain_is_set(c, NFTNL_CHAIN_DEVICES);
		(void)json_object_set_new(obj, "type",
					  text(d, nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE)));
		(void)json_object_set_new(obj, "hook",
					  json_string(hooks[hook < ARRAY_SIZE(hooks) ? hook : 0]));
		(void)json_object_set_new(obj, "prio",
					  json_integer(nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO)));
		(void)json_object_set_new(
			obj, "policy",
			json_string(nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP
					    ? "drop"
					    : "accept"));
	}
	add(d, "chain", obj);
}

static int take_chain(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct dump *d = data;
	const char *table;

	if (!c || nftnl_chain_nlmsg_parse(hdr, c) < 0) {
		nftnl_chain_free(c);
		return MNL_CB_ERROR;
	}
	table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
	if (table && strcmp(table, d->name) == 0 &&
	    nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY) == d->nfproto)
		add_chain(d, c);
	nftnl_chain_free(c);
	return MNL_CB_OK;
}

/* Type, length, text with its NUL; notes of another type would be news. */
static void add_comment(struct dump *d, const struct nftnl_rule *r, json_t *obj)
{
	uint32_t len = 0;
	const uint8_t *notes = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &len);

	if (!notes || len == 0)
		return;
	if (len < 3 || notes[0] != NFTNL_UDATA_RULE_COMMENT || notes[1] + 2U != len ||
	    notes[len - 1] != '\0')
		d->is_strange = true;
	else
		(void)json_object_set_new(obj, "comment", text(d, (const char *)notes + 2));
}

static void add_rule(struct dump *d, const struct nftnl_rule *r)
{
	json_t *obj = json_object(), *exprs = json_array();

	(void)json_object_set_new(obj, "table", json_string(d->name));
	(void)json_object_set_new(obj, "chain", text(d, nftnl_rule_get_str(r, NFTNL_RULE_CHAIN)));
	(void)json_object_set_new(
		obj, "handle", json_integer((json_int_t)nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE)));
	add_comment(d, r, obj);
	d->is_strange |= nft_expr_read(r, d->nfproto, exprs) < 0;
	(void)json_object_set_new(obj, "expr", exprs);
	add(d, "rule", obj);
}

static int take_rule(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_rule *r;
	struct dump *d = data;

	if (d->is_strange)
		return MNL_CB_OK; /* the rest is not needed, but must be fetched */
	r = nftnl_rule_alloc();
	if (!r || nftnl_rule_nlmsg_parse(hdr, r) < 0) {
		nftnl_rule_free(r);
		return MNL_CB_ERROR;
	}
	add_rule(d, r);
	nftnl_rule_free(r);
	return MNL_CB_OK;
}

static int dump_all(struct dump *d)
{
	struct nl nl = { 0 };
	json_t *table = json_object();
	int r;

	(void)json_object_set_new(table, "name", json_string(d->name));
	add(d, "table", table);
	r = nl_open_to(&nl, NETLINK_NETFILTER, NULL);
	if (r < 0)
		return r;
	r = query(d, &nl, NFT_MSG_GETSET, take_set);
	if (r == 0 && !d->is_strange)
		r = query(d, &nl, NFT_MSG_GETCHAIN, take_chain);
	if (r == 0 && !d->is_strange)
		r = query(d, &nl, NFT_MSG_GETRULE, take_rule);
	nl_close(&nl);
	return r;
}

int nft_dump(enum family family, const char *name, json_t **ret_doc)
{
	struct dump d = { .name = name, .family = family_name(family), .list = json_array() };
	int r;

	d.nfproto = family == FAMILY_IP    ? NFPROTO_IPV4
		    : family == FAMILY_IP6 ? NFPROTO_IPV6
					   : NFPROTO_INET;
	if (family != FAMILY_IP && family != FAMILY_IP6 && family != FAMILY_INET)
		d.is_strange = true;
	r = d.is_strange ? 0 : dump_all(&d);
	/* Whatever failed: changed meanwhile, gone: nft(8) has an answer or an error. */
	if (r < 0 || d.is_strange) {
		json_decref(d.list);
		return -EOPNOTSUPP;
	}
	*ret_doc = json_object();
	(void)json_object_set_new(*ret_doc, "nftables", d.list);
	return 0;
}
