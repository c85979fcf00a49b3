/* src/why/nft_match.c */
#include "why/nft_match.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "why/nft_text.h"

#define TEXT_MAX      (64U << 10) /* of one expression */
#define OPERATORS_MAX 8           /* one inside the other */

static const char *member(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

/* what is asked for */

static const char *expression_text(struct ruleset *rs, const json_t *e)
{
	cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX);

	nft_text_expression(e, &text);
	return ruleset_copy(rs, buf_text(&text));
}

static struct selector fib_selector(const json_t *fib)
{
	const json_t *flags = json_object_get(fib, "flags");
	const char *what = json_is_array(flags) && json_array_size(flags) == 1
				   ? json_string_value(json_array_get(flags, 0))
				   : json_string_value(flags);
	char name[32];

	(void)snprintf(name, sizeof(name), "%s %s", what ? what : "", member(fib, "result"));
	return selector_of_nft("fib", name);
}

static struct selector plain_selector(const json_t *e)
{
	const json_t *v;

	if ((v = json_object_get(e, "meta")))
		return selector_of_nft("meta", member(v, "key"));
	if ((v = json_object_get(e, "payload")))
		return selector_of_nft(member(v, "protocol"), member(v, "field"));
	if ((v = json_object_get(e, "fib")))
		return fib_selector(v);
	v = json_object_get(e, "ct");
	if (v && (!*member(v, "dir") || strcmp(member(v, "dir"), "original") == 0))
		return selector_of_nft(*member(v, "dir") ? "ct original" : "ct", member(v, "key"));
	return selector_of(FIELD_UNKNOWN);
}

/* Constants in expressions are numbers, words, or lists of words that are bits. */
static int constant(enum kind kind, const json_t *value, u128 *ret)
{
	const json_t *item;
	struct range one;
	size_t i;
	u128 all = 0;

	json_array_foreach (value, i, item) {
		if (nft_read_value(kind, item, &one) < 0)
			return -EINVAL;
		all |= one.lo;
	}
	if (!json_is_array(value) && (nft_read_value(kind, value, &one) < 0 || one.lo != one.hi))
		return -EINVAL;
	*ret = json_is_array(value) ? all : one.lo;
	return 0;
}

static struct selector one_selector(const struct nft_place *at, const json_t *e)
{
	const json_t *masked = json_object_get(e, "&");
	struct selector s = plain_selector(masked ? json_array_get(masked, 0) : e);

	if (masked && s.field != FIELD_UNKNOWN &&
	    constant(field_kind(s.field), json_array_get(masked, 1), &s.mask) < 0)
		s = selector_of(FIELD_UNKNOWN);
	if (s.field == FIELD_UNKNOWN)
		s.text = expression_text(at->rs, e);
	return s;
}

