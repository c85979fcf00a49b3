/* src/cmd/lab_show.c - strake-lab show and link. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "cmd/lab_options.h"
#include "lab/cable.h"
#include "lab/enter.h"
#include "lab/lab.h"
#include "lab/tables.h"

static void print_head(const struct lab *lab)
{
	const struct topology *t = lab->topology;

	(void)printf("%s: %zu nodes, %zu links, held by process %d\n", t->name, t->n_nodes,
		     t->n_links, lab->keeper);
	if (t->description)
		(void)printf("%s\n", t->description);
	if (lab->vlan != MEANS_NOT_NEEDED)
		(void)printf("VLANs are %s\n", lab_means_text(lab->vlan));
	if (lab->impair != MEANS_NOT_NEEDED)
		(void)printf("delay, loss and rate are %s\n", lab_means_text(lab->impair));
	(void)putchar('\n');
}

static void print_json(const struct lab *lab, const struct tables *tables)
{
	json_t *doc = tables_json(tables);

	(void)json_object_set_new(doc, "name", json_string(lab->topology->name));
	(void)json_object_set_new(doc, "keeper", json_integer(lab->keeper));
	(void)json_dumpf(doc, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(doc);
}

/* Before and after a command in this host's own network: "strake lab exec ...", usually. */
static int show_change(struct lab *lab, char *const *nodes, size_t n, char *const *command,
		       struct error *err)
{
	cleanup(tables_done) struct tables before = { .rows = NULL }, after = { .rows = NULL };
	int status = 0, r = tables_read(lab, nodes, n, &before, err);

	if (r == 0) {
		status = lab_run(command, err);
		r = status < 0 ? status : 0;
	}
	if (r == 0)
		r = tables_read(lab, nodes, n, &after, err);
	if (r == 0)
		tables_print_change(&before, &after, stdout);
	return r < 0 ? r : status;
}

static int show_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	const struct lab_show_args *args = data;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	cleanup(tables_done) struct tables tables = { .rows = NULL };
	bool json = args->format && strcmp(args->format, "json") == 0;
	int n = args->diff ? MIN(argc, 1) : argc;
	int r;

	if (args->format && !json && strcmp(args->format, "text") != 0)
		return error_set(err, -EINVAL, "--format is text or json, not '%s'", args->format);
	if (args->diff && argc < 2)
		return error_set(err, -EINVAL,
				 "--diff wants a command: show --diff LAB -- COMMAND...");
	r = lab_open(g->run_root, argv[0], &lab, err);
	if (r < 0)
		return r;
	if (args->diff)
		return show_change(lab, argv + 1, 0, argv + 1, err);
	r = tables_read(lab, argv + 1, (size_t)n - 1, &tables, err);
	if (r < 0)
		return r;
	if (json) {
		print_json(lab, &tables);
		return 0;
	}
	print_head(lab);
	tables_print(&tables, stdout);
	return 0;
}

const struct cmd cmd_lab_show = {
	.name = "show",
	.operands = "LAB [NODE...] | --diff LAB -- COMMAND...",
	.help = "Show what the devices of a lab know",
	.opts = lab_show_opts,
	.args_size = sizeof(struct lab_show_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = show_run,
};

static int link_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	bool up = strcmp(argv[3], "up") == 0;
	size_t link = 0;
	int r;

	(void)data;
	(void)argc;
	if (!up && strcmp(argv[3], "down") != 0)
		return error_set(err, -EINVAL, "a link is set up or down, not '%.40s'", argv[3]);
	r = lab_open(g->run_root, argv[0], &lab, err);
	if (r == 0)
		r = topology_find_link(lab->topology, argv[1], argv[2], &link, err);
	return r < 0 ? r : cable_set(lab, link, up, err);
}

const struct cmd cmd_lab_link = {
	.name = "link",
	.operands = "LAB A B up|down",
	.help = "Pull the cable between two nodes, or plug it in again",
	.min_operands = 4,
	.max_operands = 4,
	.run_alone = link_run,
};
