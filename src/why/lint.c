/* src/why/lint.c */
#include "why/lint.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

struct digest {
	const struct rule *rule;
	uint64_t fields;  /* that it asks for, a bit each */
	bool is_exact;    /* nothing in it is unknown or by chance */
	bool is_final;    /* no packet that matches goes on to the next rule */
	enum field field; /* of its first match on one field, if that is one range */
	struct range range;
};

/* Ten thousand rules are fifty million pairs: nearly all are told apart by these numbers alone. */
struct hot {
	u128 lo, hi;
	uint64_t fields;
	enum field field;
};

struct finals { /* of a chain, up to a rule */
	struct digest *digests;
	struct hot *hot;
	size_t n;
};

struct lint {
	const struct ruleset *rs;
	char *const *links;
	size_t nlinks;
	struct findings *findings;
};

static struct finding *find(struct lint *l, enum finding_kind kind, const struct chain *chain,
			    const struct rule *rule)
{
	struct findings *f = l->findings;

	VEC_GROW(f->items, f->n, f->room);
	f->items[f->n] = (struct finding) { .kind = kind, .chain = chain, .rule = rule };
	return &f->items[f->n++];
}

/* one rule against another */

static bool is_single(const struct statement *s)
{
	return s->kind == STATEMENT_MATCH && s->op == OP_IN && s->nselectors == 1 &&
	       s->set->n == 1 && !s->set->name && !s->set->is_foreign &&
	       s->selectors[0].mask == VALUE_ALL;
}

static bool is_exact(const struct statement *s)
{
	if (s->kind == STATEMENT_LIMIT || s->kind == STATEMENT_UNKNOWN)
		return false;
	return s->kind != STATEMENT_MATCH || (!s->set->is_foreign && !s->set->is_open);
}

/* A jump comes back, a map may have nothing for a packet. */
static bool is_final(const struct statement *s)
{
	if (s->kind == STATEMENT_NAT)
		return !s->action->source.map && s->action->family == 0;
	return s->kind == STATEMENT_VERDICT &&
	       (s->verdict == VERDICT_ACCEPT || s->verdict == VERDICT_DROP ||
		s->verdict == VERDICT_REJECT || s->verdict == VERDICT_RETURN ||
		s->verdict == VERDICT_GOTO || s->verdict == VERDICT_QUEUE);
}

static struct digest digest(const struct rule *rule)
{
	struct digest d = { .rule = rule, .is_exact = true };

	for (size_t i = 0; i < rule->n; i++) {
		const struct statement *s = &rule->statements[i];

		d.is_exact &= is_exact(s);
		d.is_final |= is_final(s);
		for (unsigned k = 0; s->kind == STATEMENT_MATCH && k < s->nselectors; k++)
			d.fields |= 1ULL << s->selectors[k].field;
		if (d.field == FIELD_UNKNOWN && is_single(s)) {
			d.field = s->selectors[0].field;
			d.range = s->set->elements[0].keys[0];
		}
	}
	/* In a table that is of both families, NAT of one lets the other's packets go on. */
	for (size_t i = 0; i < rule->n; i++)
		if (rule->statements[i].kind == STATEMENT_NAT &&
		    rule->chain->table->family != FAMILY_INET &&
		    !rule->statements[i].action->source.map)
			d.is_final = true;
	return d;
}

static bool selectors_equal(const struct statement *a, const struct statement *b)
{
	if (a->nselectors != b->nselectors)
		return false;
	for (unsigned i = 0; i < a->nselectors; i++) {
		const struct selector *x = &a->selectors[i], *y = &b->selectors[i];

		/* What b needs to be asked may be more than what a needs. */
		if (x->field != y->field || x->field == FIELD_UNKNOWN || x->mask != y->mask ||
		    (x->family && x->family != y->family) ||
		    (x->protocol && x->protocol != y->protocol))
			return false;
	}
	return true;
}

static bool element_in(const struct element *e, const struct set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		unsigned k = 0;

		while (k < set->nkinds && set->elements[i].keys[k].lo <= e->keys[k].lo &&
		       set->elements[i].keys[k].hi >= e->keys[k].hi)
			k++;
		if (k == set->nkinds)
			return true;
	}
	return false;
}

