/* src/why/wish.c */
#include "why/wish.h"

#include <netinet/in.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"

static int wrong(const char *word, const char *what, struct error *err)
{
	return error_set(err, -EINVAL, "'%.60s': %s", word, what);
}

/* While it is read. */
struct reading {
	struct wish wish;
	bool has_way;
	struct range other; /* address of the other side, whichever that is */
	bool has_other, has_family;
};

/* "80,443" or "8000-8010": each must be a port. */
static int read_ports(struct wish *w, const char *text, struct error *err)
{
	const char *at = text;
	size_t len;

	if (w->ports)
		return wrong(text, "ports are said already", err);
	for (;; at += len + 1) {
		autofree char *one = NULL;
		struct range port;

		len = strcspn(at, ",");
		one = xstrndup(at, len);
		if (value_parse(KIND_PORT, one, &port) < 0)
			return wrong(text, "expected ports, such as 80,443 or 8000-8010", err);
		if (!at[len])
			break;
	}
	if (w->protocol == 0)
		return wrong(text, "ports are of tcp or of udp: say which before them", err);
	w->ports = text;
	return 0;
}

static int read_address(struct reading *in, const char *text, struct range *ret, bool *ret_has,
			struct error *err)
{
	bool v6 = strchr(text, ':') != NULL;

	if (*ret_has)
		return wrong(text, "an address is said already", err);
	if (in->has_family && v6 != in->wish.v6)
		return wrong(text, "one address is IPv4, the other IPv6", err);
	if (value_parse(v6 ? KIND_IP6 : KIND_IP, text, ret) < 0)
		return wrong(text, "expected an address or a subnet", err);
	in->wish.v6 = v6;
	in->has_family = *ret_has = true;
	return 0;
}

static int read_way(struct reading *in, const char *word, enum wish_way way, struct error *err)
{
	if (in->has_way)
		return wrong(word, "in, out or through is said already", err);
	in->has_way = true;
	in->wish.way = way;
	return 0;
}

static int read_protocol(struct wish *w, const char *word, u128 protocol, struct error *err)
{
	if (w->protocol)
		return wrong(word, "a protocol is said already", err);
	w->protocol = protocol;
	return 0;
}

static int read_word(struct reading *in, const struct strv *words, size_t *at, struct error *err)
{
	const char *word = words->items[*at];
	const char *next = *at + 1 < words->n ? words->items[*at + 1] : NULL;
	struct wish *w = &in->wish;
	u128 protocol;

	++*at;
	if (next && (strcmp(word, "source") == 0 || strcmp(word, "from") == 0)) {
		++*at;
		return read_address(in, next, &w->from, &w->has_from, err);
	}
	if (next && (strcmp(word, "destination") == 0 || strcmp(word, "to") == 0)) {
		++*at;
		return read_address(in, next, &w->to, &w->has_to, err);
	}
	if (strcmp(word, "in") == 0)
		return read_way(in, word, WISH_IN, err);
	if (strcmp(word, "out") == 0)
		return read_way(in, word, WISH_OUT, err);
	if (strcmp(word, "through") == 0 || strcmp(word, "forward") == 0)
		return read_way(in, word, WISH_THROUGH, err);
	if (strcmp(word, "port") == 0 || strcmp(word, "ports") == 0)
		return next ? 0 : wrong(word, "expected ports behind it", err);
	if (word[0] > '9' && value_of_word(KIND_PROTOCOL, word, &protocol) == 0)
		return read_protocol(w, word, protocol, err);
	if (strchr(word, '.') || strchr(word, ':'))
		return read_address(in, word, &in->other, &in->has_other, err);
	return read_ports(w, word, err);
}

/* Whom one sends to is the other side of what goes out, who sends that of all else. */
static int settle(struct reading *in, struct error *err)
{
	struct wish *w = &in->wish;
	struct range *other = &w->from;
	bool *has_other = &w->has_from;

	if (!in->has_way && w->has_from && w->has_to)
		return error_set(err, -EINVAL,
				 "from one address to another: say in, out or through as well");
	if (!in->has_way && w->has_to)
		w->way = WISH_OUT;
	if (!in->has_other)
		return 0;
	if (w->way == WISH_OUT) {
		other = &w->to;
		has_other = &w->has_to;
	}
	if (*has_other)
		return error_set(err, -EINVAL, "two addresses: say from or to before each");
	*other = in->other;
	*has_other = true;
	return 0;
}

