/* src/why/packet.c */
#include "why/packet.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/ip.h"
#include "base/strv.h"

enum { V4 = 2, V6 = 10 };

/* the world */

void world_done(struct world *w)
{
	free(w->local);
	free(w->routes);
	*w = (struct world) { 0 };
}

int world_add_local(struct world *w, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	autofree char *address = xstrndup(text, equals ? (size_t)(equals - text) : strlen(text));
	struct world_address *a;
	struct ip ip;

	if (ip_parse(address, &ip) < 0 || (equals && strlen(equals + 1) >= sizeof(a->link)))
		return error_set(err, -EINVAL,
				 "'%.60s' is no address of this host, such as 10.0.0.1 or "
				 "10.0.0.1=eth0",
				 text);
	VEC_GROW(w->local, w->nlocal, w->local_room);
	a = &w->local[w->nlocal++];
	*a = (struct world_address) { value_of_ip(&ip), ip.family == AF_INET6, "" };
	(void)snprintf(a->link, sizeof(a->link), "%s", equals ? equals + 1 : "");
	return 0;
}

/* 127.0.0.1 is of no use beyond lo: the kernel (inet_select_addr()) takes the first of another
 * link. */
bool world_address_of(const struct world *w, bool v6, u128 link, u128 *ret)
{
	bool any = !v6 && link == value_of_name("lo");

	for (size_t i = 0; w && i < w->nlocal; i++)
		if (w->local[i].v6 == v6 && (any ? w->local[i].value >> 24 != 127
						 : value_of_name(w->local[i].link) == link)) {
			*ret = w->local[i].value;
			return true;
		}
	return false;
}

int world_add_route(struct world *w, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	autofree char *to = xstrndup(text, equals ? (size_t)(equals - text) : strlen(text));
	struct world_route r = { .v6 = strchr(to, ':') != NULL };

	if (!equals || !equals[1] || strlen(equals + 1) >= sizeof(r.link) ||
	    (strcmp(to, "default") != 0 && value_parse(r.v6 ? KIND_IP6 : KIND_IP, to, &r.to) < 0))
		return error_set(err, -EINVAL, "'%.60s' is no route, such as 10.0.0.0/8=eth0",
				 text);
	if (strcmp(to, "default") == 0)
		r.to = (struct range) { 0, VALUE_ALL };
	(void)snprintf(r.link, sizeof(r.link), "%s", equals + 1);
	VEC_GROW(w->routes, w->nroutes, w->routes_room);
	w->routes[w->nroutes++] = r;
	return 0;
}

bool world_is_local(const struct world *w, bool v6, u128 address)
{
	if (v6 ? address == 1 : address >> 24 == 127)
		return true;
	for (size_t i = 0; w && i < w->nlocal; i++)
		if (w->local[i].v6 == v6 && w->local[i].value == address)
			return true;
	return false;
}

const char *world_route(const struct world *w, bool v6, u128 address)
{
	const struct world_route *best = NULL;

	for (size_t i = 0; w && i < w->nroutes; i++) {
		const struct world_route *r = &w->routes[i];
		bool is_default = r->to.lo == 0 && r->to.hi == VALUE_ALL;

		if ((r->v6 != v6 && !is_default) || address < r->to.lo || address > r->to.hi)
			continue;
		if (!best || r->to.hi - r->to.lo < best->to.hi - best->to.lo)
			best = r;
	}
	return best ? best->link : NULL;
}

/* fields */

void packet_set(struct packet *p, enum field field, u128 value)
{
	p->value[field] = value;
	p->known[field] = KNOWN;
}

bool packet_is_v6(const struct packet *p)
{
	return p->value[FIELD_FAMILY] == V6;
}

enum field packet_saddr(const struct packet *p)
{
	return packet_is_v6(p) ? FIELD_IP6_SADDR : FIELD_IP_SADDR;
}

enum field packet_daddr(const struct packet *p)
{
	return packet_is_v6(p) ? FIELD_IP6_DADDR : FIELD_IP_DADDR;
}

/* the description */

struct parsing {
	const struct strv *words;
	size_t at;
	struct packet *p;
	bool has_in, has_out, has_state;
	struct error *err;
};

static int wrong(const struct parsing *in, const char *word, const char *what)
{
	return error_set(in->err, -EINVAL, "packet: '%.60s': %s", word, what);
}

