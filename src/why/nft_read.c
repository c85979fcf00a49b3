/* src/why/nft_read.c */
#include "why/nft_read.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "why/nft_match.h"
#include "why/nft_text.h"
#include "why/ruleset.h"

#define RULE_TEXT_MAX (1U << 20)

struct reading {
	struct ruleset *rs;
	struct json_reader *rd;
	struct chain *last; /* of the last rule: rules come chain by chain */
};

static enum family read_family(const struct reading *in, const json_t *obj)
{
	const char *name = json_need_string(in->rd, obj, "family");
	enum family family = FAMILY_INET;

	if (in->rd->r == 0 && family_of(name, &family) < 0)
		json_fail(in->rd, "family", "'%.40s' is no family", name);
	return family;
}

static const char *read_name(const struct reading *in, const json_t *obj, const char *key)
{
	const char *name = json_need_string(in->rd, obj, key);

	if (in->rd->r == 0 && (!*name || strlen(name) >= NAME_ROOM))
		json_fail(in->rd, key, "expected a name of 1 to %d characters", NAME_ROOM - 1);
	return name;
}

static struct table *read_table_name(const struct reading *in, const json_t *obj)
{
	enum family family = read_family(in, obj);
	const char *name = read_name(in, obj, "table");
	struct table *table;

	if (in->rd->r < 0)
		return NULL;
	table = ruleset_table(in->rs, family, name, BACKEND_NFT);
	if (!table)
		json_fail(in->rd, "table", "there is no table %s %.80s before it",
			  family_name(family), name);
	return table;
}

static void read_table(const struct reading *in, const json_t *obj)
{
	enum family family = read_family(in, obj);
	const char *name = read_name(in, obj, "name");

	if (in->rd->r == 0 && !ruleset_table(in->rs, family, name, BACKEND_NFT))
		(void)ruleset_add_table(in->rs, family, name, BACKEND_NFT);
}

static const char *read_device(const struct reading *in, const json_t *obj)
{
	const json_t *dev = json_object_get(obj, "dev");
	const char *name = json_string_value(json_is_array(dev) ? json_array_get(dev, 0) : dev);

	return name ? ruleset_copy(in->rs, name) : NULL;
}

static void read_base(const struct reading *in, const json_t *obj, struct chain *chain)
{
	const char *hook = json_need_string(in->rd, obj, "hook");
	const char *policy = json_read_string(in->rd, obj, "policy", "accept");

	chain->type = ruleset_copy(in->rs, json_need_string(in->rd, obj, "type"));
	chain->priority = (int)json_read_int(in->rd, obj, "prio", INT32_MIN, INT32_MAX, 0);
	chain->device = read_device(in, obj);
	if (strcmp(policy, "drop") == 0)
		chain->policy = VERDICT_DROP;
	else if (strcmp(policy, "accept") != 0)
		json_fail(in->rd, "policy", "'%.40s' is no policy", policy);
	if (in->rd->r == 0 && hook_of(hook, &chain->hook) < 0)
		json_fail(in->rd, "hook", "'%.40s' is no hook", hook);
}

static void read_chain(const struct reading *in, const json_t *obj)
{
	struct table *table = read_table_name(in, obj);
	const char *name = read_name(in, obj, "name");
	struct chain *chain;

	if (in->rd->r < 0)
		return;
	chain = table_add_chain(in->rs, table, name);
	/* A table counts every rule and chain that it ever had. */
	chain->order = (uint64_t)json_read_int(in->rd, obj, "handle", 0, CHAIN_ORDER_MAX, 0);
	if (json_object_get(obj, "hook"))
		read_base(in, obj, chain);
}

/* sets */

static bool is_word(const json_t *value, const char *word)
{
	return json_is_string(value) && strcmp(json_string_value(value), word) == 0;
}

