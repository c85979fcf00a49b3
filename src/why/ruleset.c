/* src/why/ruleset.c */
#include "why/ruleset.h"

#include <string.h>

#include "base/alloc.h"

#define BLOCK_BYTES (64U << 10)

struct arena {
	struct arena *before;
	size_t used, size;
	max_align_t bytes[];
};

static const char *const families[FAMILY_COUNT] = {
	[FAMILY_INET] = "inet",     [FAMILY_IP] = "ip",   [FAMILY_IP6] = "ip6",
	[FAMILY_BRIDGE] = "bridge", [FAMILY_ARP] = "arp", [FAMILY_NETDEV] = "netdev",
};
static const char *const hooks[HOOK_COUNT] = {
	[HOOK_NONE] = "none",
	[HOOK_INGRESS] = "ingress",
	[HOOK_PREROUTING] = "prerouting",
	[HOOK_INPUT] = "input",
	[HOOK_FORWARD] = "forward",
	[HOOK_OUTPUT] = "output",
	[HOOK_POSTROUTING] = "postrouting",
	[HOOK_EGRESS] = "egress",
};
static const char *const verdicts[] = {
	[VERDICT_NONE] = "continue", [VERDICT_ACCEPT] = "accept", [VERDICT_DROP] = "drop",
	[VERDICT_REJECT] = "reject", [VERDICT_JUMP] = "jump",     [VERDICT_GOTO] = "goto",
	[VERDICT_RETURN] = "return", [VERDICT_QUEUE] = "queue",
};

const char *family_name(enum family family)
{
	return families[family];
}

const char *hook_name(enum hook hook)
{
	return hooks[hook];
}

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict];
}

const char *backend_name(enum backend backend)
{
	static const char *const names[] = { "nftables", "iptables", "iptables-legacy" };

	return names[backend];
}

static int find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

int family_of(const char *name, enum family *ret)
{
	int r = find_name(families, ARRAY_SIZE(families), name);

	if (r < 0)
		return r;
	*ret = (enum family)r;
	return 0;
}

int hook_of(const char *name, enum hook *ret)
{
	int r = find_name(hooks, ARRAY_SIZE(hooks), name);

	if (r <= HOOK_NONE)
		return -EINVAL;
	*ret = (enum hook)r;
	return 0;
}

bool family_has(enum family table, enum family packet)
{
	return table == packet ||
	       (table == FAMILY_INET && (packet == FAMILY_IP || packet == FAMILY_IP6));
}

/* memory */

void *ruleset_alloc(struct ruleset *rs, size_t size)
{
	struct arena *a = rs->arena;
	char *p;

	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!a || a->size - a->used < size) {
		size_t room = MAX(size, BLOCK_BYTES);

		a = xcalloc(1, sizeof(*a) + room);
		a->before = rs->arena;
		a->size = room;
		rs->arena = a;
	}
	p = (char *)a->bytes + a->used;
	a->used += size;
	return p;
}

char *ruleset_copy_len(struct ruleset *rs, const char *text, size_t len)
{
	char *p = ruleset_alloc(rs, len + 1);

	memcpy(p, text, len);
	return p;
}

char *ruleset_copy(struct ruleset *rs, const char *text)
{
	return ruleset_copy_len(rs, text, strlen(text));
}

void ruleset_init(struct ruleset *rs)
{
	*rs = (struct ruleset) { 0 };
}

static void table_done(struct table *t)
{
	for (size_t i = 0; i < t->nchains; i++) {
		for (size_t k = 0; k < t->chains[i]->n; k++)
			free(t->chains[i]->rules[k].statements);
		free(t->chains[i]->rules);
	}
	for (size_t i = 0; i < t->nsets; i++)
		free(t->sets[i]->elements);
	free(t->chains);
	free(t->sets);
	names_done(&t->chain_names);
	names_done(&t->set_names);
}

void ruleset_done(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		table_done(rs->tables[i]);
	free(rs->tables);
	for (size_t i = 0; i < HOOK_COUNT; i++)
		free(rs->hooks[i]);
	while (rs->arena) {
		struct arena *before = rs->arena->before;

		free(rs->arena);
		rs->arena = before;
	}
	ruleset_init(rs);
}

/* building */

struct table *ruleset_table(const struct ruleset *rs, enum family family, const char *name,
			    enum backend backend)
{
	for (size_t i = 0; i < rs->n; i++) {
		struct table *t = rs->tables[i];

		if (t->family == family && strcmp(t->name, name) == 0 &&
		    (t->backend == BACKEND_LEGACY) == (backend == BACKEND_LEGACY))
			return t;
	}
	return NULL;
}

struct table *ruleset_add_table(struct ruleset *rs, enum family family, const char *name,
				enum backend backend)
{
	struct table *t = ruleset_alloc(rs, sizeof(*t));