static bool set_in(const struct set *inner, const struct set *outer)
{
	if (inner == outer)
		return true;
	if (inner->is_foreign || inner->is_open || inner->nkinds != outer->nkinds ||
	    inner->n > 4096)
		return false;
	for (size_t i = 0; i < inner->n; i++)
		if (!element_in(&inner->elements[i], outer))
			return false;
	return true;
}

/* Whether what b matches, a matches: for the same selectors. */
static bool match_in(const struct statement *b, const struct statement *a)
{
	bool a_bits = a->op == OP_ANY_BIT, b_bits = b->op == OP_ANY_BIT;

	if (!selectors_equal(a, b))
		return false;
	if (a_bits && (b_bits || (b->op == OP_IN && b->set->n == 1))) {
		u128 wide = a->set->n == 1 ? a->set->elements[0].keys[0].lo : 0;
		u128 bits = b->set->n == 1 ? b->set->elements[0].keys[0].lo : VALUE_ALL;

		return (bits & ~wide) == 0;
	}
	if (a->op != b->op)
		return false;
	/* The larger set of exceptions leaves the smaller rest. */
	if (a->op == OP_NOT_IN)
		return set_in(a->set, b->set);
	return (a->op == OP_IN || a->op == OP_EITHER) && set_in(b->set, a->set);
}

static bool has_wider(const struct rule *a, const struct statement *s)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->statements[i].kind == STATEMENT_MATCH && match_in(&a->statements[i], s))
			return true;
	return false;
}

static bool may_cover(const struct hot *a, const struct hot *b)
{
	if ((a->fields & ~b->fields) != 0)
		return false;
	return a->field == FIELD_UNKNOWN || a->field != b->field ||
	       (a->lo <= b->lo && a->hi >= b->hi);
}

/* Each match of a is one that b makes at least as narrow. */
static bool covers(const struct digest *a, const struct digest *b)
{
	for (size_t i = 0; i < a->rule->n; i++)
		if (a->rule->statements[i].kind == STATEMENT_MATCH &&
		    !has_wider(b->rule, &a->rule->statements[i]))
			return false;
	return true;
}

static bool logs(const struct rule *rule)
{
	for (size_t i = 0; i < rule->n; i++)
		if (rule->statements[i].kind == STATEMENT_NOTE &&
		    (strncmp(rule->statements[i].text, "log", 3) == 0 ||
		     strncmp(rule->statements[i].text, "-j LOG", 6) == 0 ||
		     strncmp(rule->statements[i].text, "-j NFLOG", 8) == 0))
			return true;
	return false;
}

static void find_shadow(struct lint *l, const struct finals *f, const struct digest *d)
{
	const struct digest *finals = f->digests;
	const struct hot hot = { d->range.lo, d->range.hi, d->fields, d->field };
	enum finding_kind kind = FINDING_SHADOWED;

	for (size_t i = 0; i < f->n; i++) {
		if (!may_cover(&f->hot[i], &hot) || !covers(&finals[i], d))
			continue;
		if (logs(d->rule) && !logs(finals[i].rule))
			kind = FINDING_LATE_LOG;
		else if (finals[i].fields == 0)
			kind = FINDING_BEHIND;
		else if (strcmp(finals[i].rule->text, d->rule->text) == 0)
			kind = FINDING_DUPLICATE;
		find(l, kind, d->rule->chain, d->rule)->other = finals[i].rule;
		return;
	}
}

/* one rule alone */

static bool has_link(const struct lint *l, const struct range *name)
{
	for (size_t i = 0; i < l->nlinks; i++) {
		u128 value = value_of_name(l->links[i]);

		if (value >= name->lo && value <= name->hi)
			return true;
	}
	return false;
}

static void find_links(struct lint *l, const struct rule *rule)
{
	for (size_t i = 0; l->links && i < rule->n; i++) {
		const struct statement *s = &rule->statements[i];
		cleanup(buf_done) struct buf name = BUF_INIT(64);

		if (!is_single(s) && !(s->kind == STATEMENT_MATCH && s->op == OP_NOT_IN &&
				       s->nselectors == 1 && s->set->n == 1))
			continue;
		if ((s->selectors[0].field != FIELD_IIF && s->selectors[0].field != FIELD_OIF) ||
		    has_link(l, &s->set->elements[0].keys[0]))
			continue;
		value_format(KIND_NAME, &s->set->elements[0].keys[0], &name);
		(void)snprintf(find(l, FINDING_NO_LINK, rule->chain, rule)->link, 17, "%s",
			       buf_text(&name));
	}
}

