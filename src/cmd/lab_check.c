/* src/cmd/lab_check.c - strake-lab check, faults and hint. */
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "cmd/lab_look_options.h"
#include "cmd/lab_print.h"
#include "lab/checks.h"
#include "lab/faults.h"

static int check_run(const void *globals, const void *data, int argc, char **argv,
		     struct error *err)
{
	const struct globals *g = globals;
	const struct lab_json_args *args = data;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	struct check_results results = { .n = 0 };
	int r = lab_open(g->run_root, argv[0], &lab, err);

	(void)argc;
	if (r == 0)
		r = checks_run(lab, &results, err);
	if (r < 0)
		return r;
	if (args->json)
		lab_print_json(check_results_json(&results));
	else
		check_results_print(&results, stdout);
	r = results.failed ? 1 : 0;
	check_results_done(&results);
	return r;
}

const struct cmd cmd_lab_check = {
	.name = "check",
	.operands = "LAB",
	.help = "Try what the lab's file claims",
	.opts = lab_json_opts,
	.args_size = sizeof(struct lab_json_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = check_run,
};

static int faults_run(const void *globals, const void *data, int argc, char **argv,
		      struct error *err)
{
	static const char *const headings[] = { "ID", "LEVEL", "SUBJECT" };
	const struct lab_json_args *args = data;
	struct table table;
	json_t *list = json_array();

	(void)globals;
	(void)argc;
	(void)argv;
	(void)err;
	table_init(&table, ARRAY_SIZE(headings), headings);
	for (const struct fault *f = faults; f->id; f++) {
		table_cell(&table, f->id);
		table_cellf(&table, "%d", f->level);
		table_cell(&table, f->subject);
		(void)json_array_append_new(list, json_pack("{s:s, s:i, s:s}", "id", f->id, "level",
							    f->level, "subject", f->subject));
	}
	if (args->json)
		lab_print_json(json_incref(list));
	else
		table_print(&table, stdout);
	json_decref(list);
	table_done(&table);
	return 0;
}

const struct cmd cmd_lab_faults = {
	.name = "faults",
	.operands = "",
	.help = "List the faults that 'up --break' can hide",
	.opts = lab_json_opts,
	.args_size = sizeof(struct lab_json_args),
	.run_alone = faults_run,
};

static int hint_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	autofree char *hint = NULL;
	int r = lab_open(g->run_root, argv[0], &lab, err);

	(void)data;
	(void)argc;
	if (r == 0)
		r = fault_hint(lab, &hint, err);
	if (r == 0)
		(void)printf("%s\n", hint);
	return r;
}

const struct cmd cmd_lab_hint = {
	.name = "hint",
	.operands = "LAB",
	.help = "Say a little more about the fault that is hidden in a lab",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = hint_run,
};
