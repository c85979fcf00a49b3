/* src/builder/instruction.c
 *
 * The table says how the text behind each word is read and which flags may stand there.
 */
#include "builder/instruction.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/nearest.h"
#include "builder/containerfile.h"

#define BLANKS " \t\r\v\f"

struct scan {
	const struct line *line;
	char escape;
	const char *file;
	const char *at; /* in line->text */
	struct fault *fault;
	struct error *err;
};

enum flag_kind { FLAG_TEXT, FLAG_LIST, FLAG_BOOL };

struct flag {
	const char *name;
	enum flag_kind kind;
};

struct row {
	const char *word;
	int (*read)(struct scan *s, struct instruction *ret);
	const struct flag *flags; /* ends with a NULL name; NULL: none */
	size_t least;             /* words */
};

static int fail(const struct scan *s, const char *at, const char *text)
{
	*s->fault = line_fault(s->line, (size_t)(at - s->line->text));
	return error_set(s->err, -EINVAL, "%s:%u: %s", s->file, s->fault->line, text);
}

/* the texts */

static int read_text(struct scan *s, struct instruction *ret)
{
	(void)s;
	if (*ret->rest)
		strv_add(&ret->words, ret->rest);
	return 0;
}

static int read_blank_words(struct scan *s, struct instruction *ret)
{
	(void)s;
	for (const char *p = ret->rest; *p; p += strspn(p, BLANKS)) {
		size_t n = strcspn(p, BLANKS);

		strv_take(&ret->words, xstrndup(p, n));
		p += n;
	}
	return 0;
}

/* A list of texts.  Anything else is none: ["a", 'b'] is a line for the shell. */
static bool read_list(const char *text, struct instruction *ret)
{
	cleanup(json_cleanup) json_t *list =
		*text == '[' ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (!json_is_string(item))
			return false;
	json_array_foreach (list, i, item)
		strv_add(&ret->words, json_string_value(item));
	ret->is_exec = list != NULL;
	return ret->is_exec;
}

static int read_list_or_text(struct scan *s, struct instruction *ret)
{
	return read_list(ret->rest, ret) ? 0 : read_text(s, ret);
}

static int read_list_or_words(struct scan *s, struct instruction *ret)
{
	return read_list(ret->rest, ret) ? 0 : read_blank_words(s, ret);
}

static int read_only_list(struct scan *s, struct instruction *ret)
{
	return read_list(ret->rest, ret)
		       ? 0
		       : fail(s, s->at, "SHELL wants a list: [\"/bin/sh\", \"-c\"]");
}

/* Words at blanks outside of quotes, which stay where they are. */
static int read_quoted_words(struct scan *s, struct instruction *ret)
{
	const char *p = ret->rest;

	while (*p) {
		const char *from = p;
		char quote = 0;

		for (; *p && (quote || !strchr(BLANKS, *p)); p++) {
			if (*p == s->escape && p[1] && quote != '\'')
				p++;
			else if (*p == quote)
				quote = 0;
			else if (!quote && (*p == '"' || *p == '\''))
				quote = *p;
		}
		strv_take(&ret->words, xstrndup(from, (size_t)(p - from)));
		p += strspn(p, BLANKS);
	}
	return 0;
}

/* ENV and LABEL: "A=b C=d", or of old "A all that follows". */
static int read_pairs(struct scan *s, struct instruction *ret)
{
	int r = read_quoted_words(s, ret);

	if (r < 0 || ret->words.n == 0)
		return r;
	if (!strchr(ret->words.items[0], '=')) {
		size_t n = strcspn(ret->rest, BLANKS);
		autofree char *name = xstrndup(ret->rest, n);
		const char *value = ret->rest + n + strspn(ret->rest + n, BLANKS);

		if (!*value)
			return fail(s, s->at, "a name wants a value: NAME=VALUE");
		strv_done(&ret->words);
		strv_addf(&ret->words, "%s=%s", name, value);
		return 0;
	}
	for (size_t i = 0; i < ret->words.n; i++)
		if (!strchr(ret->words.items[i], '=') || ret->words.items[i][0] == '=')
			return fail(
				s, s->at,
				"every word here is NAME=VALUE; a value with blanks wants quotes");
	return 0;
}