/* An address, with a port behind it: 10.0.0.1:80, [fd00::1]:80. */
static int read_address(struct parsing *in, const char *word, bool is_source)
{
	autofree char *address = xstrdup(word);
	char *port = NULL, *colon = strchr(address, ':');
	struct packet *p = in->p;
	struct range value;
	struct ip ip;
	char *text = address;

	if (address[0] == '[') {
		port = strchr(address, ']');
		if (!port || (port[1] && port[1] != ':'))
			return wrong(in, word, "expected an address such as [fd00::1]:80");
		*port = '\0';
		port = port[1] ? port + 2 : NULL;
		text++;
	} else if (colon && !strchr(colon + 1, ':')) {
		*colon = '\0';
		port = colon + 1;
	}
	if (ip_parse(text, &ip) < 0)
		return wrong(in, word, "expected an address, or one with a port behind a colon");
	if (packet_has(p, FIELD_FAMILY) && packet_is_v6(p) != (ip.family == AF_INET6))
		return wrong(in, word, "the addresses are of two families");
	packet_set(p, FIELD_FAMILY, ip.family == AF_INET6 ? V6 : V4);
	packet_set(p, is_source ? packet_saddr(p) : packet_daddr(p), value_of_ip(&ip));
	if (!port)
		return 0;
	if (value_parse(KIND_PORT, port, &value) < 0 || value.lo != value.hi)
		return wrong(in, word, "behind the colon there is no port");
	packet_set(p, is_source ? FIELD_SPORT : FIELD_DPORT, value.lo);
	return 0;
}

static const struct word_row {
	const char *word;
	enum field field;
	bool is_list;
} rows[] = {
	{ "in", FIELD_IIF, false },
	{ "iif", FIELD_IIF, false },
	{ "iifname", FIELD_IIF, false },
	{ "out", FIELD_OIF, false },
	{ "oif", FIELD_OIF, false },
	{ "oifname", FIELD_OIF, false },
	{ "sport", FIELD_SPORT, false },
	{ "dport", FIELD_DPORT, false },
	{ "state", FIELD_CT_STATE, false },
	{ "status", FIELD_CT_STATUS, true },
	{ "mark", FIELD_MARK, false },
	{ "ctmark", FIELD_CT_MARK, false },
	{ "flags", FIELD_TCP_FLAGS, true },
	{ "ttl", FIELD_TTL, false },
	{ "length", FIELD_LENGTH, false },
	{ "uid", FIELD_UID, false },
	{ "gid", FIELD_GID, false },
	{ "mac", FIELD_ETHER_SADDR, false },
	{ "dscp", FIELD_DSCP, false },
	{ "pkttype", FIELD_PACKET_TYPE, false },
	{ "physin", FIELD_PHYSIN, false },
	{ "physout", FIELD_PHYSOUT, false },
	{ "direction", FIELD_CT_DIRECTION, false },
};

static int read_field(struct parsing *in, const struct word_row *row, const char *value)
{
	enum field field = row->field;
	struct range range = { 0, 0 };
	int r = row->is_list ? value_parse_list(field_kind(field), value, &range.lo)
			     : value_parse(field_kind(field), value, &range);

	if (row->is_list)
		range.hi = range.lo;
	if (r < 0 || range.lo != range.hi)
		return wrong(in, value, "this is no value for what is before it");
	packet_set(in->p, field, range.lo);
	in->has_in |= field == FIELD_IIF;
	in->has_out |= field == FIELD_OIF;
	in->has_state |= field == FIELD_CT_STATE;
	return 0;
}

/* type and code belong to either ICMP. */
static int read_icmp(struct parsing *in, const char *word, const char *value)
{
	bool v6 =
		packet_has(in->p, FIELD_PROTOCOL) && in->p->value[FIELD_PROTOCOL] == IPPROTO_ICMPV6;
	bool code = strcmp(word, "code") == 0;
	enum field field = code ? (v6 ? FIELD_ICMP6_CODE : FIELD_ICMP_CODE)
				: (v6 ? FIELD_ICMP6_TYPE : FIELD_ICMP_TYPE);
	struct range range;

	if (value_parse(field_kind(field), value, &range) < 0 || range.lo != range.hi)
		return wrong(in, value, "this is no type or code of ICMP");
	packet_set(in->p, field, range.lo);
	return 0;
}

