/* src/builder/lint.c - start at lint_run(); each check of an instruction is a function. */
#include "builder/lint.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/number.h"
#include "builder/ignore.h"
#include "builder/instruction.h"
#include "builder/pattern.h"
#include "builder/plan.h"
#include "builder/remote.h"
#include "builder/source.h"
#include "builder/word.h"
#include "image/image.h"
#include "image/platform.h"
#include "image/reference.h"

#define BLANKS       " \t"
#define FINDINGS_MAX 10000

static const struct {
	const char *name, *about;
} rules[N_LINT_RULES] = {
	[LINT_STAGE_NAME_CASING] = { "StageNameCasing", "names of stages are in lower case" },
	[LINT_FROM_AS_CASING] = { "FromAsCasing", "FROM and AS are in the same case" },
	[LINT_NO_EMPTY_CONTINUATION] = { "NoEmptyContinuation",
					 "no blank line is inside a continued instruction" },
	[LINT_CONSISTENT_CASING] = { "ConsistentInstructionCasing",
				     "all instructions are in the same case" },
	[LINT_DUPLICATE_STAGE] = { "DuplicateStageName", "no two stages have one name" },
	[LINT_RESERVED_STAGE] = { "ReservedStageName",
				  "no stage has a name that means something else" },
	[LINT_JSON_ARGS] = { "JSONArgsRecommended",
			     "CMD and ENTRYPOINT are lists, so that signals reach the program" },
	[LINT_MAINTAINER] = { "MaintainerDeprecated", "a label tells whose an image is" },
	[LINT_UNDEFINED_ARG_IN_FROM] = { "UndefinedArgInFrom",
					 "FROM uses variables of ARGs before it" },
	[LINT_WORKDIR_RELATIVE] = { "WorkdirRelativePath",
				    "a relative WORKDIR has an absolute one before it" },
	[LINT_UNDEFINED_VAR] = { "UndefinedVar", "variables that are used are defined" },
	[LINT_MULTIPLE] = { "MultipleInstructionsDisallowed",
			    "what counts once in a stage stands there once" },
	[LINT_LEGACY_KEY_VALUE] = { "LegacyKeyValueFormat", "ENV and LABEL have NAME=VALUE" },
	[LINT_BASE_PLATFORM] = { "InvalidBaseImagePlatform",
				 "a base image is for the platform that is asked for" },
	[LINT_REDUNDANT_PLATFORM] = { "RedundantTargetPlatform",
				      "FROM does not ask for the platform that it has anyway" },
	[LINT_SECRETS] = { "SecretsUsedInArgOrEnv", "no secret is in an ARG or ENV" },
	[LINT_INVALID_DEFAULT_ARG] = { "InvalidDefaultArgInFrom",
				       "FROM names an image with the defaults of its ARGs" },
	[LINT_PLATFORM_CONST] = { "FromPlatformFlagConstDisallowed",
				  "FROM --platform has a variable" },
	[LINT_COPY_IGNORED] = { "CopyIgnoredFile",
				"COPY and ADD take nothing that an ignore file leaves out" },
	[LINT_DEFINITION_DESCRIPTION] = { "InvalidDefinitionDescription",
					  "a comment above an ARG or a stage begins with its "
					  "name" },
	[LINT_EXPOSE_PROTO_CASING] = { "ExposeProtoCasing", "EXPOSE has protocols in lower case" },
	[LINT_EXPOSE_FORMAT] = { "ExposeInvalidFormat", "EXPOSE has ports of the container alone" },
};

const char *lint_name(enum lint_rule rule)
{
	return rules[rule].name;
}

const char *lint_about(enum lint_rule rule)
{
	return rules[rule].about;
}

/* What is known in a stage at an instruction. */
struct stage_facts {
	struct strv names; /* of variables, "NAME=" each */
	bool knows_all;    /* no image below may have others */
	bool has_workdir, has_shell;
	size_t last_of[N_INSTRUCTIONS]; /* place of the last such instruction, from 1 */
};

