/* src/why/show.c */
#include "why/show.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "why/lint.h"
#include "why/ruleset.h"
#include "why/words.h"

#define TEXT_MAX (1U << 20)

/* Packets that are routed, frames that a bridge passes on, and ARP each have a way of their own. */
enum path { PATH_IP, PATH_BRIDGE, PATH_ARP, PATH_COUNT };

static const struct {
	const char *title;
	const char *hooks[HOOK_COUNT];
} paths[PATH_COUNT] = {
	[PATH_IP] = { "packets",
		      { [HOOK_INGRESS] = "as it comes from the wire",
			[HOOK_PREROUTING] = "every packet that comes in, before it is routed",
			[HOOK_INPUT] = "what is for this host",
			[HOOK_FORWARD] = "what goes on to another",
			[HOOK_OUTPUT] = "what programs here send",
			[HOOK_POSTROUTING] = "everything that leaves, after it was routed",
			[HOOK_EGRESS] = "as it goes to the wire" } },
	[PATH_BRIDGE] = { "frames on a bridge",
			  { [HOOK_PREROUTING] = "frames that come to a bridge",
			    [HOOK_INPUT] = "frames for the bridge itself",
			    [HOOK_FORWARD] = "frames from port to port",
			    [HOOK_OUTPUT] = "frames that the host sends by a bridge",
			    [HOOK_POSTROUTING] = "frames that leave a port" } },
	[PATH_ARP] = { "ARP",
		       { [HOOK_INPUT] = "questions and answers that come in",
			 [HOOK_OUTPUT] = "those that go out" } },
};

struct show {
	const struct ruleset *rs;
	const struct findings *findings;
	FILE *to;
};

static enum path path_of(const struct chain *chain)
{
	if (chain->table->family == FAMILY_BRIDGE)
		return PATH_BRIDGE;
	return chain->table->family == FAMILY_ARP ? PATH_ARP : PATH_IP;
}

/* Findings are in the order of the rule set, so those of a rule stand together. */
static int by_place(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	uintptr_t p = (uintptr_t)(x->rule ? (const void *)x->rule : (const void *)x->chain);
	uintptr_t q = (uintptr_t)(y->rule ? (const void *)y->rule : (const void *)y->chain);

	return p < q ? -1 : p > q;
}

static const struct finding *findings_of(const struct show *s, const void *place, size_t *ret_n)
{
	const struct finding *all = s->findings->items;
	size_t lo = 0, hi = s->findings->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const void *at = all[mid].rule ? (const void *)all[mid].rule : all[mid].chain;

		if ((uintptr_t)at < (uintptr_t)place)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (hi = lo; hi < s->findings->n; hi++)
		if ((all[hi].rule ? (const void *)all[hi].rule : (const void *)all[hi].chain) !=
		    place)
			break;
	*ret_n = hi - lo;
	return all + lo;
}

/* text */

/* Names and comments come from outside. */
static void put(const struct show *s, const char *text)
{
	autofree char *clean = xstrdup(text);

	text_clean(clean);
	(void)fputs(clean, s->to);
}

static void put_findings(const struct show *s, const void *place, const char *indent)
{
	size_t n;
	const struct finding *f = findings_of(s, place, &n);

	for (size_t i = 0; i < n; i++) {
		cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX);

		if (f[i].kind == FINDING_NEVER_HIT)
			continue; /* the counter says so */
		finding_format(&f[i], &text);
		(void)fprintf(s->to, "%s! ", indent);
		put(s, buf_text(&text));
		(void)fputc('\n', s->to);
	}
}

static void put_rule(const struct show *s, const struct rule *rule)
{
	cleanup(buf_done) struct buf words = BUF_INIT(TEXT_MAX);
	enum owner owner = rule_owner(rule);

	words_rule(rule, &words);
	(void)fprintf(s->to, "    %4u  ", rule->number);
	put(s, buf_text(&words));
	if (rule->has_counter && rule->packets == 0)
		(void)fputs("  [never hit]", s->to);
	else if (rule->has_counter)
		(void)fprintf(s->to, "  [%" PRIu64 " packets, %" PRIu64 " bytes]", rule->packets,
			      rule->bytes);
	if (owner != rule->chain->owner)
		(void)fprintf(s->to, "  (%s)", owner_name(owner));
	(void)fputs("\n          ", s->to);
	put(s, rule->text);
	(void)fputc('\n', s->to);
	put_findings(s, rule, "          ");
}