static int read_names(struct scan *s, struct instruction *ret)
{
	int r = read_quoted_words(s, ret);

	for (size_t i = 0; r == 0 && i < ret->words.n; i++)
		if (ret->words.items[i][0] == '=')
			r = fail(s, s->at, "an ARG wants a name before its =");
	return r;
}

static int read_from(struct scan *s, struct instruction *ret)
{
	int r = read_blank_words(s, ret);

	if (r == 0 && ret->words.n != 1 &&
	    (ret->words.n != 3 || strcasecmp(ret->words.items[1], "AS") != 0))
		r = fail(s, s->at, "FROM wants IMAGE, or IMAGE AS NAME");
	return r;
}

static int read_health(struct scan *s, struct instruction *ret)
{
	size_t n = strcspn(ret->rest, BLANKS);
	const char *command = ret->rest + n + strspn(ret->rest + n, BLANKS);

	if (n == 4 && strncasecmp(ret->rest, "NONE", n) == 0) {
		if (*command || ret->flags.n > 0)
			return fail(s, s->at, "HEALTHCHECK NONE takes nothing else");
		return 0;
	}
	if (n != 3 || strncasecmp(ret->rest, "CMD", n) != 0 || !*command)
		return fail(s, s->at, "HEALTHCHECK wants CMD and a command, or NONE");
	if (!read_list(command, ret))
		strv_add(&ret->words, command);
	return 0;
}

static int read_onbuild(struct scan *s, struct instruction *ret)
{
	static const char *const never[] = { "ONBUILD", "FROM", "MAINTAINER" };
	size_t n = strcspn(ret->rest, BLANKS);

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (strlen(never[i]) == n && strncasecmp(ret->rest, never[i], n) == 0)
			return fail(s, s->at, "ONBUILD cannot hold ONBUILD, FROM or MAINTAINER");
	return read_text(s, ret);
}

/* the table */

static const struct flag copy_flags[] = {
	{ "from", FLAG_TEXT },    { "chown", FLAG_TEXT }, { "chmod", FLAG_TEXT },
	{ "exclude", FLAG_LIST }, { "link", FLAG_BOOL },  { "parents", FLAG_BOOL },
	{ NULL, FLAG_TEXT },
};
static const struct flag add_flags[] = {
	{ "chown", FLAG_TEXT },        { "chmod", FLAG_TEXT }, { "exclude", FLAG_LIST },
	{ "unpack", FLAG_BOOL },       { "link", FLAG_BOOL },  { "checksum", FLAG_TEXT },
	{ "keep-git-dir", FLAG_BOOL }, { NULL, FLAG_TEXT },
};
static const struct flag run_flags[] = {
	{ "mount", FLAG_LIST },
	{ "network", FLAG_TEXT },
	{ "security", FLAG_TEXT },
	{ NULL, FLAG_TEXT },
};
static const struct flag health_flags[] = {
	{ "interval", FLAG_TEXT },       { "timeout", FLAG_TEXT }, { "start-period", FLAG_TEXT },
	{ "start-interval", FLAG_TEXT }, { "retries", FLAG_TEXT }, { NULL, FLAG_TEXT },
};
static const struct flag from_flags[] = {
	{ "platform", FLAG_TEXT },
	{ NULL, FLAG_TEXT },
};

