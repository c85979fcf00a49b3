/* src/cmd/lab_up.c - strake-lab up, down and list. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "cmd/lab_options.h"
#include "lab/faults.h"
#include "lab/lab.h"
#include "lab/up.h"

static void report(const struct lab *lab, int64_t ms)
{
	const struct topology *t = lab->topology;

	(void)fprintf(stderr, "%s is up: %zu nodes, %zu links, in %lld ms\n", t->name, t->n_nodes,
		      t->n_links, (long long)ms);
	if (lab->vlan != MEANS_NOT_NEEDED)
		(void)fprintf(stderr, "VLANs are %s\n", lab_means_text(lab->vlan));
	if (lab->impair != MEANS_NOT_NEEDED)
		(void)fprintf(stderr, "delay, loss and rate are %s\n", lab_means_text(lab->impair));
}

/* A lab that cannot have it does not stay. */
static int break_it(const char *run_root, struct lab *lab, const char *fault, struct error *err)
{
	int r = fault_hide(lab, fault, err);

	if (r < 0)
		ignore_result(lab_down(run_root, lab->topology->name, NULL));
	return r;
}

static int up_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	cleanup(lab_cleanup) struct lab *lab = NULL;
	const struct globals *g = globals;
	const struct lab_up_args *args = data;
	int64_t start = clock_monotonic_ms();
	const struct lab_request request = { .root = g->root,
					     .run_root = g->run_root,
					     .file = argv[0] };
	int r = lab_up(&request, &lab, err);

	(void)argc;
	if (r == 0 && lab && args->fault)
		r = break_it(g->run_root, lab, args->fault, err);
	if (r == 0 && lab && !args->quiet)
		report(lab, clock_monotonic_ms() - start);
	if (r == 0 && lab && args->fault && !args->quiet)
		(void)fprintf(stderr,
			      "a fault is hidden in it: 'strake lab check %s' shows what it "
			      "does, 'strake lab hint %s' helps\n",
			      lab->topology->name, lab->topology->name);
	return r;
}

const struct cmd cmd_lab_up = {
	.name = "up",
	.operands = "FILE",
	.help = "Raise the lab that a file describes",
	.opts = lab_up_opts,
	.args_size = sizeof(struct lab_up_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = up_run,
};

/* Every lab is tried; the first failure decides. */
static int down_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	int first = 0;

	(void)data;
	for (int i = 0; i < argc; i++) {
		struct error failure = { 0 };
		int r = lab_down(g->run_root, argv[i], &failure);

		if (r < 0 && argc > 1)
			cmd_report("lab down", &failure);
		if (r < 0 && first == 0 && err)
			*err = failure;
		first = first < 0 ? first : r;
	}
	if (first < 0 && argc > 1)
		return error_set(err, first, "not every lab was taken down");
	return first;
}

const struct cmd cmd_lab_down = {
	.name = "down",
	.operands = "LAB...",
	.help = "Take labs down",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = down_run,
};

static void list_row(struct table *table, const struct lab *lab)
{
	char age[32];

	clock_format_age(clock_now_ns() - lab->since_ns, age);
	table_cell(table, lab->topology->name);
	table_cellf(table, "%zu", lab->topology->n_nodes);
	table_cellf(table, "%zu", lab->topology->n_links);
	table_cellf(table, "%s", age);
	table_cellf(table, "%d", lab->keeper);
	table_cell(table, lab->topology->description ? lab->topology->description : "");
}

static json_t *list_entry(const struct lab *lab)
{
	return json_pack("{s:s, s:I, s:I, s:i, s:I}", "name", lab->topology->name, "nodes",
			 (json_int_t)lab->topology->n_nodes, "links",
			 (json_int_t)lab->topology->n_links, "keeper", lab->keeper, "since",
			 (json_int_t)(lab->since_ns / 1000000000));
}

static void list(const struct globals *g, const struct strv *names,
		 const struct lab_list_args *args, bool as_json)
{
	static const char *const headings[] = { "LAB", "NODES", "LINKS", "UP FOR", "KEEPER", "" };
	cleanup(table_done) struct table table = { .columns = 0 };
	cleanup(json_cleanup) json_t *doc = json_array();

	table_init(&table, ARRAY_SIZE(headings), headings);
	for (size_t i = 0; i < names->n; i++) {
		cleanup(lab_cleanup) struct lab *lab = NULL;

		if (args->quiet)
			(void)puts(names->items[i]);
		else if (lab_open(g->run_root, names->items[i], &lab, NULL) < 0)
			continue; /* went meanwhile */
		else if (as_json)
			(void)json_array_append_new(doc, list_entry(lab));
		else
			list_row(&table, lab);
	}
	if (as_json) {
		(void)json_dumpf(doc, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	} else if (!args->quiet) {
		table_print(&table, stdout);
	}
}

static int list_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	cleanup(strv_done) struct strv names = { 0 };
	const struct globals *g = globals;
	const struct lab_list_args *args = data;
	bool json = args->format && strcmp(args->format, "json") == 0;
	int r;

	(void)argc;
	(void)argv;
	if (args->format && !json && strcmp(args->format, "table") != 0)
		return error_set(err, -EINVAL, "--format is table or json, not '%s'", args->format);
	labs_clean(g->run_root);
	r = lab_list(g->run_root, &names, err);
	if (r == 0)
		list(g, &names, args, json);
	return r;
}

const struct cmd cmd_lab_list = {
	.name = "list",
	.operands = "",
	.help = "List the labs that are up",
	.opts = lab_list_opts,
	.args_size = sizeof(struct lab_list_args),
	.run_alone = list_run,
};
