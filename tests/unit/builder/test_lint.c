#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "builder/ignore.h"
#include "builder/lint.h"
#include "builder/plan.h"
#include "builder/source.h"
#include "image/image.h"

static int image(void *data, const char *name, struct image_config *ret)
{
	(void)data;
	if (strcmp(name, "base") != 0)
		return -ENOENT;
	*ret = (struct image_config) { .os = xstrdup("linux"), .architecture = xstrdup("s390x") };
	strv_add(&ret->env, "PATH=/bin");
	strv_add(&ret->env, "OF_BASE=1");
	return 0;
}

/* "LINE Rule|LINE Rule|", or with texts "LINE Rule: text|". */
static char *findings(const char *text, const char *options, bool texts)
{
	struct scope_given given = { .args = { 0 } };
	struct ignore ignore = { NULL, 0, 0 };
	struct buf got = BUF_INIT(10000);
	struct source source = { .file = { .n = 0 } };
	struct plan plan = { NULL, 0, 0 };
	struct lint lint = { NULL, 0, 0, false };
	struct plan_request pr = {
		.file = &source.file, .all = &source.all, .name = "F", .given = &given
	};
	struct lint_request lr = { .source = &source,
				   .plan = &plan,
				   .ignore = &ignore,
				   .platform = "linux/s390x",
				   .options = options,
				   .image = image };
	struct fault fault;
	struct error err = { 0 };

	assert_int_equal(ignore_parse("*.log\n", 6, &ignore, NULL), 0);
	assert_int_equal(source_parse(text, strlen(text), "F", &source, &fault, &err), 0);
	assert_int_equal(plan_make(&pr, &plan, &fault, &err), 0);
	if (lint_run(&lr, &lint, &err) < 0)
		buf_add_str(&got, err.text);
	for (size_t i = 0; i < lint.n; i++) {
		buf_addf(&got, "%u %s", lint.items[i].first, lint_name(lint.items[i].rule));
		buf_addf(&got, "%s%s|", texts ? ": " : "", texts ? lint.items[i].text : "");
	}
	lint_done(&lint);
	plan_done(&plan);
	source_done(&source);
	ignore_done(&ignore);
	scope_given_done(&given);
	return buf_steal(&got);
}