static const struct row rows[N_INSTRUCTIONS] = {
	[INS_ADD] = { "ADD", read_list_or_words, add_flags, 2 },
	[INS_ARG] = { "ARG", read_names, NULL, 1 },
	[INS_CMD] = { "CMD", read_list_or_text, NULL, 0 },
	[INS_COPY] = { "COPY", read_list_or_words, copy_flags, 2 },
	[INS_ENTRYPOINT] = { "ENTRYPOINT", read_list_or_text, NULL, 0 },
	[INS_ENV] = { "ENV", read_pairs, NULL, 1 },
	[INS_EXPOSE] = { "EXPOSE", read_blank_words, NULL, 1 },
	[INS_FROM] = { "FROM", read_from, from_flags, 1 },
	[INS_HEALTHCHECK] = { "HEALTHCHECK", read_health, health_flags, 0 },
	[INS_LABEL] = { "LABEL", read_pairs, NULL, 1 },
	[INS_MAINTAINER] = { "MAINTAINER", read_text, NULL, 1 },
	[INS_ONBUILD] = { "ONBUILD", read_onbuild, NULL, 1 },
	[INS_RUN] = { "RUN", read_list_or_text, run_flags, 1 },
	[INS_SHELL] = { "SHELL", read_only_list, NULL, 1 },
	[INS_STOPSIGNAL] = { "STOPSIGNAL", read_text, NULL, 1 },
	[INS_USER] = { "USER", read_text, NULL, 1 },
	[INS_VOLUME] = { "VOLUME", read_list_or_words, NULL, 1 },
	[INS_WORKDIR] = { "WORKDIR", read_text, NULL, 1 },
};

const char *instruction_word(enum instruction_kind kind)
{
	return rows[kind].word;
}

/* flags */

static const struct flag *find_flag(const struct row *row, const char *name, size_t len)
{
	for (const struct flag *f = row->flags; f && f->name; f++)
		if (strlen(f->name) == len && strncmp(f->name, name, len) == 0)
			return f;
	return NULL;
}

static int unknown_flag(const struct scan *s, const struct row *row, const char *at,
			const char *name)
{
	struct nearest near = nearest_init(name);
	autofree char *text = NULL;

	/* Of dockerfile:1-labs, and refused rather than left out: the command would fail later. */
	if (row == &rows[INS_RUN] && strcmp(name, "device") == 0)
		return fail(s, at, "RUN --device: a build gets no devices of this machine (CDI)");
	for (const struct flag *f = row->flags; f && f->name; f++)
		nearest_try(&near, f->name);
	text = near.best ? xasprintf("%s has no flag --%s; did you mean --%s?", row->word, name,
				     near.best)
			 : xasprintf("%s has no flag --%s", row->word, name);
	return fail(s, at, text);
}

static int add_flag(const struct scan *s, const struct row *row, const char *at, const char *word,
		    struct instruction *ret)
{
	size_t len = strcspn(word, "=");
	autofree char *name = xstrndup(word, len), *prefix = NULL;
	const struct flag *flag = find_flag(row, name, len);
	const char *value = word[len] ? word + len + 1 : NULL;

	if (!flag)
		return unknown_flag(s, row, at, name);
	prefix = xasprintf("%s=", name);
	for (size_t i = 0; flag->kind != FLAG_LIST && i < ret->flags.n; i++)
		if (strncmp(ret->flags.items[i], prefix, strlen(prefix)) == 0)
			return fail(s, at, "the same flag is given twice");
	if (!value && flag->kind != FLAG_BOOL)
		return fail(s, at, "this flag wants a value: --NAME=VALUE");
	if (flag->kind == FLAG_BOOL && value && strcasecmp(value, "true") != 0 &&
	    strcasecmp(value, "false") != 0)
		return fail(s, at, "this flag is true or false");
	strv_addf(&ret->flags, "%s=%s", name, value ? value : "true");
	return 0;
}

/* A flag's word without its quotes; a blank in quotes is a part of it. */
static char *take_flag(struct scan *s)
{
	char *word = xmalloc(strlen(s->at) + 1);
	char quote = 0;
	size_t len = 0;

	for (; *s->at && (quote || !strchr(BLANKS, *s->at)); s->at++) {
		if (*s->at == quote) {
			quote = 0;
		} else if (!quote && (*s->at == '"' || *s->at == '\'')) {
			quote = *s->at;
		} else {
			if (*s->at == s->escape && s->at[1])
				s->at++;
			word[len++] = *s->at;
		}
	}
	word[len] = '\0';
	return word;
}