struct linter {
	const struct lint_request *req;
	struct lint *lint;
	bool off[N_LINT_RULES];
	struct strv global; /* ARGs before the first FROM, "NAME=VALUE" */
	struct stage_facts *stages;
	const struct instruction *ins;
	/* of the expansion that goes on */
	const struct strv *known;
	struct strv missed;
};

/* findings */

static void find_at(struct linter *l, enum lint_rule rule, struct fault where, unsigned last,
		    char *text)
{
	struct lint *lint = l->lint;

	if (l->off[rule] || lint->n >= FINDINGS_MAX) {
		free(text);
		return;
	}
	VEC_GROW(lint->items, lint->n, lint->room);
	lint->items[lint->n++] =
		(struct lint_finding) { rule, where.line, last, where.column, text };
}

/* text is taken. */
static void find(struct linter *l, enum lint_rule rule, char *text)
{
	const struct line *line = l->ins->line;

	find_at(l, rule, line_fault(line, 0), line->last, text);
}

/* variables */

static const char *known_value(void *data, const char *name)
{
	const struct linter *l = data;

	return strv_env_get(l->known, name);
}

static void note_missed(void *data, const char *name)
{
	struct linter *l = data;

	if (!strv_has(&l->missed, name) && !scope_is_proxy(name))
		strv_add(&l->missed, name);
}

/* Which variables of a text nobody has defined is in l->missed; the text, NULL if it is no text. */
static char *expand(struct linter *l, const char *text, const struct strv *known)
{
	const struct word_scope scope = { .get = known_value,
					  .missed = note_missed,
					  .data = l,
					  .escape = l->req->source->file.escape };
	char *ret = NULL;

	strv_done(&l->missed);
	l->known = known;
	return word_expand(&scope, text, &ret, NULL) < 0 ? NULL : ret;
}

static const char *near_name(const struct strv *known, const char *name, char room[256])
{
	struct nearest near = nearest_init(name);
	size_t len;

	for (size_t i = 0; i < known->n; i++) {
		autofree char *candidate = xstrndup(known->items[i], strcspn(known->items[i], "="));

		nearest_try(&near, candidate);
		if (near.best == candidate) {
			len = MIN(strlen(candidate), (size_t)255);
			memcpy(room, candidate, len);
			room[len] = '\0';
			near.best = room;
		}
	}
	return near.best;
}

static void check_missed(struct linter *l, enum lint_rule rule, const struct strv *known)
{
	for (size_t i = 0; i < l->missed.n; i++) {
		const char *name = l->missed.items[i];
		char room[256];
		const char *near = near_name(known, name, room);

		find(l, rule,
		     near ? xasprintf("$%.100s is not defined; did you mean $%s?", name, near)
			  : xasprintf("$%.100s is not defined%s", name,
				      rule == LINT_UNDEFINED_ARG_IN_FROM
					      ? " by an ARG before the first FROM"
					      : ""));
	}
}

static void define(struct strv *names, const char *word, const char *value)
{
	size_t n = strcspn(word, "=");
	autofree char *assignment = xasprintf("%.*s=%s", (int)n, word, value ? value : "x");

	strv_env_set(names, assignment);
}

/* words in their case */

static bool has_case(const char *text, size_t len, int (*is)(int))
{
	for (size_t i = 0; i < len; i++)
		if (isalpha((unsigned char)text[i]) && !is((unsigned char)text[i]))
			return false;
	return true;
}

static size_t word_len(const struct instruction *ins)
{
	return strcspn(ins->line->text, BLANKS);
}

