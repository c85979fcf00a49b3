/* src/network/table.c - elements of the table: collected, narrated, added, taken back, listed. */
#include "network/table.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "network/network.h"
#include "network/port.h"

#define NARRATION_BYTES (1U << 20)

void table_elements_done(struct table_elements *v)
{
	free(v->items);
	*v = (struct table_elements) { 0 };
}

static struct nft_element *element_new(struct table_elements *v, enum table_set set)
{
	VEC_GROW(v->items, v->n, v->room);
	v->items[v->n] = (struct table_element) { .set = &table_sets[set] };
	return &v->items[v->n++].e;
}

/* networks */

static void add_links(struct table_elements *v, enum table_set set, const char *a, const char *b)
{
	struct nft_element *e = element_new(v, set);

	memcpy(e->key, a, strlen(a));
	if (b)
		memcpy(e->key + IF_NAMESIZE, b, strlen(b));
}

/* times: how often the subnet stands in the key. */
static void add_net(struct table_elements *v, enum table_set set, const struct ip_net *net,
		    size_t times)
{
	const struct ip first = ip_net_first(net), last = ip_net_last(net);
	struct nft_element *e = element_new(v, set);

	e->has_end = true;
	for (size_t i = 0; i < times; i++) {
		memcpy(e->key + i * ip_len(&first), first.bytes, ip_len(&first));
		memcpy(e->key_end + i * ip_len(&last), last.bytes, ip_len(&last));
	}
}

static void add_subnet(struct table_elements *v, const struct network *network,
		       const struct ip_net *net)
{
	bool is4 = net->ip.family == AF_INET;

	add_net(v, is4 ? SET_SAME4 : SET_SAME6, net, 2);
	/* Answers to what was not masqueraded come to its own address. */
	if (!network->managed || network->routed || network->masquerade_off)
		return;
	add_net(v, is4 ? SET_CLOSED4 : SET_CLOSED6, net, 1);
	if (!network->internal)
		add_net(v, is4 ? SET_MASQ4 : SET_MASQ6, net, 1);
}

/* A bridge that we joined has other members, whose traffic is none of our business: it is in no set
 * that anything is dropped for.
 */
void table_collect_network(struct table_elements *v, const struct network *network,
			   char *const *peer_links, size_t npeers)
{
	const char *link = network->link;

	for (size_t i = 0; i < network->nsubnets; i++)
		add_subnet(v, network, &network->subnets[i].net);
	if (!network->managed)
		return;
	add_links(v, SET_BRIDGES, link, NULL);
	if (!network->icc_off)
		add_links(v, SET_SELF, link, link);
	if (network->internal)
		add_links(v, SET_INTERNAL, link, NULL);
	if (network->routed)
		add_links(v, SET_ROUTED, link, NULL);
	if (network->isolation == ISOLATE_STRICT)
		add_links(v, SET_STRICT, link, NULL);
	if (network->isolation == ISOLATE_OPEN)
		add_links(v, SET_OPEN, link, NULL);
	for (size_t i = 0; i < npeers; i++) {
		add_links(v, SET_PEERS, link, peer_links[i]);
		add_links(v, SET_PEERS, peer_links[i], link);
	}
}

/* ports */

/* Returns the key's length; a field of a concatenation begins at a register's start. */
static size_t put_key(unsigned char *key, const struct port *port, bool with_ip, uint16_t number)
{
	const uint16_t order = htons(number);
	size_t at = 0;

	if (with_ip) {
		at = ip_len(&port->ip);
		memcpy(key, port->ip.bytes, at);
	}
	key[at] = port->protocol;
	memcpy(key + at + 4, &order, sizeof(order));
	return at + 8;
}

static void add_one(struct table_elements *v, enum table_set set, const struct port *port,
		    uint16_t offset, const struct ip *to, const char *comment)
{
	const uint16_t target = htons((uint16_t)(port->container + offset));
	bool with_ip = set == SET_PUB4IP || set == SET_PUB6IP;
	struct nft_element *e = element_new(v, set);

	(void)put_key(e->key, port, with_ip, (uint16_t)(port->host + offset));
	memcpy(e->data, to->bytes, ip_len(to));
	memcpy(e->data + ip_len(to), &target, sizeof(target));
	(void)snprintf(e->comment, sizeof(e->comment), "%s", comment);
}

static void add_range(struct table_elements *v, enum table_set set, const struct port *port,
		      const struct ip *to, const char *comment)
{
	bool with_ip = set == SET_PUB4IPRANGE || set == SET_PUB6IPRANGE;
	struct nft_element *e = element_new(v, set);

	e->has_end = true;
	(void)put_key(e->key, port, with_ip, port->host);
	(void)put_key(e->key_end, port, with_ip, (uint16_t)(port->host + port->count - 1));
	memcpy(e->data, to->bytes, ip_len(to));
	(void)snprintf(e->comment, sizeof(e->comment), "%s", comment);
}