unsigned nft_read_selectors(const struct nft_place *at, const json_t *left,
			    const struct selector **ret)
{
	const json_t *concat = json_object_get(left, "concat");
	size_t n = json_is_array(concat) ? json_array_size(concat) : 1;
	struct selector *list;

	if (n == 0 || n > SELECTORS_MAX) {
		json_fail(at->rd, "concat", "expected 1 to %d parts", SELECTORS_MAX);
		n = 1;
	}
	list = ruleset_alloc(at->rs, n * sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = one_selector(at, concat ? json_array_get(concat, i) : left);
	*ret = list;
	return (unsigned)n;
}

/* values */

static int range_value(enum kind kind, const json_t *range, struct range *ret)
{
	struct range lo, hi;

	if (json_array_size(range) != 2 ||
	    nft_read_value(kind, json_array_get(range, 0), &lo) < 0 ||
	    nft_read_value(kind, json_array_get(range, 1), &hi) < 0 || lo.lo > hi.hi)
		return -EINVAL;
	*ret = (struct range) { lo.lo, hi.hi };
	return 0;
}

static int prefix_value(enum kind kind, const json_t *prefix, struct range *ret)
{
	json_int_t len = json_integer_value(json_object_get(prefix, "len"));
	unsigned bits = kind == KIND_IP6 ? 128 : 32;
	int r = nft_read_value(kind, json_object_get(prefix, "addr"), ret);

	if (r < 0 || len < 0 || len > bits || (kind != KIND_IP && kind != KIND_IP6))
		return -EINVAL;
	*ret = value_of_prefix(ret->lo, bits, (unsigned)len);
	return 0;
}

int nft_read_value(enum kind kind, const json_t *value, struct range *ret)
{
	const json_t *inner;

	if (json_is_string(value))
		return value_parse(kind, json_string_value(value), ret);
	if (json_is_integer(value) || json_is_boolean(value)) {
		json_int_t n =
			json_is_integer(value) ? json_integer_value(value) : json_is_true(value);

		*ret = (struct range) { (u128)n, (u128)n };
		return n < 0 ? -EINVAL : 0;
	}
	if ((inner = json_object_get(value, "range")))
		return range_value(kind, inner, ret);
	if ((inner = json_object_get(value, "prefix")))
		return prefix_value(kind, inner, ret);
	return -EINVAL;
}

/* sets */

static int element_keys(const struct set *set, const json_t *key, struct range *ret)
{
	const json_t *elem = json_object_get(key, "elem"), *concat;

	if (elem)
		key = json_object_get(elem, "val");
	concat = json_object_get(key, "concat");
	if (json_is_string(key) && strcmp(json_string_value(key), "*") == 0) {
		for (unsigned i = 0; i < set->nkinds; i++)
			ret[i] = (struct range) { 0, VALUE_ALL };
		return 0;
	}
	if (!concat)
		return set->nkinds == 1 ? nft_read_value(set->kinds[0], key, &ret[0]) : -EINVAL;
	if (json_array_size(concat) != set->nkinds)
		return -EINVAL;
	for (unsigned i = 0; i < set->nkinds; i++)
		if (nft_read_value(set->kinds[i], json_array_get(concat, i), &ret[i]) < 0)
			return -EINVAL;
	return 0;
}

/* The data of an anonymous map has no declared kind; what can be read as one is one. */
static int element_data(const struct set *set, const json_t *data, struct range *ret)
{
	const json_t *concat = json_object_get(data, "concat");

	for (unsigned i = 0; i < set->ndata; i++)
		if (nft_read_value(set->data_kinds[i], concat ? json_array_get(concat, i) : data,
				   &ret[i]) < 0)
			return -EINVAL;
	return 0;
}

enum verdict nft_read_verdict(const json_t *verdict, const char **ret_target)
{
	static const enum verdict all[] = { VERDICT_ACCEPT, VERDICT_DROP,   VERDICT_JUMP,
					    VERDICT_GOTO,   VERDICT_RETURN, VERDICT_QUEUE };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const json_t *value = json_object_get(verdict, verdict_name(all[i]));

		if (!value)
			continue;
		*ret_target = all[i] == VERDICT_JUMP || all[i] == VERDICT_GOTO
				      ? member(value, "target")
				      : NULL;
		return all[i];
	}
	return VERDICT_NONE;
}

static void one_element(const struct nft_place *at, struct set *set, const json_t *item)
{
	bool pair = set->is_map || set->is_vmap;
	struct element *e = set_add(at->rs, set);
	const char *target = NULL;
	int r;

	if (pair && json_array_size(item) != 2) {
		json_fail(at->rd, NULL, "expected pairs in a map");
		return;
	}
	r = element_keys(set, pair ? json_array_get(item, 0) : item, e->keys);
	if (r == 0 && set->is_map)
		r = element_data(set, json_array_get(item, 1), e->data);
	if (set->is_vmap) {
		e->verdict = nft_read_verdict(json_array_get(item, 1), &target);
		e->target = target ? ruleset_copy(at->rs, target) : NULL;
	}
	if (r < 0)
		set->is_foreign = true;
}

void nft_read_elements(const struct nft_place *at, struct set *set, const json_t *elements)
{
	const json_t *item;
	size_t i;

	json_array_foreach (elements, i, item) {
		struct json_place place = json_enter_index(at->rd, i);

		one_element(at, set, item);
		json_leave(at->rd, place);
	}
}

static const struct set *named(const struct nft_place *at, const json_t *name)
{
	const char *text = json_string_value(name);
	const struct set *set = text && text[0] == '@' ? table_set(at->table, text + 1) : NULL;

	if (text && text[0] == '@' && !set)
		json_fail(at->rd, NULL, "there is no set '%.80s' in this table", text + 1);
	return set;
}

