/* src/why/xt_rule.c
 *
 * Most matches of iptables ask for one field, so a match is a row: which field, and how the value
 * behind the option is written.  What has no row is unknown, together with its values.
 */
#include "why/xt_rule.h"

#include <netinet/in.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "why/xt_target.h"

#define VALUE_MAX_LEN 1024

enum form {
	FORM_VALUE,  /* one, a prefix, or a range with a dash */
	FORM_LIST,   /* of them, with commas; ranges with a colon */
	FORM_BITS,   /* a list whose words are bits, any of which will do */
	FORM_MASKED, /* 0x1/0xff */
	FORM_FLAGS,  /* two: which bits, and how they are */
	FORM_ICMP,   /* type, type/code, any */
	FORM_NONE,   /* no value: the field is not 0 */
	FORM_SYN,
	FORM_STATE,
};

static const struct row {
	const char *module; /* NULL: any, or none */
	const char *option;
	enum form form;
	enum field field, field6; /* field6: of ip6tables, if another */
} rows[] = {
	{ NULL, "-s", FORM_VALUE, FIELD_IP_SADDR, FIELD_IP6_SADDR },
	{ NULL, "-d", FORM_VALUE, FIELD_IP_DADDR, FIELD_IP6_DADDR },
	{ NULL, "-i", FORM_VALUE, FIELD_IIF, 0 },
	{ NULL, "-o", FORM_VALUE, FIELD_OIF, 0 },
	{ NULL, "-p", FORM_VALUE, FIELD_PROTOCOL, 0 },
	{ NULL, "-f", FORM_NONE, FIELD_FRAGMENT, 0 },
	{ NULL, "--sport", FORM_LIST, FIELD_SPORT, 0 },
	{ NULL, "--dport", FORM_LIST, FIELD_DPORT, 0 },
	{ NULL, "--sports", FORM_LIST, FIELD_SPORT, 0 },
	{ NULL, "--dports", FORM_LIST, FIELD_DPORT, 0 },
	{ NULL, "--tcp-flags", FORM_FLAGS, FIELD_TCP_FLAGS, 0 },
	{ NULL, "--syn", FORM_SYN, FIELD_TCP_FLAGS, 0 },
	{ NULL, "--icmp-type", FORM_ICMP, FIELD_ICMP_TYPE, 0 },
	{ NULL, "--icmpv6-type", FORM_ICMP, FIELD_ICMP6_TYPE, 0 },
	{ NULL, "--ctstate", FORM_STATE, FIELD_CT_STATE, 0 },
	{ NULL, "--state", FORM_STATE, FIELD_CT_STATE, 0 },
	{ NULL, "--ctdir", FORM_VALUE, FIELD_CT_DIRECTION, 0 },
	{ NULL, "--ctproto", FORM_VALUE, FIELD_CT_PROTOCOL, 0 },
	{ NULL, "--ctorigsrc", FORM_VALUE, FIELD_CT_IP_SADDR, FIELD_CT_IP6_SADDR },
	{ NULL, "--ctorigdst", FORM_VALUE, FIELD_CT_IP_DADDR, FIELD_CT_IP6_DADDR },
	{ NULL, "--ctorigsrcport", FORM_LIST, FIELD_CT_SPORT, 0 },
	{ NULL, "--ctorigdstport", FORM_LIST, FIELD_CT_DPORT, 0 },
	{ "mark", "--mark", FORM_MASKED, FIELD_MARK, 0 },
	{ "connmark", "--mark", FORM_MASKED, FIELD_CT_MARK, 0 },
	{ NULL, "--src-type", FORM_LIST, FIELD_FIB_SADDR_TYPE, 0 },
	{ NULL, "--dst-type", FORM_LIST, FIELD_FIB_DADDR_TYPE, 0 },
	{ NULL, "--src-range", FORM_VALUE, FIELD_IP_SADDR, FIELD_IP6_SADDR },
	{ NULL, "--dst-range", FORM_VALUE, FIELD_IP_DADDR, FIELD_IP6_DADDR },
	{ NULL, "--mac-source", FORM_VALUE, FIELD_ETHER_SADDR, 0 },
	{ NULL, "--pkt-type", FORM_VALUE, FIELD_PACKET_TYPE, 0 },
	{ NULL, "--physdev-in", FORM_VALUE, FIELD_PHYSIN, 0 },
	{ NULL, "--physdev-out", FORM_VALUE, FIELD_PHYSOUT, 0 },
	{ NULL, "--ttl-eq", FORM_VALUE, FIELD_TTL, 0 },
	{ NULL, "--hl-eq", FORM_VALUE, FIELD_TTL, 0 },
	{ NULL, "--length", FORM_LIST, FIELD_LENGTH, 0 },
	{ NULL, "--dscp", FORM_VALUE, FIELD_DSCP, 0 },
	{ NULL, "--uid-owner", FORM_VALUE, FIELD_UID, 0 },
	{ NULL, "--gid-owner", FORM_VALUE, FIELD_GID, 0 },
};
/* ebtables means other things with some. */
static const struct row bridge_rows[] = {
	{ NULL, "-s", FORM_VALUE, FIELD_ETHER_SADDR, 0 },
	{ NULL, "-d", FORM_VALUE, FIELD_ETHER_DADDR, 0 },
	{ NULL, "-p", FORM_VALUE, FIELD_ETHERTYPE, 0 },
	{ NULL, "--ip-src", FORM_VALUE, FIELD_IP_SADDR, 0 },
	{ NULL, "--ip-dst", FORM_VALUE, FIELD_IP_DADDR, 0 },
	{ NULL, "--ip-source", FORM_VALUE, FIELD_IP_SADDR, 0 },
	{ NULL, "--ip-destination", FORM_VALUE, FIELD_IP_DADDR, 0 },
	{ NULL, "--ip6-src", FORM_VALUE, FIELD_IP6_SADDR, 0 },
	{ NULL, "--ip6-dst", FORM_VALUE, FIELD_IP6_DADDR, 0 },
	{ NULL, "--ip-proto", FORM_VALUE, FIELD_PROTOCOL, 0 },
	{ NULL, "--ip-sport", FORM_LIST, FIELD_SPORT, 0 },
	{ NULL, "--ip-dport", FORM_LIST, FIELD_DPORT, 0 },
	{ NULL, "--mark", FORM_MASKED, FIELD_MARK, 0 },
	{ NULL, "--vlan-id", FORM_VALUE, FIELD_VLAN, 0 },
};