static int read_flags(struct scan *s, const struct row *row, struct instruction *ret)
{
	int r = 0;

	while (r == 0 && strncmp(s->at, "--", 2) == 0) {
		const char *at = s->at;
		autofree char *word = take_flag(s);

		s->at += strspn(s->at, BLANKS);
		if (strcmp(word, "--") == 0)
			break;
		r = add_flag(s, row, at, word + 2, ret);
	}
	return r;
}

const char *instruction_flag(const struct instruction *ins, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = ins->flags.n; i > 0; i--) {
		const char *flag = ins->flags.items[i - 1];

		if (strncmp(flag, name, len) == 0 && flag[len] == '=')
			return flag + len + 1;
	}
	return NULL;
}

bool instruction_has(const struct instruction *ins, const char *name)
{
	const char *value = instruction_flag(ins, name);

	return value && strcasecmp(value, "false") != 0;
}

/* lines */

static int unknown_word(const struct scan *s, const char *word)
{
	struct nearest near = nearest_init(word);
	autofree char *text = NULL;

	for (size_t i = 0; i < N_INSTRUCTIONS; i++)
		nearest_try(&near, rows[i].word);
	text = near.best ? xasprintf("unknown instruction %.60s; did you mean %s?", word, near.best)
			 : xasprintf("unknown instruction %.60s", word);
	return fail(s, s->line->text, text);
}

static int find_row(const struct scan *s, const char *word, enum instruction_kind *ret)
{
	autofree char *upper = xstrdup(word);

	for (size_t i = 0; i < N_INSTRUCTIONS; i++) {
		if (strcasecmp(rows[i].word, word) != 0)
			continue;
		*ret = (enum instruction_kind)i;
		return 0;
	}
	for (char *p = upper; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return unknown_word(s, upper);
}

static int read_instruction(struct scan *s, struct instruction *ret)
{
	size_t n = strcspn(s->at, BLANKS);
	autofree char *word = xstrndup(s->at, n), *text = NULL;
	const struct row *row;
	int r = find_row(s, word, &ret->kind);

	if (r < 0)
		return r;
	row = &rows[ret->kind];
	s->at += n;
	s->at += strspn(s->at, BLANKS);
	r = read_flags(s, row, ret);
	if (r < 0)
		return r;
	ret->rest = xstrdup(s->at);
	r = row->read(s, ret);
	if (r == 0 && ret->words.n < row->least) {
		text = row->least == 1
			       ? xasprintf("%s wants something behind it", row->word)
			       : xasprintf("%s wants a source and a destination", row->word);
		r = fail(s, s->at, text);
	}
	return r;
}

int instruction_parse(const struct line *line, char escape, const char *file,
		      struct instruction *ret, struct fault *ret_fault, struct error *err)
{
	struct instruction ins = { .line = line };
	struct scan s = { .line = line,
			  .escape = escape,
			  .file = file,
			  .at = line->text,
			  .fault = ret_fault,
			  .err = err };
	int r = read_instruction(&s, &ins);

	if (r < 0) {
		instruction_done(&ins);
		return r;
	}
	*ret = ins;
	return 0;
}

void instruction_done(struct instruction *ins)
{
	strv_done(&ins->flags);
	strv_done(&ins->words);
	free(ins->rest);
	*ins = (struct instruction) { .line = NULL };
}

int instructions_parse(const struct containerfile *file, const char *name, struct instructions *ret,
		       struct fault *ret_fault, struct error *err)
{
	struct instructions all = { .items = xcalloc(file->n + 1, sizeof(*all.items)) };
	int r = 0;

	for (; r == 0 && all.n < file->n; all.n += r == 0)
		r = instruction_parse(&file->lines[all.n], file->escape, name, &all.items[all.n],
				      ret_fault, err);
	if (r < 0) {
		instructions_done(&all);
		return r;
	}
	*ret = all;
	return 0;
}

void instructions_done(struct instructions *all)
{
	for (size_t i = 0; i < all->n; i++)
		instruction_done(&all->items[i]);
	free(all->items);
	*all = (struct instructions) { NULL, 0 };
}
