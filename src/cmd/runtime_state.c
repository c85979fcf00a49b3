/* src/cmd/runtime_state.c - strake-runtime state, list and ps */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/runtime.h"
#include "runtime/instance.h"
#include "runtime/record.h"
#include "runtime/spec.h"

/* The members that callers read, "created" and "rootfs" among them, beside the specification's. */
static json_t *describe(const struct record *rec)
{
	enum record_status status = record_status(rec);
	cleanup(spec_cleanup) struct spec *spec = NULL;
	char created[CLOCK_TEXT_LEN];
	json_t *doc = json_object();

	clock_format(rec->created_ns, created);
	(void)json_object_set_new(doc, "ociVersion", json_string("1.1.0"));
	(void)json_object_set_new(doc, "id", json_string(rec->id));
	(void)json_object_set_new(doc, "pid",
				  json_integer(status == RECORD_STOPPED ? 0 : rec->pid));
	(void)json_object_set_new(doc, "status", json_string(record_status_word(status)));
	(void)json_object_set_new(doc, "bundle", json_string(rec->bundle));
	if (spec_load(rec->bundle, &spec, NULL) == 0) {
		(void)json_object_set_new(doc, "rootfs", json_string(spec->root));
		if (spec->annotations)
			(void)json_object_set(doc, "annotations", spec->annotations);
	}
	(void)json_object_set_new(doc, "created", json_string(created));
	(void)json_object_set_new(doc, "owner", json_string(""));
	return doc;
}

static int state_run(const void *globals, const void *args, int argc, char **argv,
		     struct error *err)
{
	struct record rec = RECORD_INIT;
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = record_load(runtime_root(globals), argv[0], &rec, err);

	(void)args;
	(void)argc;
	if (r < 0)
		return r;
	doc = describe(&rec);
	record_done(&rec);
	(void)json_dumpf(doc, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	return 0;
}

const struct cmd cmd_runtime_state = {
	.name = "state",
	.operands = "ID",
	.help = "Print the state document of a container",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = state_run,
};

struct list_args {
	const char *format;
	bool quiet;
};

static const struct opt list_opts[] = {
	OPT(struct list_args, format, "format", 'f', "FORMAT", "table (default) or json"),
	OPT(struct list_args, quiet, "quiet", 'q', NULL, "only IDs"),
	{ 0 },
};

static void print_list(const json_t *all)
{
	static const char *const headings[] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED" };
	static const char *const keys[] = { "id", "pid", "status", "bundle", "created" };
	const json_t *doc;
	struct table t;
	size_t i;

	table_init(&t, ARRAY_SIZE(headings), headings);
	json_array_foreach (all, i, doc) {
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const json_t *value = json_object_get(doc, keys[k]);

			if (json_is_string(value))
				table_cell(&t, json_string_value(value));
			else
				table_cellf(&t, "%lld", (long long)json_integer_value(value));
		}
	}
	table_print(&t, stdout);
	table_done(&t);
}

static int list_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct list_args *args = data;
	cleanup(json_cleanup) json_t *all = json_array();
	struct strv ids = { 0 };
	int r = record_ids(runtime_root(globals), &ids, err);

	(void)argc;
	(void)argv;
	if (r == -EACCES || r == -EPERM)
		return error_wrap(err, r, "not as this user; --root names a directory of your own");
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		struct record rec = RECORD_INIT;

		if (record_load(runtime_root(globals), ids.items[i], &rec, NULL) < 0)
			continue;
		if (args->quiet)
			(void)puts(rec.id);
		else
			(void)json_array_append_new(all, describe(&rec));
		record_done(&rec);
	}
	strv_done(&ids);
	if (r < 0 || args->quiet)
		return r;
	if (args->format && strcmp(args->format, "json") == 0) {
		(void)json_dumpf(all, stdout, JSON_COMPACT);
		(void)putchar('\n');
	} else {
		print_list(all);
	}
	return 0;
}

const struct cmd cmd_runtime_list = {
	.name = "list",
	.operands = "",
	.help = "List containers",
	.opts = list_opts,
	.args_size = sizeof(struct list_args),
	.run_alone = list_run,
};

static int ps_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct list_args *args = data;
	cleanup(spec_cleanup) struct spec *spec = NULL;
	cleanup(json_cleanup) json_t *all = json_array();
	autofree pid_t *pids = NULL;
	struct record rec = RECORD_INIT;
	size_t n = 0;
	int r = record_load(runtime_root(globals), argv[0], &rec, err);

	(void)argc;
	if (r == 0)
		r = spec_load(rec.bundle, &spec, err);
	if (r == 0)
		r = instance_pids(spec, rec.id, &pids, &n, err);
	record_done(&rec);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (args->format && strcmp(args->format, "json") == 0)
			(void)json_array_append_new(all, json_integer(pids[i]));
		else
			(void)printf("%d\n", pids[i]);
	}
	if (r == 0 && args->format && strcmp(args->format, "json") == 0) {
		(void)json_dumpf(all, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	return r;
}

const struct cmd cmd_runtime_ps = {
	.name = "ps",
	.operands = "ID",
	.help = "List the processes of a container",
	.opts = list_opts,
	.args_size = sizeof(struct list_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = ps_run,
};
