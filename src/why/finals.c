/* src/why/finals.c */
#include "why/finals.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "why/ruleset.h"

#define PARTS_MAX 4
#define NO_ENTRY  UINT32_MAX

/* A block is 2^bits values that begin at a multiple of that: a network, a port, a name with '*'. */
struct part {
	enum field field;
	uint8_t bits;
};

struct class
{
	uint32_t id;
	uint64_t fields; /* of each rule in it */
	struct part parts[PARTS_MAX];
	unsigned nparts;
};

struct entry {
	struct digest digest;
	uint64_t hash;
	uint32_t class, next; /* in its slot, in the order of the rules */
};

struct finals {
	struct class *classes;
	size_t nclasses, room;
	uint32_t next_id;
	struct entry *entries;
	uint32_t n;
	struct slot {
		uint32_t first, last;
	} * slots;
	size_t mask;
};

/* one rule */

/* one rule against another */

bool statement_is_single(const struct statement *s)
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

static struct hull *hull_of(struct digest *d, enum field field)
{
	for (unsigned i = 0; i < d->nhulls; i++)
		if (d->hulls[i].field == field)
			return &d->hulls[i];
	if (d->nhulls == HULLS_MAX)
		return NULL;
	d->hulls[d->nhulls] = (struct hull) { field, { 0, VALUE_ALL } };
	return &d->hulls[d->nhulls++];
}

static void add_hull(struct digest *d, const struct statement *s)
{
	struct range all = { VALUE_ALL, 0 };
	struct hull *hull;

	if (s->kind != STATEMENT_MATCH || s->op != OP_IN || s->nselectors != 1 || s->set->n == 0 ||
	    s->set->is_foreign || s->set->is_open || s->selectors[0].mask != VALUE_ALL)
		return;
	for (size_t i = 0; i < s->set->n; i++) {
		all.lo = MIN(all.lo, s->set->elements[i].keys[0].lo);
		all.hi = MAX(all.hi, s->set->elements[i].keys[0].hi);
	}
	hull = hull_of(d, s->selectors[0].field);
	if (!hull)
		return;
	hull->range.lo = MAX(hull->range.lo, all.lo);
	hull->range.hi = MIN(hull->range.hi, all.hi);
}

struct digest digest_of(const struct rule *rule)
{
	struct digest d = { .rule = rule, .is_exact = true };

	for (size_t i = 0; i < rule->n; i++) {
		const struct statement *s = &rule->statements[i];

		d.is_exact &= is_exact(s);
		d.is_final |= is_final(s);
		for (unsigned k = 0; s->kind == STATEMENT_MATCH && k < s->nselectors; k++)
			d.fields |= 1ULL << s->selectors[k].field;
		add_hull(&d, s);
	}
	/* In a table that is of both families, NAT of one lets the other's packets go on. */
	for (size_t i = 0; i < rule->n; i++)
		if (rule->statements[i].kind == STATEMENT_NAT &&
		    rule->chain->table->family != FAMILY_INET &&
		    !rule->statements[i].action->source.map)
			d.is_final = true;
	return d;
}

/* one rule against another */

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

/* Each match of a is one that b makes at least as narrow. */
static bool covers(const struct digest *a, const struct digest *b)
{
	for (size_t i = 0; i < a->rule->n; i++)
		if (a->rule->statements[i].kind == STATEMENT_MATCH &&
		    !has_wider(b->rule, &a->rule->statements[i]))
			return false;
	return true;
}

/* classes */

/* The bits of a block, -1 if the range is none. */
static int block_bits(const struct range *r)
{
	u128 size = r->hi - r->lo + 1;
	int bits = 0;

	if (r->hi < r->lo || size == 0 || (size & (size - 1)) != 0 || (r->lo & (size - 1)) != 0)
		return -1;
	while (size >>= 1)
		bits++;
	return bits;
}

static struct class class_of(const struct digest *d)
{
	struct class c = { .fields = d->fields };

	for (size_t i = 0; i < d->rule->n && c.nparts < PARTS_MAX; i++) {
		const struct statement *s = &d->rule->statements[i];
		int bits = statement_is_single(s) ? block_bits(&s->set->elements[0].keys[0]) : -1;
		bool is_new = bits >= 0;

		for (unsigned k = 0; is_new && k < c.nparts; k++)
			is_new = c.parts[k].field != s->selectors[0].field;
		if (is_new)
			c.parts[c.nparts++] =
				(struct part) { s->selectors[0].field, (uint8_t)bits };
	}
	return c;
}

