/* src/cmd/ps.c - strake ps */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/ps_filter.h"
#include "cmd/rows.h"
#include "engine/container.h"
#include "engine/status.h"

#define COMMAND_WIDTH 24
#define LABELS_BYTES  (1U << 20) /* a command line has no more */
#define LIST_BYTES    4096       /* ports or a command in one cell */

struct ps_args {
	bool all, quiet, no_trunc, latest;
	const char *format, *last;
	struct strv filters;
};

static const struct opt ps_opts[] = {
	OPT(struct ps_args, all, "all", 'a', NULL, "those that do not run, too"),
	OPT(struct ps_args, filters, "filter", 'f', "KEY=VALUE",
	    "only those with this name, id, status, label, ancestor, network or exited"),
	OPT(struct ps_args, last, "last", 'n', "N", "only the N newest, running or not"),
	OPT(struct ps_args, latest, "latest", 'l', NULL, "only the newest, running or not"),
	OPT(struct ps_args, quiet, "quiet", 'q', NULL, "only IDs"),
	OPT(struct ps_args, no_trunc, "no-trunc", 0, NULL, "whole IDs and commands"),
	OPT(struct ps_args, format, "format", 0, "FORMAT",
	    "table (default), json, or such as '{{.Name}} {{.State}}'"),
	{ 0 },
};

static void add_ports(struct table *t, const struct strv *ports)
{
	struct buf text = BUF_INIT(LIST_BYTES);

	for (size_t i = 0; i < ports->n; i++)
		buf_addf(&text, "%s%s", i ? ", " : "", ports->items[i]);
	table_cell(t, buf_text(&text));
	buf_done(&text);
}

/* In quotes, so that one sees where it ends and whether there was more. */
static void add_command(struct table *t, const struct strv *command, bool whole)
{
	struct buf text = BUF_INIT(LIST_BYTES);

	for (size_t i = 0; i < command->n; i++)
		buf_addf(&text, "%s%s", i ? " " : "", command->items[i]);
	if (!whole && text.len > COMMAND_WIDTH)
		table_cellf(t, "\"%.*s...\"", COMMAND_WIDTH - 3, buf_text(&text));
	else
		table_cellf(t, "\"%s\"", buf_text(&text));
	buf_done(&text);
}

static void add_row(struct table *t, const struct ps_args *args, const struct container *c,
		    const struct status *s)
{
	char age[32], text[80];

	clock_format_age(clock_now_ns() - c->created_ns, age);
	status_text(s, text);
	table_cellf(t, "%.*s", args->no_trunc ? ID_LEN : ID_SHORT_LEN, c->id);
	table_cell(t, c->source);
	add_command(t, &c->command, args->no_trunc);
	table_cellf(t, "%s ago", age);
	table_cell(t, text);
	table_cell(t, s->kind == STATUS_RUNNING && c->address ? c->address : "");
	if (s->kind == STATUS_RUNNING)
		add_ports(t, &c->ports);
	else
		table_cell(t, ""); /* what has ended publishes nothing */
	table_cell(t, c->name);
}

/* What a table of some columns calls them; both ways to say the name. */
static const struct column columns[] = {
	{ "CONTAINER ID", "ID" },
	{ "NAMES", "Names" },
	{ "NAME", "Name" },
	{ "CREATED AT", "CreatedAt" },
	{ "CREATED", "RunningFor" },
	{ "EXIT CODE", "ExitCode" },
	{ NULL, NULL },
};

/* What is printed when all has been seen. */
struct listing {
	struct table table;
	struct rows rows;
	bool misses; /* a field that the template names */
};

static json_t *row_of(const struct container *c, const struct status *s)
{
	json_t *doc = json_object();
	char created[CLOCK_TEXT_LEN], text[80], age[32];
	struct buf labels = BUF_INIT(LABELS_BYTES);
	autofree char *since = NULL;

	status_text(s, text);
	clock_format(c->created_ns, created);
	clock_format_age(clock_now_ns() - c->created_ns, age);
	since = xasprintf("%s ago", age);
	for (size_t i = 0; i < c->labels.n; i++)
		buf_addf(&labels, "%s%s", i ? "," : "", c->labels.items[i]);
	(void)json_object_set_new(doc, "ID", json_string(c->id));
	(void)json_object_set_new(doc, "Name", json_string(c->name));
	(void)json_object_set_new(doc, "Image", json_string(c->source));
	(void)json_object_set_new(doc, "Command", json_from_strv(&c->command));
	(void)json_object_set_new(doc, "CreatedAt", json_string(created));
	(void)json_object_set_new(doc, "RunningFor", json_string(since));
	(void)json_object_set_new(doc, "Labels", json_string(buf_text(&labels)));
	buf_done(&labels);
	(void)json_object_set_new(doc, "State", json_string(status_word(s)));
	(void)json_object_set_new(doc, "Status", json_string(text));
	(void)json_object_set_new(doc, "ExitCode", json_integer(s->exit_code));
	(void)json_object_set_new(doc, "Pid", json_integer(s->pid));
	(void)json_object_set_new(doc, "Network", json_string(c->network));
	(void)json_object_set_new(doc, "Address",
				  c->address ? json_string(c->address) : json_null());
	(void)json_object_set_new(
		doc, "Ports", s->kind == STATUS_RUNNING ? json_from_strv(&c->ports) : json_array());
	return doc;
}

