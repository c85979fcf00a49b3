/* src/cmd/network.c - strake network ls and inspect */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/rows.h"
#include "engine/engine.h"
#include "network/inspect.h"
#include "network/network.h"

#define SUBNETS_TEXT_MAX 2048 /* of at most 16, and two chosen ones */

struct ls_args {
	bool quiet;
	const char *format;
	struct strv filters;
};

static const struct opt ls_opts[] = {
	OPT(struct ls_args, filters, "filter", 'f', "KEY=VALUE",
	    "only these: name=a, driver=bridge, label=a=b"),
	OPT(struct ls_args, quiet, "quiet", 'q', NULL, "only names"),
	OPT(struct ls_args, format, "format", 0, "FORMAT",
	    "table, json or a template such as '{{.Name}} {{.Driver}}'"),
	{ 0 },
};

static const struct column columns[] = {
	{ "NETWORK", "Name" },    { "DRIVER", "Driver" },   { "LINK", "Link" },
	{ "SUBNETS", "Subnets" }, { "GATEWAY", "Gateway" }, { "CONTAINERS", "Count" },
	{ NULL, NULL },
};

/* filters */

static bool has_label(const json_t *doc, const char *wanted)
{
	const char *value = strchr(wanted, '=');
	size_t len = value ? (size_t)(value - wanted) : strlen(wanted);
	const json_t *labels = json_object_get(doc, "Labels"), *have;
	const char *name;

	json_object_foreach ((json_t *)labels, name, have)
		if (strlen(name) == len && strncmp(name, wanted, len) == 0)
			return !value || strcmp(json_string_value(have), value + 1) == 0;
	return false;
}

/* 1: it fits; of a filter that is none -EINVAL. */
static int fits_one(const json_t *doc, const char *filter, struct error *err)
{
	const char *name = json_string_value(json_object_get(doc, "Name"));
	const char *driver = json_string_value(json_object_get(doc, "Driver"));

	if (strncmp(filter, "name=", 5) == 0)
		return name && strstr(name, filter + 5);
	if (strncmp(filter, "driver=", 7) == 0)
		return driver && strcmp(driver, filter + 7) == 0;
	if (strncmp(filter, "label=", 6) == 0)
		return has_label(doc, filter + 6);
	return error_set(
		err, -EINVAL,
		"--filter wants name=TEXT, driver=NAME or label=NAME[=VALUE], not '%.100s'",
		filter);
}

static int fits(const json_t *doc, const struct strv *filters, struct error *err)
{
	int r = 1;

	for (size_t i = 0; r > 0 && i < filters->n; i++)
		r = fits_one(doc, filters->items[i], err);
	return r;
}

static int check_filters(const struct strv *filters, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < filters->n; i++)
		r = fits_one(NULL, filters->items[i], err);
	return MIN(r, 0);
}

/* What a table has beside what "inspect" tells. */
static void add_cells(json_t *doc)
{
	const json_t *link = json_object_get(doc, "Bridge"), *config;
	autofree char *count =
		xasprintf("%zu", json_object_size(json_object_get(doc, "Containers")));
	struct buf subnets = BUF_INIT(SUBNETS_TEXT_MAX);
	const char *gateway = json_string_value(json_object_get(doc, "Gateway"));
	size_t i;

	if (!link)
		link = json_object_get(doc, "Parent");
	json_array_foreach (json_object_get(json_object_get(doc, "IPAM"), "Config"), i, config)
		buf_addf(&subnets, "%s%s", i ? ", " : "",
			 json_string_value(json_object_get(config, "Subnet")));
	(void)json_object_set_new(doc, "Subnets",
				  json_string(subnets.len ? buf_text(&subnets) : "-"));
	buf_done(&subnets);
	(void)json_object_set_new(
		doc, "Link", json_string(json_string_length(link) ? json_string_value(link) : "-"));
	(void)json_object_set_new(doc, "Gateway", json_string(gateway && *gateway ? gateway : "-"));
	(void)json_object_set_new(doc, "Count", json_string(count));
}

static int collect(struct engine *engine, const struct strv *filters, json_t *all,
		   struct error *err)
{
	struct strv names = { 0 };
	int r = network_names(engine_db(engine), true, &names, err);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		json_t *doc = NULL;

		r = network_inspect(engine_db(engine), names.items[i], &doc, err);
		if (r == 0 && fits(doc, filters, NULL) > 0)
			(void)json_array_append(all, doc);
		json_decref(doc);
	}
	strv_done(&names);
	return r;
}

static int print_rows(const json_t *all, const char *format, struct error *err)
{
	struct rows rows;
	json_t *doc;
	size_t i;
	int r;

	rows_init(&rows, columns, format);
	json_array_foreach (all, i, doc) {
		add_cells(doc);
		rows_add(&rows, json_incref(doc));
	}
	r = rows_print(&rows, err);
	rows_done(&rows);
	return r;
}

static int ls_run(struct engine *engine, const void *data, int argc, char **argv, struct error *err)
{
	const struct ls_args *args = data;
	cleanup(json_cleanup) json_t *all = json_array();
	const json_t *doc;
	size_t i;
	int r = check_filters(&args->filters, err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = collect(engine, &args->filters, all, err);
	if (r < 0)
		return r;
	if (args->quiet) {
		json_array_foreach (all, i, doc)
			(void)puts(json_string_value(json_object_get(doc, "Name")));
		return 0;
	}
	if (!args->format || strcmp(args->format, "json") != 0)
		return print_rows(all, args->format, err);
	(void)json_dumpf(all, stdout, JSON_INDENT(4));
	(void)putchar('\n');
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

struct inspect_args {
	const char *format;
};

static const struct opt inspect_opts[] = {
	OPT(struct inspect_args, format, "format", 'f', "FORMAT",
	    "a line for each, such as '{{.Gateway}}'"),
	{ 0 },
};

static int inspect_run(struct engine *engine, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct inspect_args *args = data;
	cleanup(json_cleanup) json_t *all = json_array();
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++) {
		json_t *doc = NULL;

		r = network_inspect(engine_db(engine), argv[i], &doc, err);
		if (r == 0)
			(void)json_array_append_new(all, doc);
		if (r == 0 && args->format)
			r = format_print(doc, args->format, FORMAT_DOCUMENT, err);
	}
	if (r < 0 || args->format)
		return r;
	(void)json_dumpf(all, stdout, JSON_INDENT(4));
	(void)putchar('\n');
	return 0;
}

static const struct cmd cmd_network_inspect = {
	.name = "inspect",
	.operands = "NETWORK...",
	.help = "Tell everything about networks, as JSON",
	.opts = inspect_opts,
	.args_size = sizeof(struct inspect_args),
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
