/* tests/fuzz/fuzz_containerfile.c */
#include "builder/containerfile.h"
#include "builder/instruction.h"
#include "builder/plan.h"
#include "fuzz.h"

static void read_plan(const struct containerfile *f, const struct instructions *all)
{
	struct scope_given given;
	struct strv none = { 0 };
	struct plan plan;
	struct fault fault;
	struct error err = { 0 };
	const struct plan_request req = { .file = f, .all = all, .name = "F", .given = &given };

	fuzz_must(scope_given_init(&given, &none, NULL, NULL) == 0);
	if (plan_make(&req, &plan, &fault, &err) == 0) {
		for (size_t i = 0; i < plan.n; i++)
			fuzz_must(plan.stages[i].base == STAGE_NONE || plan.stages[i].base < i);
		plan_done(&plan);
	} else {
		fuzz_must(err.text[0]);
	}
	scope_given_done(&given);
}

/* Whatever the bytes: an error has a text, and every place lies in the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct containerfile f;
	struct instructions all;
	struct fault fault = { 0, 0 };
	struct error err = { 0 };
	autofree char *shown = NULL;

	if (containerfile_parse(bytes, size, "F", &f, &fault, &err) < 0) {
		fuzz_must(err.text[0]);
		shown = fault_show(&fault, bytes, size);
		return 0;
	}
	for (size_t i = 0; i < f.n; i++) {
		fuzz_must(f.lines[i].text[0] && f.lines[i].first <= f.lines[i].last);
		for (size_t k = 0; k < f.lines[i].ndocs; k++)
			fuzz_must(f.lines[i].docs[k].content);
		fault = line_fault(&f.lines[i], strlen(f.lines[i].text));
		fuzz_must(fault.line >= f.lines[i].first && fault.line <= f.lines[i].last);
	}
	if (instructions_parse(&f, "F", &all, &fault, &err) < 0) {
		fuzz_must(err.text[0] && fault.line > 0);
		shown = fault_show(&fault, bytes, size);
	} else {
		read_plan(&f, &all);
		instructions_done(&all);
	}
	containerfile_done(&f);
	return 0;
}