static void collect_to(struct table_elements *v, const struct port *port, const struct ip *to,
		       const char *comment)
{
	bool is4 = to->family == AF_INET, with_ip = ip_is_set(&port->ip) && !ip_is_any(&port->ip);

	if (ip_is_set(&port->ip) && port->ip.family != to->family)
		return;
	if (port->count > 1 && port->host == port->container) {
		if (is4)
			add_range(v, with_ip ? SET_PUB4IPRANGE : SET_PUB4RANGE, port, to, comment);
		else
			add_range(v, with_ip ? SET_PUB6IPRANGE : SET_PUB6RANGE, port, to, comment);
		return;
	}
	for (uint16_t i = 0; i < port->count; i++) {
		if (is4)
			add_one(v, with_ip ? SET_PUB4IP : SET_PUB4, port, i, to, comment);
		else
			add_one(v, with_ip ? SET_PUB6IP : SET_PUB6, port, i, to, comment);
	}
}

static void collect_loopback(struct table_elements *v, const struct port *port,
			     const struct ip *gateway)
{
	struct nft_element *e;

	if (ip_is_set(&port->ip) && !ip_is_any(&port->ip) && !ip_is_loopback(&port->ip))
		return;
	if (ip_is_set(&port->ip) && port->ip.family != AF_INET6)
		return;
	for (uint16_t i = 0; i < port->count; i++) {
		bool range = port->count > 1 && port->host == port->container;

		e = element_new(v, range ? SET_LOOP6RANGE : SET_LOOP6);
		(void)put_key(e->key, port, false, (uint16_t)(port->host + i));
		memcpy(e->data, gateway->bytes, ip_len(gateway));
		if (!range)
			continue;
		e->has_end = true;
		(void)put_key(e->key_end, port, false, (uint16_t)(port->host + port->count - 1));
		break;
	}
}

void table_collect_port(struct table_elements *v, const struct port *port,
			const struct table_target *to, const char *comment)
{
	if (ip_is_set(&to->to4))
		collect_to(v, port, &to->to4, comment);
	if (ip_is_set(&to->to6))
		collect_to(v, port, &to->to6, comment);
	if (ip_is_set(&to->to6) && ip_is_set(&to->gateway6))
		collect_loopback(v, port, &to->gateway6);
}

bool table_element_port(const struct table_element *element, struct port *ret, struct ip *ret_to)
{
	size_t which = (size_t)(element->set - table_sets);
	bool with_ip = element->set->key_len > 8;
	const unsigned char *key = element->e.key, *end = element->e.key_end;
	struct port port = { .count = 1 };
	uint16_t number, last;

	if (which < SET_PUB4)
		return false;
	*ret_to = (struct ip) { .family = which < SET_PUB6 ? AF_INET : AF_INET6 };
	memcpy(ret_to->bytes, element->e.data, ip_len(ret_to));
	if (with_ip) {
		port.ip.family = ret_to->family;
		memcpy(port.ip.bytes, key, ip_len(&port.ip));
		key += ip_len(&port.ip);
		end += ip_len(&port.ip);
	}
	port.protocol = key[0];
	memcpy(&number, key + 4, sizeof(number));
	port.host = port.container = ntohs(number);
	if (element->e.has_end) {
		memcpy(&last, end + 4, sizeof(last));
		port.count = (uint16_t)(ntohs(last) - port.host + 1);
	} else {
		memcpy(&number, element->e.data + ip_len(ret_to), sizeof(number));
		port.container = ntohs(number);
	}
	*ret = port;
	return true;
}

/* text */

/* As a subnet; intervals that are none do not come up. */
static void format_interval(struct buf *b, const struct ip *first, const struct ip *last)
{
	struct ip_net net = { *first, (uint8_t)(8 * ip_len(first)) };
	char text[IP_NET_TEXT_LEN];

	while (net.prefix_len > 0 && !ip_net_has(&net, last))
		net.prefix_len--;
	if (ip_equal(first, last))
		ip_format(first, text);
	else
		ip_net_format(&net, text);
	buf_add_str(b, text);
}