struct parsing {
	struct ruleset *rs;
	struct rule *rule;
	const struct xt_words *words;
	size_t at;
	const char *module; /* of the last -m */
	bool is_explained;  /* an option of the module has been understood */
};

static struct selector selector_for(enum field field)
{
	struct selector s = selector_of(field);

	if (field == FIELD_IP_SADDR || field == FIELD_IP_DADDR)
		s.family = 2;
	else if (field == FIELD_IP6_SADDR || field == FIELD_IP6_DADDR ||
		 field == FIELD_CT_IP6_SADDR || field == FIELD_CT_IP6_DADDR)
		s.family = 10;
	return s;
}

static struct set *match_add(struct parsing *p, const struct selector *selectors, unsigned n,
			     enum match_op op, const char *text)
{
	struct selector *copy = ruleset_alloc(p->rs, n * sizeof(*copy));
	struct set *set = table_add_set(p->rs, p->rule->chain->table, NULL);
	struct statement *s = rule_add(p->rule, STATEMENT_MATCH);

	memcpy(copy, selectors, n * sizeof(*copy));
	s->selectors = copy;
	s->nselectors = (uint8_t)n;
	s->op = op;
	s->set = set;
	s->text = text;
	set->nkinds = 1;
	set->kinds[0] = field_kind(selectors[0].field);
	return set;
}