static bool classes_equal(const struct class *a, const struct class *b)
{
	if (a->fields != b->fields || a->nparts != b->nparts)
		return false;
	for (unsigned i = 0; i < a->nparts; i++)
		if (a->parts[i].field != b->parts[i].field || a->parts[i].bits != b->parts[i].bits)
			return false;
	return true;
}

static uint64_t mix(uint64_t hash, u128 value)
{
	hash = (hash ^ (uint64_t)value) * 0x9e3779b97f4a7c15;
	hash ^= hash >> 32;
	hash = (hash ^ (uint64_t)(value >> 64)) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 29;
}

/* Where a rule of the class would be that takes what d takes; false: there can be none. */
static bool hash_in(const struct class *c, const struct digest *d, uint64_t *ret)
{
	uint64_t hash = mix(0, c->id);

	for (unsigned i = 0; i < c->nparts; i++) {
		const struct part *part = &c->parts[i];
		unsigned k = 0;

		while (k < d->nhulls && d->hulls[k].field != part->field)
			k++;
		if (k == d->nhulls ||
		    d->hulls[k].range.lo >> part->bits != d->hulls[k].range.hi >> part->bits)
			return false;
		hash = mix(hash, d->hulls[k].range.lo >> part->bits);
	}
	*ret = hash;
	return true;
}

struct finals *finals_new(size_t max)
{
	struct finals *f = xnew(struct finals);
	size_t slots = 16;

	while (slots < max)
		slots *= 2;
	f->mask = slots - 1;
	f->entries = xcalloc(max + 1, sizeof(*f->entries));
	f->slots = xcalloc(slots, sizeof(*f->slots));
	for (size_t i = 0; i < slots; i++)
		f->slots[i].first = NO_ENTRY;
	return f;
}

void finals_free(struct finals *f)
{
	free(f->classes);
	free(f->entries);
	free(f->slots);
	free(f);
}

void finals_keep(struct finals *f, const struct digest *d)
{
	struct class wanted = class_of(d);
	struct entry *entry = &f->entries[f->n];
	struct slot *slot;
	size_t i = 0;

	while (i < f->nclasses && !classes_equal(&f->classes[i], &wanted))
		i++;
	wanted.id = i < f->nclasses ? f->classes[i].id : f->next_id++;
	*entry = (struct entry) { .digest = *d, .class = wanted.id, .next = NO_ENTRY };
	/* Two matches of one field that exclude each other: it takes nothing. */
	if (!hash_in(&wanted, d, &entry->hash))
		return;
	if (i == f->nclasses) {
		VEC_GROW(f->classes, f->nclasses, f->room);
		f->classes[f->nclasses++] = wanted;
	}
	slot = &f->slots[entry->hash & f->mask];
	if (slot->first == NO_ENTRY)
		slot->first = f->n;
	else
		f->entries[slot->last].next = f->n;
	slot->last = f->n++;
}

void finals_forget(struct finals *f, uint64_t fields)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->nclasses; i++)
		if (!(f->classes[i].fields & fields))
			f->classes[kept++] = f->classes[i];
	f->nclasses = kept;
}

static uint32_t cover_in(const struct finals *f, const struct class *c, const struct digest *d)
{
	uint64_t hash;
	uint32_t at;

	if ((c->fields & ~d->fields) != 0 || !hash_in(c, d, &hash))
		return NO_ENTRY;
	for (at = f->slots[hash & f->mask].first; at != NO_ENTRY; at = f->entries[at].next)
		if (f->entries[at].hash == hash && f->entries[at].class == c->id &&
		    covers(&f->entries[at].digest, d))
			break;
	return at;
}

const struct digest *finals_cover(const struct finals *f, const struct digest *d)
{
	uint32_t first = NO_ENTRY;

	for (size_t i = 0; i < f->nclasses; i++) {
		uint32_t at = cover_in(f, &f->classes[i], d);

		first = MIN(first, at);
	}
	return first == NO_ENTRY ? NULL : &f->entries[first].digest;
}
