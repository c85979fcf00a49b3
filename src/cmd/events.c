/* src/cmd/events.c - strake events */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/moment.h"
#include "engine/engine.h"

#define LINE_BYTES (2U << 20)

struct events_args {
	const char *since, *until, *format;
	struct strv filters;
};

static const struct opt events_opts[] = {
	OPT(struct events_args, since, "since", 0, "TIME",
	    "what happened from then on, too: 2026-11-23T12:00:00Z, seconds since 1970, or 10m ago as 10m"),
	OPT(struct events_args, until, "until", 0, "TIME",
	    "end there; a time to come is waited for"),
	OPT(struct events_args, filters, "filter", 'f', "KEY=VALUE",
	    "only those with this type, event, container, image, network, volume, build or label"),
	OPT(struct events_args, format, "format", 0, "FORMAT",
	    "json, or such as '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'"),
	{ 0 },
};

/* filters */

enum key { TYPE, EVENT, LABEL, CONTAINER, IMAGE, NETWORK, VOLUME, BUILD, KEYS };

static const char *const keys[KEYS] = {
	[TYPE] = "type",   [EVENT] = "event",     [LABEL] = "label",   [CONTAINER] = "container",
	[IMAGE] = "image", [NETWORK] = "network", [VOLUME] = "volume", [BUILD] = "build",
};

static enum key split(const char *text, const char **ret_value)
{
	size_t len = strcspn(text, "=");
	enum key key = 0;

	*ret_value = text[len] ? text + len + 1 : "";
	while (key < KEYS && !(strlen(keys[key]) == len && memcmp(keys[key], text, len) == 0))
		key++;
	return key;
}

static const char *member(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));

	return text ? text : "";
}

static bool is_about(const json_t *actor, const char *value)
{
	const char *id = member(actor, "ID");

	id += strncmp(id, "sha256:", 7) == 0 ? 7 : 0;
	return strcmp(member(json_object_get(actor, "Attributes"), "name"), value) == 0 ||
	       (strlen(value) >= 4 && strncmp(id, value, strlen(value)) == 0) ||
	       strcmp(id, value) == 0;
}

/* A container's image and networks are about it, as Docker has it. */
static bool fits_one(const json_t *doc, enum key key, const char *value)
{
	const json_t *actor = json_object_get(doc, "Actor");
	const json_t *attributes = json_object_get(actor, "Attributes");
	const char *type = member(doc, "Type");
	size_t len = strcspn(value, "=");

	switch (key) {
	case TYPE:
		return strcmp(type, value) == 0;
	case EVENT:
		return strcmp(member(doc, "Action"), value) == 0;
	case LABEL: {
		autofree char *name = xstrndup(value, len);
		const char *have = json_string_value(json_object_get(attributes, name));

		return have && (!value[len] || strcmp(have, value + len + 1) == 0);
	}
	case IMAGE:
		if (strcmp(type, "container") == 0)
			return strcmp(member(attributes, "image"), value) == 0;
		return strcmp(type, "image") == 0 && is_about(actor, value);
	case BUILD:
		return strcmp(member(attributes, "strake.build"), value) == 0 ||
		       (strcmp(type, "build") == 0 && is_about(actor, value));
	case CONTAINER:
	case NETWORK:
	case VOLUME:
		return strcmp(type, keys[key]) == 0 && is_about(actor, value);
	case KEYS:
		break;
	}
	return false;
}

/* Of one key any, of several keys each; labels all. */
static bool fits(const struct strv *filters, const json_t *doc)
{
	bool asked[KEYS] = { false }, found[KEYS] = { false };

	for (size_t i = 0; i < filters->n; i++) {
		const char *value;
		enum key key = split(filters->items[i], &value);
		bool fits_it = fits_one(doc, key, value);

		if (key == LABEL && !fits_it)
			return false;
		asked[key] = true;
		found[key] |= fits_it;
	}
	for (enum key key = 0; key < KEYS; key++)
		if (asked[key] && !found[key])
			return false;
	return true;
}

static int check_filters(const struct strv *filters, struct error *err)
{
	for (size_t i = 0; i < filters->n; i++) {
		const char *value;

		if (split(filters->items[i], &value) == KEYS || !*value)
			return error_set(err, -EINVAL,
					 "--filter '%s': expected type=, event=, container=, "
					 "image=, network=, volume=, build= or label= and a value",
					 filters->items[i]);
	}
	return 0;
}

/* printing */

static char *line_of(const json_t *doc)
{
	const json_t *actor = json_object_get(doc, "Actor");
	json_t *attributes = json_object_get(actor, "Attributes"), *value;
	struct buf line = BUF_INIT(LINE_BYTES);
	char when[CLOCK_TEXT_LEN];
	const char *name, *comma = "";
	char *text;

	clock_format(json_integer_value(json_object_get(doc, "timeNano")), when);
	buf_addf(&line, "%s %s %s %s", when, member(doc, "Type"), member(doc, "Action"),
		 member(actor, "ID"));
	if (json_object_size(attributes) > 0)
		buf_add_str(&line, " (");
	json_object_foreach (attributes, name, value) {
		buf_addf(&line, "%s%s=%s", comma, name,
			 json_is_string(value) ? json_string_value(value) : "");
		comma = ", ";
	}
	if (json_object_size(attributes) > 0)
		buf_add_char(&line, ')');
	text = buf_steal(&line);
	text_clean(text);
	return text;
}

static int print_one(const struct events_args *args, const json_t *doc, struct error *err)
{
	autofree char *text = NULL;

	if (args->format && format_is_template(args->format))
		return format_print(doc, args->format, FORMAT_ROW, err);
	text = args->format ? json_dumps(doc, JSON_COMPACT) : line_of(doc);
	(void)puts(text);
	return 0;
}

static int read_window(const struct events_args *args, struct event_window *ret, struct error *err)
{
	int r = 0;

	*ret = (struct event_window) { .since_ns = clock_now_ns(),
				       .until_ns = INT64_MAX,
				       .follow = true };
	if (args->since)
		r = moment_parse("--since", args->since, &ret->since_ns, err);
	if (r == 0 && args->until)
		r = moment_parse("--until", args->until, &ret->until_ns, err);
	return r;
}

static int events_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct events_args *args = data;
	struct event_reader *reader = NULL;
	struct event_window window;
	json_t *doc = NULL;
	int r = check_filters(&args->filters, err);

	(void)argc;
	(void)argv;
	if (r == 0 && args->format && strcmp(args->format, "json") != 0) {
		if (!format_is_template(args->format))
			return error_set(err, -EINVAL,
					 "--format '%s': expected json, or a template such as "
					 "'{{.Action}}'",
					 args->format);
		r = format_check(args->format, err);
	}
	if (r == 0)
		r = read_window(args, &window, err);
	if (r == 0)
		r = event_reader_open(engine_root(engine), &window, &reader, err);
	while (r == 0 && !ferror(stdout) && event_reader_next(reader, &doc) > 0) {
		if (fits(&args->filters, doc))
			r = print_one(args, doc, err);
		json_decref(doc);
		(void)fflush(stdout);
	}
	event_reader_close(reader);
	return r;
}

const struct cmd cmd_events = {
	.name = "events",
	.operands = "",
	.help = "Show what happens to containers, images, networks, volumes and builds",
	.details =
		"A line for each thing as it happens, until it is interrupted. With --since, what happened\n"
		"before comes first; with --until it ends. The last some ten thousand are kept.",
	.opts = events_opts,
	.args_size = sizeof(struct events_args),
	.run = events_run,
};