static const struct {
	const char *name;
	enum kind kind;
} type_kinds[] = {
	{ "ipv4_addr", KIND_IP },
	{ "ipv6_addr", KIND_IP6 },
	{ "ether_addr", KIND_MAC },
	{ "inet_proto", KIND_PROTOCOL },
	{ "inet_service", KIND_PORT },
	{ "mark", KIND_HEX },
	{ "ifname", KIND_NAME },
	{ "iface_index", KIND_NAME },
	{ "ct_state", KIND_STATE },
	{ "ct_status", KIND_STATUS },
	{ "icmp_type", KIND_ICMP },
	{ "icmpv6_type", KIND_ICMP6 },
	{ "pkt_type", KIND_PACKET_TYPE },
	{ "tcp_flag", KIND_TCP_FLAGS },
	{ "ether_type", KIND_ETHERTYPE },
	{ "dscp", KIND_DSCP },
	{ "fib_addrtype", KIND_ADDRESS_TYPE },
	{ "nf_proto", KIND_FAMILY },
	{ "uid", KIND_NUMBER },
	{ "gid", KIND_NUMBER },
};

static enum kind kind_of_type(const char *name, size_t len, bool *ret_foreign)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_kinds); i++)
		if (strlen(type_kinds[i].name) == len &&
		    strncmp(type_kinds[i].name, name, len) == 0)
			return type_kinds[i].kind;
	*ret_foreign = true;
	return KIND_NUMBER;
}

/* "ipv4_addr . inet_service", or a list of these. */
static uint8_t kinds_of_types(const json_t *type, enum kind *ret, size_t max, bool *ret_foreign)
{
	const char *text = json_string_value(type);
	size_t n = 0, i;
	const json_t *item;

	json_array_foreach (type, i, item)
		if (json_is_string(item) && n < max)
			ret[n++] = kind_of_type(json_string_value(item), json_string_length(item),
						ret_foreign);
	for (; text && *text && n < max; text += strspn(text, " .")) {
		size_t len = strcspn(text, " .");

		ret[n++] = kind_of_type(text, len, ret_foreign);
		text += len;
	}
	*ret_foreign |= n == 0;
	return (uint8_t)n;
}

static void read_set(const struct reading *in, const json_t *obj)
{
	struct table *table = read_table_name(in, obj);
	const char *name = read_name(in, obj, "name"), *flag;
	const json_t *map = json_object_get(obj, "map"), *flags = json_object_get(obj, "flags");
	const json_t *elements = json_object_get(obj, "elem"), *item;
	struct json_place place;
	struct set *set;
	size_t i;

	if (in->rd->r < 0)
		return;
	set = table_add_set(in->rs, table, name);
	set->nkinds = kinds_of_types(json_object_get(obj, "type"), set->kinds, SELECTORS_MAX,
				     &set->is_foreign);
	set->is_vmap = is_word(map, "verdict");
	set->is_map = map && !set->is_vmap;
	if (set->is_map)
		set->ndata = kinds_of_types(map, set->data_kinds, 2, &set->is_foreign);
	json_array_foreach (flags, i, item) {
		flag = json_string_value(item);
		set->is_open |=
			flag && (strcmp(flag, "dynamic") == 0 || strcmp(flag, "timeout") == 0);
	}
	place = json_enter(in->rd, "elem");
	if (set->nkinds > 0)
		nft_read_elements(&(struct nft_place) { in->rs, table, in->rd }, set, elements);
	json_leave(in->rd, place);
}

/* statements */

/* "< 5" and its like, as the set of what is so. */
static const struct set *compared(const struct nft_place *at, const struct selector *selectors,
				  const char *op, const json_t *right)
{
	struct set *set = table_add_set(at->rs, at->table, NULL);
	struct range value, r = { 0, VALUE_ALL };

	set->nkinds = 1;
	set->kinds[0] = field_kind(selectors[0].field);
	if (nft_read_value(set->kinds[0], right, &value) < 0) {
		set->is_foreign = true;
		return set;
	}
	if (op[0] == '<' && op[1] != '=' && value.lo == 0)
		return set; /* nothing is less */
	if (op[0] == '<')
		r.hi = op[1] == '=' ? value.lo : value.lo - 1;
	else
		r.lo = op[1] == '=' ? value.lo : value.lo + 1;
	set_add(at->rs, set)->keys[0] = r;
	return set;
}