static void check_casing(struct linter *l)
{
	const struct instructions *all = &l->req->source->all;
	size_t upper = 0, lower = 0;

	for (size_t i = 0; i < all->n; i++) {
		upper += has_case(all->items[i].line->text, word_len(&all->items[i]), isupper);
		lower += has_case(all->items[i].line->text, word_len(&all->items[i]), islower);
	}
	for (size_t i = 0; i < all->n; i++) {
		bool wants_upper = upper >= lower;
		size_t len = word_len(&all->items[i]);

		l->ins = &all->items[i];
		if (!has_case(l->ins->line->text, len, wants_upper ? isupper : islower))
			find(l, LINT_CONSISTENT_CASING,
			     xasprintf("'%.*s' is not in %s case, as most instructions here are",
				       (int)len, l->ins->line->text,
				       wants_upper ? "upper" : "lower"));
	}
}

/* lines */

static void check_continuation(struct linter *l)
{
	const struct line *line = l->ins->line;

	if (line->empty)
		find_at(l, LINT_NO_EMPTY_CONTINUATION, (struct fault) { line->empty, 1 },
			line->empty, xstrdup("a blank line inside a continued instruction"));
}

static void check_description(struct linter *l, const char *name)
{
	const char *comment = l->ins->line->comment;
	size_t len = strlen(name);

	if (comment && (strncmp(comment, name, len) != 0 || !strchr(BLANKS, comment[len])))
		find(l, LINT_DEFINITION_DESCRIPTION,
		     xasprintf("the comment above does not begin with '%s', so it describes "
			       "nothing; a blank line between makes it an ordinary one",
			       name));
}

/* FROM */

static void check_as(struct linter *l)
{
	const struct strv *words = &l->ins->words;
	size_t len = word_len(l->ins);
	bool upper = has_case(l->ins->line->text, len, isupper);

	if (words->n < 3)
		return;
	if (!has_case(words->items[1], strlen(words->items[1]), upper ? isupper : islower))
		find(l, LINT_FROM_AS_CASING,
		     xasprintf("'%s' and '%.*s' are not in the same case", words->items[1],
			       (int)len, l->ins->line->text));
	if (!has_case(words->items[2], strlen(words->items[2]), islower))
		find(l, LINT_STAGE_NAME_CASING,
		     xasprintf("the stage's name '%.100s' is not in lower case", words->items[2]));
}

static void check_stage_name(struct linter *l, size_t number)
{
	const struct plan *plan = l->req->plan;
	const char *name = plan->stages[number].name;

	if (!name)
		return;
	check_description(l, l->ins->words.items[2]);
	if (strcmp(name, "scratch") == 0 || strcmp(name, "context") == 0)
		find(l, LINT_RESERVED_STAGE,
		     xasprintf("the stage's name '%s' means something else", name));
	for (size_t i = 0; i < number; i++) {
		if (!plan->stages[i].name || strcmp(plan->stages[i].name, name) != 0)
			continue;
		find(l, LINT_DUPLICATE_STAGE,
		     xasprintf("a stage '%s' is already at line %u", name,
			       plan->stages[i].from->line->first));
		return;
	}
}

/* A stage that says so by its name is for one platform on purpose. */
static bool name_tells(const char *name, const char *platform)
{
	const char *arch = strchr(platform, '/');
	size_t len;

	if (!name)
		return false;
	arch = arch ? arch + 1 : platform;
	len = strcspn(arch, "/");
	for (; *name; name++)
		if (strncasecmp(name, arch, len) == 0)
			return true;
	return false;
}

static void check_platform(struct linter *l, size_t number)
{
	const char *flag = instruction_flag(l->ins, "platform");

	if (!flag)
		return;
	free(expand(l, flag, &l->global));
	check_missed(l, LINT_UNDEFINED_ARG_IN_FROM, &l->global);
	if (strcmp(flag, "$TARGETPLATFORM") == 0 || strcmp(flag, "${TARGETPLATFORM}") == 0)
		find(l, LINT_REDUNDANT_PLATFORM,
		     xasprintf("--platform=%s is what FROM has without it", flag));
	else if (!strchr(flag, '$') && !name_tells(l->req->plan->stages[number].name, flag))
		find(l, LINT_PLATFORM_CONST,
		     xasprintf("--platform=%.60s is the same for whatever is built", flag));
}

