/* src/cmd/image_inspect.c - strake image inspect */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/handover.h"
#include "cmd/registry_options.h"
#include "engine/engine.h"
#include "image/describe.h"
#include "image/image.h"
#include "image/reference.h"
#include "image/tree.h"

struct inspect_args {
	const char *format;
	bool words;
	bool remote;
	struct remote_inspect_args there; /* with --remote, but for this: */
	struct registry_args registry;
};

static const struct opt inspect_opts[] = {
	OPT(struct inspect_args, format, "format", 'f', "FORMAT",
	    "a line for each, such as '{{.Id}} {{.Os}}/{{.Architecture}}'"),
	OPT(struct inspect_args, words, "words", 0, NULL, "tell it in words, not as JSON"),
	OPT(struct inspect_args, remote, "remote", 0, NULL,
	    "one that is in a registry, without fetching it"),
	OPT(struct inspect_args, there.platform, "platform", 0, "OS/ARCH[/VARIANT]",
	    "with --remote: which variant of an image for several"),
	OPT(struct inspect_args, there.raw, "raw", 0, NULL,
	    "with --remote: the manifest, byte by byte"),
	OPT(struct inspect_args, there.config, "config", 0, NULL,
	    "with --remote: the image's configuration"),
	REGISTRY_OPTS(struct inspect_args),
	{ 0 },
};

/* What comes from the image is cleaned: it may hold an escape sequence. */
static void line(const char *label, const char *text)
{
	if (!text || !*text)
		return;
	(void)printf("%-14s", label);
	for (const char *p = text; *p; p++)
		(void)putchar((unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p);
	(void)putchar('\n');
}

static char *joined(const struct strv *items, const char *between)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < items->n; i++) {
		autofree char *before = text;

		text = xasprintf("%s%s%s", before, i ? between : "", items->items[i]);
	}
	return text;
}

static void list(const char *label, const struct strv *items)
{
	for (size_t i = 0; i < items->n; i++)
		line(i ? "" : label, items->items[i]);
}

static void say_command(const struct image_config *c)
{
	struct strv all = { 0 };
	autofree char *command = NULL, *text = NULL;

	strv_extend(&all, c->entrypoint.items, c->entrypoint.n);
	strv_extend(&all, c->cmd.items, c->cmd.n);
	command = joined(&all, " ");
	text = xasprintf("%s   as %s in %s", all.n ? command : "nothing by itself; say a command",
			 c->user ? c->user : "root", c->workdir ? c->workdir : "/");
	line("runs", text);
	strv_done(&all);
}

static void say_age(const struct image *image, const json_t *doc)
{
	char age[32], size[NUMBER_SIZE_LEN];
	autofree char *text = NULL;
	int64_t ns;

	number_format_size((uint64_t)image->size, size);
	if (image->config.created && clock_parse(image->config.created, &ns) == 0)
		clock_format_age(clock_now_ns() - ns, age);
	else
		(void)snprintf(age, sizeof(age), "some time");
	text = xasprintf("%s for %s/%s, made %s ago", size,
			 image->config.os ? image->config.os : "?",
			 image->config.architecture ? image->config.architecture : "?", age);
	line("is", text);
	line("by", json_string_value(json_object_get(doc, "Author")));
}

static void say_labels(const json_t *doc)
{
	json_t *labels = json_object_get(json_object_get(doc, "Config"), "Labels"), *value;
	const char *name, *label = "labels";

	json_object_foreach (labels, name, value) {
		autofree char *text = xasprintf("%s=%s", name, json_string_value(value));

		line(label, text);
		label = "";
	}
}

static void say_layers(const struct tree *t)
{
	char size[NUMBER_SIZE_LEN];
	size_t shared = 0;
	autofree char *text = NULL;

	for (size_t i = 0; i < t->n; i++)
		shared += t->layers[i].bases.n || t->layers[i].sharers.n;
	number_format_size((uint64_t)t->hidden, size);
	text = xasprintf("%zu, %zu of them shared with other images, %s hidden by later ones", t->n,
			 shared, size);
	line("layers", text);
	for (size_t i = t->n; i > 0; i--)
		if (t->layers[i - 1].bases.n)
			list("built on", &t->layers[i - 1].bases);
	line("distribution", t->distribution);
}

static void say_names(const struct image *image)
{
	char familiar[REFERENCE_MAX];

	for (size_t i = 0; i < image->names.n; i++) {
		reference_familiar(image->names.items[i], familiar);
		line(i ? "" : "names", familiar);
	}
}

static int say_words(struct engine *engine, const struct image *image, const json_t *doc,
		     struct error *err)
{
	cleanup(tree_done) struct tree t = { .n = 0 };
	int r = tree_read(engine_db(engine), engine_root(engine), engine_root_fd(engine), image, &t,
			  err);

	if (r < 0)
		return r;
	line("image", image->id);
	say_names(image);
	say_age(image, doc);
	say_command(&image->config);
	list("environment", &image->config.env);
	list("listens on", &image->config.exposed_ports);
	list("keeps data in", &image->config.volumes);
	line("stopped by", image->config.stop_signal);
	say_labels(doc);
	say_layers(&t);
	return 0;
}

static int inspect_one(struct engine *engine, const struct inspect_args *args, const char *what,
		       json_t *all, struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	json_t *doc = NULL;
	int r = image_find(engine_db(engine), engine_root_fd(engine), what, &image, err);

	if (r == 0)
		r = image_describe(engine_db(engine), engine_root(engine), engine_root_fd(engine),
				   image, &doc, err);
	if (r == 0 && args->format)
		r = format_print(doc, args->format, FORMAT_DOCUMENT, err);
	if (r == 0 && args->words)
		r = say_words(engine, image, doc, err);
	if (doc)
		(void)json_array_append_new(all, doc);
	return r;
}

static int inspect_run(struct engine *engine, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct inspect_args *args = data;
	struct remote_inspect_args there = args->there;
	cleanup(json_cleanup) json_t *all = json_array();
	int r = 0;

	if (args->remote && argc != 1)
		return error_set(err, -EINVAL, "--remote wants one image");
	there.registry = args->registry;
	if (args->remote)
		return handover("strake-image", "remote-inspect", NULL, remote_inspect_opts, &there,
				argv, err);
	if (args->words && args->format)
		return error_set(err, -EINVAL, "--words and --format exclude each other");
	for (int i = 0; r == 0 && i < argc; i++)
		r = inspect_one(engine, args, argv[i], all, err);
	if (r == 0 && !args->format && !args->words) {
		(void)json_dumpf(all, stdout, JSON_INDENT(4));
		(void)putchar('\n');
	}
	return r;
}

const struct cmd cmd_image_inspect = {
	.name = "inspect",
	.operands = "IMAGE...",
	.help = "Tell everything about images, as JSON or in words",
	.opts = inspect_opts,
	.args_size = sizeof(struct inspect_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = inspect_run,
};
