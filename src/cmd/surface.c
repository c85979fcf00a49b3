/* src/cmd/surface.c - strake report: how large something is, and how large its surface */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/surface.h"
#include "image/image.h"

#define SHOWN_MAX 20 /* of a list, without --all */

struct report_args {
	bool all;
	const char *format;
};

static const struct opt report_opts[] = {
	OPT(struct report_args, all, "all", 'a', NULL, "whole lists, packages, too"),
	OPT(struct report_args, format, "format", 0, "FORMAT", "text (default) or json"),
	{ 0 },
};

static void put_clean(const char *text)
{
	for (; *text; text++)
		(void)putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
	(void)putchar('\n');
}

static void print_list(const char *label, const struct strv *items, const char *none, bool all)
{
	size_t shown = all ? items->n : MIN(items->n, SHOWN_MAX);

	(void)printf("%-16s", label);
	if (items->n == 0)
		(void)puts(none);
	for (size_t i = 0; i < shown; i++) {
		(void)printf("%*s", i ? 16 : 0, "");
		put_clean(items->items[i]);
	}
	if (shown < items->n)
		(void)printf("%*s... and %zu more; --all shows them\n", 16, "", items->n - shown);
}

static void print_packages(const struct packages *p, bool all)
{
	(void)printf("%-16s", "packages");
	if (!p->manager)
		(void)puts("none found");
	else if (strcmp(p->manager, "rpm") == 0)
		(void)puts("a database of rpm, which is not read");
	else
		(void)printf("%zu of %s\n", p->names.n, p->manager);
	for (size_t i = 0; all && i < p->names.n; i++) {
		(void)printf("%*s", 16, "");
		put_clean(p->names.items[i]);
	}
}

static void print_text(const struct surface *s, bool is_container, bool all)
{
	const struct survey *v = &s->survey;
	autofree char *distribution = distribution_text(&v->distribution);
	char size[NUMBER_SIZE_LEN];

	number_format_size((uint64_t)v->bytes, size);
	(void)printf("%-16s%s in %lld files (%lld executable), %lld directories, %lld links\n",
		     "size", size, (long long)v->files, (long long)v->executables,
		     (long long)v->directories, (long long)v->links);
	(void)printf("%-16s", "distribution");
	put_clean(distribution);
	print_packages(&v->packages, all);
	print_list("set-ID files", &v->set_id, "none", all);
	print_list("file caps", &v->capable, "none", all);
	print_list("writable by all", &v->open, "none", all);
	print_list("device files", &v->devices, "none", all);
	if (is_container)
		print_list("listens on", &s->listening,
			   s->running ? "nothing" : "nothing; it does not run", all);
	(void)printf("%-16s%s\n", "runs as", s->user);
	print_list("capabilities", &s->capabilities, "none", true);
	(void)printf("%-16sno_new_privs %s, system call filter %s, root %s\n", "guards",
		     s->no_new_privileges ? "on" : "off", s->filtered ? "on" : "off",
		     s->read_only ? "read-only" : "writable");
}

static void set_list(json_t *doc, const char *key, const struct strv *items)
{
	(void)json_object_set_new(doc, key, json_from_strv(items));
}

static void print_json(const struct surface *s)
{
	const struct survey *v = &s->survey;
	autofree char *distribution = distribution_text(&v->distribution);
	cleanup(json_cleanup) json_t *doc = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:b, s:b}", "Bytes",
		(json_int_t)v->bytes, "Files", (json_int_t)v->files, "Executables",
		(json_int_t)v->executables, "Directories", (json_int_t)v->directories, "Links",
		(json_int_t)v->links, "Distribution", distribution, "PackageManager",
		v->packages.manager ? v->packages.manager : "", "User", s->user, "NoNewPrivileges",
		s->no_new_privileges, "Seccomp", s->filtered, "ReadOnly", s->read_only);

	if (!doc) /* an os-release that is not UTF-8 */
		doc = json_object();
	set_list(doc, "Packages", &v->packages.names);
	set_list(doc, "SetId", &v->set_id);
	set_list(doc, "FileCapabilities", &v->capable);
	set_list(doc, "WritableByAll", &v->open);
	set_list(doc, "Devices", &v->devices);
	set_list(doc, "Listening", &s->listening);
	set_list(doc, "Capabilities", &s->capabilities);
	(void)json_dumpf(doc, stdout, JSON_INDENT(2));
	(void)putchar('\n');
}

/* A container of that name wins, as in inspect. */
static int find(struct engine *engine, const char *what, struct container **ret_c,
		struct image **ret_image, struct error *err)
{
	int r = container_find(engine, what, ret_c, NULL);

	if (r != -ENOENT)
		return r < 0 ? error_set(err, r, "'%s' names several containers", what) : 0;
	r = image_find(engine_db(engine), engine_root_fd(engine), what, ret_image, err);
	return r == -ENOENT ? error_set(err, r, "no container and no image '%s'", what) : r;
}

static int report_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	cleanup(image_cleanup) struct image *image = NULL;
	cleanup(surface_done) struct surface s = { .user = NULL };
	const struct report_args *args = data;
	bool json = args->format && strcmp(args->format, "json") == 0;
	int r;

	(void)argc;
	if (args->format && !json && strcmp(args->format, "text") != 0)
		return error_set(err, -EINVAL, "--format is text or json, not '%s'", args->format);
	r = find(engine, argv[0], &c, &image, err);
	if (r == 0)
		r = c ? surface_of_container(engine, c, &s, err)
		      : surface_of_image(engine, image, &s, err);
	if (r < 0)
		return r;
	if (json)
		print_json(&s);
	else
		print_text(&s, c != NULL, args->all);
	return 0;
}

const struct cmd cmd_surface = {
	.name = "report",
	.operands = "CONTAINER|IMAGE",
	.help = "Tell how large a container or image is, and its surface",
	.details =
		"Files, set-ID files and files with capabilities, what everybody may write to, the distribution\n"
		"and its packages, which capabilities the program has, and where it listens.",
	.opts = report_opts,
	.args_size = sizeof(struct report_args),
	.min_operands = 1,
	.max_operands = 1,
	.run = report_run,
};
