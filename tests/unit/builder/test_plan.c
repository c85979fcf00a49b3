#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/containerfile.h"
#include "builder/instruction.h"
#include "builder/plan.h"

/* "[label:base-or-image] ..." of the stages that are needed; or the error. */
static char *plan_text(const char *text, const char *target, const char *arg)
{
	struct containerfile f = { .escape = 0 };
	struct instructions all = { NULL, 0 };
	struct scope_given given;
	struct strv args = { 0 };
	struct plan plan = { NULL, 0, 0 };
	struct fault fault;
	struct error err = { 0 };
	struct plan_request req = {
		.file = &f, .all = &all, .name = "F", .given = &given, .target = target
	};
	char *got = xstrdup("");
	int r;

	if (arg)
		strv_add(&args, arg);
	assert_int_equal(containerfile_parse(text, strlen(text), "F", &f, &fault, NULL), 0);
	assert_int_equal(instructions_parse(&f, "F", &all, &fault, NULL), 0);
	assert_int_equal(scope_given_init(&given, &args, "linux/arm/v7", NULL), 0);
	r = plan_make(&req, &plan, &fault, &err);
	for (size_t i = 0; r == 0 && i < plan.n; i++) {
		const struct stage_plan *s = &plan.stages[i];
		char *longer = s->base == STAGE_NONE
				       ? xasprintf("%s[%s:%s]", got, s->label, s->image)
				       : xasprintf("%s[%s:#%zu]", got, s->label, s->base);

		if (!s->needed) {
			free(longer);
			continue;
		}
		free(got);
		got = longer;
	}
	if (r < 0) {
		free(got);
		got = xstrdup(err.text);
	}
	plan_done(&plan);
	scope_given_done(&given);
	strv_done(&args);
	instructions_done(&all);
	containerfile_done(&f);
	return got;
}

static void only_what_the_target_needs(void **state)
{
	static const struct {
		const char *text, *target, *arg, *plan;
	} cases[] = {
		{ "FROM a", NULL, NULL, "[stage-0:a]" },
		{ "FROM a AS X\nFROM b\nFROM x", NULL, NULL, "[x:a][stage-2:#0]" },
		{ "FROM a AS x\nFROM b\nCOPY --from=X q w", NULL, NULL, "[x:a][stage-1:b]" },
		{ "FROM a\nFROM b\nCOPY --from=0 q w", NULL, NULL, "[stage-0:a][stage-1:b]" },
		{ "FROM a\nFROM b\nCOPY --from=img q w", NULL, NULL, "[stage-1:b]" },
		{ "FROM a AS x\nFROM b\nRUN --mount=type=bind,from=x,target=/m w", NULL, NULL,
		  "[x:a][stage-1:b]" },
		{ "FROM a AS x\nFROM b AS y\nFROM c AS z\nCOPY --from=y q w", "z", NULL,
		  "[y:b][z:c]" },
		{ "FROM a AS x\nFROM x AS x\nFROM x", NULL, NULL, "[x:a][x:#0][stage-2:#1]" },
		{ "FROM a AS x\nFROM b", "0", NULL, "[x:a]" },
		{ "FROM a AS x\nFROM b", "X", NULL, "[x:a]" },
		{ "ARG I=a T\nFROM $I:${T:-1}", NULL, NULL, "[stage-0:a:1]" },
		{ "ARG I=a\nFROM $I", NULL, "I=z", "[stage-0:z]" },
		{ "FROM a-$TARGETARCH$TARGETVARIANT", NULL, NULL, "[stage-0:a-armv7]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = plan_text(cases[i].text, cases[i].target, cases[i].arg);

		assert_string_equal(got, cases[i].plan);
	}
}

static void mistakes(void **state)
{
	static const struct {
		const char *text, *target, *error;
	} cases[] = {
		{ "", NULL, "F has no FROM; an image starts with one" },
		{ "ENV a=b\nFROM a", NULL, "F:1: only ARG may stand before the first FROM" },
		{ "FROM $NO", NULL,
		  "F:1: the image's name is empty: does a variable in it have no value?" },
		{ "FROM a AS 1x", NULL,
		  "F:1: a stage's name starts with a letter and holds letters, digits, - _ ." },
		{ "FROM a AS build", "bild",
		  "--target bild: F has no such stage; did you mean build?" },
		{ "FROM a", "3", "--target 3: F has no such stage" },
		{ "ARG x=${y\nFROM a", NULL, "F:1: syntax error: missing '}'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = plan_text(cases[i].text, cases[i].target, NULL);

		assert_string_equal(got, cases[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_target_needs),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests_name("builder/plan", tests, NULL, NULL);
}
