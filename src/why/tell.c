/* src/why/tell.c */
#include "why/tell.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "why/judge.h"
#include "why/journey.h"
#include "why/legacy.h"
#include "why/words.h"

#define TEXT_MAX (1U << 16)

struct telling {
	struct journey *j;
	struct ends before; /* as the packet was last */
	bool has_before;
	bool has_state; /* of its connection, in this visit */
};

static void put_end(const struct ip *ip, uint16_t port, struct buf *to)
{
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	if (port && ip->family == AF_INET6)
		buf_addf(to, "[%s]:%u", text, port);
	else if (port)
		buf_addf(to, "%s:%u", text, port);
	else
		buf_add_str(to, text);
}

static void put_ends(const struct ends *e, struct buf *to)
{
	put_end(&e->from, e->sport, to);
	buf_add_str(to, " > ");
	put_end(&e->to, e->dport, to);
}

static void put_change(const char *what, const struct ip *before, uint16_t port_before,
		       const struct ip *after, uint16_t port_after, struct buf *to)
{
	if (ip_equal(before, after) && port_before == port_after)
		return;
	buf_addf(to, "; %s is now ", what);
	put_end(after, port_after, to);
	buf_add_str(to, " (was ");
	put_end(before, port_before, to);
	buf_add_char(to, ')');
}

/* What translation has done since the packet was looked at last. */
static void put_changes(struct telling *t, const struct ends *e, struct buf *to)
{
	if (t->has_before) {
		put_change("its destination", &t->before.to, t->before.dport, &e->to, e->dport, to);
		put_change("its source", &t->before.from, t->before.sport, &e->from, e->sport, to);
	}
	t->before = *e;
	t->has_before = true;
}

/* Behind connection tracking the kernel tells, once it is known. */
static void put_state(struct telling *t, const struct trace_event *e, struct buf *to)
{
	static const struct {
		uint32_t bit;
		const char *words;
	} rows[] = {
		{ STATE_INVALID, "of no connection: invalid" },
		{ STATE_ESTABLISHED, "of an established connection" },
		{ STATE_RELATED, "related to another connection" },
		{ STATE_NEW, "of a new connection" },
		{ STATE_UNTRACKED, "not tracked" },
	};

	for (size_t i = 0; !t->has_state && e->has_ct && i < ARRAY_SIZE(rows); i++)
		if (e->ct_state & rows[i].bit) {
			buf_addf(to, " (%s)", rows[i].words);
			t->has_state = true;
		}
}

static void put_mark(struct telling *t, const struct note *note, struct buf *to)
{
	const struct place *p = &t->j->places.items[note->place];
	bool bridge = note->e.family == FAMILY_BRIDGE;
	struct ends e = { 0 };

	(void)journey_ends(&note->e, &e);
	switch (note->e.mark_of) {
	case TRACE_IN:
		buf_addf(to, "%s %s: ", bridge ? "comes to a bridge through" : "arrives on",
			 place_link(p, note->e.iif));
		put_ends(&e, to);
		break;
	case TRACE_OUT:
		buf_add_str(to, "is sent: ");
		put_ends(&e, to);
		break;
	case TRACE_FORWARDED:
		buf_addf(to, "%s %s", bridge ? "goes on through port" : "is routed: forwarded by",
			 place_link(p, note->e.oif));
		break;
	case TRACE_DELIVERED:
		buf_add_str(to, bridge ? "is for this host itself" : "is delivered here");
		break;
	case TRACE_SENT:
		buf_addf(to, "leaves by %s", place_link(p, note->e.oif));
		break;
	case TRACE_FOREIGN:
		break;
	}
	if (!bridge)
		put_state(t, &note->e, to);
	put_changes(t, &e, to);
}

static void put_chain(const struct note *note, const struct chain *c, struct buf *to)
{
	if (c && c->hook != HOOK_NONE)
		buf_addf(to, "%s, ", hook_name(c->hook));
	buf_addf(to, "table %s %s, chain %s", family_name(note->e.family), note->e.table,
		 note->e.chain);
	if (c && c->owner != OWNER_UNKNOWN)
		buf_addf(to, " (%s)", owner_name(c->owner));
	buf_add_str(to, ": ");
}

static void put_rule(const struct note *note, const struct rule *rule, struct buf *to)
{
	if (!rule) {
		buf_addf(to, "a rule with handle %llu, %s", (unsigned long long)note->e.handle,
			 verdict_name(note->e.verdict));
		return;
	}
	buf_addf(to, "rule %u: ", rule->number);
	words_rule(rule, to);
	if (rule->comment)
		buf_addf(to, " \"%s\"", rule->comment);
}