static void each_rule_finds_what_it_is_for(void **state)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
		{ "FROM base\nCMD [\"a\"]\n", "" },
		{ "FROM base AS Name\n", "1 StageNameCasing|" },
		{ "FROM base as name\n", "1 FromAsCasing|" },
		{ "from base as name\n", "" },
		{ "from base AS name\n", "1 FromAsCasing|" },
		{ "FROM base\nENV a=1 \\\n\n b=2\n", "3 NoEmptyContinuation|" },
		{ "FROM base\nENV a=1 \\\n# x\n b=2\n", "" },
		{ "FROM base\nenv a=1\nLABEL b=1\n", "2 ConsistentInstructionCasing|" },
		{ "from base\nenv a=1\nLABEL b=1\n", "3 ConsistentInstructionCasing|" },
		{ "FROM base\nEnv a=1\n", "2 ConsistentInstructionCasing|" },
		{ "FROM base AS a\nFROM base AS b\nFROM base AS a\n", "3 DuplicateStageName|" },
		{ "FROM base AS scratch\n", "1 ReservedStageName|" },
		{ "FROM base AS context\n", "1 ReservedStageName|" },
		{ "FROM base\nCMD a b\n", "2 JSONArgsRecommended|" },
		{ "FROM base\nENTRYPOINT a\n", "2 JSONArgsRecommended|" },
		{ "FROM base\nSHELL [\"sh\", \"-c\"]\nCMD a b\n", "" },
		{ "FROM base AS x\nSHELL [\"sh\", \"-c\"]\nFROM x\nCMD a\n", "" },
		{ "FROM base\nHEALTHCHECK CMD a\n", "" },
		{ "FROM base\nMAINTAINER me\n", "2 MaintainerDeprecated|" },
		{ "ARG v=base\nFROM ${v}\n", "" },
		{ "FROM base$v\n", "1 UndefinedArgInFrom|" },
		{ "FROM base\nARG v=1\nFROM base$v\n", "3 UndefinedArgInFrom|" },
		{ "FROM --platform=$BUILDPLATFORM scratch\n", "" },
		{ "FROM --platform=$PLAT scratch\n", "1 UndefinedArgInFrom|" },
		{ "ARG v\nFROM base$v\n", "" },
		{ "ARG v\nFROM $v\n", NULL }, /* the plan refuses it */
		{ "ARG v=x:\nFROM ${v}${v}\n", "2 InvalidDefaultArgInFrom|" },
		{ "FROM base\nWORKDIR a\n", "2 WorkdirRelativePath|" },
		{ "FROM base\nWORKDIR /a\nWORKDIR b\n", "" },
		{ "FROM base AS x\nWORKDIR /a\nFROM x\nWORKDIR b\n", "" },
		{ "FROM base\nENV d=/x\nWORKDIR $d\nWORKDIR e\n", "" },
		{ "FROM base\nCOPY $nope /\n", "2 UndefinedVar|" },
		{ "FROM base\nENV a=$OF_BASE$PATH\n", "" },
		{ "FROM other\nENV a=$nope\n", "" }, /* who knows what it has */
		{ "FROM scratch\nENV a=$nope\n", "2 UndefinedVar|" },
		{ "FROM scratch\nENV a=$http_proxy$PATH\n", "" },
		{ "FROM scratch\nENV a=${nope:-x} b=${nope:+x} c=${nope-x}\n", "" },
		{ "FROM scratch\nENV a='$nope' b=\\$nope\n", "" },
		{ "FROM scratch\nARG a\nENV b=$a\nUSER $b\nEXPOSE $c\n", "5 UndefinedVar|" },
		{ "FROM scratch\nENV b=$b\n", "2 UndefinedVar|" },
		{ "FROM scratch AS x\nARG a\nFROM x\nLABEL l=$a\n", "" },
		{ "FROM base\nRUN echo $nope\nCMD [\"$nope\"]\n", "" },
		{ "FROM base\nCMD [\"a\"]\nCMD [\"b\"]\n", "2 MultipleInstructionsDisallowed|" },
		{ "FROM base\nENTRYPOINT [\"a\"]\nHEALTHCHECK NONE\nENTRYPOINT [\"b\"]\n"
		  "HEALTHCHECK CMD x\n",
		  "2 MultipleInstructionsDisallowed|3 MultipleInstructionsDisallowed|" },
		{ "FROM base AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]\n", "" },
		{ "FROM base\nENV a b c\n", "2 LegacyKeyValueFormat|" },
		{ "FROM base\nLABEL a b\n", "2 LegacyKeyValueFormat|" },
		{ "FROM base\nENV a=b c=d\n", "" },
		{ "FROM --platform=$TARGETPLATFORM base\n", "1 RedundantTargetPlatform|" },
		{ "FROM --platform=linux/arm64 scratch\n", "1 FromPlatformFlagConstDisallowed|" },
		{ "FROM --platform=linux/arm64 scratch AS of_arm64\n", "" },
		{ "FROM --platform=linux/arm64 base AS of_arm64\n", "1 InvalidBaseImagePlatform|" },
		{ "FROM base\nARG API_KEY\n", "2 SecretsUsedInArgOrEnv|" },
		{ "FROM base\nENV db_password=x\n", "2 SecretsUsedInArgOrEnv|" },
		{ "ARG TOKEN\nFROM base\n", "1 SecretsUsedInArgOrEnv|" },
		{ "FROM base\nENV PUBLIC_KEY=1 KEYBOARD=2 PASSWORD_FILE=/x monkey=3\n", "" },
		{ "FROM base\nCOPY a.log b /x/\n", "2 CopyIgnoredFile|" },
		{ "FROM base\nCOPY *.log /x/\nADD http://h/a.log /\nCOPY --from=base a.log /\n",
		  "" },
		{ "FROM base\nEXPOSE 80/TCP\n", "2 ExposeProtoCasing|" },
		{ "FROM base\nEXPOSE 80/tcp 81-82/udp 9\n", "" },
		{ "FROM base\nEXPOSE 127.0.0.1:80:80\n", "2 ExposeInvalidFormat|" },
		{ "FROM base\nEXPOSE 8080:80/udp\n", "2 ExposeInvalidFormat|" },
		{ "# other\nFROM base AS x\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = NULL;

		if (!cases[i].found)
			continue;
		got = findings(cases[i].text, NULL, false);
		if (strcmp(got, cases[i].found) != 0)
			print_error("%s", cases[i].text);
		assert_string_equal(got, cases[i].found);
	}
}

static void options_switch_rules(void **state)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
		{ "# check=skip=JSONArgsRecommended\nFROM base\nCMD a\nMAINTAINER m\n",
		  "4 MaintainerDeprecated|" },
		{ "# check=skip=jsonargsrecommended, MaintainerDeprecated\nFROM base\nCMD a\n"
		  "MAINTAINER m\n",
		  "" },
		{ "# check=skip=all\nFROM base\nCMD a\n", "" },
		{ "# check=skip=NoSuchRule;error=true\nFROM base\nCMD a\n",
		  "3 JSONArgsRecommended|" },
		{ "# check=experimental=all\n# what\nFROM base AS x\n# y is it\nARG y\n# x\nARG z\n"
		  "\n# free\n\nARG u\n",
		  "3 InvalidDefinitionDescription|7 InvalidDefinitionDescription|" },
		{ "# check=nope=1\nFROM base\n",
		  "check=: there is no 'nope', only skip, error, experimental" },
		{ "# check=error=maybe\nFROM base\n",
		  "check=: error is true or false, not 'maybe'" },
		{ "# check=skip\nFROM base\n",
		  "check=: 'skip' wants a value, as in skip=JSONArgsRecommended" },
	};
	autofree char *other =
		findings("# check=skip=all\nFROM base\nCMD a\n", "error=false", false);

	(void)state;
	assert_string_equal(other, "3 JSONArgsRecommended|");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = findings(cases[i].text, NULL, false);

		assert_string_equal(got, cases[i].found);
	}
}

static void texts_name_what_was_meant(void **state)
{
	autofree char *got = findings("FROM scratch\nARG version\nENV a=$verson\n", NULL, true);

	(void)state;
	assert_string_equal(got, "3 UndefinedVar: $verson is not defined; did you mean $version?|");
	for (enum lint_rule i = 0; i < N_LINT_RULES; i++) {
		assert_non_null(lint_name(i));
		assert_non_null(lint_about(i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_finds_what_it_is_for),
		cmocka_unit_test(options_switch_rules),
		cmocka_unit_test(texts_name_what_was_meant),
	};

	return cmocka_run_group_tests_name("builder/lint", tests, NULL, NULL);
}