/* What a rule changes of a packet that goes on: those before it say nothing of it any more. */
static uint64_t changed_by(const struct rule *rule)
{
	const uint64_t by_call = 1ULL << FIELD_MARK | 1ULL << FIELD_CT_MARK | 1ULL << FIELD_TTL |
				 1ULL << FIELD_DSCP | 1ULL << FIELD_CT_STATE;
	uint64_t fields = 0;

	for (size_t i = 0; i < rule->n; i++) {
		const struct statement *s = &rule->statements[i];

		if (s->kind == STATEMENT_ASSIGN)
			fields |= 1ULL << s->selectors[0].field;
		else if (s->kind == STATEMENT_NOTRACK)
			fields |= 1ULL << FIELD_CT_STATE;
		else if (s->kind == STATEMENT_VMAP || s->kind == STATEMENT_UNKNOWN ||
			 (s->kind == STATEMENT_VERDICT && s->verdict == VERDICT_JUMP))
			fields |= by_call;
	}
	return fields;
}

static void keep(struct finals *f, const struct digest *d)
{
	f->hot[f->n] = (struct hot) { d->range.lo, d->range.hi, d->fields, d->field };
	f->digests[f->n++] = *d;
}

static void forget(struct finals *f, uint64_t fields)
{
	size_t n = f->n;

	f->n = 0;
	for (size_t i = 0; i < n; i++)
		if (!(f->digests[i].fields & fields))
			keep(f, &f->digests[i]);
}

static void lint_chain(struct lint *l, const struct chain *chain)
{
	autofree struct digest *digests = xcalloc(chain->n + 1, sizeof(*digests));
	autofree struct hot *hot = xcalloc(chain->n + 1, sizeof(*hot));
	struct finals finals = { digests, hot, 0 };

	if (!chain->is_reached)
		find(l, FINDING_UNREACHED, chain, NULL);
	for (size_t i = 0; i < chain->n; i++) {
		const struct rule *rule = &chain->rules[i];
		struct digest d = digest(rule);
		size_t before = l->findings->n;
		uint64_t changed = changed_by(rule);

		find_shadow(l, &finals, &d);
		find_links(l, rule);
		if (rule->has_counter && rule->packets == 0 && l->findings->n == before &&
		    chain->is_reached)
			find(l, FINDING_NEVER_HIT, chain, rule);
		if (changed)
			forget(&finals, changed);
		if (d.is_final && d.is_exact && !changed)
			keep(&finals, &d);
	}
}

void lint(const struct ruleset *rs, char *const *links, size_t nlinks, struct findings *ret)
{
	struct lint l = { rs, links, nlinks, ret };

	*ret = (struct findings) { 0 };
	for (size_t i = 0; i < rs->n; i++)
		for (size_t k = 0; k < rs->tables[i]->nchains; k++)
			lint_chain(&l, rs->tables[i]->chains[k]);
}

void findings_done(struct findings *f)
{
	free(f->items);
	*f = (struct findings) { 0 };
}

const char *finding_name(enum finding_kind kind)
{
	static const char *const names[] = {
		[FINDING_SHADOWED] = "shadowed",   [FINDING_DUPLICATE] = "duplicate",
		[FINDING_BEHIND] = "behind",       [FINDING_UNREACHED] = "unreached",
		[FINDING_NEVER_HIT] = "never-hit", [FINDING_NO_LINK] = "no-such-interface",
		[FINDING_LATE_LOG] = "late-log",
	};

	return names[kind];
}

void finding_format(const struct finding *f, struct buf *to)
{
	unsigned other = f->other ? f->other->number : 0;

	switch (f->kind) {
	case FINDING_SHADOWED:
		buf_addf(to, "can never match: rule %u takes all that it would", other);
		break;
	case FINDING_DUPLICATE:
		buf_addf(to, "can never match: it is rule %u again", other);
		break;
	case FINDING_BEHIND:
		buf_addf(to, "can never match: rule %u takes everything", other);
		break;
	case FINDING_LATE_LOG:
		buf_addf(to, "logs nothing: rule %u has taken these packets before", other);
		break;
	case FINDING_UNREACHED:
		buf_add_str(to, "no chain and no hook leads here");
		break;
	case FINDING_NEVER_HIT:
		buf_add_str(to, "never hit");
		break;
	case FINDING_NO_LINK:
		buf_addf(to, "there is no interface %s", f->link);
		break;
	}
}
