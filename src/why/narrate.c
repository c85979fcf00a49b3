/* src/why/narrate.c */
#include "why/narrate.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "why/eval.h"
#include "why/words.h"

#define TEXT_MAX (1U << 20)

static void put_link(u128 name, struct buf *to)
{
	const struct range r = { name, name };

	value_format(KIND_NAME, &r, to);
}

static void put_value(enum field field, u128 value, struct buf *to)
{
	const struct range r = { value, value };

	value_format(field_kind(field), &r, to);
}

static void put_chain(const struct chain *c, struct buf *to)
{
	buf_addf(to, "table %s %s, chain %s", family_name(c->table->family), c->table->name,
		 c->name);
}

static void put_route(const struct step *s, const struct packet *p, struct buf *to)
{
	(void)p;
	if (s->way == WAY_IN)
		buf_add_str(to, "routed: it is for this host");
	else if (s->way == WAY_THROUGH && s->link[0])
		buf_addf(to, "routed: forwarded by %s", s->link);
	else if (s->way == WAY_THROUGH)
		buf_add_str(to, "routed: forwarded");
	else if (s->link[0])
		buf_addf(to, "routed again, for its new destination: leaves by %s", s->link);
	else
		buf_add_str(to, "routed again, for its new destination: by which link the rules "
				"do not say");
}

static void put_change(const struct step *s, struct buf *to)
{
	static const struct {
		enum field field;
		const char *words;
	} names[] = {
		{ FIELD_IP_DADDR, "destination" },
		{ FIELD_IP6_DADDR, "destination" },
		{ FIELD_IP_SADDR, "source" },
		{ FIELD_IP6_SADDR, "source" },
		{ FIELD_DPORT, "destination port" },
		{ FIELD_SPORT, "source port" },
		{ FIELD_MARK, "mark" },
		{ FIELD_CT_MARK, "mark of the connection" },
	};
	const char *name = selector_of(s->field).text;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].field == s->field)
			name = names[i].words;
	buf_addf(to, "-> %s is now ", name);
	if (s->is_unknown)
		buf_add_str(to, s->kind == STEP_REWRITE ? "the link's own address, which the rules "
							  "do not say"
							: "not known");
	else
		put_value(s->field, s->after, to);
	if (!s->was_unknown) {
		buf_add_str(to, " (was ");
		put_value(s->field, s->before, to);
		buf_add_char(to, ')');
	}
}

/* "back to FORWARD after rule 2" */
static void put_back(const struct step *s, const char *before, const char *behind, struct buf *to)
{
	if (s->back)
		buf_addf(to, "%sback to %s after rule %u%s", before, s->back->chain->name,
			 s->back->number, behind);
}

static void put_rule_step(const struct step *s, struct buf *to)
{
	cleanup(buf_done) struct buf words = BUF_INIT(TEXT_MAX);

	words_rule(s->rule, &words);
	buf_addf(to, "rule %u: %s", s->rule->number, buf_text(&words));
	if (s->rule->comment)
		buf_addf(to, " \"%s\"", s->rule->comment);
	if (rule_owner(s->rule) != OWNER_UNKNOWN && rule_owner(s->rule) != s->chain->owner)
		buf_addf(to, " (%s)", owner_name(rule_owner(s->rule)));
	put_back(s, " (", ")", to);
}

/* One line of a step; "" for one of which there is nothing to tell. */
static void put_step(const struct step *s, const struct packet *p, struct buf *to)
{
	switch (s->kind) {
	case STEP_HOOK:
		buf_add_str(to, hook_name(s->hook));
		break;
	case STEP_CONNTRACK:
		buf_add_str(to, "connection tracking: ");
		if (packet_has(p, FIELD_CT_STATE))
			put_value(FIELD_CT_STATE, p->value[FIELD_CT_STATE], to);
		break;
	case STEP_CHAIN:
		put_chain(s->chain, to);
		buf_addf(to, " (priority %d, %s, %s)", s->chain->priority,
			 backend_name(s->chain->table->backend), owner_name(s->chain->owner));
		break;
	case STEP_RULE:
		put_rule_step(s, to);
		break;
	case STEP_DOUBT:
		buf_addf(
			to,
			"rule %u: whether it matches is unknown: %s; taken here as one that does%s",
			s->rule->number, s->doubt, s->took ? "" : " not");
		break;
	case STEP_END:
		buf_addf(to, "end of chain %s: no verdict", s->chain->name);
		put_back(s, ", ", "", to);
		break;
	case STEP_POLICY:
		buf_addf(to, "end of %s, policy %s", s->chain->name, verdict_name(s->verdict));
		break;
	case STEP_NAT_SKIP:
		buf_add_str(to, "nat chains are not asked: only a connection's first packet is, "
				"the others are translated as it was");
		break;
	case STEP_REWRITE:
	case STEP_ASSIGN:
		put_change(s, to);
		break;
	case STEP_NOTRACK:
		buf_add_str(to, "-> not tracked: rules that ask for a state see \"untracked\"");
		break;
	case STEP_ROUTE:
		put_route(s, p, to);
		break;
	}
}