/* Without --build-arg. */
static void check_image_name(struct linter *l)
{
	const char *word = l->ins->words.items[0];
	autofree char *image = expand(l, word, &l->global);
	char canonical[REFERENCE_MAX];

	check_missed(l, LINT_UNDEFINED_ARG_IN_FROM, &l->global);
	if (l->missed.n > 0 || !strchr(word, '$'))
		return;
	if (!image || !*image || reference_canonical(image, canonical, NULL) < 0)
		find(l, LINT_INVALID_DEFAULT_ARG,
		     xasprintf("with the defaults of its ARGs '%.100s' is no image's name: "
			       "'%.100s'",
			       word, image ? image : ""));
}

static void learn_image(struct linter *l, struct stage_facts *facts, const struct stage_plan *stage)
{
	struct image_config config = { .user = NULL };
	const char *wish = stage->platform && *stage->platform ? stage->platform : l->req->platform;
	autofree char *have = NULL;
	char own[PLATFORM_LEN], plain[PLATFORM_LEN];

	facts->knows_all = strcmp(stage->image, "scratch") == 0;
	if (facts->knows_all || !l->req->image ||
	    l->req->image(l->req->data, stage->image, &config) < 0)
		return;
	facts->knows_all = true;
	for (size_t i = 0; i < config.env.n; i++)
		strv_env_set(&facts->names, config.env.items[i]);
	platform_own(own);
	if (config.os && config.architecture &&
	    platform_parse(wish ? wish : own, plain, NULL) == 0) {
		have = xasprintf("%s/%s", config.os, config.architecture);
		if (!platform_fits(have, plain) && !platform_fits(plain, have))
			find(l, LINT_BASE_PLATFORM,
			     xasprintf("image %.100s is for %s, and %s is wanted", stage->image,
				       have, plain));
	}
	image_config_done(&config);
}

static void begin_stage(struct linter *l, size_t number)
{
	const struct stage_plan *stage = &l->req->plan->stages[number];
	struct stage_facts *facts = &l->stages[number];

	check_as(l);
	check_stage_name(l, number);
	check_platform(l, number);
	check_image_name(l);
	if (stage->base != STAGE_NONE) {
		const struct stage_facts *from = &l->stages[stage->base];

		strv_extend(&facts->names, from->names.items, from->names.n);
		facts->knows_all = from->knows_all;
		facts->has_workdir = from->has_workdir;
		facts->has_shell = from->has_shell;
	} else {
		define(&facts->names, "PATH", NULL);
		learn_image(l, facts, stage);
	}
	for (size_t i = 0; i < stage->n; i++)
		facts->last_of[stage->items[i].kind] = i + 1;
}

/* instructions of a stage */

