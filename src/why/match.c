/* src/why/match.c */
#include "why/match.h"

/* What must hold for a field to be there, too, may be unknown. */
static enum answer has(const struct packet *p, enum field field, uint8_t wanted)
{
	if (wanted == 0)
		return ANSWER_YES;
	if (p->known[field] != KNOWN)
		return p->known[field] == ABSENT ? ANSWER_NO : ANSWER_MAYBE;
	return p->value[field] == wanted ? ANSWER_YES : ANSWER_NO;
}

enum answer match_read(const struct packet *p, const struct selector *s, u128 *ret)
{
	enum answer family = has(p, FIELD_FAMILY, s->family);
	enum answer protocol = has(p, FIELD_PROTOCOL, s->protocol);

	if (family == ANSWER_NO || protocol == ANSWER_NO || p->known[s->field] == ABSENT)
		return ANSWER_NO;
	if (p->known[s->field] != KNOWN || family == ANSWER_MAYBE || protocol == ANSWER_MAYBE)
		return ANSWER_MAYBE;
	*ret = p->value[s->field] & s->mask;
	return ANSWER_YES;
}

static bool in(const struct range *range, u128 value)
{
	return value >= range->lo && value <= range->hi;
}

/* In a sorted set, the one element that can hold the value. */
static const struct element *search(const struct set *set, u128 value)
{
	size_t lo = 0, hi = set->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (set->elements[mid].keys[0].lo <= value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && in(&set->elements[lo - 1].keys[0], value) ? &set->elements[lo - 1] : NULL;
}

struct key {
	u128 value[SELECTORS_MAX];
	bool known[SELECTORS_MAX];
};

static enum answer fits(const struct element *e, const struct key *key, unsigned n)
{
	enum answer answer = ANSWER_YES;

	for (unsigned i = 0; i < n; i++) {
		if (!key->known[i])
			answer = ANSWER_MAYBE;
		else if (!in(&e->keys[i], key->value[i]))
			return ANSWER_NO;
	}
	return answer;
}

static enum answer scan(const struct set *set, const struct key *key, unsigned n,
			const struct element **ret)
{
	enum answer answer = ANSWER_NO;

	for (size_t i = 0; i < set->n; i++) {
		enum answer one = fits(&set->elements[i], key, n);

		if (one == ANSWER_NO)
			continue;
		if (one == ANSWER_YES || answer == ANSWER_NO)
			*ret = &set->elements[i];
		if (one == ANSWER_YES)
			return ANSWER_YES;
		answer = ANSWER_MAYBE;
	}
	return answer;
}

enum answer match_find(const struct packet *p, const struct selector *selectors, unsigned n,
		       const struct set *set, const struct element **ret)
{
	struct key key = { 0 };
	enum answer answer;

	*ret = NULL;
	if (set->nkinds != n)
		return ANSWER_MAYBE;
	for (unsigned i = 0; i < n; i++) {
		answer = match_read(p, &selectors[i], &key.value[i]);
		if (answer == ANSWER_NO)
			return ANSWER_NO;
		key.known[i] = answer == ANSWER_YES;
	}
	if (set->is_sorted && key.known[0]) {
		*ret = search(set, key.value[0]);
		answer = *ret ? ANSWER_YES : ANSWER_NO;
	} else {
		answer = scan(set, &key, n, ret);
	}
	return answer == ANSWER_NO && set->is_foreign ? ANSWER_MAYBE : answer;
}

static enum answer opposite(enum answer answer)
{
	return answer == ANSWER_MAYBE ? answer : answer == ANSWER_YES ? ANSWER_NO : ANSWER_YES;
}

/* Whoever asks for bits may ask for two states that iptables alone has. */
static enum answer bits(const struct packet *p, const struct statement *s)
{
	u128 value, wanted;
	enum answer answer = match_read(p, &s->selectors[0], &value);

	if (answer != ANSWER_YES || s->set->is_foreign || s->set->n != 1)
		return answer == ANSWER_NO ? answer : ANSWER_MAYBE;
	wanted = s->set->elements[0].keys[0].lo;
	if (s->selectors[0].field == FIELD_CT_STATE && p->known[FIELD_CT_STATUS] == KNOWN) {
		value |= p->value[FIELD_CT_STATUS] & STATUS_SNAT ? STATE_SNAT : 0;
		value |= p->value[FIELD_CT_STATUS] & STATUS_DNAT ? STATE_DNAT : 0;
	} else if (s->selectors[0].field == FIELD_CT_STATE && !(value & wanted) &&
		   (wanted & (STATE_SNAT | STATE_DNAT)) && p->known[FIELD_CT_STATUS] == NOT_KNOWN) {
		return ANSWER_MAYBE;
	}
	answer = value & wanted ? ANSWER_YES : ANSWER_NO;
	return s->op == OP_NO_BIT ? opposite(answer) : answer;
}

/* Each selector alone; what the packet does not have is no match, with or without a "!". */
static enum answer either(const struct packet *p, const struct statement *s)
{
	const struct element *found;
	enum answer answer = ANSWER_NO;
	u128 value;

	for (unsigned i = 0; i < s->nselectors; i++) {
		enum answer one = match_find(p, &s->selectors[i], 1, s->set, &found);

		if (match_read(p, &s->selectors[i], &value) == ANSWER_NO)
			return ANSWER_NO;
		if (one == ANSWER_YES || (one == ANSWER_MAYBE && answer == ANSWER_NO))
			answer = one;
	}
	return s->op == OP_NEITHER ? opposite(answer) : answer;
}

enum answer match_holds(const struct packet *p, const struct statement *s)
{
	const struct element *found;
	enum answer answer;
	u128 value;

	switch (s->op) {
	case OP_ANY_BIT:
	case OP_NO_BIT:
		return bits(p, s);
	case OP_EITHER:
	case OP_NEITHER:
		return either(p, s);
	case OP_IN:
		return match_find(p, s->selectors, s->nselectors, s->set, &found);
	case OP_NOT_IN:
		break;
	}
	for (unsigned i = 0; i < s->nselectors; i++)
		if (match_read(p, &s->selectors[i], &value) == ANSWER_NO)
			return ANSWER_NO;
	answer = match_find(p, s->selectors, s->nselectors, s->set, &found);
	return opposite(answer);
}