static void read_match(const struct nft_place *at, const json_t *value, struct statement *s)
{
	const char *op = json_need_string(at->rd, value, "op");
	const json_t *left = json_object_get(value, "left");
	const json_t *right = json_object_get(value, "right");
	bool bits, single;

	if (!left || !right)
		json_fail(at->rd, NULL, "expected left and right");
	if (at->rd->r < 0)
		return;
	s->nselectors = (uint8_t)nft_read_selectors(at, left, &s->selectors);
	bits = s->nselectors == 1 && kind_is_bits(field_kind(s->selectors[0].field));
	single = !json_is_object(right) &&
		 !(json_is_string(right) && json_string_value(right)[0] == '@');
	if (op[0] == '<' || op[0] == '>') {
		s->set = compared(at, s->selectors, op, right);
		return;
	}
	if (strcmp(op, "!=") == 0)
		s->op = OP_NOT_IN;
	else if (strcmp(op, "!") == 0)
		s->op = OP_NO_BIT;
	else if (strcmp(op, "in") == 0)
		s->op = bits && single ? OP_ANY_BIT : OP_IN;
	else if (strcmp(op, "==") != 0)
		json_fail(at->rd, "op", "'%.20s' is no operator", op);
	s->set = nft_read_set(at, s->selectors, s->nselectors, right,
			      single && (json_is_array(right) || bits));
}

static void read_vmap(const struct nft_place *at, const json_t *value, struct statement *s)
{
	s->nselectors =
		(uint8_t)nft_read_selectors(at, json_object_get(value, "key"), &s->selectors);
	s->set = nft_read_map(at, s->selectors, s->nselectors, json_object_get(value, "data"));
}

static void read_nat(const struct nft_place *at, const char *key, const json_t *value,
		     struct statement *s)
{
	static const char *const names[] = { "dnat", "snat", "masquerade", "redirect" };
	struct action *a = ruleset_alloc(at->rs, sizeof(*a));
	const json_t *address = json_object_get(value, "addr"),
		     *port = json_object_get(value, "port");
	bool v6 =
		at->table->family == FAMILY_IP6 || is_word(json_object_get(value, "family"), "ip6");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], key) == 0)
			a->nat = (enum nat_kind)i;
	if (!v6 && json_is_string(address) && strchr(json_string_value(address), ':'))
		v6 = true;
	a->family = address ? (v6 ? 10 : 2) : 0;
	if (json_object_get(address, "map"))
		nft_read_source(at, v6 ? KIND_IP6 : KIND_IP, address, &a->source);
	else if (address)
		a->has_address = nft_read_value(v6 ? KIND_IP6 : KIND_IP, address, &a->address) == 0;
	if (port)
		a->has_port = nft_read_value(KIND_PORT, port, &a->port) == 0;
	s->action = a;
	if ((address && !a->has_address && !a->source.map) || (port && !a->has_port))
		s->kind = STATEMENT_UNKNOWN;
}

/* An assignment to what no rule asks for changes nothing that we look at. */
static void read_assign(const struct nft_place *at, const json_t *value, struct statement *s)
{
	struct action *a;

	s->nselectors =
		(uint8_t)nft_read_selectors(at, json_object_get(value, "key"), &s->selectors);
	if (s->selectors[0].field == FIELD_UNKNOWN) {
		s->kind = STATEMENT_NOTE;
		return;
	}
	a = ruleset_alloc(at->rs, sizeof(*a));
	nft_read_source(at, field_kind(s->selectors[0].field), json_object_get(value, "value"),
			&a->source);
	s->action = a;
}

static void read_counter(const json_t *value, struct rule *rule)
{
	if (!json_is_object(value))
		return;
	rule->has_counter = true;
	rule->packets = (uint64_t)json_integer_value(json_object_get(value, "packets"));
	rule->bytes = (uint64_t)json_integer_value(json_object_get(value, "bytes"));
}

