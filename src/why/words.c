/* src/why/words.c */
#include "why/words.h"

#include <string.h>

#include "base/buf.h"
#include "why/ruleset.h"

#define VALUES_MAX 6 /* told of one set */

struct subject {
	const struct statement *state, *protocol, *sport, *dport;
};

static bool is_negated(const struct statement *s)
{
	return s->op == OP_NOT_IN || s->op == OP_NO_BIT || s->op == OP_NEITHER;
}

static bool asks_for(const struct statement *s, enum field field)
{
	return s->kind == STATEMENT_MATCH && s->nselectors == 1 && s->selectors[0].field == field &&
	       s->selectors[0].mask == VALUE_ALL && s->op != OP_EITHER && s->op != OP_NEITHER;
}

/* The bits of one value, as "new or established". */
static void put_bits(enum kind kind, u128 value, struct buf *to)
{
	const char *glue = "";
	unsigned first = kind == KIND_STATE && (value & STATE_NEW) ? 3 : 0;

	/* A connection is new before it is established. */
	for (unsigned i = 0; i < 32; i++) {
		unsigned bit = (i + first) % 32;
		struct range one = { (u128)1 << bit, (u128)1 << bit };

		if (!(value & one.lo))
			continue;
		buf_add_str(to, glue);
		value_format(kind, &one, to);
		glue = " or ";
	}
}

void words_values(const struct statement *match, unsigned part, struct buf *to)
{
	const struct set *set = match->set;
	enum kind kind = set->kinds[part];

	if (set->name) {
		buf_addf(to, "what set %s holds", set->name);
		return;
	}
	if (set->is_foreign && set->n == 0) {
		buf_add_str(to, "something unknown");
		return;
	}
	if (kind_is_bits(kind) && (match->op == OP_ANY_BIT || match->op == OP_NO_BIT) &&
	    set->n == 1) {
		put_bits(kind, set->elements[0].keys[0].lo, to);
		return;
	}
	if (set->n == 0)
		buf_add_str(to, "nothing");
	for (size_t i = 0; i < set->n && i < VALUES_MAX; i++) {
		const struct range *r = &set->elements[i].keys[part];
		bool is_last = i + 1 == set->n;

		buf_add_str(to, i == 0 ? "" : is_last ? " or " : ", ");
		if (r->lo == 0 && r->hi == VALUE_ALL)
			buf_add_str(to, "anything");
		else if (r->hi == VALUE_ALL && (kind == KIND_PORT || kind == KIND_NUMBER))
			buf_addf(to, "%llu or more", (unsigned long long)r->lo);
		else
			value_format(kind, r, to);
	}
	if (set->n > VALUES_MAX)
		buf_addf(to, " or %zu others", set->n - VALUES_MAX);
}

/* what a rule is about */

static uint8_t protocol_of(const struct rule *rule, const struct subject *s)
{
	if (s->protocol && !is_negated(s->protocol) && s->protocol->set->n == 1 &&
	    s->protocol->set->elements[0].keys[0].lo == s->protocol->set->elements[0].keys[0].hi)
		return (uint8_t)s->protocol->set->elements[0].keys[0].lo;
	for (size_t i = 0; i < rule->n; i++)
		if (rule->statements[i].nselectors > 0 && rule->statements[i].selectors[0].protocol)
			return rule->statements[i].selectors[0].protocol;
	return 0;
}

static void find_subject(const struct rule *rule, struct subject *ret)
{
	*ret = (struct subject) { 0 };
	for (size_t i = 0; i < rule->n; i++) {
		const struct statement *s = &rule->statements[i];

		if (asks_for(s, FIELD_CT_STATE) && !ret->state)
			ret->state = s;
		else if (asks_for(s, FIELD_PROTOCOL) && !ret->protocol)
			ret->protocol = s;
		else if (asks_for(s, FIELD_SPORT) && !ret->sport)
			ret->sport = s;
		else if (asks_for(s, FIELD_DPORT) && !ret->dport)
			ret->dport = s;
	}
}