static void put_chain(const struct show *s, const struct chain *c)
{
	if (c->hook != HOOK_NONE)
		(void)fprintf(s->to, "  %5d  ", c->priority);
	else
		(void)fputs("         ", s->to);
	(void)fprintf(s->to, "table %s ", family_name(c->table->family));
	put(s, c->table->name);
	(void)fputs(", chain ", s->to);
	put(s, c->name);
	if (c->type && strcmp(c->type, "filter") != 0)
		(void)fprintf(s->to, " (%s)", c->type);
	if (c->device) {
		(void)fputs(" on ", s->to);
		put(s, c->device);
	}
	if (c->hook != HOOK_NONE)
		(void)fprintf(s->to, ", policy %s", verdict_name(c->policy));
	(void)fprintf(s->to, "   [%s, %s]\n", backend_name(c->table->backend),
		      owner_name(c->owner));
	put_findings(s, c, "         ");
	for (size_t i = 0; i < c->n; i++)
		put_rule(s, &c->rules[i]);
	if (c->hook != HOOK_NONE)
		(void)fprintf(s->to, "          %s\n", words_policy(c));
}

static void put_hook(const struct show *s, enum path path, enum hook hook)
{
	bool any = false;

	for (size_t i = 0; i < s->rs->nhooks[hook]; i++) {
		const struct chain *c = s->rs->hooks[hook][i];

		if (path_of(c) != path)
			continue;
		if (!any)
			(void)fprintf(s->to, "%s: %s\n", hook_name(hook),
				      paths[path].hooks[hook] ? paths[path].hooks[hook] : "");
		any = true;
		put_chain(s, c);
	}
	if (any)
		(void)fputc('\n', s->to);
}

static void put_called(const struct show *s, enum path path)
{
	bool any = false;

	for (size_t i = 0; i < s->rs->n; i++)
		for (size_t k = 0; k < s->rs->tables[i]->nchains; k++) {
			const struct chain *c = s->rs->tables[i]->chains[k];

			if (c->hook != HOOK_NONE || path_of(c) != path)
				continue;
			if (!any)
				(void)fputs("chains that rules go through\n", s->to);
			any = true;
			put_chain(s, c);
		}
	if (any)
		(void)fputc('\n', s->to);
}

static bool has_path(const struct ruleset *rs, enum path path)
{
	for (size_t i = 0; i < rs->n; i++)
		for (size_t k = 0; k < rs->tables[i]->nchains; k++)
			if (path_of(rs->tables[i]->chains[k]) == path)
				return true;
	return false;
}

static void put_sets(const struct show *s)
{
	bool any = false;

	for (size_t i = 0; i < s->rs->n; i++)
		for (size_t k = 0; k < s->rs->tables[i]->nsets; k++) {
			const struct set *set = s->rs->tables[i]->sets[k];

			if (!set->name)
				continue;
			if (!any)
				(void)fputs("== sets and maps\n", s->to);
			any = true;
			(void)fprintf(s->to, "  table %s ", family_name(s->rs->tables[i]->family));
			put(s, s->rs->tables[i]->name);
			(void)fprintf(s->to, ", %s ", set->is_map || set->is_vmap ? "map" : "set");
			put(s, set->name);
			(void)fprintf(s->to, ": %zu element%s%s\n", set->n, set->n == 1 ? "" : "s",
				      set->is_open ? ", packets add to it" : "");
		}
}

static struct findings sorted(const struct findings *findings)
{
	struct findings copy = { .n = findings->n };

	copy.items = xcalloc(findings->n + 1, sizeof(*copy.items));
	if (findings->n > 0) {
		memcpy(copy.items, findings->items, findings->n * sizeof(*copy.items));
		qsort(copy.items, copy.n, sizeof(*copy.items), by_place);
	}
	return copy;
}

void show_text(const struct ruleset *rs, const struct findings *findings, FILE *to)
{
	struct findings copy = sorted(findings);
	const struct show s = { rs, &copy, to };
	bool any = false;

	for (enum path path = 0; path < PATH_COUNT; path++) {
		if (!has_path(rs, path))
			continue;
		any = true;
		(void)fprintf(to, "== %s\n", paths[path].title);
		for (enum hook hook = HOOK_INGRESS; hook < HOOK_COUNT; hook++)
			put_hook(&s, path, hook);
		put_called(&s, path);
	}
	put_sets(&s);
	if (!any)
		(void)fputs("no rules: whatever is routed here passes\n", to);
	findings_done(&copy);
}

/* JSON */