static const struct {
	const char *key;
	enum statement_kind kind;
} statement_kinds[] = {
	{ "match", STATEMENT_MATCH },    { "vmap", STATEMENT_VMAP },
	{ "accept", STATEMENT_VERDICT }, { "drop", STATEMENT_VERDICT },
	{ "jump", STATEMENT_VERDICT },   { "goto", STATEMENT_VERDICT },
	{ "return", STATEMENT_VERDICT }, { "queue", STATEMENT_VERDICT },
	{ "reject", STATEMENT_VERDICT }, { "continue", STATEMENT_NOTE },
	{ "dnat", STATEMENT_NAT },       { "snat", STATEMENT_NAT },
	{ "masquerade", STATEMENT_NAT }, { "redirect", STATEMENT_NAT },
	{ "mangle", STATEMENT_ASSIGN },  { "notrack", STATEMENT_NOTRACK },
	{ "counter", STATEMENT_NOTE },   { "log", STATEMENT_NOTE },
	{ "set", STATEMENT_NOTE },       { "map", STATEMENT_NOTE },
	{ "ct helper", STATEMENT_NOTE }, { "ct timeout", STATEMENT_NOTE },
	{ "flow", STATEMENT_NOTE },      { "dup", STATEMENT_NOTE },
	{ "secmark", STATEMENT_NOTE },   { "ct expectation", STATEMENT_NOTE },
	{ "limit", STATEMENT_LIMIT },    { "quota", STATEMENT_LIMIT },
	{ "ct count", STATEMENT_LIMIT }, { "meter", STATEMENT_LIMIT },
};

static void read_verdict(const struct nft_place *at, const char *key, const json_t *item,
			 struct statement *s)
{
	const char *target = NULL;

	if (strcmp(key, "reject") == 0) {
		const char *type =
			json_string_value(json_object_get(json_object_get(item, key), "type"));

		s->verdict = VERDICT_REJECT;
		s->target = type ? ruleset_copy(at->rs, type) : "";
		return;
	}
	s->verdict = nft_read_verdict(item, &target);
	if (target && !*target)
		json_fail(at->rd, key, "expected a target");
	s->target = target ? ruleset_copy(at->rs, target) : NULL;
}

/* nft(8) leaves out what a refusal with an ICMP of one family asks for by itself. */
static void imply_family(const struct nft_place *at, struct rule *rule, const json_t *reject)
{
	const char *type = json_string_value(json_object_get(reject, "type"));
	bool v6 = type && strcmp(type, "icmpv6") == 0;
	const u128 family = v6 ? 10 : 2;
	struct selector *selector;
	struct statement *s;
	struct set *set;

	if (!type || (!v6 && strcmp(type, "icmp") != 0) || at->table->family == FAMILY_IP ||
	    at->table->family == FAMILY_IP6)
		return;
	for (size_t i = 0; i < rule->n; i++)
		for (unsigned k = 0; k < rule->statements[i].nselectors; k++)
			if (rule->statements[i].selectors[k].family == family)
				return;
	selector = ruleset_alloc(at->rs, sizeof(*selector));
	*selector = selector_of(FIELD_FAMILY);
	set = table_add_set(at->rs, at->table, NULL);
	set->nkinds = 1;
	set->kinds[0] = KIND_FAMILY;
	set_add(at->rs, set)->keys[0] = (struct range) { family, family };
	s = rule_add(rule, STATEMENT_MATCH);
	s->text = v6 ? "meta nfproto ipv6" : "meta nfproto ipv4";
	s->nselectors = 1;
	s->selectors = selector;
	s->set = set;
}