	t->family = family;
	t->name = ruleset_copy(rs, name);
	t->backend = backend;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	VEC_GROW(rs->tables, rs->n, rs->room);
	rs->tables[rs->n++] = t;
	return t;
}

struct chain *table_chain(const struct table *table, const char *name)
{
	return names_find(&table->chain_names, name);
}

struct chain *table_add_chain(struct ruleset *rs, struct table *table, const char *name)
{
	struct chain *c = ruleset_alloc(rs, sizeof(*c));

	c->table = table;
	c->name = ruleset_copy(rs, name);
	c->policy = VERDICT_ACCEPT;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	VEC_GROW(table->chains, table->nchains, table->chains_room);
	table->chains[table->nchains++] = c;
	names_add(&table->chain_names, c->name, c);
	return c;
}

struct rule *chain_add_rule(struct chain *chain)
{
	struct rule *rule;

	VEC_GROW(chain->rules, chain->n, chain->room);
	rule = &chain->rules[chain->n++];
	*rule = (struct rule) { .chain = chain, .number = (unsigned)chain->n };
	return rule;
}

struct statement *rule_add(struct rule *rule, enum statement_kind kind)
{
	struct statement *s;

	VEC_GROW(rule->statements, rule->n, rule->room);
	s = &rule->statements[rule->n++];
	*s = (struct statement) { .kind = kind, .text = "" };
	return s;
}

void rule_clear(struct rule *rule)
{
	free(rule->statements);
	rule->statements = NULL;
	rule->n = rule->room = 0;
}

struct set *table_set(const struct table *table, const char *name)
{
	return names_find(&table->set_names, name);
}

struct set *table_add_set(struct ruleset *rs, struct table *table, const char *name)
{
	struct set *s = ruleset_alloc(rs, sizeof(*s));

	s->name = name ? ruleset_copy(rs, name) : NULL;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	VEC_GROW(table->sets, table->nsets, table->sets_room);
	table->sets[table->nsets++] = s;
	if (name)
		names_add(&table->set_names, s->name, s);
	return s;
}

struct element *set_add(struct ruleset *rs, struct set *set)
{
	struct element *e;

	VEC_GROW(set->elements, set->n, set->room);
	e = &set->elements[set->n++];
	*e = (struct element) { .keys = ruleset_alloc(rs, set->nkinds * sizeof(*e->keys)) };
	return e;
}

/* joining */

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct chain *const *)a)->name, (*(struct chain *const *)b)->name);
}

static int join(const struct table *table, const char *target, struct chain **ret,
		struct error *err)
{
	struct chain *found = table_chain(table, target);

	if (!found)
		return error_set(err, -EBADMSG,
				 "table %s %s: a rule goes to chain '%s', which is not there: "
				 "the rules are not complete",
				 family_name(table->family), table->name, target);
	*ret = found;
	return 0;
}

static int join_chain(const struct table *table, struct chain *chain, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < chain->n; i++) {
		struct rule *rule = &chain->rules[i];

		for (size_t k = 0; r == 0 && k < rule->n; k++) {
			struct statement *s = &rule->statements[k];

			if (s->kind == STATEMENT_VERDICT &&
			    (s->verdict == VERDICT_JUMP || s->verdict == VERDICT_GOTO))
				r = join(table, s->target, &s->chain, err);
		}
	}
	return r;
}

static int by_first_key(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	return x->keys[0].lo < y->keys[0].lo ? -1 : x->keys[0].lo > y->keys[0].lo;
}

/* Elements are compared one after the other unless they can be searched. */
static void sort_set(struct set *set)
{
	if (set->nkinds != 1)
		return;
	if (set->n > 0)
		qsort(set->elements, set->n, sizeof(*set->elements), by_first_key);
	for (size_t i = 1; i < set->n; i++)
		if (set->elements[i].keys[0].lo <= set->elements[i - 1].keys[0].hi)
			return;
	set->is_sorted = true;
}

static int join_table(struct table *table, struct error *err)
{
	int r = 0;

	if (table->nchains > 0)
		qsort(table->chains, table->nchains, sizeof(struct chain *), by_name);
	for (size_t i = 0; r == 0 && i < table->nchains; i++)
		r = join_chain(table, table->chains[i], err);
	for (size_t i = 0; r == 0 && i < table->nsets; i++) {
		struct set *set = table->sets[i];

		for (size_t k = 0; r == 0 && k < set->n; k++)
			if (set->elements[k].target)
				r = join(table, set->elements[k].target, &set->elements[k].chain,
					 err);
		sort_set(set);
	}
	return r;
}

/* Of two at one priority the newer runs first: the kernel puts a hook before its equals. */
static int by_priority(const void *a, const void *b)
{
	const struct chain *x = *(struct chain *const *)a, *y = *(struct chain *const *)b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->order > y->order ? -1 : x->order < y->order;
}