static void put_protocol(uint8_t protocol, struct buf *to)
{
	struct range r = { protocol, protocol };

	value_format(KIND_PROTOCOL, &r, to);
}

static void put_port(const char *words, const char *otherwise, const struct statement *s,
		     uint8_t protocol, struct buf *to)
{
	buf_addf(to, " %s%s ", is_negated(s) ? "not " : "", protocol ? words : otherwise);
	if (protocol) {
		put_protocol(protocol, to);
		buf_add_char(to, ' ');
	}
	words_values(s, 0, to);
}

static bool has_matches(const struct rule *rule)
{
	for (size_t i = 0; i < rule->n; i++)
		if (rule->statements[i].kind == STATEMENT_MATCH ||
		    rule->statements[i].kind == STATEMENT_VMAP ||
		    rule->statements[i].kind == STATEMENT_LIMIT)
			return true;
	return false;
}

static void put_subject(const struct rule *rule, const struct subject *s, struct buf *to)
{
	uint8_t protocol = protocol_of(rule, s);
	bool told = protocol && (s->dport || s->sport); /* with the port */

	if (s->state && !is_negated(s->state)) {
		words_values(s->state, 0, to);
		buf_add_char(to, ' ');
	}
	if (s->protocol && !protocol && !is_negated(s->protocol)) {
		words_values(s->protocol, 0, to);
		buf_add_char(to, ' ');
	} else if (protocol && !told) {
		put_protocol(protocol, to);
		buf_add_char(to, ' ');
	}
	if (!s->state && !has_matches(rule))
		buf_add_str(to, "all ");
	buf_add_str(to, s->state ? "connections" : "packets");
	if (s->state && is_negated(s->state)) {
		buf_add_str(to, " that are not ");
		words_values(s->state, 0, to);
	}
	if (s->protocol && is_negated(s->protocol)) {
		buf_add_str(to, " not of protocol ");
		words_values(s->protocol, 0, to);
	}
	if (s->sport)
		put_port("from", "from port", s->sport, told ? protocol : 0, to);
	if (s->dport)
		put_port("to", "to port", s->dport, told ? protocol : 0, to);
}

static void put_selector(const struct statement *s, unsigned part, struct buf *to)
{
	const struct selector *sel = &s->selectors[part];
	const char *words = field_words(sel->field);

	if (sel->field == FIELD_UNKNOWN) {
		buf_addf(to, " (%s: unknown to strake)", sel->text);
		return;
	}
	buf_addf(to, " %s%s ", is_negated(s) ? "not " : "", words ? words : sel->text);
	if (sel->mask != VALUE_ALL) {
		struct range mask = { sel->mask, sel->mask };

		buf_add_str(to, "(of ");
		value_format(field_kind(sel->field), &mask, to);
		buf_add_str(to, ") ");
	}
	words_values(s, part < s->set->nkinds ? part : 0, to);
}

static void put_match(const struct statement *s, struct buf *to)
{
	if (s->op == OP_EITHER || s->op == OP_NEITHER) {
		buf_addf(to, " %s ",
			 s->op == OP_EITHER ? "from or to port" : "neither from nor to port");
		words_values(s, 0, to);
		return;
	}
	if (s->nselectors > 1 && s->set->name) {
		buf_add_str(to, is_negated(s) ? " whose not" : " whose");
		for (unsigned i = 0; i < s->nselectors; i++)
			buf_addf(to, "%s %s", i ? " and" : "", s->selectors[i].text);
		buf_addf(to, " are in set %s", s->set->name);
		return;
	}
	for (unsigned i = 0; i < s->nselectors; i++)
		put_selector(s, i, to);
}

/* what happens */

static const char *accepted(enum hook hook)
{
	if (hook == HOOK_INPUT)
		return "are let in";
	if (hook == HOOK_FORWARD)
		return "are let through";
	return hook == HOOK_OUTPUT ? "are let out" : "may go on";
}