/* The rule that called the chain which ends here. */
static const struct rule *caller_of(struct telling *t, const struct note *end)
{
	for (const struct note *note = end; note-- > t->j->notes;)
		if (note->place == end->place && note->e.id == end->e.id &&
		    note->e.mark_of == TRACE_FOREIGN && note->e.kind == TRACE_RULE &&
		    note->e.verdict == VERDICT_JUMP && note->e.family == end->e.family &&
		    strcmp(note->e.table, end->e.table) == 0 &&
		    strcmp(note->e.target, end->e.chain) == 0)
			return journey_rule(t->j, note);
	return NULL;
}

static void put_chain_end(struct telling *t, const struct note *note, const struct chain *c,
			  struct buf *to)
{
	const struct rule *rule = caller_of(t, note);

	buf_addf(to, "none of its %zu rules decides", c ? c->n : 0);
	if (rule)
		buf_addf(to, ", back to %s after rule %u", rule->chain->name, rule->number);
}

static void put_note(struct telling *t, const struct note *note, struct buf *to)
{
	const struct chain *c;

	if (note->e.mark_of != TRACE_FOREIGN) {
		put_mark(t, note, to);
		return;
	}
	c = journey_chain(t->j, note);
	/* The end of a base chain is told by its policy. */
	if (note->e.kind == TRACE_END && (!c || c->hook != HOOK_NONE))
		return;
	put_chain(note, c, to);
	if (note->e.kind == TRACE_RULE)
		put_rule(note, journey_rule(t->j, note), to);
	else if (note->e.kind == TRACE_END)
		put_chain_end(t, note, c, to);
	else
		buf_addf(to, "end of %s, policy %s", note->e.chain, verdict_name(note->e.verdict));
}

/* NAT is asked once for a connection. */
static bool skips_nat(struct journey *j, const struct visit *v)
{
	const struct ruleset *rs = place_rules(&j->places.items[v->place]);

	if (v->is_out || (v->direction == DIRECTION_REQUEST && v->packet == 1) || !rs)
		return false;
	for (size_t i = 0; i < rs->nhooks[HOOK_PREROUTING]; i++)
		if (strcmp(rs->hooks[HOOK_PREROUTING][i]->type, "nat") == 0)
			return true;
	for (size_t i = 0; i < rs->nhooks[HOOK_POSTROUTING]; i++)
		if (strcmp(rs->hooks[HOOK_POSTROUTING][i]->type, "nat") == 0)
			return true;
	return false;
}

static void put_clean(const char *text, FILE *to)
{
	autofree char *clean = xstrdup(text);

	text_clean(clean);
	(void)fputs(clean, to);
}

static void put_visit(struct telling *t, const struct visit *v, const struct judgement *g,
		      unsigned *number, FILE *to)
{
	(void)fprintf(to, "%s in ", direction_name(v->direction));
	put_clean(t->j->places.items[v->place].name, to);
	(void)fputc('\n', to);
	t->has_state = false;
	for (size_t i = 0; i < v->n; i++) {
		cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
		const struct note *note = &t->j->notes[v->notes[i]];
		const struct rule *rule =
			note->e.mark_of == TRACE_FOREIGN ? journey_rule(t->j, note) : NULL;

		put_note(t, note, &text);
		if (text.len == 0)
			continue;
		(void)fprintf(to, "%3u  ", ++*number);
		put_clean(buf_text(&text), to);
		(void)fputs(note == g->at ? "   <== here\n" : "\n", to);
		if (rule) {
			(void)fputs("       ", to);
			put_clean(rule->text, to);
			(void)fputc('\n', to);
		}
	}
	if (skips_nat(t->j, v))
		(void)fputs(
			"     nat chains are not asked: only a connection's first packet is, the others "
			"are translated as it was\n",
			to);
}

/* Whether the packet came by rules of which no event tells: those of iptables-legacy. */
static bool has_untold(struct journey *j, size_t place)
{
	const struct ruleset *rs = place_rules(&j->places.items[place]);

	for (size_t i = 0; rs && i < j->n; i++)
		if (j->visits[i].place == place)
			return legacy_has_say(rs, j->plan->to.family == AF_INET6);
	return false;
}

void tell_text(struct journey *j, const struct judgement *g, FILE *to)
{
	struct telling t = { .j = j };
	unsigned number = 0, packet = 0;

	for (size_t i = 0; i < j->n; i++) {
		if (j->visits[i].packet != packet && j->visits[j->n - 1].packet > 1)
			(void)fprintf(to, "packet %u\n", j->visits[i].packet);
		packet = j->visits[i].packet;
		if (i > 0 && j->visits[i].direction != j->visits[i - 1].direction)
			t.has_before = false;
		put_visit(&t, &j->visits[i], g, &number, to);
	}
	(void)fprintf(to, "verdict: %s, ", fate_name(g->fate));
	put_clean(buf_text(&g->reason), to);
	(void)fputc('\n', to);
	if (g->advice.len > 0) {
		(void)fputs("to look at or change it (not run):  ", to);
		put_clean(buf_text(&g->advice), to);
		(void)fputc('\n', to);
	}
	if (j->places.is_cut)
		(void)fprintf(to, "not looked into: more than %d network namespaces\n", PLACES_MAX);
	for (size_t i = 0; i < j->places.n; i++)
		if (has_untold(j, i)) {
			(void)fputs("not told above: rules of iptables-legacy in ", to);
			put_clean(j->places.items[i].name, to);
			(void)fputs(", of which no trace tells; 'strake why show' does\n", to);
		}
}