static void order_hooks(struct ruleset *rs)
{
	size_t room[HOOK_COUNT] = { 0 };

	for (size_t i = 0; i < rs->n; i++)
		for (size_t k = 0; k < rs->tables[i]->nchains; k++) {
			struct chain *c = rs->tables[i]->chains[k];

			if (c->hook == HOOK_NONE)
				continue;
			c->order += (uint64_t)i * (CHAIN_ORDER_MAX + 1);
			/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
			VEC_GROW(rs->hooks[c->hook], rs->nhooks[c->hook], room[c->hook]);
			rs->hooks[c->hook][rs->nhooks[c->hook]++] = c;
		}
	for (size_t h = 0; h < HOOK_COUNT; h++)
		if (rs->nhooks[h] > 0)
			qsort(rs->hooks[h], rs->nhooks[h], sizeof(struct chain *), by_priority);
}

/* Chains call one another as deep as they like in a file; the list of those still to be looked
 * through is as long as there are chains.
 */
static void reach(struct chain *chain, struct chain ***todo, size_t *n, size_t *room)
{
	if (!chain || chain->is_reached)
		return;
	chain->is_reached = true;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	VEC_GROW(*todo, *n, *room);
	(*todo)[(*n)++] = chain;
}

static void reach_all(const struct ruleset *rs)
{
	autofree struct chain **todo = NULL;
	size_t n = 0, room = 0;

	for (size_t h = 0; h < HOOK_COUNT; h++)
		for (size_t i = 0; i < rs->nhooks[h]; i++)
			reach(rs->hooks[h][i], &todo, &n, &room);
	while (n > 0) {
		struct chain *c = todo[--n];

		for (size_t i = 0; i < c->n; i++)
			for (size_t k = 0; k < c->rules[i].n; k++) {
				const struct statement *s = &c->rules[i].statements[k];

				reach(s->chain, &todo, &n, &room);
				for (size_t e = 0; s->kind == STATEMENT_VMAP && e < s->set->n; e++)
					reach(s->set->elements[e].chain, &todo, &n, &room);
			}
	}
}

static bool asks_for_connection(const struct selector *selectors, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if ((selectors[i].field >= FIELD_CT_STATE &&
		     selectors[i].field <= FIELD_CT_DPORT) ||
		    (selectors[i].field == FIELD_UNKNOWN && strstr(selectors[i].text, "ct ")))
			return true;
	return false;
}

static bool needs_tracking(const struct statement *s)
{
	if (s->kind == STATEMENT_NAT || s->kind == STATEMENT_UNKNOWN)
		return true;
	if (s->kind == STATEMENT_NOTE || s->kind == STATEMENT_LIMIT)
		return strncmp(s->text, "ct ", 3) == 0 || strncmp(s->text, "flow", 4) == 0;
	return asks_for_connection(s->selectors, s->nselectors) ||
	       (s->action &&
		asks_for_connection(s->action->source.selectors, s->action->source.nselectors));
}

/* Translation of one family, in a table of both, has the kernel track that family alone. */
static void note_tracking(struct ruleset *rs, enum family table, const struct statement *s)
{
	unsigned family = s->kind == STATEMENT_NAT ? s->action->family : 0;

	if (!needs_tracking(s))
		return;
	rs->tracks |= family_has(table, FAMILY_IP) && family != 10;
	rs->tracks6 |= family_has(table, FAMILY_IP6) && family != 2;
}

static void find_tracking(struct ruleset *rs, const struct table *t)
{
	for (size_t i = 0; i < t->nchains; i++)
		for (size_t k = 0; k < t->chains[i]->n && !(rs->tracks && rs->tracks6); k++)
			for (size_t n = 0; n < t->chains[i]->rules[k].n; n++)
				note_tracking(rs, t->family, &t->chains[i]->rules[k].statements[n]);
}

static void find_owners(struct table *t)
{
	t->owner = owner_of_table(t->name);
	for (size_t i = 0; i < t->nchains; i++) {
		struct chain *c = t->chains[i];

		c->owner = t->owner != OWNER_UNKNOWN ? t->owner : owner_of_chain(c->name);
	}
}

enum owner rule_owner(const struct rule *rule)
{
	enum owner owner = owner_of_comment(rule->comment);

	for (size_t i = 0; owner == OWNER_UNKNOWN && i < rule->n; i++)
		if (rule->statements[i].chain)
			owner = rule->statements[i].chain->owner;
	return owner != OWNER_UNKNOWN ? owner : rule->chain->owner;
}

int ruleset_finish(struct ruleset *rs, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rs->n; i++) {
		r = join_table(rs->tables[i], err);
		find_owners(rs->tables[i]);
		find_tracking(rs, rs->tables[i]);
	}
	if (r < 0)
		return r;
	order_hooks(rs);
	reach_all(rs);
	return 0;
}
