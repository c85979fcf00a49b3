/* src/why/xt_read.c */
#include "why/xt_read.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/number.h"
#include "base/strv.h"
#include "why/xt_rule.h"

#define LINE_MAX_LEN (64U << 10)

struct reading {
	struct ruleset *rs;
	const struct xt_said *said;
	enum family family;
	enum backend backend;
	struct table *table;
	bool is_merged; /* the table was there */
	const char *line;
	size_t len, number;
	/* words of the line, and where each begins */
	struct strv words;
	size_t *columns;
	size_t room;
	struct error *err;
};

static const struct builtin {
	const char *table, *chain;
	const char *type;
	enum hook hook;
	int priority, bridge_priority;
} builtins[] = {
	{ "raw", "PREROUTING", "filter", HOOK_PREROUTING, -300, 0 },
	{ "raw", "OUTPUT", "filter", HOOK_OUTPUT, -300, 0 },
	{ "mangle", "PREROUTING", "filter", HOOK_PREROUTING, -150, 0 },
	{ "mangle", "INPUT", "filter", HOOK_INPUT, -150, 0 },
	{ "mangle", "FORWARD", "filter", HOOK_FORWARD, -150, 0 },
	{ "mangle", "OUTPUT", "route", HOOK_OUTPUT, -150, 0 },
	{ "mangle", "POSTROUTING", "filter", HOOK_POSTROUTING, -150, 0 },
	{ "nat", "PREROUTING", "nat", HOOK_PREROUTING, -100, -300 },
	{ "nat", "INPUT", "nat", HOOK_INPUT, 100, 0 },
	{ "nat", "OUTPUT", "nat", HOOK_OUTPUT, -100, 100 },
	{ "nat", "POSTROUTING", "nat", HOOK_POSTROUTING, 100, 300 },
	{ "filter", "INPUT", "filter", HOOK_INPUT, 0, -200 },
	{ "filter", "FORWARD", "filter", HOOK_FORWARD, 0, -200 },
	{ "filter", "OUTPUT", "filter", HOOK_OUTPUT, 0, -200 },
	{ "security", "INPUT", "filter", HOOK_INPUT, 50, 0 },
	{ "security", "FORWARD", "filter", HOOK_FORWARD, 50, 0 },
	{ "security", "OUTPUT", "filter", HOOK_OUTPUT, 50, 0 },
	{ "broute", "BROUTING", "filter", HOOK_PREROUTING, -600, -600 },
};

static int bad_at(const struct reading *in, size_t column, const char *text, const char *word)
{
	return error_set(in->err, -EBADMSG, "%s: line %zu, column %zu: %s '%.80s'", in->said->what,
			 in->number, column + 1, text, word);
}

/* words */

/* As iptables-save quotes: a word in double quotes, where a backslash makes the next one plain. */
static int next_word(struct reading *in, size_t *pos, struct buf *word)
{
	size_t at = *pos;
	bool quoted = in->line[at] == '"';

	at += quoted;
	for (; at < in->len && (quoted ? in->line[at] != '"' : in->line[at] != ' '); at++) {
		if (quoted && in->line[at] == '\\' && at + 1 < in->len)
			at++;
		buf_add_char(word, in->line[at]);
	}
	if (quoted && at == in->len)
		return bad_at(in, *pos, "a quote is not closed", "\"");
	*pos = at + quoted;
	return 0;
}

static int split(struct reading *in)
{
	size_t pos = 0;

	strv_done(&in->words);
	in->words = (struct strv) { 0 };
	for (;;) {
		cleanup(buf_done) struct buf word = BUF_INIT(LINE_MAX_LEN);
		size_t begin;

		while (pos < in->len && (in->line[pos] == ' ' || in->line[pos] == '\r'))
			pos++;
		if (pos == in->len)
			return 0;
		begin = pos;
		if (next_word(in, &pos, &word) < 0)
			return in->err ? in->err->code : -EBADMSG;
		VEC_GROW(in->columns, in->words.n, in->room);
		in->columns[in->words.n] = begin;
		strv_add(&in->words, buf_text(&word));
	}
}

static int bad(const struct reading *in, size_t word, const char *text)
{
	return bad_at(in, in->words.n ? in->columns[word] : 0, text,
		      in->words.n ? in->words.items[word] : "");
}

