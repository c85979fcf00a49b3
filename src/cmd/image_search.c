/* src/cmd/image_search.c - strake-image tags, search, referrers, remote-inspect: what a registry
 * has.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/number.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/asking.h"
#include "cmd/registry_open.h"
#include "cmd/registry_options.h"
#include "transfer/progress.h"
#include "transfer/remote.h"

static int print_json(const json_t *doc)
{
	return json_dumpf(doc, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ? -EIO : 0;
}

static int format_check(const char *format, const char *plain, struct error *err)
{
	if (!format || strcmp(format, plain) == 0 || strcmp(format, "json") == 0)
		return 0;
	return error_set(err, -EINVAL, "--format wants %s or json, not '%.40s'", plain, format);
}

static bool wants_json(const char *format)
{
	return format && strcmp(format, "json") == 0;
}

static void print_clean(const char *text)
{
	for (; *text; text++)
		(void)putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

/* tags */

static int tags_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct list_args *args = data;
	cleanup(asking_done) struct asking a;
	const json_t *tags, *tag;
	size_t i;
	int r = asking_open(&a, &args->registry, argv[0], err);

	(void)globals;
	(void)argc;
	if (r == 0)
		r = format_check(args->format, "list", err);
	if (r == 0)
		r = channel_call(remote_channel(a.remote),
				 json_pack("{s:s, s:s}", "op", "tags", "name", a.name.repository),
				 NULL, 0, -1, &a.answer, err);
	if (r < 0)
		return r;
	tags = json_object_get(a.answer.doc, "tags");
	if (wants_json(args->format))
		return print_json(tags);
	json_array_foreach (tags, i, tag) {
		print_clean(json_is_string(tag) ? json_string_value(tag) : "?");
		(void)putchar('\n');
	}
	return 0;
}

/* search */

static void print_found(const json_t *results, const char *host)
{
	static const char *const headings[] = { "NAME", "STARS", "OFFICIAL", "DESCRIPTION" };
	struct table t;
	json_t *item;
	size_t i;

	table_init(&t, ARRAY_SIZE(headings), headings);
	json_array_foreach (results, i, item) {
		const char *name = json_string_value(json_object_get(item, "name"));
		const char *text = json_string_value(json_object_get(item, "description"));

		if (!name)
			continue;
		table_cellf(&t, "%s/%.200s", host, name);
		table_cellf(&t, "%lld",
			    (long long)json_integer_value(json_object_get(item, "star_count")));
		table_cell(&t, json_is_true(json_object_get(item, "is_official")) ? "yes" : "-");
		table_cellf(&t, "%.60s", text ? text : "");
	}
	table_print(&t, stdout);
	table_done(&t);
}

static int search_at(const struct list_args *args, const char *host, const char *term,
		     struct error *err)
{
	cleanup(asking_done) struct asking a = { .answer = WIRE_MESSAGE_INIT };
	struct strv hosts = { 0 };
	json_t *request;
	int r;

	a.progress = progress_new(stderr, PROGRESS_AUTO);
	strv_add(&hosts, host);
	r = registry_open(&args->registry, a.progress, NULL, &hosts, &a.remote, err);
	strv_done(&hosts);
	if (r < 0)
		return r;
	request = json_pack("{s:s, s:s, s:s, s:i}", "op", "search", "name", host, "term", term,
			    "limit", args->limit > 0 ? args->limit : 25);
	if (!request)
		return error_set(err, -EINVAL, "'%.100s' is not UTF-8", term);
	r = channel_call(remote_channel(a.remote), request, NULL, 0, -1, &a.answer, err);
	if (r < 0)
		return r;
	if (wants_json(args->format))
		return print_json(json_object_get(a.answer.doc, "results"));
	print_found(json_object_get(a.answer.doc, "results"), host);
	return 0;
}

static int search_run(const void *globals, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct list_args *args = data;
	const char *term = argv[0], *slash = strchr(term, '/');
	autofree char *host = slash ? xstrndup(term, (size_t)(slash - term)) : NULL;
	bool named = host && (strpbrk(host, ".:") || strcmp(host, "localhost") == 0);
	int r = format_check(args->format, "table", err);

	(void)globals;
	(void)argc;
	if (r < 0)
		return r;
	if (args->registry_name)
		return search_at(args, args->registry_name, term, err);
	return named ? search_at(args, host, slash + 1, err)
		     : search_at(args, "docker.io", term, err);
}

/* referrers */

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

/* A registry need not filter; it says so, or not. */
static json_t *filter(const json_t *list, const char *type)
{
	json_t *kept = json_array(), *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (!type || strcmp(text_of(item, "artifactType"), type) == 0)
			(void)json_array_append(kept, item);
	return kept;
}

static void print_referrers(const json_t *list)
{
	static const char *const headings[] = { "DIGEST", "TYPE", "SIZE" };
	struct table t;
	json_t *item;
	size_t i;

	table_init(&t, ARRAY_SIZE(headings), headings);
	json_array_foreach (list, i, item) {
		char size[NUMBER_SIZE_LEN];
		json_int_t n = json_integer_value(json_object_get(item, "size"));

		number_format_size((uint64_t)MAX(n, 0), size);
		table_cell(&t, text_of(item, "digest"));
		table_cell(&t, *text_of(item, "artifactType") ? text_of(item, "artifactType")
							      : text_of(item, "mediaType"));
		table_cell(&t, size);
	}
	table_print(&t, stdout);
	table_done(&t);
}

static int referrers_run(const void *globals, const void *data, int argc, char **argv,
			 struct error *err)
{
	const struct list_args *args = data;
	cleanup(json_cleanup) json_t *list = NULL;
	cleanup(asking_done) struct asking a;
	json_t *request;
	char digest[136];
	int r = asking_open(&a, &args->registry, argv[0], err);

	(void)globals;
	(void)argc;
	if (r == 0)
		r = format_check(args->format, "table", err);
	if (r == 0)
		r = asking_digest(&a, digest, err);
	if (r < 0)
		return r;
	request = json_pack("{s:s, s:s, s:s, s:s*}", "op", "referrers", "name", a.name.repository,
			    "digest", digest, "artifactType", args->type);
	r = channel_call(remote_channel(a.remote), request, NULL, 0, -1, &a.answer, err);
	if (r < 0)
		return r;
	list = filter(json_object_get(a.answer.doc, "manifests"), args->type);
	if (wants_json(args->format))
		return print_json(list);
	print_referrers(list);
	return 0;
}

#define ROW(name_, row, operands_, help_, opts_, args_)                                            \
	const struct cmd cmd_image_##row = {                                                       \
		.name = (name_),                                                                   \
		.operands = (operands_),                                                           \
		.help = (help_),                                                                   \
		.opts = (opts_),                                                                   \
		.args_size = sizeof(struct args_),                                                 \
		.min_operands = 1,                                                                 \
		.max_operands = 1,                                                                 \
		.run_alone = row##_run,                                                            \
	}

ROW("tags", tags, "REPOSITORY", "List tags", tags_opts, list_args);
ROW("search", search, "TERM", "Look for images", search_opts, list_args);
ROW("referrers", referrers, "IMAGE", "List what refers to an image", referrers_opts, list_args);