static bool is_secret_word(const char *word, size_t len)
{
	static const char *const words[] = { "apikey", "auth",  "credential", "credentials",
					     "key",    "pword", "passwd",     "password",
					     "secret", "token" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
			return true;
	return false;
}

/* By the words between its underscores; what is public, or a file's name, is none. */
static bool names_secret(const char *name, size_t len)
{
	bool secret = false;

	for (size_t at = 0; at < len;) {
		size_t n = 0;

		while (at + n < len && name[at + n] != '_')
			n++;
		if ((n == 6 && strncasecmp(name + at, "public", n) == 0) ||
		    (n == 4 && at + n == len && strncasecmp(name + at, "file", n) == 0))
			return false;
		secret |= is_secret_word(name + at, n);
		at += n + 1;
	}
	return secret;
}

static void check_secrets(struct linter *l)
{
	for (size_t i = 0; i < l->ins->words.n; i++) {
		const char *word = l->ins->words.items[i];
		size_t len = strcspn(word, "=");

		if (names_secret(word, len))
			find(l, LINT_SECRETS,
			     xasprintf("%s %.*s: a secret here is in the image or its history; RUN "
				       "--mount=type=secret is not",
				       instruction_word(l->ins->kind), (int)len, word));
	}
}

static void check_legacy(struct linter *l)
{
	const char *rest = l->ins->rest;
	size_t first = strcspn(rest, BLANKS);

	if (rest[first] && !memchr(rest, '=', first))
		find(l, LINT_LEGACY_KEY_VALUE,
		     xasprintf("'%s %.*s ...' is the old way; %.*s=VALUE is meant",
			       instruction_word(l->ins->kind), (int)MIN(first, (size_t)60), rest,
			       (int)MIN(first, (size_t)60), rest));
}

static void check_words(struct linter *l, struct stage_facts *facts)
{
	struct strv all = { 0 };

	for (size_t i = 0; i < l->ins->words.n; i++) {
		free(expand(l, l->ins->words.items[i], &facts->names));
		for (size_t k = 0; k < l->missed.n; k++)
			if (!strv_has(&all, l->missed.items[k]))
				strv_add(&all, l->missed.items[k]);
	}
	strv_done(&l->missed);
	l->missed = all;
	if (facts->knows_all)
		check_missed(l, LINT_UNDEFINED_VAR, &facts->names);
}

static void check_workdir(struct linter *l, struct stage_facts *facts)
{
	autofree char *path = expand(l, l->ins->rest, &facts->names);

	if (l->missed.n == 0 && path && *path != '/' && *path && *l->ins->rest != '$' &&
	    !facts->has_workdir)
		find(l, LINT_WORKDIR_RELATIVE,
		     xasprintf("WORKDIR %.100s: where that is depends on the image below", path));
	facts->has_workdir |= path && (*path == '/' || *l->ins->rest == '$');
}

static void check_command(struct linter *l, const struct stage_facts *facts)
{
	if (l->ins->is_exec || facts->has_shell || l->ins->words.n == 0)
		return;
	find(l, LINT_JSON_ARGS,
	     xasprintf("%s runs a shell, which keeps signals from the program; a list does not: "
		       "[\"PROGRAM\", \"ARGUMENT\"]",
		       instruction_word(l->ins->kind)));
}

/* "[IP:][HOST:]PORT[/PROTOCOL]" */
static void check_ports(struct linter *l)
{
	for (size_t i = 0; i < l->ins->words.n; i++) {
		const char *word = l->ins->words.items[i], *slash = strchr(word, '/');
		size_t len = strcspn(word, "/");

		if (strchr(word, '$'))
			continue;
		if (memchr(word, ':', len))
			find(l, LINT_EXPOSE_FORMAT,
			     xasprintf("EXPOSE %.100s: addresses and ports of the host are "
				       "published by run, not here",
				       word));
		if (slash && !has_case(slash, strlen(slash), islower))
			find(l, LINT_EXPOSE_PROTO_CASING,
			     xasprintf("EXPOSE %.100s: the protocol is not in lower case", word));
	}
}

static void check_ignored(struct linter *l, struct stage_facts *facts)
{
	const struct strv *words = &l->ins->words;

	if (!l->req->ignore || instruction_flag(l->ins, "from"))
		return;
	for (size_t i = 0; i + 1 < words->n; i++) {
		autofree char *source = expand(l, words->items[i], &facts->names), *clean = NULL;
		autofree char *rooted = source ? xasprintf("/%s", source) : NULL;

		if (!source || l->missed.n > 0 || strncmp(words->items[i], "<<", 2) == 0 ||
		    url_is_http(source) || strstr(source, "://") || !pattern_is_plain(source))
			continue;
		clean = path_clean(rooted);
		if (clean[1] && ignore_matches(l->req->ignore, clean + 1) &&
		    ignore_skips(l->req->ignore, clean + 1))
			find(l, LINT_COPY_IGNORED,
			     xasprintf("%s %.100s: an ignore file leaves it out",
				       instruction_word(l->ins->kind), source));
	}
}

static void check_once(struct linter *l, const struct stage_facts *facts, size_t place)
{
	if (facts->last_of[l->ins->kind] != place)
		find(l, LINT_MULTIPLE,
		     xasprintf("of several %s in a stage only the last one counts",
			       instruction_word(l->ins->kind)));
}

static void define_all(struct linter *l, struct stage_facts *facts)
{
	for (size_t i = 0; i < l->ins->words.n; i++)
		define(&facts->names, l->ins->words.items[i], NULL);
}

static void check_one(struct linter *l, struct stage_facts *facts, size_t place)
{
	check_continuation(l);
	switch (l->ins->kind) {
	case INS_ADD:
	case INS_COPY:
		check_words(l, facts);
		check_ignored(l, facts);
		break;
	case INS_ARG:
		check_secrets(l);
		if (l->ins->words.n == 1) {
			autofree char *name = xstrndup(l->ins->words.items[0],
						       strcspn(l->ins->words.items[0], "="));

			check_description(l, name);
		}
		check_words(l, facts);
		define_all(l, facts);
		break;
	case INS_ENV:
		check_secrets(l);
		check_legacy(l);
		check_words(l, facts);
		define_all(l, facts);
		break;
	case INS_LABEL:
		check_legacy(l);
		check_words(l, facts);
		break;
	case INS_EXPOSE:
		check_ports(l);
		check_words(l, facts);
		break;
	case INS_STOPSIGNAL:
	case INS_USER:
	case INS_VOLUME:
		check_words(l, facts);
		break;
	case INS_WORKDIR:
		check_words(l, facts);
		check_workdir(l, facts);
		break;
	case INS_CMD:
	case INS_ENTRYPOINT:
		check_command(l, facts);
		check_once(l, facts, place);
		break;
	case INS_HEALTHCHECK:
		check_once(l, facts, place);
		break;
	case INS_MAINTAINER:
		find(l, LINT_MAINTAINER,
		     xstrdup("MAINTAINER is no longer used; LABEL "
			     "org.opencontainers.image.authors=NAME is"));
		break;
	case INS_SHELL:
		facts->has_shell = true;
		break;
	case INS_FROM:
	case INS_ONBUILD:
	case INS_RUN:
	case N_INSTRUCTIONS:
		break;
	}
}

/* all of it */

/* Those of the platforms have a value whatever is built. */
static void begin_global(struct linter *l)
{
	static const char *const kinds[] = { "PLATFORM", "OS", "ARCH", "VARIANT" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		strv_addf(&l->global, "BUILD%s=x", kinds[i]);
		strv_addf(&l->global, "TARGET%s=x", kinds[i]);
	}
}

static void check_global(struct linter *l)
{
	check_continuation(l);
	check_secrets(l);
	for (size_t i = 0; i < l->ins->words.n; i++) {
		const char *word = l->ins->words.items[i];
		size_t n = strcspn(word, "=");
		autofree char *value = word[n] ? expand(l, word + n + 1, &l->global) : NULL;
		autofree char *name = xstrndup(word, n);

		check_missed(l, LINT_UNDEFINED_ARG_IN_FROM, &l->global);
		strv_done(&l->missed);
		if (l->ins->words.n == 1)
			check_description(l, name);
		define(&l->global, name, value ? value : "");
	}
}

static void check_all(struct linter *l)
{
	const struct instructions *all = &l->req->source->all;
	size_t stage = STAGE_NONE, place = 0;

	for (size_t i = 0; i < all->n; i++) {
		l->ins = &all->items[i];
		if (l->ins->kind == INS_FROM) {
			stage = stage == STAGE_NONE ? 0 : stage + 1;
			place = 0;
			check_continuation(l);
			begin_stage(l, stage);
		} else if (stage == STAGE_NONE) {
			check_global(l);
		} else {
			check_one(l, &l->stages[stage], ++place);
		}
	}
}

static int by_line(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (int)x->rule - (int)y->rule;
}

int lint_run(const struct lint_request *req, struct lint *ret, struct error *err)
{
	const char *options = req->options ? req->options : req->source->file.check;
	struct lint lint = { NULL, 0, 0, false };
	struct linter l = { .req = req, .lint = &lint };
	int r = lint_options_parse(options ? options : "", l.off, &lint.fails, err);

	if (r < 0)
		return r;
	l.stages = xcalloc(req->plan->n + 1, sizeof(*l.stages));
	begin_global(&l);
	check_all(&l);
	check_casing(&l);
	if (lint.n > 0)
		qsort(lint.items, lint.n, sizeof(*lint.items), by_line);
	for (size_t i = 0; i < req->plan->n; i++)
		strv_done(&l.stages[i].names);
	free(l.stages);
	strv_done(&l.global);
	strv_done(&l.missed);
	*ret = lint;
	return 0;
}

void lint_done(struct lint *lint)
{
	for (size_t i = 0; i < lint->n; i++)
		free(lint->items[i].text);
	free(lint->items);
	*lint = (struct lint) { NULL, 0, 0, false };
}

/* options */

/* Names that nobody knows are of rules that another version has. */
static void set_rules(const char *list, bool off[N_LINT_RULES], bool value)
{
	autofree char *copy = xstrdup(list);
	char *rest = copy, *name;

	while ((name = strsep(&rest, ","))) {
		name += strspn(name, BLANKS);
		name[strcspn(name, BLANKS)] = '\0';
		for (size_t i = 0; i < N_LINT_RULES; i++)
			if (strcasecmp(name, "all") == 0 || strcasecmp(name, rules[i].name) == 0)
				off[i] = value;
	}
}

static int set_option(const char *name, const char *value, bool off[N_LINT_RULES], bool *fails,
		      struct error *err)
{
	if (strcasecmp(name, "skip") == 0) {
		set_rules(value, off, true);
		return 0;
	}
	if (strcasecmp(name, "experimental") == 0) {
		if (strcasecmp(value, "all") == 0 ||
		    strcasestr(value, rules[LINT_DEFINITION_DESCRIPTION].name))
			off[LINT_DEFINITION_DESCRIPTION] = false;
		return 0;
	}
	if (strcasecmp(name, "error") != 0)
		return error_set(err, -EINVAL,
				 "check=: there is no '%.40s', only skip, error, experimental",
				 name);
	if (strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
		return error_set(err, -EINVAL, "check=: error is true or false, not '%.40s'",
				 value);
	*fails = strcasecmp(value, "true") == 0;
	return 0;
}

int lint_options_parse(const char *text, bool ret_off[N_LINT_RULES], bool *ret_fails,
		       struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *part;
	int r = 0;

	memset(ret_off, 0, N_LINT_RULES * sizeof(*ret_off));
	ret_off[LINT_DEFINITION_DESCRIPTION] = true;
	*ret_fails = false;
	while (r == 0 && (part = strsep(&rest, ";"))) {
		char *value = strchr(part, '=');

		part += strspn(part, BLANKS);
		if (!*part)
			continue;
		if (!value)
			return error_set(err, -EINVAL,
					 "check=: '%.40s' wants a value, as in skip=%s", part,
					 rules[LINT_JSON_ARGS].name);
		*value++ = '\0';
		part[strcspn(part, BLANKS)] = '\0';
		value += strspn(value, BLANKS);
		for (size_t n = strlen(value); n > 0 && strchr(BLANKS, value[n - 1]); n--)
			value[n - 1] = '\0';
		r = set_option(part, value, ret_off, ret_fails, err);
	}
	return r;
}
