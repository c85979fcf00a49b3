/* tests/differential/generate.c
 *
 * Everything is picked from short lists, so that rules and packets meet often.
 */
#include "generate.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

#define TEXT_MAX (1U << 20)

uint32_t random_below(struct random *r, uint32_t n)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (uint32_t)(r->state >> 33) % n;
}

#define PICK(r, list) ((list)[random_below(r, ARRAY_SIZE(list))])

static bool chance(struct random *r, uint32_t percent)
{
	return random_below(r, 100) < percent;
}

void script_done(struct script *s)
{
	strv_done(&s->lines);
	free(s->is_rule);
	free(s->is_left_out);
	*s = (struct script) { 0 };
}

char *script_text(const struct script *s)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < s->lines.n; i++)
		if (!s->is_left_out[i])
			buf_addf(&text, "%s\n", s->lines.items[i]);
	return buf_steal(&text);
}

/* IPv4 and IPv6 differ in words alone: everything is made for the one, and said again for the
 * other. What stands first goes first.
 */
static const char *const v6_words[][2] = {
	{ "10.2.0.2:8080", "[fd02::2]:8080" },
	{ "10.2.0.3:54", "[fd02::3]:54" },
	{ "10.1.0.1:80", "[fd01::1]:80" },
	{ "10.0.0.0/8", "fd00::/8" },
	{ "10.1.0.0/24", "fd01::/64" },
	{ "10.2.0.0/24", "fd02::/64" },
	{ "10.2.0.0/25", "fd02::/100" },
	{ "10.1.0.0/30", "fd01::/126" },
	{ "10.1.0.", "fd01::" },
	{ "10.2.0.", "fd02::" },
	{ "/32", "/128" },
	{ "ipv4_addr", "ipv6_addr" },
	{ "ip saddr", "ip6 saddr" },
	{ "ip daddr", "ip6 daddr" },
	{ "ip ttl", "ip6 hoplimit" },
	{ "ip dscp", "ip6 dscp" },
	{ "ip protocol icmp", "ip6 nexthdr icmpv6" },
	{ "icmp type echo-request", "icmpv6 type echo-request" },
	{ "with icmp type host-unreachable", "with icmpv6 type addr-unreachable" },
	{ "ip to", "ip6 to" },
	{ "protocol ip ", "protocol ip6 " },
	{ "table ip ", "table ip6 " },
	{ "length > 40", "length > 58" },
	{ "--length 20:60", "--length 20:58" },
	{ "-p icmp -m icmp --icmp-type 8", "-p icmpv6 -m icmp6 --icmpv6-type 128" },
	{ "-m ttl --ttl-eq", "-m hl --hl-eq" },
	{ "icmp-port-unreachable", "icmp6-port-unreachable" },
};

static char *said_in_v6(const char *text)
{
	struct buf ret = BUF_INIT(TEXT_MAX);

	while (*text) {
		size_t i = 0;

		while (i < ARRAY_SIZE(v6_words) &&
		       strncmp(text, v6_words[i][0], strlen(v6_words[i][0])) != 0)
			i++;
		if (i == ARRAY_SIZE(v6_words)) {
			buf_add_char(&ret, *text++);
			continue;
		}
		buf_add_str(&ret, v6_words[i][1]);
		text += strlen(v6_words[i][0]);
	}
	return buf_steal(&ret);
}

static void line(struct script *s, bool is_rule, const char *text)
{
	autofree char *again = s->v6 ? said_in_v6(text) : NULL;

	if (s->lines.n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->is_rule = xrealloc(s->is_rule, s->room, sizeof(bool));
		s->is_left_out = xrealloc(s->is_left_out, s->room, sizeof(bool));
	}
	s->is_rule[s->lines.n] = is_rule;
	s->is_left_out[s->lines.n] = false;
	strv_add(&s->lines, again ? again : text);
}

/* nftables */

static const char *const nft_addresses[] = {
	"10.1.0.1",
	"10.1.0.2",
	"10.2.0.2",
	"10.1.0.0/24",
	"10.2.0.0/24",
	"10.0.0.0/8",
	"{ 10.1.0.2, 10.2.0.3 }",
	"{ 10.1.0.0/30, 10.2.0.1-10.2.0.2 }",
	"@hosts",
	"10.1.0.1-10.1.0.9",
};
static const char *const nft_ports[] = {
	"80", "22", "53", "{ 22, 80 }", "{ 20-30, 443 }", "80-90", "@ports",
};
static const char *const nft_links[] = { "\"eth0\"", "\"eth1\"", "\"lo\"", "\"eth*\"",
					 "{ \"eth0\", \"lo\" }" };
