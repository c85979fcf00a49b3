/* src/cmd/network.c - strake network ls and inspect */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "engine/engine.h"
#include "network/inspect.h"
#include "network/network.h"

struct ls_args {
	bool quiet;
	const char *format;
};

static const struct opt ls_opts[] = {
	OPT(struct ls_args, quiet, "quiet", 'q', NULL, "only names"),
	OPT(struct ls_args, format, "format", 0, "FORMAT", "table (default) or json"),
	{ 0 },
};

static void print_cell(struct table *t, const json_t *value)
{
	table_cell(t, json_is_string(value) ? json_string_value(value) : "-");
}

static void print_networks(const json_t *all)
{
	static const char *const headings[] = { "NETWORK", "BRIDGE", "SUBNET", "GATEWAY",
						"CONTAINERS" };
	static const char *const keys[] = { "Name", "Bridge", "Subnet", "Gateway" };
	const json_t *doc;
	struct table t;
	size_t i;

	table_init(&t, ARRAY_SIZE(headings), headings);
	json_array_foreach (all, i, doc) {
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			print_cell(&t, json_object_get(doc, keys[k]));
		table_cellf(&t, "%zu", json_object_size(json_object_get(doc, "Containers")));
	}
	table_print(&t, stdout);
	table_done(&t);
}

static int ls_run(struct engine *engine, const void *data, int argc, char **argv, struct error *err)
{
	const struct ls_args *args = data;
	cleanup(json_cleanup) json_t *all = json_array();
	struct strv names = { 0 };
	int r = network_names(engine_db(engine), true, &names, err);

	(void)argc;
	(void)argv;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		json_t *doc = NULL;

		if (args->quiet)
			(void)puts(names.items[i]);
		r = network_inspect(engine_db(engine), names.items[i], &doc, err);
		if (r == 0)
			(void)json_array_append_new(all, doc);
	}
	strv_done(&names);
	if (r < 0 || args->quiet)
		return r;
	if (args->format && strcmp(args->format, "json") == 0) {
		(void)json_dumpf(all, stdout, JSON_INDENT(4));
		(void)putchar('\n');
	} else {
		print_networks(all);
	}
	return 0;
}

static const struct cmd cmd_network_ls = {
	.name = "ls",
	.operands = "",
	.help = "List networks",
	.details =
		"The network \"bridge\" is made when the first container needs it, and removed with the last.\n"
		"Besides there are always \"none\" (loopback only) and \"host\".",
	.opts = ls_opts,
	.args_size = sizeof(struct ls_args),
	.run = ls_run,
};

static int inspect_run(struct engine *engine, const void *args, int argc, char **argv,
		       struct error *err)
{
	cleanup(json_cleanup) json_t *all = json_array();
	int r = 0;

	(void)args;
	for (int i = 0; r == 0 && i < argc; i++) {
		json_t *doc = NULL;

		r = network_inspect(engine_db(engine), argv[i], &doc, err);
		if (r == 0)
			(void)json_array_append_new(all, doc);
	}
	if (r < 0)
		return r;
	(void)json_dumpf(all, stdout, JSON_INDENT(4));
	(void)putchar('\n');
	return 0;
}

static const struct cmd cmd_network_inspect = {
	.name = "inspect",
	.operands = "NETWORK...",
	.help = "Tell everything about networks, as JSON",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = inspect_run,
};

extern const struct cmd cmd_network_create, cmd_network_rm, cmd_network_prune, cmd_network_connect,
	cmd_network_disconnect, cmd_network_check, cmd_network_reload, cmd_network_draw,
	cmd_network_show;

static const struct cmd *const network_cmds[] = {
	&cmd_network_create, &cmd_network_ls,      &cmd_network_inspect,    &cmd_network_rm,
	&cmd_network_prune,  &cmd_network_connect, &cmd_network_disconnect, &cmd_network_check,
	&cmd_network_reload, &cmd_network_draw,    &cmd_network_show,       NULL,
};

const struct cmd cmd_network = {
	.name = "network",
	.help = "Make, look at and remove networks",
	.sub = network_cmds,
};
