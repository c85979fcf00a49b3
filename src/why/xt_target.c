/* src/why/xt_target.c */
#include "why/xt_target.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "why/ruleset.h"
#include "why/xt_rule.h"

#define TEXT_MAX 4096

struct target {
	struct ruleset *rs;
	struct rule *rule;
	const struct xt_words *words;
	size_t at; /* of "-j" */
	const char *name, *text;
};

/* What stands behind an option of the target, "" if it has none; NULL: no such option. */
static const char *value_of(const struct target *t, const char *option)
{
	for (size_t i = t->at + 2; i < t->words->n; i++)
		if (strcmp(t->words->items[i], option) == 0)
			return i + 1 < t->words->n ? t->words->items[i + 1] : "";
	return NULL;
}

static struct statement *add(const struct target *t, enum statement_kind kind)
{
	struct statement *s = rule_add(t->rule, kind);

	s->text = t->text;
	return s;
}

/* addresses */

static int parse_ports(const char *text, struct action *a)
{
	a->has_port = true;
	return value_parse(KIND_PORT, text, &a->port);
}

/* "10.0.0.1", "10.0.0.1-10.0.0.9:80-90", ":80", "[fd00::1]:80" */
static int parse_destination(bool v6, const char *text, struct action *a)
{
	autofree char *address = NULL;
	const char *port;

	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (!end)
			return -EINVAL;
		address = xstrndup(text + 1, (size_t)(end - text - 1));
		port = end[1] == ':' ? end + 1 : NULL;
	} else {
		port = v6 ? NULL : strchr(text, ':');
		address = xstrndup(text, port ? (size_t)(port - text) : strlen(text));
	}
	a->family = v6 ? 10 : 2;
	if (*address) {
		a->has_address = true;
		if (value_parse(v6 ? KIND_IP6 : KIND_IP, address, &a->address) < 0)
			return -EINVAL;
	}
	return port ? parse_ports(port + 1, a) : 0;
}

static int nat(const struct target *t, enum nat_kind kind, const char *option)
{
	bool v6 = t->rule->chain->table->family == FAMILY_IP6;
	struct action *a = ruleset_alloc(t->rs, sizeof(*a));
	const char *value = value_of(t, option);
	int r = 0;

	a->nat = kind;
	if (value && (kind == NAT_DNAT || kind == NAT_SNAT))
		r = parse_destination(v6, value, a);
	else if (value)
		r = parse_ports(value, a);
	if (r == 0)
		add(t, STATEMENT_NAT)->action = a;
	return r;
}

/* marks */

static int parse_masked(const char *text, u128 *ret_value, u128 *ret_mask)
{
	autofree char *number = xstrndup(text, strcspn(text, "/"));
	const char *slash = strchr(text, '/');

	*ret_mask = 0xffffffff;
	if (value_of_word(KIND_HEX, number, ret_value) < 0)
		return -EINVAL;
	return slash ? value_of_word(KIND_HEX, slash + 1, ret_mask) : 0;
}

static void assign(const struct target *t, enum field to, enum field from, u128 and, u128 xor)
{
	struct statement *s = add(t, STATEMENT_ASSIGN);
	struct selector *selectors = ruleset_alloc(t->rs, 2 * sizeof(*selectors));
	struct action *a = ruleset_alloc(t->rs, sizeof(*a));

	selectors[0] = selector_of(to);
	selectors[1] = selector_of(from);
	s->selectors = selectors;
	s->nselectors = 1;
	a->source = (struct source) {
		.nselectors = 1, .selectors = &selectors[1], .and = and, .xor = xor
	};
	a->is_lenient = true;
	s->action = a;
}

/* iptables-save writes --set-xmark for all the ways there are. */
static int mark(const struct target *t, enum field field)
{
	const char *xmark = value_of(t, "--set-xmark"), *set = value_of(t, "--set-mark");
	u128 value, mask;

	if (!xmark && !set) {
		add(t, STATEMENT_UNKNOWN);
		return 0;
	}
	if (parse_masked(xmark ? xmark : set, &value, &mask) < 0)
		return -EINVAL;
	assign(t, field, field, 0xffffffff & ~(xmark ? mask : mask | value), value);
	return 0;
}