static int read_pair(struct parsing *in, const char *word, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].word, word) == 0)
			return read_field(in, &rows[i], value);
	if (strcmp(word, "from") == 0 || strcmp(word, "saddr") == 0)
		return read_address(in, value, true);
	if (strcmp(word, "to") == 0 || strcmp(word, "daddr") == 0)
		return read_address(in, value, false);
	if (strcmp(word, "type") == 0 || strcmp(word, "code") == 0)
		return read_icmp(in, word, value);
	return -ENOENT;
}

static int read_word(struct parsing *in)
{
	const char *word = in->words->items[in->at];
	const char *next = in->at + 1 < in->words->n ? in->words->items[in->at + 1] : NULL;
	u128 protocol;
	int r;

	in->at++;
	if (next && strcmp(next, "->") == 0) {
		in->at++;
		if (in->at == in->words->n)
			return wrong(in, next, "expected an address behind it");
		r = read_address(in, word, true);
		return r < 0 ? r : read_address(in, in->words->items[in->at++], false);
	}
	if (strcmp(word, "bridged") == 0) {
		in->p->is_frame = true;
		return 0;
	}
	if (value_of_word(KIND_PROTOCOL, word, &protocol) == 0) {
		packet_set(in->p, FIELD_PROTOCOL, protocol);
		return 0;
	}
	if (strcmp(word, "proto") == 0 && next &&
	    value_of_word(KIND_PROTOCOL, next, &protocol) == 0) {
		packet_set(in->p, FIELD_PROTOCOL, protocol);
		in->at++;
		return 0;
	}
	r = next ? read_pair(in, word, next) : -ENOENT;
	if (r == -ENOENT)
		return wrong(in, word,
			     "not understood; a packet is such as "
			     "'in eth0 from 10.0.0.1 to 10.0.0.2 tcp dport 80 state new'");
	in->at++;
	return r;
}

/* what follows from what was said */

static void set_default(struct packet *p, enum field field, u128 value)
{
	if (p->known[field] == NOT_KNOWN)
		packet_set(p, field, value);
}

/* Of another protocol these bytes are something else. */
static bool may_have_ports(const struct packet *p)
{
	u128 protocol = p->value[FIELD_PROTOCOL];

	return !packet_has(p, FIELD_PROTOCOL) || protocol == IPPROTO_TCP ||
	       protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_DCCP;
}

static void fill_protocol(struct packet *p)
{
	u128 protocol = p->value[FIELD_PROTOCOL];

	if (!packet_has(p, FIELD_PROTOCOL))
		return;
	if (protocol == IPPROTO_TCP && p->value[FIELD_CT_STATE] == STATE_NEW)
		set_default(p, FIELD_TCP_FLAGS, 2);
	if (protocol == IPPROTO_ICMP && p->value[FIELD_CT_STATE] == STATE_NEW) {
		set_default(p, FIELD_ICMP_TYPE, 8);
		set_default(p, FIELD_ICMP_CODE, 0);
	}
	if (protocol == IPPROTO_ICMPV6 && p->value[FIELD_CT_STATE] == STATE_NEW) {
		set_default(p, FIELD_ICMP6_TYPE, 128);
		set_default(p, FIELD_ICMP6_CODE, 0);
	}
}

static void fill_connection(struct packet *p)
{
	bool is_new = p->value[FIELD_CT_STATE] == STATE_NEW;
	static const enum field pairs[][2] = {
		{ FIELD_CT_IP_SADDR, FIELD_IP_SADDR },   { FIELD_CT_IP_DADDR, FIELD_IP_DADDR },
		{ FIELD_CT_IP6_SADDR, FIELD_IP6_SADDR }, { FIELD_CT_IP6_DADDR, FIELD_IP6_DADDR },
		{ FIELD_CT_SPORT, FIELD_SPORT },         { FIELD_CT_DPORT, FIELD_DPORT },
		{ FIELD_CT_PROTOCOL, FIELD_PROTOCOL },
	};

	if (!is_new)
		return;
	set_default(p, FIELD_CT_STATUS, 0);
	set_default(p, FIELD_CT_MARK, 0);
	set_default(p, FIELD_CT_DIRECTION, 0);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (packet_has(p, pairs[i][1]))
			set_default(p, pairs[i][0], p->value[pairs[i][1]]);
}