static unsigned indent_of(const struct step *s)
{
	switch (s->kind) {
	case STEP_HOOK:
	case STEP_ROUTE:
		return 0;
	case STEP_CHAIN:
	case STEP_CONNTRACK:
	case STEP_NAT_SKIP:
		return 2;
	case STEP_RULE:
	case STEP_DOUBT:
	case STEP_END:
	case STEP_POLICY:
		return 4 + 2 * s->depth;
	case STEP_REWRITE:
	case STEP_ASSIGN:
	case STEP_NOTRACK:
		break;
	}
	return 6 + 2 * s->depth;
}

static void put_clean(struct buf *text, FILE *to)
{
	autofree char *clean = xstrdup(buf_text(text));

	text_clean(clean);
	(void)fputs(clean, to);
}

static void put_path(const struct path *path, const struct packet *packet, FILE *to)
{
	for (size_t i = 0; i < path->n; i++) {
		cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
		const struct step *s = &path->steps[i];

		put_step(s, packet, &text);
		(void)fprintf(to, "%3zu  %*s", i + 1, (int)indent_of(s), "");
		put_clean(&text, to);
		if (s->rule && s->rule == path->rule && s->kind == STEP_RULE)
			(void)fputs("   <== here", to);
		if (s->kind == STEP_POLICY && !path->rule && s->chain == path->chain)
			(void)fputs("   <== here", to);
		(void)fputc('\n', to);
		if (s->kind == STEP_RULE && s->rule) {
			buf_reset(&text);
			buf_add_str(&text, s->rule->text);
			(void)fprintf(to, "     %*s", (int)indent_of(s) + 2, "");
			put_clean(&text, to);
			(void)fputc('\n', to);
		}
	}
}

/* "at rule 3 of table ip filter, chain INPUT (iptables, Docker)" */
static void put_place(const struct path *path, struct buf *to)
{
	if (!path->chain)
		return;
	if (path->rule)
		buf_addf(to, " at rule %u of ", path->rule->number);
	else
		buf_add_str(to, " by the policy of ");
	put_chain(path->chain, to);
	buf_addf(to, " (%s, %s)", backend_name(path->chain->table->backend),
		 owner_name(path->rule ? rule_owner(path->rule) : path->chain->owner));
}

static const struct step *first_doubt(const struct path *path)
{
	for (size_t i = 0; i < path->n; i++)
		if (path->steps[i].kind == STEP_DOUBT)
			return &path->steps[i];
	return NULL;
}

static void put_doubt(const struct check *c, struct buf *to)
{
	const struct step *doubt = first_doubt(&c->path);

	buf_add_str(to, " (");
	if (c->is_cut) {
		buf_add_str(to, "there are too many ways through these rules to follow every one");
	} else if (c->other.n > 0) {
		buf_addf(to, "%s or %s", outcome_name(c->path.outcome),
			 outcome_name(c->other.outcome));
		put_place(c->other.chain ? &c->other : &c->path, to);
	}
	if (doubt)
		buf_addf(to, "%sdepends on: %s", c->is_cut || c->other.n ? "; " : "", doubt->doubt);
	buf_add_char(to, ')');
}

static void put_verdict(const struct check *c, struct buf *to)
{
	buf_add_str(to, outcome_name(c->outcome));
	if (c->outcome == OUTCOME_UNKNOWN)
		put_doubt(c, to);
	else
		put_place(&c->path, to);
}

/* "" if everything was asked that there is. */
static void put_not_asked(const struct check *c, struct buf *to)
{
	size_t n = c->nnot_asked;

	if (n == 0)
		return;
	buf_addf(to, "%zu chain%s of ", n, n == 1 ? "" : "s");
	if (c->is_frame)
		buf_add_str(to, "packets: a frame meets them only where bridge netfilter is on "
				"(bridge-nf-call-iptables)");
	else
		buf_add_str(to, "bridges: a frame from port to port meets them; say \"bridged\" "
				"to ask them");
}