static void read_statement(const struct nft_place *at, struct rule *rule, const json_t *item,
			   const char *text)
{
	const char *key = json_object_iter_key(json_object_iter((json_t *)item));
	const json_t *value = key ? json_object_get(item, key) : NULL;
	enum statement_kind kind = STATEMENT_UNKNOWN;
	struct statement *s;

	if (!key) {
		json_fail(at->rd, NULL, "expected a statement");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(statement_kinds); i++)
		if (strcmp(statement_kinds[i].key, key) == 0)
			kind = statement_kinds[i].kind;
	if (strcmp(key, "reject") == 0)
		imply_family(at, rule, value);
	s = rule_add(rule, kind);
	s->text = text;
	if (kind == STATEMENT_MATCH)
		read_match(at, value, s);
	else if (kind == STATEMENT_VMAP)
		read_vmap(at, value, s);
	else if (kind == STATEMENT_VERDICT)
		read_verdict(at, key, item, s);
	else if (kind == STATEMENT_NAT)
		read_nat(at, key, value, s);
	else if (kind == STATEMENT_ASSIGN)
		read_assign(at, value, s);
	else if (strcmp(key, "counter") == 0)
		read_counter(value, rule);
	else if (strcmp(key, "xt") == 0)
		rule->is_foreign = true;
}

static void read_statements(const struct nft_place *at, struct rule *rule, const json_t *list)
{
	cleanup(buf_done) struct buf text = BUF_INIT(RULE_TEXT_MAX);
	struct json_place outer = json_enter(at->rd, "expr");
	const json_t *item;
	size_t i, begin;

	json_array_foreach (list, i, item) {
		struct json_place place = json_enter_index(at->rd, i);

		buf_add_str(&text, text.len ? " " : "");
		begin = text.len;
		nft_text_statement(item, &text);
		read_statement(at, rule, item,
			       ruleset_copy(at->rs, text.failed ? "?" : buf_text(&text) + begin));
		json_leave(at->rd, place);
	}
	if (rule->comment)
		buf_addf(&text, " comment \"%s\"", rule->comment);
	rule->text = ruleset_copy(at->rs, buf_text(&text));
	json_leave(at->rd, outer);
}

static void read_rule(struct reading *in, const json_t *obj)
{
	struct table *table = read_table_name(in, obj);
	const char *name = read_name(in, obj, "chain");
	const char *comment = json_read_string(in->rd, obj, "comment", NULL);
	struct chain *chain = in->last;
	struct rule *rule;

	if (in->rd->r < 0)
		return;
	if (!chain || chain->table != table || strcmp(chain->name, name) != 0)
		chain = table_chain(table, name);
	in->last = chain;
	if (!chain) {
		json_fail(in->rd, "chain", "there is no chain %.80s before it", name);
		return;
	}
	rule = chain_add_rule(chain);
	rule->handle = (uint64_t)json_read_int(in->rd, obj, "handle", 0, INT64_MAX, 0);
	rule->comment = comment ? ruleset_copy(in->rs, comment) : NULL;
	read_statements(&(struct nft_place) { in->rs, table, in->rd }, rule,
			json_read_array(in->rd, obj, "expr"));
}

static void read_object(struct reading *in, const json_t *item)
{
	static const char *const kinds[] = { "table", "chain", "set", "map", "rule" };
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && !json_object_get(item, kinds[i]))
		i++;
	if (i < ARRAY_SIZE(kinds)) {
		struct json_place place = json_enter(in->rd, kinds[i]);
		const json_t *obj = json_object_get(item, kinds[i]);

		if (i == 0)
			read_table(in, obj);
		else if (i == 1)
			read_chain(in, obj);
		else if (i == 4)
			read_rule(in, obj);
		else
			read_set(in, obj);
		json_leave(in->rd, place);
	} else if (!json_is_object(item)) {
		json_fail(in->rd, NULL, "expected an object");
	}
}

int nft_read(struct ruleset *rs, const json_t *doc, const char *what, struct error *err)
{
	struct json_reader rd;
	struct reading in = { .rs = rs, .rd = &rd };
	const json_t *list, *item;
	size_t i;

	json_reader_init(&rd, what, err);
	list = json_read_array(&rd, doc, "nftables");
	if (!list)
		json_fail(&rd, NULL,
			  "this is not what 'nft -j list ruleset' prints: "
			  "there is no \"nftables\" in it");
	(void)json_enter(&rd, "nftables");
	json_array_foreach (list, i, item) {
		struct json_place place = json_enter_index(&rd, i);

		read_object(&in, item);
		json_leave(&rd, place);
		if (rd.r < 0)
			break;
	}
	return rd.r;
}