static json_t *string(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();
	autofree char *clean = NULL;

	if (value)
		return value;
	clean = xstrdup(text); /* bytes that are no UTF-8 */
	text_clean(clean);
	return json_string(clean);
}

static void set(json_t *obj, const char *key, json_t *value)
{
	(void)json_object_set_new(obj, key, value);
}

static json_t *findings_json(const struct show *s, const void *place)
{
	json_t *list = json_array();
	size_t n;
	const struct finding *f = findings_of(s, place, &n);

	for (size_t i = 0; i < n; i++) {
		cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
		json_t *item = json_object();

		finding_format(&f[i], &text);
		set(item, "kind", json_string(finding_name(f[i].kind)));
		set(item, "text", string(buf_text(&text)));
		if (f[i].other)
			set(item, "rule", json_integer(f[i].other->number));
		(void)json_array_append_new(list, item);
	}
	return list;
}

static json_t *rule_json(const struct show *s, const struct rule *rule)
{
	cleanup(buf_done) struct buf words = BUF_INIT(TEXT_MAX);
	json_t *obj = json_object();

	words_rule(rule, &words);
	set(obj, "number", json_integer(rule->number));
	set(obj, "handle", rule->handle ? json_integer((json_int_t)rule->handle) : json_null());
	set(obj, "syntax", string(rule->text));
	set(obj, "words", string(buf_text(&words)));
	set(obj, "comment", string(rule->comment));
	set(obj, "owner", json_string(owner_name(rule_owner(rule))));
	set(obj, "packets",
	    rule->has_counter ? json_integer((json_int_t)rule->packets) : json_null());
	set(obj, "bytes", rule->has_counter ? json_integer((json_int_t)rule->bytes) : json_null());
	set(obj, "findings", findings_json(s, rule));
	return obj;
}

static json_t *chain_json(const struct show *s, const struct chain *c)
{
	json_t *obj = json_object(), *rules = json_array();
	bool base = c->hook != HOOK_NONE;

	set(obj, "family", json_string(family_name(c->table->family)));
	set(obj, "table", string(c->table->name));
	set(obj, "chain", string(c->name));
	set(obj, "backend", json_string(backend_name(c->table->backend)));
	set(obj, "owner", json_string(owner_name(c->owner)));
	set(obj, "hook", base ? json_string(hook_name(c->hook)) : json_null());
	set(obj, "type", string(c->type));
	set(obj, "priority", base ? json_integer(c->priority) : json_null());
	set(obj, "policy", base ? json_string(verdict_name(c->policy)) : json_null());
	set(obj, "device", string(c->device));
	set(obj, "findings", findings_json(s, c));
	for (size_t i = 0; i < c->n; i++)
		(void)json_array_append_new(rules, rule_json(s, &c->rules[i]));
	set(obj, "rules", rules);
	return obj;
}

static json_t *sets_json(const struct ruleset *rs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rs->n; i++)
		for (size_t k = 0; k < rs->tables[i]->nsets; k++) {
			const struct set *one = rs->tables[i]->sets[k];
			json_t *obj;

			if (!one->name)
				continue;
			obj = json_object();
			set(obj, "family", json_string(family_name(rs->tables[i]->family)));
			set(obj, "table", string(rs->tables[i]->name));
			set(obj, "name", string(one->name));
			set(obj, "map", json_boolean(one->is_map || one->is_vmap));
			set(obj, "elements", json_integer((json_int_t)one->n));
			(void)json_array_append_new(list, obj);
		}
	return list;
}

json_t *show_json(const struct ruleset *rs, const struct findings *findings)
{
	struct findings copy = sorted(findings);
	const struct show s = { rs, &copy, NULL };
	json_t *doc = json_object(), *base = json_array(), *called = json_array();

	for (enum hook hook = HOOK_INGRESS; hook < HOOK_COUNT; hook++)
		for (size_t i = 0; i < rs->nhooks[hook]; i++)
			(void)json_array_append_new(base, chain_json(&s, rs->hooks[hook][i]));
	for (size_t i = 0; i < rs->n; i++)
		for (size_t k = 0; k < rs->tables[i]->nchains; k++)
			if (rs->tables[i]->chains[k]->hook == HOOK_NONE)
				(void)json_array_append_new(
					called, chain_json(&s, rs->tables[i]->chains[k]));
	set(doc, "schema", json_integer(SHOW_SCHEMA));
	set(doc, "hooks", base);
	set(doc, "called", called);
	set(doc, "sets", sets_json(rs));
	findings_done(&copy);
	return doc;
}