static void set_value(struct ruleset *rs, struct set *set, struct range value)
{
	set_add(rs, set)->keys[0] = value;
}

/* "80:90" with a dash in place of the colon, which addresses have, too. */
static int list_value(enum kind kind, const char *text, size_t len, struct range *ret)
{
	autofree char *word = xstrndup(text, len);
	char *colon = strchr(word, ':');
	struct range hi;

	if (!colon || kind == KIND_IP6 || kind == KIND_MAC)
		return value_parse(kind, word, ret);
	*colon = '\0';
	hi = (struct range) { 65535, 65535 };
	*ret = (struct range) { 0, 0 };
	if ((word[0] && value_parse(kind, word, ret) < 0) ||
	    (colon[1] && value_parse(kind, colon + 1, &hi) < 0) || ret->lo > hi.hi)
		return -EINVAL;
	ret->hi = hi.hi;
	return 0;
}

static int read_list(struct ruleset *rs, struct set *set, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		struct range value;

		if (list_value(set->kinds[0], text, len, &value) < 0)
			return -EINVAL;
		set_value(rs, set, value);
		text += len + (text[len] == ',');
	}
	return 0;
}

static int read_value(struct ruleset *rs, struct set *set, const char *text)
{
	struct range value;

	if (set->kinds[0] == KIND_PROTOCOL && (strcmp(text, "all") == 0 || strcmp(text, "0") == 0))
		value = (struct range) { 0, VALUE_ALL };
	else if (value_parse(set->kinds[0], text, &value) < 0)
		return -EINVAL;
	set_value(rs, set, value);
	return 0;
}

static int read_masked(struct parsing *p, enum field field, bool negated, const char *value,
		       const char *text)
{
	autofree char *number = xstrndup(value, strcspn(value, "/"));
	const char *slash = strchr(value, '/');
	struct selector s = selector_for(field);
	struct range v;

	if (value_of_word(KIND_HEX, number, &v.lo) < 0 ||
	    (slash && value_of_word(KIND_HEX, slash + 1, &s.mask) < 0))
		return -EINVAL;
	v.hi = v.lo;
	set_value(p->rs, match_add(p, &s, 1, negated ? OP_NOT_IN : OP_IN, text), v);
	return 0;
}

static int read_flags(struct parsing *p, bool negated, const char *mask, const char *have,
		      const char *text)
{
	struct selector s = selector_for(FIELD_TCP_FLAGS);
	struct range v;

	s.protocol = IPPROTO_TCP;
	if (strcmp(mask, "ALL") == 0)
		s.mask = 0x3f;
	else if (value_parse_list(KIND_TCP_FLAGS, mask, &s.mask) < 0)
		return -EINVAL;
	if (strcmp(have, "ALL") == 0)
		v.lo = 0x3f;
	else if (value_parse_list(KIND_TCP_FLAGS, have, &v.lo) < 0)
		return -EINVAL;
	v.hi = v.lo;
	set_value(p->rs, match_add(p, &s, 1, negated ? OP_NOT_IN : OP_IN, text), v);
	return 0;
}

/* "8", "3/1", "any"; the negation of two is not two negations. */
static int read_icmp(struct parsing *p, enum field field, bool negated, const char *value,
		     const char *text)
{
	autofree char *type = xstrndup(value, strcspn(value, "/"));
	const char *slash = strchr(value, '/');
	struct selector s[2] = { selector_for(field), selector_for((enum field)(field + 1)) };
	unsigned n = slash ? 2 : 1;
	struct range v[2];
	struct element *e;
	struct set *set;

	if (strcmp(value, "any") == 0)
		return 0;
	s[0].protocol = s[1].protocol = field == FIELD_ICMP_TYPE ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	if (value_parse(field_kind(field), type, &v[0]) < 0 ||
	    (slash && value_parse(KIND_NUMBER, slash + 1, &v[1]) < 0))
		return -EINVAL;
	set = match_add(p, s, n, negated ? OP_NOT_IN : OP_IN, text);
	set->nkinds = (uint8_t)n;
	set->kinds[1] = field_kind(s[1].field);
	e = set_add(p->rs, set);
	memcpy(e->keys, v, n * sizeof(v[0]));
	return 0;
}