static void put_verdict(const struct rule *rule, const struct statement *s, struct buf *to)
{
	switch (s->verdict) {
	case VERDICT_ACCEPT:
		buf_add_str(to, accepted(rule->chain->hook));
		break;
	case VERDICT_DROP:
		buf_add_str(to, "are dropped");
		break;
	case VERDICT_REJECT:
		buf_addf(to, "are refused%s%s", s->target && *s->target ? " with " : "",
			 s->target ? s->target : "");
		break;
	case VERDICT_JUMP:
		buf_addf(to, "go through chain %s", s->target);
		break;
	case VERDICT_GOTO:
		buf_addf(to, "go on in chain %s", s->target);
		break;
	case VERDICT_RETURN:
		buf_add_str(to, rule->chain->hook != HOOK_NONE ? "are left to the policy"
							       : "go back to the calling chain");
		break;
	case VERDICT_QUEUE:
		buf_add_str(to, "are handed to a program");
		break;
	case VERDICT_NONE:
		buf_add_str(to, "go on");
		break;
	}
}

static void put_end(bool v6, const struct action *a, struct buf *to)
{
	if (a->source.map && a->source.map->name)
		buf_addf(to, "what map %s says", a->source.map->name);
	else if (a->source.map)
		buf_add_str(to, "what a map says");
	if (a->has_address)
		value_format(v6 ? KIND_IP6 : KIND_IP, &a->address, to);
	if (a->has_port) {
		buf_add_str(to, a->has_address ? " port " : "port ");
		value_format(KIND_PORT, &a->port, to);
	}
}

static void put_nat(const struct action *a, struct buf *to)
{
	bool v6 = a->family == 10;

	switch (a->nat) {
	case NAT_DNAT:
		buf_add_str(to, "are sent on to ");
		put_end(v6, a, to);
		break;
	case NAT_SNAT:
		buf_add_str(to, "leave as if they came from ");
		put_end(v6, a, to);
		break;
	case NAT_MASQUERADE:
		buf_add_str(to, "leave as if they came from this host's own address");
		break;
	case NAT_REDIRECT:
		buf_add_str(to, "are sent to this host itself");
		if (a->has_port) {
			buf_add_str(to, ", ");
			put_end(v6, a, to);
		}
		break;
	}
}

static void put_assign(const struct statement *s, struct buf *to)
{
	const struct source *from = &s->action->source;
	enum field field = s->selectors[0].field;
	struct range value = { from->xor, from->xor };

	buf_addf(to, "get %s ", s->selectors[0].text);
	if (from->map)
		buf_add_str(to, "by a map");
	else if (from->nselectors == 1 && (from->and != VALUE_ALL || from->xor != 0) && from->and
		 != 0)
		buf_add_str(to, "changed");
	else if (from->nselectors == 1 && from->and != 0)
		buf_addf(to, "of %s", from->selectors[0].text);
	else
		value_format(field_kind(field), &value, to);
}

