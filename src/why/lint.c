/* src/why/lint.c */
#include "why/lint.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "why/finals.h"
#include "why/ruleset.h"

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

static void find_shadow(struct lint *l, const struct finals *finals, const struct digest *d)
{
	const struct digest *by = finals_cover(finals, d);
	enum finding_kind kind = FINDING_SHADOWED;

	if (!by)
		return;
	if (logs(d->rule) && !logs(by->rule))
		kind = FINDING_LATE_LOG;
	else if (by->fields == 0)
		kind = FINDING_BEHIND;
	else if (strcmp(by->rule->text, d->rule->text) == 0)
		kind = FINDING_DUPLICATE;
	find(l, kind, d->rule->chain, d->rule)->other = by->rule;
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

		if (!statement_is_single(s) && !(s->kind == STATEMENT_MATCH && s->op == OP_NOT_IN &&
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

static void lint_chain(struct lint *l, const struct chain *chain)
{
	struct finals *finals = finals_new(chain->n);

	if (!chain->is_reached)
		find(l, FINDING_UNREACHED, chain, NULL);
	for (size_t i = 0; i < chain->n; i++) {
		const struct rule *rule = &chain->rules[i];
		struct digest d = digest_of(rule);
		size_t before = l->findings->n;
		uint64_t changed = changed_by(rule);

		find_shadow(l, finals, &d);
		find_links(l, rule);
		if (rule->has_counter && rule->packets == 0 && l->findings->n == before &&
		    chain->is_reached)
			find(l, FINDING_NEVER_HIT, chain, rule);
		if (changed)
			finals_forget(finals, changed);
		if (d.is_final && d.is_exact && !changed)
			finals_keep(finals, &d);
	}
	finals_free(finals);
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