static const char *const nft_states[] = {
	"ct state new",       "ct state established",  "ct state established,related",
	"ct state invalid",   "ct state != new",       "ct state { new, untracked }",
	"ct state untracked", "ct state ! new",        "ct status dnat",
	"ct status snat",     "ct direction original", "ct direction reply",
	"ct mark 1",          "ct mark != 0",          "ct original ip saddr 10.1.0.2",

};
static const char *const nft_transports[] = {
	"meta l4proto tcp",        "meta l4proto { tcp, udp }",
	"ip protocol icmp",        "icmp type echo-request",
	"tcp flags syn",           "tcp flags & (syn|ack) == syn",
	"tcp flags syn / syn,rst", "meta l4proto != udp",
	"tcp sport > 20050",       "udp sport >= 1024",
};
static const char *const nft_others[] = {
	"meta mark 1",
	"meta mark 0",
	"meta mark & 2 == 2",
	"meta mark != 1",
	"ip ttl 64",
	"ip ttl < 64",
	"meta length > 40",

	"fib daddr type local",
	"fib saddr type local",
	"fib daddr type != local",
	"meta protocol ip",
	"ip dscp 0",
	"iif lo",
	"oif lo",
};

struct nft_chain_spec {
	const char *hook, *type;
	int priorities[3];
};
static const struct nft_chain_spec nft_chains[] = {
	{ "prerouting", "filter", { -300, -150, 5 } }, { "input", "filter", { -10, 0, 50 } },
	{ "forward", "filter", { -20, 0, 30 } },       { "output", "filter", { -300, 0, 10 } },
	{ "postrouting", "filter", { -5, 0, 150 } },   { "prerouting", "nat", { -100, -100, -90 } },
	{ "output", "nat", { -100, -100, -90 } },      { "postrouting", "nat", { 100, 100, 110 } },
	{ "input", "nat", { 100, 100, 110 } },         { "output", "route", { -150, -150, -150 } },
};

static void nft_match(struct random *r, const char *hook, bool *transport, struct buf *to)
{
	const char *not = chance(r, 20) ? "!= " : "";
	const char *text;

	switch (random_below(r, *transport ? 4 : 7)) {
	case 0:
		buf_addf(to, "ip %s %s%s ", chance(r, 50) ? "saddr" : "daddr", not,
			 PICK(r, nft_addresses));
		return;
	case 1:
		buf_addf(to, "%s %s%s ", chance(r, 60) ? "iifname" : "oifname", not,
			 PICK(r, nft_links));
		return;
	case 2:
		buf_addf(to, "%s ", PICK(r, nft_states));
		return;
	case 3:
		text = PICK(r, nft_others);
		if (strncmp(text, "fib", 3) != 0 || strcmp(hook, "postrouting") != 0)
			buf_addf(to, "%s ", text);
		return;
	case 4:
		buf_addf(to, "%s ", PICK(r, nft_transports));
		break;
	case 5:
		buf_addf(to, "%s dport %s%s ", chance(r, 60) ? "tcp" : "udp", not,
			 PICK(r, nft_ports));
		break;
	default:
		buf_add_str(to, chance(r, 50) ? "ip saddr . tcp dport @pairs "
					      : "meta l4proto { tcp, udp } th dport 80 ");
	}
	*transport = true;
}

/* Chains to jump to are called u0, u1, ...; each may call those behind it. */
static void nft_action(struct random *r, unsigned next, const struct nft_chain_spec *spec,
		       bool transport, struct buf *to)
{
	static const char *const plain[] = {
		"accept",
		"accept",
		"drop",
		"drop",
		"return",
		"counter",
		"continue",
		"meta mark set 1",
		"meta mark set meta mark or 2",
		"ct mark set 1",
		"log",
		"meta mark set meta mark and 1",
		"meta mark set ct mark",
	};
	bool calls = next < 3;
	const char *hook = spec ? spec->hook : "";

	if (chance(r, 30))
		buf_add_str(to, "counter ");
	if (calls && chance(r, 30))
		buf_addf(to, "%s u%u", chance(r, 70) ? "jump" : "goto",
			 next + random_below(r, 3 - next));
	else if (calls && !transport && chance(r, 12))
		buf_addf(to, "tcp dport vmap { 80 : accept, 20-30 : drop, 443 : jump u%u }", next);
	else if (chance(r, 8))
		buf_add_str(to, "ct state vmap { established : accept, invalid : drop }");
	else if (chance(r, 8) && (strcmp(hook, "input") == 0 || strcmp(hook, "forward") == 0))
		buf_add_str(to,
			    chance(r, 50) ? "reject" : "reject with icmp type host-unreachable");
	else if (spec && spec->priorities[0] == -300 && chance(r, 20))
		buf_add_str(to, "notrack");
	else
		buf_add_str(to, PICK(r, plain));
}

