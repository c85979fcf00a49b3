/* tests/fuzz/fuzz_lint.c - options of checks, a NUL, and a Containerfile that is checked with them
 */
#include "builder/lint.h"
#include "builder/plan.h"
#include "builder/source.h"
#include "fuzz.h"

/* A finding has a rule, a text, and a place in the file. */
static void check(const struct source *source, const struct plan *plan, const char *options)
{
	struct lint lint = { .n = 0 };
	struct error err = { 0 };
	const struct lint_request req = { .source = source, .plan = plan, .options = options };

	if (lint_run(&req, &lint, &err) < 0) {
		fuzz_must(err.text[0]);
		return;
	}
	for (size_t i = 0; i < lint.n; i++) {
		fuzz_must(lint.items[i].rule < N_LINT_RULES && lint_name(lint.items[i].rule));
		fuzz_must(lint.items[i].text && lint.items[i].first > 0);
		fuzz_must(lint.items[i].first <= lint.items[i].last);
		fuzz_must(i == 0 || lint.items[i - 1].first <= lint.items[i].first);
	}
	lint_done(&lint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *options = fuzz_text(&data, &size);
	struct source source = { .file = { .n = 0 } };
	bool off[N_LINT_RULES] = { false }, fails = false;
	struct scope_given given;
	struct strv none = { 0 };
	struct plan plan;
	struct fault fault;
	struct error err = { 0 };
	struct plan_request req = {
		.file = &source.file, .all = &source.all, .name = "F", .given = &given
	};

	fuzz_must(lint_options_parse(options, off, &fails, &err) == 0 || err.text[0]);
	fuzz_must(scope_given_init(&given, &none, NULL, NULL) == 0);
	if (source_parse((const char *)data, size, "F", &source, &fault, &err) == 0 &&
	    plan_make(&req, &plan, &fault, &err) == 0) {
		check(&source, &plan, *options ? options : NULL);
		plan_done(&plan);
	}
	source_done(&source);
	scope_given_done(&given);
	return 0;
}
