/* src/cmd/network_show.c - strake network show */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strv.h"
#include "cmd/cmd.h"
#include "engine/network_view.h"
#include "kernel/stack.h"
#include "network/canvas.h"
#include "network/stack_text.h"

#define GAP 3 /* blanks between two columns */

extern const struct cmd cmd_network_show;

struct show_args {
	const char *format;
};

static const struct opt show_opts[] = {
	OPT(struct show_args, format, "format", 0, "FORMAT", "text (default) or json"),
	{ 0 },
};

static int look(struct engine *engine, const char *what, struct stack *ret, char **ret_path,
		pid_t *ret_pid, struct error *err)
{
	autoclose int fd = -1;
	int r = network_view_find(engine, what, ret_path, ret_pid, err);

	if (r < 0)
		return r;
	fd = open(*ret_path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? error_sys(err, -errno, "open %s", *ret_path)
		   : stack_read(fd, STACK_WHOLE, ret, err);
	if ((r == -EPERM || r == -EACCES) && geteuid() != 0)
		return error_wrap(err, r, "look at %s, which needs root", what);
	if (r == 0 && *ret_pid > 0)
		stack_name_sockets(ret, *ret_pid);
	return r;
}

/* The long line with the path comes before all, so that the rest can stand side by side. */
static int add_lines(struct engine *engine, const char *what, struct strv *ret, struct error *err)
{
	struct stack stack = { .ino = 0 };
	autofree char *path = NULL;
	pid_t pid = 0;
	int r = look(engine, what, &stack, &path, &pid, err);

	if (r < 0)
		return r;
	if (pid > 0)
		(void)printf("%s: process %d, namespace %s\n", what, (int)pid, path);
	else
		(void)printf("%s: namespace %s\n", what, path);
	strv_add(ret, what);
	stack_lines(&stack, ret);
	stack_done(&stack);
	return 0;
}

static int add_json(struct engine *engine, const char *what, json_t *ret, struct error *err)
{
	struct stack stack = { .ino = 0 };
	autofree char *path = NULL;
	pid_t pid = 0;
	json_t *doc;
	int r = look(engine, what, &stack, &path, &pid, err);

	if (r < 0)
		return r;
	doc = stack_json(&stack);
	(void)json_object_set_new(doc, "What", json_string(what));
	(void)json_object_set_new(doc, "Pid", json_integer(pid));
	(void)json_object_set_new(doc, "Namespace", json_string(path));
	(void)json_array_append_new(ret, doc);
	stack_done(&stack);
	return 0;
}

static unsigned width_of(const struct strv *lines)
{
	unsigned width = 0;

	for (size_t i = 0; i < lines->n; i++)
		width = MAX(width, canvas_text_width(lines->items[i]));
	return width;
}

static unsigned room(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : UINT_MAX;
}

/* The sections of two stacks begin in the same row, so that the eye compares. */
static void align(struct strv *a, struct strv *b)
{
	struct strv out[2] = { { 0 }, { 0 } };
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		do
			strv_add(&out[0], i < a->n ? a->items[i++] : "");
		while (i < a->n && a->items[i][0] == ' ');
		do
			strv_add(&out[1], k < b->n ? b->items[k++] : "");
		while (k < b->n && b->items[k][0] == ' ');
		while (out[0].n < out[1].n)
			strv_add(&out[0], "");
		while (out[1].n < out[0].n)
			strv_add(&out[1], "");
	}
	strv_done(a);
	strv_done(b);
	*a = out[0];
	*b = out[1];
}

static void print_lines(const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		(void)puts(lines->items[i]);
}

static void print_two(struct strv *a, struct strv *b)
{
	unsigned width = width_of(a);

	align(a, b);
	for (size_t i = 0; i < a->n; i++) {
		int pad = (int)(width - canvas_text_width(a->items[i])) + GAP;

		if (b->items[i][0])
			(void)printf("%s%*s%s\n", a->items[i], pad, "", b->items[i]);
		else
			(void)puts(a->items[i]);
	}
}

static int show_text(struct engine *engine, int argc, char **argv, struct error *err)
{
	struct strv *all = xcalloc((size_t)argc, sizeof(*all));
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++)
		r = add_lines(engine, argv[i], &all[i], err);
	for (int i = 0; r == 0 && i < argc; i++) {
		(void)putchar('\n');
		if (i + 1 < argc && width_of(&all[i]) + GAP + width_of(&all[i + 1]) <= room()) {
			print_two(&all[i], &all[i + 1]);
			i++;
		} else {
			print_lines(&all[i]);
		}
	}
	for (int i = 0; i < argc; i++)
		strv_done(&all[i]);
	free(all);
	return r;
}

static int show_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct show_args *args = data;
	cleanup(json_cleanup) json_t *all = json_array();
	int r = 0;

	if (!args->format || strcmp(args->format, "text") == 0)
		return show_text(engine, argc, argv, err);
	if (strcmp(args->format, "json") != 0)
		return error_set(err, -EINVAL, "--format %s: expected text or json", args->format);
	for (int i = 0; r == 0 && i < argc; i++)
		r = add_json(engine, argv[i], all, err);
	if (r < 0)
		return r;
	(void)json_dumpf(all, stdout, JSON_INDENT(4));
	(void)putchar('\n');
	return 0;
}

const struct cmd cmd_network_show = {
	.name = "show",
	.operands = "CONTAINER|PATH|host...",
	.help = "Tell what is in a container's network namespace",
	.details =
		"Links, addresses, routes, rules, neighbours and listening sockets, as the kernel has them; two\n"
		"side by side where there is room. A PATH is a namespace's file, such as /run/netns/blue.",
	.opts = show_opts,
	.args_size = sizeof(struct show_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = show_run,
};