/* "[12:3456]" */
static bool read_counters(const char *word, uint64_t *ret_packets, uint64_t *ret_bytes)
{
	autofree char *copy = xstrdup(word);
	size_t len = strlen(copy);
	char *colon = strchr(copy, ':');

	if (copy[0] != '[' || !colon || copy[len - 1] != ']')
		return false;
	*colon = copy[len - 1] = '\0';
	return number_parse(copy + 1, UINT64_MAX, ret_packets) == 0 &&
	       number_parse(colon + 1, UINT64_MAX, ret_bytes) == 0;
}

/* lines */

static int read_table(struct reading *in)
{
	const char *name = in->words.items[0] + 1;

	if (!*name || in->words.n > 1)
		return bad(in, 0, "expected a table's name behind");
	in->table = ruleset_table(in->rs, in->family, name, in->backend);
	if (in->table && in->table->backend != BACKEND_NFT)
		return bad(in, 0, "this table comes a second time");
	in->is_merged = in->table != NULL;
	if (in->is_merged)
		in->table->backend = BACKEND_XT_NFT;
	else
		in->table = ruleset_add_table(in->rs, in->family, name, in->backend);
	return 0;
}

static void make_builtin(struct reading *in, struct chain *chain)
{
	bool bridge = in->family == FAMILY_BRIDGE;

	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
		const struct builtin *b = &builtins[i];

		if (strcmp(b->table, in->table->name) != 0 || strcmp(b->chain, chain->name) != 0)
			continue;
		chain->type = bridge ? "filter" : b->type;
		chain->hook = b->hook;
		chain->priority = bridge ? b->bridge_priority : b->priority;
	}
}

static int read_chain(struct reading *in)
{
	const char *name = in->words.items[0] + 1;
	const char *policy = in->words.n > 1 ? in->words.items[1] : "";
	struct chain *chain;

	if (!in->table)
		return bad(in, 0, "a chain comes before any table:");
	if (!*name || !*policy)
		return bad(in, 0, "expected a chain's name and policy in");
	chain = table_chain(in->table, name);
	if (in->is_merged && !chain)
		return 0; /* iptables-save tells of chains that nobody has made, too */
	if (!in->is_merged) {
		if (chain)
			return bad(in, 0, "this chain comes a second time");
		chain = table_add_chain(in->rs, in->table, name);
		if (strcmp(policy, "-") != 0 && strcmp(policy, "RETURN") != 0)
			make_builtin(in, chain);
	}
	if (strcmp(policy, "DROP") == 0)
		chain->policy = VERDICT_DROP;
	if (in->words.n > 2)
		chain->has_counter =
			read_counters(in->words.items[2], &chain->packets, &chain->bytes);
	return 0;
}

/* The rule that these words are about: a new one, or the next that is there. */
static struct rule *rule_for(const struct reading *in, struct chain *chain)
{
	if (!in->is_merged)
		return chain_add_rule(chain);
	if (chain->told == chain->n)
		return NULL;
	rule_clear(&chain->rules[chain->told]);
	return &chain->rules[chain->told++];
}

static int read_rule(struct reading *in)
{
	uint64_t packets = 0, bytes = 0;
	bool counted = read_counters(in->words.items[0], &packets, &bytes);
	size_t at = counted, culprit = 0;
	struct chain *chain;
	struct rule *rule;
	struct xt_words words;

	if (in->words.n < at + 2 || strcmp(in->words.items[at], "-A") != 0)
		return bad(in, 0, "this is no line that iptables-save writes:");
	if (!in->table)
		return bad(in, at, "a rule comes before any table:");
	chain = table_chain(in->table, in->words.items[at + 1]);
	rule = chain ? rule_for(in, chain) : NULL;
	if (!rule)
		return bad(in, at + 1,
			   in->is_merged ? "nft and iptables-save do not tell of the "
					   "same moment: too many rules in"
					 : "there is no chain");
	rule->text =
		ruleset_copy_len(in->rs, in->line + in->columns[at], in->len - in->columns[at]);
	rule->has_counter |= counted;
	if (counted) {
		rule->packets = packets;
		rule->bytes = bytes;
	}
	rule->is_foreign = false;
	words = (struct xt_words) { in->words.items + at + 2, in->words.n - at - 2 };
	if (xt_rule_parse(in->rs, rule, &words, &culprit) < 0)
		return bad(in, at + 2 + MIN(culprit, words.n ? words.n - 1 : 0),
			   "this cannot be understood:");
	return 0;
}