/* "table {{.ID}}\t{{.Names}}" */
static bool is_template_table(const struct ps_args *args)
{
	return strncmp(args->format, "table ", 6) == 0 && format_is_template(args->format);
}

/* As JSON, or as the template says, where a name is also found as others call it. */
static int print_row(const struct ps_args *args, const struct container *c, const struct status *s,
		     struct listing *l, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = row_of(c, s);
	int r = 0;

	if (format_is_template(args->format)) {
		(void)json_object_set_new(doc, "Names", json_string(c->name));
		if (is_template_table(args))
			rows_add(&l->rows, steal_ptr(&doc));
		else
			r = format_print(doc, args->format, FORMAT_ROW, err);
		l->misses = r < 0;
		return r;
	}
	(void)json_dumpf(doc, stdout, JSON_COMPACT);
	(void)putchar('\n');
	return 0;
}

static bool is_table(const struct ps_args *args)
{
	return !args->format || strcmp(args->format, "table") == 0;
}

/* A damaged one is shown as far as it is known, with a note; one that is being made is not yet. */
static int load(struct engine *engine, const char *id, struct container **ret, struct error *err)
{
	struct error why, note = { 0 };
	int r;

	if (container_maker(engine, id))
		return -ENOENT;
	r = container_load_row(engine, id, ret, &why, err);
	if (r < 0 || why.code == 0)
		return r;
	(void)error_set(&note, why.code,
			"container %s is damaged: %.300s; 'strake rm -f %s' removes it",
			(*ret)->name, why.text, (*ret)->name);
	cmd_report("ps", &note);
	return 0;
}

/* Returns whether it is one to be shown. */
static int show(struct engine *engine, const struct ps_args *args, const char *id,
		struct listing *l, struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	struct error note = { 0 };
	struct status s;
	int r = status_read(engine, id, &s, err);

	if (r < 0 || (s.kind != STATUS_RUNNING && !args->all))
		return r;
	if (!args->quiet || args->filters.n > 0)
		r = load(engine, id, &c, err);
	if (r < 0 || (args->filters.n > 0 && !ps_filter_fits(&args->filters, c, &s)))
		return r;
	if (args->quiet)
		(void)printf("%.*s\n", args->no_trunc ? ID_LEN : ID_SHORT_LEN, id);
	else if (is_table(args))
		add_row(&l->table, args, c, &s);
	else
		r = print_row(args, c, &s, l, err);
	if (r >= 0 && s.damage.code) {
		status_advise(&s, c ? c->name : id, &note);
		cmd_report("ps", &note);
	}
	return r < 0 ? r : 1;
}

static int check(const struct ps_args *args, uint64_t *ret_most, struct error *err)
{
	int r;

	*ret_most = args->latest ? 1 : UINT64_MAX;
	if (!is_table(args) && strcmp(args->format, "json") != 0 &&
	    !format_is_template(args->format))
		return error_set(err, -EINVAL,
				 "--format is table, json or such as '{{.Name}}', not '%s'",
				 args->format);
	if (args->last && (number_parse(args->last, INT32_MAX, ret_most) < 0 || *ret_most == 0))
		return error_set(err, -EINVAL, "--last wants a number above 0, not '%s'",
				 args->last);
	r = is_table(args) ? 0 : format_check(args->format, err);
	return r < 0 ? r : ps_filter_check(&args->filters, err);
}

static int ps_run(struct engine *engine, const void *data, int argc, char **argv, struct error *err)
{
	static const char *const headings[] = { "CONTAINER ID", "IMAGE",   "COMMAND", "CREATED",
						"STATUS",       "ADDRESS", "PORTS",   "NAME" };
	struct ps_args args = *(const struct ps_args *)data;
	struct strv ids = { 0 };
	struct listing l = { .misses = false };
	uint64_t most, shown = 0;
	int first = 0, r = check(&args, &most, err);

	(void)argc;
	(void)argv;
	if (r < 0)
		return r;
	args.all = args.all || args.latest || args.last || ps_filter_wants_all(&args.filters);
	r = container_ids(engine, &ids, err);
	rows_init(&l.rows, columns, args.format);
	table_init(&l.table, ARRAY_SIZE(headings), headings);
	for (size_t i = 0; r == 0 && i < ids.n && shown < most; i++) {
		struct error failure = { 0 };
		int one = show(engine, &args, ids.items[i], &l, &failure);

		shown += one > 0;
		/* One removed meanwhile is not an error; a damaged one is told and hides no other.
		 */
		if (l.misses) {
			*err = failure;
			r = one;
		} else if (one < 0 && one != -ENOENT) {
			cmd_report("ps", &failure);
			first = 1;
		}
	}
	if (r == 0 && !args.quiet && is_table(&args))
		table_print(&l.table, stdout);
	if (r == 0 && args.format && !args.quiet && is_template_table(&args))
		r = rows_print(&l.rows, err);
	table_done(&l.table);
	rows_done(&l.rows);
	strv_done(&ids);
	return r < 0 ? r : first;
}

const struct cmd cmd_ps = {
	.name = "ps",
	.operands = "",
	.help = "List containers",
	.opts = ps_opts,
	.args_size = sizeof(struct ps_args),
	.run = ps_run,
};