static int read_bits(struct parsing *p, enum field field, bool negated, const char *value,
		     const char *text)
{
	struct selector s = selector_for(field);
	struct range v;

	if (value_parse_list(field_kind(field), value, &v.lo) < 0)
		return -EINVAL;
	v.hi = v.lo;
	set_value(p->rs, match_add(p, &s, 1, negated ? OP_NO_BIT : OP_ANY_BIT, text), v);
	return 0;
}

static int read_row(struct parsing *p, const struct row *row, bool negated, const char *text)
{
	bool v6 = p->rule->chain->table->family == FAMILY_IP6;
	enum field field = v6 && row->field6 ? row->field6 : row->field;
	const char *value = p->words->items[p->at];
	struct selector s = selector_for(field);
	struct set *set;

	switch (row->form) {
	case FORM_MASKED:
		return read_masked(p, field, negated, value, text);
	case FORM_FLAGS:
		return read_flags(p, negated, value, p->words->items[p->at + 1], text);
	case FORM_SYN:
		return read_flags(p, negated, "FIN,SYN,RST,ACK", "SYN", text);
	case FORM_ICMP:
		return read_icmp(p, field, negated, value, text);
	case FORM_BITS:
	case FORM_STATE:
		return read_bits(p, field, negated, value, text);
	case FORM_NONE:
		set_value(p->rs, match_add(p, &s, 1, negated ? OP_IN : OP_NOT_IN, text),
			  (struct range) { 0, 0 });
		return 0;
	case FORM_LIST:
	case FORM_VALUE:
		break;
	}
	set = match_add(p, &s, 1, negated ? OP_NOT_IN : OP_IN, text);
	return row->form == FORM_LIST ? read_list(p->rs, set, value)
				      : read_value(p->rs, set, value);
}

static const struct row *find_row(const struct parsing *p, const char *option)
{
	bool bridge = p->rule->chain->table->family == FAMILY_BRIDGE;

	for (size_t i = 0; bridge && i < ARRAY_SIZE(bridge_rows); i++)
		if (strcmp(bridge_rows[i].option, option) == 0)
			return &bridge_rows[i];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].option, option) == 0 &&
		    (!rows[i].module || (p->module && strcmp(rows[i].module, p->module) == 0)))
			return &rows[i];
	return NULL;
}

/* words */

static const char *said(struct parsing *p, size_t from, size_t to)
{
	cleanup(buf_done) struct buf text = BUF_INIT(VALUE_MAX_LEN);

	for (; from < to; from++)
		buf_addf(&text, "%s%s", text.len ? " " : "", p->words->items[from]);
	return ruleset_copy(p->rs, buf_text(&text));
}

static void unknown_match(struct parsing *p, const char *text)
{
	struct selector s = selector_of(FIELD_UNKNOWN);

	s.text = text;
	match_add(p, &s, 1, OP_IN, text)->is_foreign = true;
}

/* From what stands at begin up to the next option of another kind. */
static size_t end_of_option(const struct parsing *p, size_t at)
{
	while (at < p->words->n && p->words->items[at][0] != '-' &&
	       strcmp(p->words->items[at], "!") != 0)
		at++;
	return at;
}

/* Whatever asks for one of two fields has no row. */
static int both_ports(struct parsing *p, bool negated, const char *value, const char *text)
{
	const struct selector s[2] = { selector_of(FIELD_SPORT), selector_of(FIELD_DPORT) };

	return read_list(p->rs, match_add(p, s, 2, negated ? OP_NEITHER : OP_EITHER, text), value);
}