static struct set *anonymous(const struct nft_place *at, const struct selector *selectors,
			     unsigned n)
{
	struct set *set = table_add_set(at->rs, at->table, NULL);

	set->nkinds = (uint8_t)n;
	for (unsigned i = 0; i < n; i++) {
		set->kinds[i] = field_kind(selectors[i].field);
		set->is_foreign |= selectors[i].field == FIELD_UNKNOWN;
	}
	return set;
}

const struct set *nft_read_set(const struct nft_place *at, const struct selector *selectors,
			       unsigned n, const json_t *right, bool is_list)
{
	const struct set *known = named(at, right);
	const json_t *elements = json_object_get(right, "set");
	struct set *set;
	u128 value;

	if (known)
		return known;
	set = anonymous(at, selectors, n);
	if (json_is_array(elements)) {
		nft_read_elements(at, set, elements);
	} else if (is_list) {
		if (constant(set->kinds[0], right, &value) == 0)
			set_add(at->rs, set)->keys[0] = (struct range) { value, value };
		else
			set->is_foreign = true;
	} else {
		one_element(at, set, right);
	}
	return set;
}

static enum kind data_kind(const json_t *data)
{
	static const enum kind kinds[] = { KIND_IP, KIND_IP6, KIND_NUMBER };
	const json_t *item = json_array_get(json_array_get(data, 0), 1);
	struct range value;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!(json_is_integer(item) && kinds[i] != KIND_NUMBER) &&
		    nft_read_value(kinds[i], item, &value) == 0)
			return kinds[i];
	return KIND_NUMBER;
}

const struct set *nft_read_map(const struct nft_place *at, const struct selector *selectors,
			       unsigned n, const json_t *data)
{
	const struct set *known = named(at, data);
	const json_t *elements = json_object_get(data, "set");
	const json_t *first = json_array_get(json_array_get(elements, 0), 1);
	const char *target;
	struct set *set;

	if (known)
		return known;
	set = anonymous(at, selectors, n);
	set->is_vmap = nft_read_verdict(first, &target) != VERDICT_NONE ||
		       json_object_get(first, "continue");
	set->is_map = !set->is_vmap;
	if (set->is_map) {
		set->ndata = json_object_get(first, "concat") ? 2 : 1;
		set->data_kinds[0] = data_kind(elements);
		set->data_kinds[1] = KIND_PORT;
		if (set->ndata == 2)
			set->data_kinds[0] = KIND_IP;
	}
	nft_read_elements(at, set, elements);
	return set;
}

/* values that are computed */

static void compose(struct source *s, char operator, u128 n)
{
	if (operator== '&') {
		s->and &= n;
		s->xor &= n;
	} else if (operator== '|') {
		s->and &= ~n;
		s->xor = (s->xor &~n) | n;
	} else {
		s->xor ^= n;
	}
}

static void leaf(const struct nft_place *at, enum kind kind, const json_t *value,
		 struct source *ret)
{
	const json_t *map = json_object_get(value, "map");
	struct range number;

	if (map) {
		ret->nselectors = (uint8_t)nft_read_selectors(at, json_object_get(map, "key"),
							      &ret->selectors);
		ret->map = nft_read_map(at, ret->selectors, ret->nselectors,
					json_object_get(map, "data"));
	} else if (!json_is_object(value) && nft_read_value(kind, value, &number) == 0) {
		ret->xor = number.lo;
	} else {
		ret->nselectors = (uint8_t)nft_read_selectors(at, value, &ret->selectors);
		ret->nselectors = 1; /* several can be no value */
	}
}

void nft_read_source(const struct nft_place *at, enum kind kind, const json_t *value,
		     struct source *ret)
{
	struct {
		char operator;
		u128 n;
	} todo[OPERATORS_MAX];
	size_t n = 0;
	u128 number;

	*ret = (struct source) { .and = VALUE_ALL };
	while (n < OPERATORS_MAX && json_is_object(value)) {
		const char *key = json_object_iter_key(json_object_iter((json_t *)value));
		const json_t *pair = key ? json_object_get(value, key) : NULL;

		if (!key || strlen(key) != 1 || !strchr("&|^", key[0]) ||
		    constant(kind, json_array_get(pair, 1), &number) < 0)
			break;
		todo[n].operator= key[0];
		todo[n++].n = number;
		value = json_array_get(pair, 0);
	}
	leaf(at, kind, value, ret);
	while (n-- > 0)
		compose(ret, todo[n].operator, todo[n].n);
}