static size_t format_field(struct buf *b, uint32_t type, const unsigned char *bytes,
			   const unsigned char *end)
{
	struct ip ip = { .family = type == NFT_TYPE_IP6ADDR ? AF_INET6 : AF_INET }, last = ip;
	uint16_t port, last_port;

	switch ((enum nft_type)type) {
	case NFT_TYPE_IFNAME:
		buf_addf(b, "\"%.*s\"", IF_NAMESIZE, (const char *)bytes);
		return IF_NAMESIZE;
	case NFT_TYPE_PROTO:
		buf_add_str(b, port_protocol_name(bytes[0]));
		return 4;
	case NFT_TYPE_SERVICE:
		memcpy(&port, bytes, sizeof(port));
		memcpy(&last_port, end, sizeof(last_port));
		buf_addf(b, port == last_port ? "%u" : "%u-%u", ntohs(port), ntohs(last_port));
		return 4;
	case NFT_TYPE_IPADDR:
	case NFT_TYPE_IP6ADDR:
		memcpy(ip.bytes, bytes, ip_len(&ip));
		memcpy(last.bytes, end, ip_len(&ip));
		format_interval(b, &ip, &last);
		return ip_len(&ip);
	}
	return 4;
}

/* The first field is in the highest bits. */
static void format_fields(struct buf *b, uint32_t types, const unsigned char *bytes,
			  const unsigned char *end)
{
	size_t at = 0;

	for (int shift = 18; shift >= 0; shift -= 6) {
		uint32_t type = types >> shift & 63;

		if (!type)
			continue;
		if (at > 0)
			buf_add_str(b, " . ");
		at += format_field(b, type, bytes + at, end + at);
	}
}

static void format_element(struct buf *b, const struct table_element *element, bool whole)
{
	const struct nft_element *e = &element->e;

	format_fields(b, element->set->key_type, e->key, e->has_end ? e->key_end : e->key);
	if (whole && e->comment[0])
		buf_addf(b, " comment \"%s\"", e->comment);
	if (!whole || !element->set->data_len)
		return;
	buf_add_str(b, " : ");
	format_fields(b, element->set->data_type, e->data, e->data);
}

char *table_element_format(const struct table_element *element)
{
	struct table_element plain = *element;
	struct buf b = BUF_INIT(1024);

	plain.e.comment[0] = '\0';
	buf_addf(&b, "%s { ", element->set->name);
	format_element(&b, &plain, true);
	buf_add_str(&b, " }");
	return buf_steal(&b);
}

bool table_element_equal(const struct table_element *a, const struct table_element *b)
{
	const struct nft_element *x = &a->e, *y = &b->e;

	return a->set == b->set && memcmp(x->key, y->key, sizeof(x->key)) == 0 &&
	       memcmp(x->data, y->data, sizeof(x->data)) == 0 && x->has_end == y->has_end &&
	       (!x->has_end || memcmp(x->key_end, y->key_end, sizeof(x->key_end)) == 0);
}

/* One line a set: elements of one set are collected in a row or nearly so. */
static void narrate_lines(struct buf *b, const char *table, const struct table_elements *v,
			  const char *verb)
{
	for (size_t i = 0; i < v->n; i++) {
		bool same = i > 0 && v->items[i].set == v->items[i - 1].set;
		bool more = i + 1 < v->n && v->items[i + 1].set == v->items[i].set;

		if (!same)
			buf_addf(b, "%s element inet %s %s { ", verb, table, v->items[i].set->name);
		format_element(b, &v->items[i], strcmp(verb, "add") == 0);
		buf_add_str(b, more ? ", " : " }\n");
	}
}

static bool narrate(const char *table, const struct table_elements *v, const char *verb,
		    const char *why)
{
	struct buf b = BUF_INIT(NARRATION_BYTES);
	bool dry;

	if (explain_mode() == EXPLAIN_OFF || v->n == 0)
		return explain_dry();
	narrate_lines(&b, table, v, verb);
	if (b.len > 0 && memchr(b.data, '\n', b.len) == b.data + b.len - 1)
		dry = explain(why, "nft '%.*s'", (int)b.len - 1, b.data);
	else
		dry = explain(why, "nft -f - <<'ELEMENTS'\n%sELEMENTS", buf_text(&b));
	buf_done(&b);
	return dry;
}

/* the kernel */

static int commit(const char *table, const struct table_elements *v, bool with_rules)
{
	struct nft *nft = nft_new(table);
	int r;

	if (with_rules)
		table_rules_build(nft);
	for (size_t i = 0; i < v->n; i++)
		nft_add_element(nft, v->items[i].set, &v->items[i].e);
	r = nft_commit(nft);
	nft_free(nft);
	return r;
}

static int refused(int r, const char *table, struct error *err)
{
	if (r == -EPROTONOSUPPORT || r == -EOPNOTSUPP)
		return error_set(
			err, r,
			"set up nftables table inet %s: this kernel has no nf_tables with NAT; "
			"'modprobe nft_chain_nat' may bring it, --network none needs none",
			table);
	return error_sys(err, r, "set up nftables table inet %s", table);
}