/* Modules that match now and then, and those that say nothing. */
static bool module_is_chance(const char *module)
{
	static const char *const names[] = { "limit",     "hashlimit", "statistic", "recent",
					     "connlimit", "quota",     "nfacct",    "rateest" };

	for (size_t i = 0; module && i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], module) == 0)
			return true;
	return false;
}

static bool module_is_silent(const char *module)
{
	static const char *const names[] = { "tcp",  "udp",     "icmp", "icmp6",   "comment",
					     "sctp", "udplite", "dccp", "standard" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], module) == 0)
			return true;
	return false;
}

static void unknown_option(struct parsing *p, size_t begin)
{
	size_t end = end_of_option(p, p->at + 1);
	const char *text = said(p, begin, end);

	if (module_is_chance(p->module)) {
		if (!p->is_explained)
			rule_add(p->rule, STATEMENT_LIMIT)->text = text;
	} else {
		unknown_match(p, p->module && !p->is_explained ? ruleset_copy(p->rs, text) : text);
	}
	p->is_explained = true;
	p->at = end;
}

static int read_option(struct parsing *p, size_t begin, bool negated)
{
	const char *option = p->words->items[p->at];
	const struct row *row = find_row(p, option);
	bool ports = strcmp(option, "--ports") == 0;
	size_t values = row && row->form == FORM_FLAGS                             ? 2
			: row && (row->form == FORM_NONE || row->form == FORM_SYN) ? 0
										   : 1;

	if (strcmp(option, "--comment") == 0 && p->at + 1 < p->words->n) {
		p->rule->comment = ruleset_copy(p->rs, p->words->items[p->at + 1]);
		p->at += 2;
		return 0;
	}
	if ((!row && !ports) || (p->module && strcmp(p->module, "policy") == 0)) {
		unknown_option(p, begin);
		return 0;
	}
	if (p->at + values >= p->words->n)
		return -EINVAL;
	p->at++;
	p->is_explained = true;
	if ((ports ? both_ports(p, negated, p->words->items[p->at], said(p, begin, p->at + 1))
		   : read_row(p, row, negated, said(p, begin, p->at + values))) < 0)
		return -EINVAL;
	p->at += values;
	return 0;
}

static void module_end(struct parsing *p)
{
	if (p->module && !p->is_explained && !module_is_silent(p->module)) {
		autofree char *text = xasprintf("-m %s", p->module);

		if (module_is_chance(p->module))
			rule_add(p->rule, STATEMENT_LIMIT)->text = ruleset_copy(p->rs, text);
		else
			unknown_match(p, ruleset_copy(p->rs, text));
	}
	p->module = NULL;
	p->is_explained = false;
}

int xt_rule_parse(struct ruleset *rs, struct rule *rule, const struct xt_words *words,
		  size_t *ret_bad)
{
	struct parsing p = { .rs = rs, .rule = rule, .words = words };

	while (p.at < words->n) {
		size_t begin = p.at;
		bool negated = strcmp(words->items[p.at], "!") == 0;
		const char *word;

		*ret_bad = begin;
		p.at += negated;
		if (p.at == words->n || words->items[p.at][0] != '-')
			return -EINVAL;
		word = words->items[p.at];
		if (strcmp(word, "-j") == 0 || strcmp(word, "-g") == 0) {
			module_end(&p);
			if (p.at + 1 == words->n)
				return -EINVAL;
			return xt_target_parse(rs, rule, words, p.at);
		}
		if (strcmp(word, "-m") == 0) {
			module_end(&p);
			if (p.at + 1 == words->n)
				return -EINVAL;
			p.module = words->items[p.at + 1];
			p.at += 2;
		} else if (read_option(&p, begin, negated) < 0) {
			return -EINVAL;
		}
	}
	module_end(&p);
	return 0;
}