int wish_parse(const struct strv *words, struct wish *ret, struct error *err)
{
	struct reading in = { .wish = { .way = WISH_IN } };
	struct wish *w = &in.wish;
	size_t at = 1;
	int r = 0;

	if (words->n < 2)
		return error_set(
			err, -EINVAL,
			"a wish is such as 'block source 192.0.2.9' or 'allow in tcp 80,443'");
	w->allows = strcmp(words->items[0], "allow") == 0;
	if (!w->allows && strcmp(words->items[0], "block") != 0)
		return wrong(words->items[0], "a wish begins with block or allow", err);
	while (r == 0 && at < words->n)
		r = read_word(&in, words, &at, err);
	if (r == 0)
		r = settle(&in, err);
	if (r == 0 && w->ports && w->protocol != IPPROTO_TCP && w->protocol != IPPROTO_UDP &&
	    w->protocol != IPPROTO_SCTP)
		r = error_set(err, -EINVAL, "only tcp, udp and sctp have ports");
	if (r == 0)
		*ret = *w;
	return r;
}

static void put_protocol(u128 protocol, struct buf *to)
{
	const struct range r = { protocol, protocol };

	value_format(KIND_PROTOCOL, &r, to);
}

static void put_address(const struct wish *w, const char *option, const struct range *address,
			struct buf *to)
{
	buf_addf(to, " %s ", option);
	value_format(w->v6 ? KIND_IP6 : KIND_IP, address, to);
}

void wish_iptables(const struct wish *w, struct buf *to)
{
	static const char *const chains[] = { "INPUT", "OUTPUT", "FORWARD" };

	buf_addf(to, "%s -I %s", w->v6 ? "ip6tables" : "iptables", chains[w->way]);
	if (w->has_from)
		put_address(w, "-s", &w->from, to);
	if (w->has_to)
		put_address(w, "-d", &w->to, to);
	if (w->protocol) {
		buf_add_str(to, " -p ");
		put_protocol(w->protocol, to);
	}
	if (w->ports && strpbrk(w->ports, ",-")) {
		buf_add_str(to, " -m multiport --dports ");
		for (const char *c = w->ports; *c; c++)
			buf_add_char(to, *c == '-' ? ':' : *c);
	} else if (w->ports) {
		buf_addf(to, " --dport %s", w->ports);
	}
	buf_add_str(to, w->allows ? " -j ACCEPT" : " -j DROP");
}

void wish_nft(const struct wish *w, struct buf *to)
{
	static const char *const hooks[] = { "input", "output", "forward" };

	buf_addf(to, "nft insert rule inet filter %s", hooks[w->way]);
	if (w->has_from)
		put_address(w, w->v6 ? "ip6 saddr" : "ip saddr", &w->from, to);
	if (w->has_to)
		put_address(w, w->v6 ? "ip6 daddr" : "ip daddr", &w->to, to);
	if (w->ports) {
		buf_add_char(to, ' ');
		put_protocol(w->protocol, to);
		buf_addf(to, strpbrk(w->ports, ",") ? " dport '{ %s }'" : " dport %s", w->ports);
	} else if (w->protocol) {
		buf_add_str(to, " meta l4proto ");
		put_protocol(w->protocol, to);
	}
	buf_add_str(to, w->allows ? " accept" : " drop");
}

void wish_explain(const struct wish *w, struct strv *ret)
{
	static const char *const where[] = {
		"it takes effect in input: on what comes in for programs of this host itself",
		"it takes effect in output: on what programs of this host send",
		"it takes effect in forward: on what this host passes on, to containers as well",
	};

	strv_add(ret, where[w->way]);
	if (!w->allows && w->way == WISH_IN)
		strv_add(ret,
			 "it does not stop what is forwarded: published ports of containers and "
			 "machines behind this host are reached as before ('block through ...')");
	if (!w->allows && w->way == WISH_OUT)
		strv_add(
			ret,
			"it does not stop what containers and machines behind this host send: that is "
			"forwarded ('block through ...')");
	if (!w->allows && w->way == WISH_THROUGH)
		strv_add(ret, "it does not stop what is for this host itself ('block in ...')");
	if (!w->allows)
		strv_add(
			ret,
			"it is put before all other rules of its chain, so that none of them accepts "
			"these packets before; connections that exist are stopped, too");
	if (w->allows)
		strv_add(
			ret,
			"an accept ends its own chain only: another table, or another chain of that "
			"hook, may still drop the packet ('strake why' shows which)");
	if (w->allows && w->way == WISH_IN)
		strv_add(
			ret,
			"answers go out by the output chain: where its policy is drop, they need a rule "
			"for established connections");
	if (w->allows && w->way == WISH_THROUGH)
		strv_add(
			ret,
			"answers are forwarded, too: where the policy is drop, they need a rule for "
			"established connections");
	if (!w->has_from && !w->has_to)
		strv_add(
			ret,
			"of iptables, IPv6 needs the same with ip6tables; nft's table inet has both");
}