static void nft_nat(struct random *r, const struct nft_chain_spec *spec, struct buf *to)
{
	static const char *const destinations[] = {
		"dnat ip to 10.2.0.2",
		"dnat ip to 10.1.0.1",
		"dnat ip to 10.2.0.3",
		"dnat ip to meta l4proto . th dport map @published",
	};
	static const char *const with_port[] = {
		"tcp dport 80 dnat ip to 10.2.0.2:8080",
		"tcp dport 80 redirect to :22",
		"udp dport 53 dnat ip to 10.2.0.3:54",
		"tcp dport { 22, 443 } dnat ip to 10.1.0.1:80",
	};
	bool source = strcmp(spec->hook, "postrouting") == 0 || strcmp(spec->hook, "input") == 0;

	if (source)
		buf_add_str(to, strcmp(spec->hook, "input") == 0 || chance(r, 50)
					? "snat ip to 10.2.0.1"
					: "masquerade");
	else
		buf_add_str(to, chance(r, 50) ? PICK(r, destinations) : PICK(r, with_port));
}

static void nft_rule(struct random *r, const struct nft_chain_spec *spec, unsigned next,
		     struct script *ret)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	bool transport = false, nat = spec && strcmp(spec->type, "nat") == 0;
	bool translate = nat && chance(r, 50);

	if (translate)
		transport = true; /* it brings its own */
	buf_add_str(&text, "\t\t");
	for (uint32_t n = random_below(r, 3); n > 0; n--)
		nft_match(r, spec ? spec->hook : "postrouting", &transport, &text);
	if (translate)
		nft_nat(r, spec, &text);
	else
		nft_action(r, next, nat ? NULL : spec, transport, &text);
	line(ret, true, buf_text(&text));
	buf_done(&text);
}

static void nft_chain(struct random *r, const struct nft_chain_spec *spec, unsigned i,
		      struct script *ret)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	buf_addf(&text, "\tchain c%u {\n\t\ttype %s hook %s priority %d; policy %s;", i, spec->type,
		 spec->hook, PICK(r, spec->priorities),
		 strcmp(spec->type, "filter") == 0 && chance(r, 15) ? "drop" : "accept");
	line(ret, false, buf_text(&text));
	buf_done(&text);
	for (uint32_t n = random_below(r, 5); n > 0; n--)
		nft_rule(r, spec, 0, ret);
	line(ret, false, "\t}");
}

static void nft_table(struct random *r, const char *name, struct script *ret)
{
	autofree char *head = xasprintf("table %s {", name);

	line(ret, false, head);
	line(ret, false,
	     "\tset hosts { type ipv4_addr; flags interval; elements = { 10.1.0.2-10.1.0.5, 10.2.0.0/25 }\n\t}");
	line(ret, false, "\tset ports { type inet_service; elements = { 80, 443, 53 }\n\t}");
	line(ret, false,
	     "\tset pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.1.0.0/24 . 80-90, 10.2.0.2 . 22 }\n\t}");
	line(ret, false,
	     "\tmap published { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 80 : 10.2.0.2 . 8080, udp . 53 : 10.1.0.1 . 53 }\n\t}");
	for (unsigned i = 3; i-- > 0;) {
		autofree char *chain = xasprintf("\tchain u%u {", i);

		line(ret, false, chain);
		for (uint32_t n = random_below(r, 4); n > 0; n--)
			nft_rule(r, NULL, i + 1, ret);
		line(ret, false, "\t}");
	}
	for (unsigned i = 0; i < 4; i++)
		nft_chain(r, &PICK(r, nft_chains), i, ret);
	line(ret, false, "}");
}