int table_add(const char *table, const struct table_elements *v, struct error *err)
{
	autofree char *text = NULL;
	int r;

	if (explain_mode() != EXPLAIN_OFF) {
		text = xasprintf(table_rules_text, table);
		(void)explain("one table for all networks, whose rules never change",
			      "nft list table inet %1$s > /dev/null 2>&1 || "
			      "nft -f - <<'TABLE'\n%2$s\nTABLE",
			      table, text);
	}
	if (narrate(table, v, "add", "this network's place in it"))
		return 0;
	/* It may be there from another network, or not: the kernel decides, not we. */
	r = commit(table, v, false);
	if (r == -ENOENT)
		r = commit(table, v, true);
	if (r == -EEXIST)
		r = commit(table, v, false);
	return r < 0 ? refused(r, table, err) : 0;
}

int table_extend(const char *table, const struct table_elements *v, struct error *err)
{
	int r;

	if (v->n == 0 || narrate(table, v, "add", "a published port is one element of a map"))
		return 0;
	r = commit(table, v, false);
	return r < 0 ? error_sys(err, r, "publish ports in nftables table inet %s", table) : 0;
}

static int remove_one(struct nft_door *door, const char *table, const struct table_element *items,
		      size_t n)
{
	struct nft *nft = nft_new(table);
	int r;

	for (size_t i = 0; i < n; i++)
		nft_del_element(nft, items[i].set, &items[i].e);
	r = nft_commit_through(nft, door);
	nft_free(nft);
	return r;
}

/* Who may not change it is told so whether there is anything or not, and cannot look; nor could
 * they have made it.  What holds a bridge that is there is refused with that.
 */
static bool is_gone(int r)
{
	return r >= 0 || r == -ENOENT || r == -EPERM;
}

/* All at once; if one is gone already, it must not keep the others: one by one then. */
int table_remove_through(struct nft_door *door, const char *table, const struct table_elements *v,
			 struct error *err)
{
	int r;

	if (v->n == 0 || narrate(table, v, "delete", "what the table knew of it"))
		return 0;
	r = remove_one(door, table, v->items, v->n);
	for (size_t i = 0; r == -ENOENT && v->n > 1 && i < v->n; i++) {
		int one = remove_one(door, table, &v->items[i], 1);

		if (one < 0 && one != -ENOENT)
			r = one;
	}
	return is_gone(r) ? 0 : error_sys(err, r, "clean nftables table inet %s", table);
}

int table_remove(const char *table, const struct table_elements *v, struct error *err)
{
	return table_remove_through(NULL, table, v, err);
}

int table_replace(const char *table, const struct table_elements *v, struct error *err)
{
	autofree char *text = NULL;
	struct nft *nft;
	int r;

	if (explain_mode() != EXPLAIN_OFF) {
		text = xasprintf(table_rules_text, table);
		(void)explain("the table with just what is needed, whether it was there or not",
			      "nft -f - <<'TABLE'\nadd table inet %1$s\n"
			      "delete table inet %1$s\n%2$s\nTABLE",
			      table, text);
	}
	if (narrate(table, v, "add", "each network and published port is some elements"))
		return 0;
	nft = nft_new(table);
	nft_ensure_table(nft);
	nft_del_table(nft);
	table_rules_build(nft);
	for (size_t i = 0; i < v->n; i++)
		nft_add_element(nft, v->items[i].set, &v->items[i].e);
	r = nft_commit(nft);
	nft_free(nft);
	return r < 0 ? refused(r, table, err) : 0;
}

int table_delete(const char *table, struct error *err)
{
	struct nft *nft;
	int r;

	if (explain("no network is left", "nft delete table inet %s", table))
		return 0;
	nft = nft_new(table);
	nft_del_table(nft);
	r = nft_commit(nft);
	nft_free(nft);
	return is_gone(r) ? 0 : error_sys(err, r, "delete nftables table inet %s", table);
}

struct listing {
	const struct nft_set *set;
	struct table_elements *ret;
};

static void take(void *data, const struct nft_element *e)
{
	const struct listing *listing = data;
	struct table_elements *v = listing->ret;

	VEC_GROW(v->items, v->n, v->room);
	v->items[v->n++] = (struct table_element) { listing->set, *e };
}

int table_list(const char *table, struct table_elements *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < SETS; i++) {
		struct listing listing = { &table_sets[i], ret };

		r = nft_list_elements(table, &table_sets[i], take, &listing);
	}
	return r;
}