/* "# Generated by ip6tables-save v1.8.9 (nf_tables) on ..." */
static void read_header(struct reading *in)
{
	autofree char *line = xstrndup(in->line, in->len);

	if (in->said->is_known || !strstr(line, "enerated by"))
		return;
	in->family = strstr(line, "ip6tables")  ? FAMILY_IP6
		     : strstr(line, "ebtables") ? FAMILY_BRIDGE
						: FAMILY_IP;
	in->backend = strstr(line, "nf_tables") ? BACKEND_XT_NFT : BACKEND_LEGACY;
}

static int read_line(struct reading *in)
{
	int r;

	if (in->len > LINE_MAX_LEN)
		return bad_at(in, 0, "this line is too long", "");
	if (in->len > 0 && in->line[0] == '#') {
		read_header(in);
		return 0;
	}
	r = split(in);
	if (r < 0 || in->words.n == 0)
		return r;
	switch (in->words.items[0][0]) {
	case '*':
		return read_table(in);
	case ':':
		return read_chain(in);
	case '-':
	case '[':
		return read_rule(in);
	default:
		if (strcmp(in->words.items[0], "COMMIT") != 0)
			return bad(in, 0, "this is no line that iptables-save writes:");
		return 0;
	}
}

static int check_whole(struct reading *in)
{
	for (size_t i = 0; i < in->rs->n; i++) {
		const struct table *t = in->rs->tables[i];

		for (size_t k = 0; t->backend == BACKEND_XT_NFT && k < t->nchains; k++)
			if (t->chains[k]->told != 0 && t->chains[k]->told != t->chains[k]->n)
				return error_set(
					in->err, -EBADMSG,
					"%s: nft and iptables-save do not tell of the same "
					"moment: chain %s has %zu rules, not %zu",
					in->said->what, t->chains[k]->name, t->chains[k]->n,
					t->chains[k]->told);
	}
	return 0;
}

/* Without a header the addresses say which family it is. */
static enum family guess_family(const char *text, size_t len)
{
	autofree char *copy = xstrndup(text, len);

	if (strstr(copy, "icmp6") || strstr(copy, "ipv6-icmp"))
		return FAMILY_IP6;
	for (const char *at = strstr(copy, " -s "); at; at = strstr(at + 1, " -s ")) {
		size_t n = strcspn(at + 4, " \n");

		if (memchr(at + 4, ':', n))
			return FAMILY_IP6;
	}
	for (const char *at = strstr(copy, " -d "); at; at = strstr(at + 1, " -d ")) {
		size_t n = strcspn(at + 4, " \n");

		if (memchr(at + 4, ':', n))
			return FAMILY_IP6;
	}
	return FAMILY_IP;
}

int xt_read(struct ruleset *rs, const struct xt_said *said, struct error *err)
{
	struct error own = { 0 };
	struct reading in = {
		.rs = rs, .said = said, .backend = said->backend, .err = err ? err : &own
	};
	const char *end = said->text + said->len, *next;
	int r = 0;

	in.family = said->is_known ? said->family : guess_family(said->text, said->len);
	if (!said->is_known)
		in.backend = BACKEND_XT_NFT;
	for (in.line = said->text; r == 0 && in.line < end; in.line = next) {
		const char *eol = memchr(in.line, '\n', (size_t)(end - in.line));

		next = eol ? eol + 1 : end;
		in.len = (size_t)((eol ? eol : end) - in.line);
		in.number++;
		r = memchr(in.line, '\0', in.len) ? bad_at(&in, 0, "this is no text", "")
						  : read_line(&in);
	}
	if (r == 0)
		r = check_whole(&in);
	strv_done(&in.words);
	free(in.columns);
	return r;
}

bool xt_looks_like(const char *text, size_t len)
{
	while (len > 0 && (*text == ' ' || *text == '\n' || *text == '\r'))
		text++, len--;
	return len > 0 && (*text == '#' || *text == '*');
}
