/* src/cmd/volume.c - strake volume ls, inspect */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/rows.h"
#include "engine/volume_store.h"

struct ls_args {
	bool quiet;
	const char *format;
	struct strv filters;
};

static const struct opt ls_opts[] = {
	OPT(struct ls_args, filters, "filter", 'f', "KEY=VALUE",
	    "only these: name=a, label=a=b, dangling=true (no container has it)"),
	OPT(struct ls_args, quiet, "quiet", 'q', NULL, "only names"),
	OPT(struct ls_args, format, "format", 0, "FORMAT",
	    "table, json or a template such as '{{.Name}} {{.Mountpoint}}'"),
	{ 0 },
};

static const struct column columns[] = {
	{ "DRIVER", "Driver" },
	{ "VOLUME NAME", "Name" },
	{ NULL, NULL },
};

static bool has_label(const struct volume *v, const char *wanted)
{
	size_t len = strlen(wanted);

	for (size_t i = 0; i < v->labels.n; i++)
		if (strcmp(v->labels.items[i], wanted) == 0 ||
		    (!strchr(wanted, '=') && strncmp(v->labels.items[i], wanted, len) == 0 &&
		     v->labels.items[i][len] == '='))
			return true;
	return false;
}

static int bool_parse(const char *text)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
		return 1;
	return strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ? 0 : -EINVAL;
}

/* 1: it fits; of a filter that is none -EINVAL. */
static int fits_one(const struct volume *v, const char *filter, struct error *err)
{
	const char *value = strchr(filter, '=');
	size_t len = value ? (size_t)(value - filter) : 0;
	int wanted;

	value = value ? value + 1 : "";
	if (len == 4 && strncmp(filter, "name", len) == 0)
		return strstr(v->name, value) != NULL;
	if (len == 5 && strncmp(filter, "label", len) == 0)
		return has_label(v, value);
	wanted = len == 8 && strncmp(filter, "dangling", len) == 0 ? bool_parse(value) : -EINVAL;
	if (wanted < 0)
		return error_set(err, -EINVAL,
				 "--filter wants name=TEXT, label=NAME[=VALUE] or "
				 "dangling=true|false, not '%.100s'",
				 filter);
	return (v->users.n == 0) == wanted;
}

static int fits(const struct volume *v, const struct strv *filters, struct error *err)
{
	int r = 1;

	for (size_t i = 0; r > 0 && i < filters->n; i++)
		r = fits_one(v, filters->items[i], err);
	return r;
}

static int check_filters(const struct strv *filters, struct error *err)
{
	const struct volume none = { .name = (char *)"" };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < filters->n; i++)
		r = fits_one(&none, filters->items[i], err);
	return MIN(r, 0);
}

static int ls_run(struct engine *engine, const void *data, int argc, char **argv, struct error *err)
{
	const struct ls_args *args = data;
	cleanup(volume_list_done) struct volume_list list = { .n = 0 };
	struct rows rows;
	int r = check_filters(&args->filters, err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = volume_list(engine, &list, err);
	rows_init(&rows, columns, args->format);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		if (fits(&list.items[i], &args->filters, NULL) <= 0)
			continue;
		if (args->quiet)
			(void)puts(list.items[i].name);
		else
			rows_add(&rows, volume_describe(&list.items[i]));
	}
	if (r == 0 && !args->quiet)
		r = rows_print(&rows, err);
	rows_done(&rows);
	return r;
}

static const struct cmd cmd_volume_ls = {
	.name = "ls",
	.operands = "",
	.help = "List volumes",
	.opts = ls_opts,
	.args_size = sizeof(struct ls_args),
	.run = ls_run,
};

struct inspect_args {
	const char *format;
};

static const struct opt inspect_opts[] = {
	OPT(struct inspect_args, format, "format", 'f', "FORMAT",
	    "a line for each, such as '{{.Mountpoint}}'"),
	{ 0 },
};

static int inspect_run(struct engine *engine, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct inspect_args *args = data;
	cleanup(volume_list_done) struct volume_list list = { .n = 0 };
	cleanup(json_cleanup) json_t *all = json_array();
	int r = volume_list(engine, &list, err);

	for (int i = 0; r == 0 && i < argc; i++) {
		const struct volume *v = volume_list_find(&list, argv[i]);

		if (!v)
			return error_set(err, -ENOENT,
					 "no volume '%.100s'; 'strake volume ls' lists them",
					 argv[i]);
		(void)json_array_append_new(all, volume_describe(v));
		if (args->format)
			r = format_print(json_array_get(all, (size_t)i), args->format,
					 FORMAT_DOCUMENT, err);
	}
	if (r == 0 && !args->format) {
		(void)json_dumpf(all, stdout, JSON_INDENT(4));
		(void)putchar('\n');
	}
	return r;
}

static const struct cmd cmd_volume_inspect = {
	.name = "inspect",
	.operands = "VOLUME...",
	.help = "Tell everything about volumes, as JSON",
	.opts = inspect_opts,
	.args_size = sizeof(struct inspect_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = inspect_run,
};

extern const struct cmd cmd_volume_create, cmd_volume_rm, cmd_volume_prune;

static const struct cmd *const volume_cmds[] = {
	&cmd_volume_ls, &cmd_volume_create, &cmd_volume_inspect,
	&cmd_volume_rm, &cmd_volume_prune,  NULL,
};

const struct cmd cmd_volume = {
	.name = "volume",
	.help = "Look after directories that outlive containers",
	.sub = volume_cmds,
};