/* Only as a whole: with masks both marks count. */
static int connmark(const struct target *t)
{
	bool save = value_of(t, "--save-mark"), restore = value_of(t, "--restore-mark");
	const char *nf = value_of(t, "--nfmask"), *ct = value_of(t, "--ctmask");
	bool whole =
		(!nf || strcmp(nf, "0xffffffff") == 0) && (!ct || strcmp(ct, "0xffffffff") == 0);

	if (!save && !restore)
		return mark(t, FIELD_CT_MARK);
	if (whole)
		assign(t, save ? FIELD_CT_MARK : FIELD_MARK, save ? FIELD_MARK : FIELD_CT_MARK,
		       VALUE_ALL, 0);
	else
		assign(t, save ? FIELD_CT_MARK : FIELD_MARK, FIELD_UNKNOWN, VALUE_ALL, 0);
	return 0;
}

/* all the rest */

static const struct {
	const char *name;
	enum verdict verdict;
} verdicts[] = {
	{ "ACCEPT", VERDICT_ACCEPT }, { "DROP", VERDICT_DROP },   { "RETURN", VERDICT_RETURN },
	{ "REJECT", VERDICT_REJECT }, { "QUEUE", VERDICT_QUEUE }, { "NFQUEUE", VERDICT_QUEUE },
};

static const char *const notes[] = {
	"LOG",      "NFLOG",       "ULOG",  "AUDIT",       "TCPMSS",  "CHECKSUM",  "CLASSIFY",
	"SET",      "SECMARK",     "TRACE", "CONNSECMARK", "RATEEST", "IDLETIMER", "LED",
	"CONTINUE", "TCPOPTSTRIP", "log",   "nflog",       "TEE",
};

static bool is_note(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (strcmp(notes[i], name) == 0)
			return true;
	return false;
}

static void verdict(const struct target *t, enum verdict verdict)
{
	struct statement *s = add(t, STATEMENT_VERDICT);
	const char *with = verdict == VERDICT_REJECT ? value_of(t, "--reject-with") : NULL;

	s->verdict = verdict;
	s->target = verdict == VERDICT_REJECT ? ruleset_copy(t->rs, with ? with : "") : NULL;
}

static void jump(const struct target *t, enum verdict verdict)
{
	struct statement *s = add(t, STATEMENT_VERDICT);

	s->verdict = verdict;
	s->target = ruleset_copy(t->rs, t->name);
}

static int dispatch(const struct target *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (strcmp(verdicts[i].name, t->name) == 0) {
			verdict(t, verdicts[i].verdict);
			return 0;
		}
	if (strcmp(t->name, "DNAT") == 0)
		return nat(t, NAT_DNAT, "--to-destination");
	if (strcmp(t->name, "SNAT") == 0)
		return nat(t, NAT_SNAT, "--to-source");
	if (strcmp(t->name, "MASQUERADE") == 0)
		return nat(t, NAT_MASQUERADE, "--to-ports");
	if (strcmp(t->name, "REDIRECT") == 0)
		return nat(t, NAT_REDIRECT, "--to-ports");
	if (strcmp(t->name, "MARK") == 0)
		return mark(t, FIELD_MARK);
	if (strcmp(t->name, "CONNMARK") == 0)
		return connmark(t);
	if (strcmp(t->name, "TTL") == 0 || strcmp(t->name, "HL") == 0)
		assign(t, FIELD_TTL, FIELD_UNKNOWN, VALUE_ALL, 0);
	else if (strcmp(t->name, "DSCP") == 0 || strcmp(t->name, "TOS") == 0)
		assign(t, FIELD_DSCP, FIELD_UNKNOWN, VALUE_ALL, 0);
	else if (strcmp(t->name, "NOTRACK") == 0 || value_of(t, "--notrack"))
		add(t, STATEMENT_NOTRACK);
	else if (is_note(t->name) || strcmp(t->name, "CT") == 0)
		add(t, STATEMENT_NOTE);
	else if (table_chain(t->rule->chain->table, t->name))
		jump(t, VERDICT_JUMP);
	else
		add(t, STATEMENT_UNKNOWN);
	return 0;
}

int xt_target_parse(struct ruleset *rs, struct rule *rule, const struct xt_words *words, size_t at)
{
	cleanup(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	struct target t = {
		.rs = rs, .rule = rule, .words = words, .at = at, .name = words->items[at + 1]
	};

	for (size_t i = at; i < words->n; i++)
		buf_addf(&text, "%s%s", i > at ? " " : "", words->items[i]);
	t.text = ruleset_copy(rs, buf_text(&text));
	if (strcmp(words->items[at], "-g") == 0) {
		jump(&t, VERDICT_GOTO);
		return 0;
	}
	return dispatch(&t);
}