void narrate_text(const struct check *check, const struct packet *packet, FILE *to)
{
	cleanup(buf_done) struct buf head = BUF_INIT(TEXT_MAX), verdict = BUF_INIT(TEXT_MAX);
	cleanup(buf_done) struct buf not_asked = BUF_INIT(TEXT_MAX);

	packet_format(packet, &head);
	if (packet_has(packet, FIELD_IIF) && packet->value[FIELD_IIF]) {
		buf_add_str(&head, ", in ");
		put_link(packet->value[FIELD_IIF], &head);
	}
	if (packet_has(packet, FIELD_OIF) && packet->value[FIELD_OIF]) {
		buf_add_str(&head, ", out ");
		put_link(packet->value[FIELD_OIF], &head);
	}
	put_clean(&head, to);
	(void)fputs("\n", to);
	put_path(&check->path, packet, to);
	put_verdict(check, &verdict);
	(void)fputs("verdict: ", to);
	put_clean(&verdict, to);
	(void)fputc('\n', to);
	put_not_asked(check, &not_asked);
	if (not_asked.len > 0)
		(void)fprintf(to, "not asked: %s\n", buf_text(&not_asked));
}

/* JSON */

static json_t *string(const char *text)
{
	autofree char *clean = xstrdup(text);

	text_clean(clean);
	return json_string(clean);
}

static void set(json_t *obj, const char *key, json_t *value)
{
	(void)json_object_set_new(obj, key, value);
}

static const char *kind_name(enum step_kind kind)
{
	static const char *const names[] = {
		[STEP_HOOK] = "hook",       [STEP_CONNTRACK] = "conntrack",
		[STEP_CHAIN] = "chain",     [STEP_RULE] = "rule",
		[STEP_DOUBT] = "doubt",     [STEP_END] = "end",
		[STEP_POLICY] = "policy",   [STEP_NAT_SKIP] = "nat-skipped",
		[STEP_REWRITE] = "rewrite", [STEP_ASSIGN] = "assign",
		[STEP_NOTRACK] = "notrack", [STEP_ROUTE] = "route",
	};

	return names[kind];
}

static void set_chain(json_t *obj, const struct chain *c)
{
	set(obj, "family", json_string(family_name(c->table->family)));
	set(obj, "table", string(c->table->name));
	set(obj, "chain", string(c->name));
	set(obj, "backend", json_string(backend_name(c->table->backend)));
}

static void set_rule(json_t *obj, const struct rule *rule)
{
	set(obj, "rule", json_integer(rule->number));
	set(obj, "handle", rule->handle ? json_integer((json_int_t)rule->handle) : json_null());
	set(obj, "syntax", string(rule->text));
	set(obj, "owner", json_string(owner_name(rule_owner(rule))));
}

static json_t *step_json(const struct step *s, const struct packet *packet)
{
	cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	json_t *obj = json_object();

	put_step(s, packet, &text);
	set(obj, "kind", json_string(kind_name(s->kind)));
	set(obj, "hook", json_string(hook_name(s->hook)));
	set(obj, "depth", json_integer(s->depth));
	set(obj, "text", string(buf_text(&text)));
	if (s->chain)
		set_chain(obj, s->chain);
	if (s->rule)
		set_rule(obj, s->rule);
	if (s->kind == STEP_RULE || s->kind == STEP_POLICY)
		set(obj, "verdict", json_string(verdict_name(s->verdict)));
	if (s->target)
		set(obj, "target", string(s->target->name));
	return obj;
}

json_t *narrate_json(const struct check *check, const struct packet *packet)
{
	cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX), not_asked = BUF_INIT(TEXT_MAX);
	json_t *doc = json_object(), *steps = json_array(), *at = json_null();

	put_verdict(check, &text);
	put_not_asked(check, &not_asked);
	set(doc, "schema", json_integer(NARRATE_SCHEMA));
	set(doc, "verdict", json_string(outcome_name(check->outcome)));
	set(doc, "text", string(buf_text(&text)));
	if (check->path.chain && check->outcome != OUTCOME_UNKNOWN) {
		at = json_object();
		set_chain(at, check->path.chain);
		if (check->path.rule)
			set_rule(at, check->path.rule);
	}
	set(doc, "at", at);
	set(doc, "doubts", json_integer((json_int_t)check->ndoubts));
	for (size_t i = 0; i < check->path.n; i++)
		(void)json_array_append_new(steps, step_json(&check->path.steps[i], packet));
	set(doc, "steps", steps);
	set(doc, "not_asked", not_asked.len ? string(buf_text(&not_asked)) : json_null());
	return doc;
}

int narrate_status(const struct check *check)
{
	switch (check->outcome) {
	case OUTCOME_DELIVERED:
	case OUTCOME_FORWARDED:
	case OUTCOME_SENT:
		return 0;
	case OUTCOME_DROPPED:
		return 3;
	case OUTCOME_REFUSED:
		return 4;
	case OUTCOME_QUEUED:
	case OUTCOME_UNKNOWN:
		break;
	}
	return 5;
}