/* What the reader of netlink understands without nft(8): no sets, no translation. */
static void nft_plain_table(struct random *r, const char *name, struct script *ret)
{
	static const char *const addresses[] = {
		"ip saddr 10.1.0.0/24", "ip daddr 10.2.0.2",    "ip saddr != 10.1.0.2",
		"ip daddr 10.0.0.0/8",  "ip saddr 10.2.0.0/25", "ip daddr != 10.1.0.0/30"
	};
	static const char *const links[] = { "iifname \"eth0\"", "oifname \"eth*\"",
					     "iifname != \"lo\"", "oifname \"eth1\"" };
	static const char *const marks[] = { "meta mark 1", "meta mark != 2", "ct mark 1" };
	static const char *const states[] = { "ct state new", "ct state established,related",
					      "ct state != new", "ct state invalid,untracked" };
	static const char *const ports[] = { "tcp dport 80",     "udp dport 53",
					     "tcp dport != 22",  "udp sport 20000-21000",
					     "meta l4proto tcp", "tcp sport 1024-65535" };
	static const char *const actions[] = {
		"accept",  "drop",           "counter", "return", "counter drop comment \"a b\"",
		"jump u0", "counter goto u0"
	};
	autofree char *head = xasprintf("table %s {", name);

	line(ret, false, head);
	for (unsigned i = 0; i < 3; i++) {
		autofree char *chain =
			i == 0 ? xasprintf("\tchain u0 {")
			       : xasprintf("\tchain c%u {\n\t\ttype filter hook %s priority %d;", i,
					   PICK(r, nft_chains).hook, (int)random_below(r, 90));

		line(ret, false, chain);
		for (uint32_t n = random_below(r, 5); n > 0; n--) {
			autofree char *text = xasprintf(
				"\t\t%s %s %s %s %s %s", chance(r, 40) ? PICK(r, addresses) : "",
				chance(r, 30) ? PICK(r, ports) : "",
				chance(r, 20) ? PICK(r, states) : "",
				chance(r, 30) ? PICK(r, links) : "",
				chance(r, 20) ? PICK(r, marks) : "",
				actions[random_below(r,
						     i == 0 ? 5 : (uint32_t)ARRAY_SIZE(actions))]);

			line(ret, true, text);
		}
		line(ret, false, "\t}");
	}
	line(ret, false, "}");
}

void generate_nft(struct random *r, struct script *ret)
{
	if (chance(r, 50))
		nft_plain_table(r, chance(r, 60) ? "inet plain" : "ip plain", ret);
	nft_table(r, chance(r, 70) ? "inet a" : "ip a", ret);
	if (chance(r, 50))
		nft_table(r, chance(r, 50) ? "inet b" : "ip b", ret);
}

/* iptables */

static const char *const xt_matches[] = {
	"-s 10.1.0.0/24",
	"-s 10.2.0.2/32",
	"-d 10.1.0.1/32",
	"! -d 10.2.0.0/24",
	"-d 10.0.0.0/8",
	"! -s 10.1.0.2/32",
	"-m conntrack --ctstate NEW",
	"-m conntrack --ctstate RELATED,ESTABLISHED",
	"-m conntrack ! --ctstate NEW",
	"-m conntrack --ctstate INVALID",
	"-m state --state UNTRACKED",
	"-m conntrack --ctstate DNAT",
	"-m mark --mark 0x1",
	"-m mark ! --mark 0x0/0x2",
	"-m addrtype --dst-type LOCAL",
	"-m addrtype ! --src-type LOCAL",
	"-m iprange --src-range 10.1.0.1-10.1.0.9",
	"-m ttl --ttl-eq 64",
	"-m comment --comment \"a b\"",
	"-m connmark --mark 0x1",
	"-m length --length 20:60",
};
static const char *const xt_transports[] = {
	"-p tcp",
	"-p udp",
	"! -p tcp",
	"-p tcp -m tcp --dport 80",
	"-p tcp -m tcp ! --dport 22",
	"-p udp -m udp --dport 50:60",
	"-p tcp -m multiport --dports 22,80,100:200",
	"-p tcp -m multiport --ports 80,443",
	"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
	"-p icmp -m icmp --icmp-type 8",
	"-p tcp -m tcp --sport 1024:65535",
	"-p udp -m multiport ! --dports 53,67",
};
static const struct {
	const char *table, *chain;
} xt_chains[] = {
	{ "raw", "PREROUTING" },     { "raw", "OUTPUT" },      { "mangle", "PREROUTING" },
	{ "mangle", "INPUT" },       { "mangle", "FORWARD" },  { "mangle", "OUTPUT" },
	{ "mangle", "POSTROUTING" }, { "nat", "PREROUTING" },  { "nat", "INPUT" },
	{ "nat", "OUTPUT" },         { "nat", "POSTROUTING" }, { "filter", "INPUT" },
	{ "filter", "FORWARD" },     { "filter", "OUTPUT" },
};