/* JSON */

static void set(json_t *obj, const char *key, json_t *value)
{
	(void)json_object_set_new(obj, key, value);
}

static json_t *string(const char *text)
{
	autofree char *clean = xstrdup(text);

	text_clean(clean);
	return json_string(clean);
}

/* Names of places. */
static json_t *untold_json(struct journey *j)
{
	json_t *list = json_array();

	for (size_t i = 0; i < j->places.n; i++)
		if (has_untold(j, i))
			(void)json_array_append_new(list, string(j->places.items[i].name));
	return list;
}

static const char *kind_name(const struct note *note)
{
	static const char *const marks[] = {
		[TRACE_FOREIGN] = "",
		[TRACE_IN] = "in",
		[TRACE_OUT] = "out",
		[TRACE_FORWARDED] = "forwarded",
		[TRACE_DELIVERED] = "delivered",
		[TRACE_SENT] = "sent",
	};
	static const char *const kinds[] = { "rule", "end", "policy" };

	return note->e.mark_of != TRACE_FOREIGN ? marks[note->e.mark_of] : kinds[note->e.kind];
}

static json_t *note_json(struct telling *t, const struct visit *v, const struct note *note,
			 const char *text)
{
	const struct rule *rule =
		note->e.mark_of == TRACE_FOREIGN ? journey_rule(t->j, note) : NULL;
	json_t *obj = json_object();

	set(obj, "packet", json_integer(v->packet));
	set(obj, "direction", json_string(direction_name(v->direction)));
	set(obj, "place", string(t->j->places.items[v->place].name));
	set(obj, "kind", json_string(kind_name(note)));
	set(obj, "text", string(text));
	if (note->e.mark_of == TRACE_FOREIGN) {
		set(obj, "family", json_string(family_name(note->e.family)));
		set(obj, "table", string(note->e.table));
		set(obj, "chain", string(note->e.chain));
		set(obj, "verdict", json_string(verdict_name(note->e.verdict)));
	}
	if (rule) {
		set(obj, "rule", json_integer(rule->number));
		set(obj, "handle", json_integer((json_int_t)rule->handle));
		set(obj, "syntax", string(rule->text));
		set(obj, "owner", json_string(owner_name(rule_owner(rule))));
	}
	return obj;
}

/* Where it ended, if an event says so. */
static json_t *at_json(struct journey *j, const struct judgement *g)
{
	const struct rule *rule = g->at ? journey_rule(j, g->at) : NULL;
	json_t *obj;

	if (!g->at)
		return json_null();
	obj = json_object();
	set(obj, "place", string(j->places.items[g->at->place].name));
	set(obj, "family", json_string(family_name(g->at->e.family)));
	set(obj, "table", string(g->at->e.table));
	set(obj, "chain", string(g->at->e.chain));
	set(obj, "rule", rule ? json_integer(rule->number) : json_null());
	return obj;
}

json_t *tell_json(struct journey *j, const struct judgement *g)
{
	struct telling t = { .j = j };
	json_t *doc = json_object(), *steps = json_array();

	set(doc, "schema", json_integer(TELL_SCHEMA));
	set(doc, "verdict", json_string(fate_name(g->fate)));
	set(doc, "reason", string(buf_text(&g->reason)));
	set(doc, "at", at_json(j, g));
	set(doc, "advice", g->advice.len ? string(buf_text(&g->advice)) : json_null());
	for (size_t i = 0; i < j->n; i++) {
		if (i > 0 && j->visits[i].direction != j->visits[i - 1].direction)
			t.has_before = false;
		t.has_state = false;
		for (size_t k = 0; k < j->visits[i].n; k++) {
			cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
			const struct note *note = &j->notes[j->visits[i].notes[k]];

			put_note(&t, note, &text);
			if (text.len > 0)
				(void)json_array_append_new(
					steps, note_json(&t, &j->visits[i], note, buf_text(&text)));
		}
	}
	set(doc, "steps", steps);
	set(doc, "legacy_untold", untold_json(j));
	set(doc, "places_cut", json_boolean(j->places.is_cut));
	return doc;
}