/* Frames of our own have no sender to ask for, packets of others no user. */
static void fill_way(struct packet *p, bool has_in, bool has_out)
{
	p->way = has_in && has_out ? WAY_THROUGH : has_in ? WAY_IN : WAY_OUT;
	if (p->way == WAY_OUT) {
		packet_set(p, FIELD_IIF, 0);
		p->known[FIELD_ETHER_SADDR] = ABSENT;
	} else {
		if (p->known[FIELD_UID] == NOT_KNOWN && p->way == WAY_THROUGH)
			p->known[FIELD_UID] = p->known[FIELD_GID] = ABSENT;
		set_default(p, FIELD_PACKET_TYPE, 0);
	}
	set_default(p, FIELD_PHYSIN, 0);
	set_default(p, FIELD_PHYSOUT, 0);
}

static int complete(struct parsing *in)
{
	struct packet *p = in->p;
	bool v6;

	if (!in->has_in && !in->has_out)
		return error_set(in->err, -EINVAL,
				 "packet: say where it comes in ('in eth0'), where it leaves "
				 "('out eth0'), or both");
	if (p->is_frame && (!in->has_in || !in->has_out))
		return error_set(in->err, -EINVAL,
				 "packet: bridged is from one port ('in') to "
				 "another ('out')");
	if (!may_have_ports(p) && (packet_has(p, FIELD_SPORT) || packet_has(p, FIELD_DPORT)))
		return error_set(in->err, -EINVAL,
				 "packet: only tcp, udp, sctp, udplite and dccp "
				 "have ports");
	if (packet_has(p, FIELD_PROTOCOL) && !packet_has(p, FIELD_FAMILY))
		packet_set(p, FIELD_FAMILY, p->value[FIELD_PROTOCOL] == IPPROTO_ICMPV6 ? V6 : V4);
	set_default(p, FIELD_FAMILY, V4);
	v6 = packet_is_v6(p);
	packet_set(p, FIELD_ETHERTYPE, v6 ? 0x86dd : 0x0800);
	packet_set(p, FIELD_VERSION, v6 ? 6 : 4);
	set_default(p, FIELD_MARK, 0);
	set_default(p, FIELD_FRAGMENT, 0);
	set_default(p, FIELD_CT_STATE, STATE_NEW);
	p->known[FIELD_VLAN] = ABSENT;
	fill_protocol(p);
	fill_connection(p);
	fill_way(p, in->has_in, in->has_out);
	return 0;
}

int packet_parse(const struct strv *words, struct packet *ret, struct error *err)
{
	struct strv split = { 0 };
	struct parsing in = { .words = &split, .p = ret, .err = err };
	int r = 0;

	*ret = (struct packet) { 0 };
	/* One word in quotes is as good as many. */
	for (size_t i = 0; i < words->n; i++)
		for (const char *at = words->items[i]; *at; at += strspn(at, " \t\n")) {
			size_t len = strcspn(at, " \t\n");

			if (len > 0)
				strv_take(&split, xstrndup(at, len));
			at += len;
		}
	while (r == 0 && in.at < split.n)
		r = read_word(&in);
	if (r == 0)
		r = complete(&in);
	strv_done(&split);
	return r;
}

static void format_end(const struct packet *p, enum field address, enum field port, struct buf *to)
{
	struct range r = { p->value[address], p->value[address] };
	bool has_port = packet_has(p, port), brackets = has_port && packet_is_v6(p);

	buf_add_str(to, brackets ? "[" : "");
	if (packet_has(p, address))
		value_format(field_kind(address), &r, to);
	else
		buf_add_char(to, '?');
	buf_add_str(to, brackets ? "]" : "");
	if (has_port)
		buf_addf(to, ":%u", (unsigned)p->value[port]);
}

void packet_format(const struct packet *p, struct buf *to)
{
	struct range protocol = { p->value[FIELD_PROTOCOL], p->value[FIELD_PROTOCOL] };

	format_end(p, packet_saddr(p), FIELD_SPORT, to);
	buf_add_str(to, " > ");
	format_end(p, packet_daddr(p), FIELD_DPORT, to);
	if (packet_has(p, FIELD_PROTOCOL)) {
		buf_add_char(to, ' ');
		value_format(KIND_PROTOCOL, &protocol, to);
	}
}