static const char *note_words(const char *text)
{
	static const struct {
		const char *begin, *words;
	} rows[] = {
		{ "log", "are logged" },
		{ "-j LOG", "are logged" },
		{ "-j NFLOG", "are logged" },
		{ "-j ULOG", "are logged" },
		{ "counter name", "are counted" },
		{ "add @", "are noted in a set" },
		{ "update @", "are noted in a set" },
		{ "-j SET", "are noted in a set" },
		{ "-j TCPMSS", "get a smaller segment size" },
		{ "dup", "are copied" },
		{ "tcp option maxseg", "get another segment size" },
		{ "flow", "take the fast path from here on" },
		{ "-j TRACE", "are traced" },
		{ "meta nftrace", "are traced" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strncmp(rows[i].begin, text, strlen(rows[i].begin)) == 0)
			return rows[i].words;
	return NULL;
}

/* One thing that a rule does; false: a statement does nothing that is worth telling. */
static bool put_action(const struct rule *rule, const struct statement *s, const char *glue,
		       struct buf *to)
{
	const char *note = s->kind == STATEMENT_NOTE ? note_words(s->text) : NULL;

	if (s->kind == STATEMENT_MATCH || s->kind == STATEMENT_LIMIT ||
	    (s->kind == STATEMENT_NOTE && !note))
		return false;
	buf_add_str(to, glue);
	if (s->kind == STATEMENT_VERDICT)
		put_verdict(rule, s, to);
	else if (s->kind == STATEMENT_NAT)
		put_nat(s->action, to);
	else if (s->kind == STATEMENT_ASSIGN)
		put_assign(s, to);
	else if (s->kind == STATEMENT_NOTRACK)
		buf_add_str(to, "are not tracked");
	else if (s->kind == STATEMENT_VMAP)
		buf_addf(to, "go where %s says", s->set->name ? s->set->name : "a list");
	else if (s->kind == STATEMENT_UNKNOWN)
		buf_addf(to, "meet '%s', unknown to strake", s->text);
	else
		buf_add_str(to, note);
	return true;
}

/* "by ct state: established accept, invalid drop" */
static void put_vmap(const struct statement *s, struct buf *to)
{
	buf_add_str(to, ": by");
	for (unsigned i = 0; i < s->nselectors; i++)
		buf_addf(to, "%s %s", i ? " and" : "", s->selectors[i].text);
	for (size_t i = 0; i < s->set->n && i < VALUES_MAX; i++) {
		const struct element *e = &s->set->elements[i];

		buf_add_str(to, i ? ", " : " ");
		for (unsigned k = 0; k < s->set->nkinds; k++) {
			buf_add_str(to, k ? " . " : "");
			value_format(s->set->kinds[k], &e->keys[k], to);
		}
		buf_addf(to, " %s%s%s", verdict_name(e->verdict), e->target ? " " : "",
			 e->target ? e->target : "");
	}
	if (s->set->n > VALUES_MAX)
		buf_addf(to, " and %zu others", s->set->n - VALUES_MAX);
}

static bool is_of_link(const struct statement *s)
{
	enum field field = s->nselectors == 1 ? s->selectors[0].field : FIELD_UNKNOWN;

	return field == FIELD_IIF || field == FIELD_OIF;
}

/* "from 10.0.0.0/8 but not leaving by br0", "arriving on br0 and leaving by br0" */
static void put_joint(const struct statement *before, const struct statement *s, bool *has_but,
		      struct buf *to)
{
	bool turns = before && is_negated(before) != is_negated(s);

	if (turns && !*has_but)
		buf_add_str(to, " but");
	else if (turns || (before && is_of_link(before) && is_of_link(s)))
		buf_add_str(to, " and");
	*has_but |= turns;
}

void words_rule(const struct rule *rule, struct buf *to)
{
	const struct statement *vmap = NULL, *before = NULL;
	const char *glue = " ";
	struct subject subject;
	bool has_but = false;

	find_subject(rule, &subject);
	put_subject(rule, &subject, to);
	for (size_t i = 0; i < rule->n; i++) {
		const struct statement *s = &rule->statements[i];

		if (s->kind == STATEMENT_LIMIT)
			buf_addf(to, " (%s)", s->text);
		else if (s->kind == STATEMENT_VMAP)
			vmap = s;
		if (s->kind != STATEMENT_MATCH || s == subject.state || s == subject.protocol ||
		    s == subject.sport || s == subject.dport)
			continue;
		put_joint(before, s, &has_but, to);
		put_match(s, to);
		before = s;
	}
	for (size_t i = 0; i < rule->n; i++)
		if (put_action(rule, &rule->statements[i], glue, to))
			glue = " and ";
	if (glue[1] == '\0')
		buf_add_str(to, " are counted");
	if (vmap)
		put_vmap(vmap, to);
}

const char *words_policy(const struct chain *chain)
{
	return chain->policy == VERDICT_DROP ? "what no rule takes is dropped"
					     : "what no rule takes may go on";
}