static void xt_match(struct random *r, const char *chain, struct buf *to)
{
	bool in = strcmp(chain, "OUTPUT") != 0 && strcmp(chain, "POSTROUTING") != 0;
	bool out = strcmp(chain, "PREROUTING") != 0 && strcmp(chain, "INPUT") != 0;
	const char *link = chance(r, 50) ? "eth0" : chance(r, 50) ? "eth+" : "lo";

	if (in && chance(r, 25) && chain[0] != 'U')
		buf_addf(to, "%s-i %s ", chance(r, 20) ? "! " : "", link);
	else if (out && chance(r, 25) && chain[0] != 'U')
		buf_addf(to, "%s-o %s ", chance(r, 20) ? "! " : "", link);
	else
		buf_addf(to, "%s ", PICK(r, xt_matches));
}

static void xt_target(struct random *r, const char *table, const char *chain, unsigned next,
		      struct buf *to)
{
	static const char *const plain[] = { "-j ACCEPT", "-j ACCEPT", "-j RETURN", "-j DROP", "" };
	static const char *const mangle[] = { "-j MARK --set-xmark 0x1/0xff",
					      "-j CONNMARK --set-xmark 0x1/0xffffffff",
					      "-j MARK --set-xmark 0x2/0x0",
					      "-j CONNMARK --save-mark" };
	bool nat = strcmp(table, "nat") == 0;

	if (next < 2 && chance(r, 30))
		buf_addf(to, "-%c U%u", chance(r, 70) ? 'j' : 'g',
			 next + random_below(r, 2 - next));
	else if (nat && (strcmp(chain, "PREROUTING") == 0 || strcmp(chain, "OUTPUT") == 0))
		buf_add_str(to, chance(r, 60)   ? "-j DNAT --to-destination 10.2.0.2"
				: chance(r, 50) ? "-j RETURN"
						: "-j REDIRECT");
	else if (nat && strcmp(chain, "POSTROUTING") == 0)
		buf_add_str(to, chance(r, 50) ? "-j MASQUERADE" : "-j SNAT --to-source 10.2.0.1");
	else if (strcmp(table, "raw") == 0 && chance(r, 30))
		buf_add_str(to, "-j CT --notrack");
	else if (strcmp(table, "mangle") == 0 && chance(r, 50))
		buf_add_str(to, PICK(r, mangle));
	else if (strcmp(table, "filter") == 0 && chance(r, 12))
		buf_add_str(to, "-j REJECT --reject-with icmp-port-unreachable");
	else
		buf_add_str(to, nat ? "-j ACCEPT" : PICK(r, plain));
}

static void xt_rule(struct random *r, const char *table, const char *chain, unsigned next,
		    struct script *ret)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	buf_addf(&text, "-A %s ", chain);
	/* Of two addresses or two of one module, the second would be an error. */
	if (chance(r, 70))
		xt_match(r, chain, &text);
	if (chance(r, 50))
		buf_addf(&text, "%s ", PICK(r, xt_transports));
	xt_target(r, table, chain, next, &text);
	line(ret, true, buf_text(&text));
	buf_done(&text);
}

static void xt_table(struct random *r, const char *table, struct script *ret)
{
	autofree char *head = xasprintf("*%s", table);

	line(ret, false, head);
	for (size_t i = 0; i < ARRAY_SIZE(xt_chains); i++) {
		bool drops = strcmp(table, "filter") == 0 && chance(r, 20);
		autofree char *chain =
			xasprintf(":%s %s [0:0]", xt_chains[i].chain, drops ? "DROP" : "ACCEPT");

		if (strcmp(xt_chains[i].table, table) == 0)
			line(ret, false, chain);
	}
	line(ret, false, ":U0 - [0:0]");
	line(ret, false, ":U1 - [0:0]");
	for (unsigned i = 0; i < 2; i++) {
		autofree char *chain = xasprintf("U%u", i);

		for (uint32_t n = random_below(r, 3); n > 0; n--)
			xt_rule(r, table, chain, i + 1, ret);
	}
	for (size_t i = 0; i < ARRAY_SIZE(xt_chains); i++)
		for (uint32_t n = strcmp(xt_chains[i].table, table) == 0 ? random_below(r, 4) : 0;
		     n > 0; n--)
			xt_rule(r, table, xt_chains[i].chain, 0, ret);
	line(ret, false, "COMMIT");
}

void generate_iptables(struct random *r, struct script *ret)
{
	static const char *const tables[] = { "raw", "mangle", "nat", "filter" };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (chance(r, 60))
			xt_table(r, tables[i], ret);
}
