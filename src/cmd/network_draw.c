/* src/cmd/network_draw.c - strake network draw */
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "engine/network_view.h"
#include "network/picture.h"
#include "network/picture_svg.h"
#include "network/picture_text.h"

#define COLUMNS_USUAL 80 /* of a terminal that does not say */

extern const struct cmd cmd_network_draw;

struct draw_args {
	const char *output, *width, *colour;
	bool svg, ascii;
};

static const struct opt draw_opts[] = {
	OPT(struct draw_args, output, "output", 'o', "FILE",
	    "write it there: text to a name that ends in .txt, an SVG to one in .svg"),
	OPT(struct draw_args, svg, "svg", 0, NULL, "an SVG in place of text"),
	OPT(struct draw_args, ascii, "ascii", 0, NULL,
	    "only ASCII characters (so it is without a UTF-8 locale anyway)"),
	OPT(struct draw_args, width, "width", 'w', "COLUMNS",
	    "room for text (default: the terminal's; any, if it is none)"),
	OPT(struct draw_args, colour, "color", 0, "WHEN", "auto (default), always or never"),
	{ 0 },
};

static bool ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len > n && strcasecmp(name + len - n, ending) == 0;
}

/* What a file is follows from its name alone: a picture in a file that says another is no use. */
static int kind_choose(const struct draw_args *args, bool *ret_svg, struct error *err)
{
	const char *name = args->output, *base;

	*ret_svg = args->svg || (name && ends_in(name, ".svg"));
	if (!name || ends_in(name, ".svg") || ends_in(name, ".txt"))
		return args->svg && name && ends_in(name, ".txt")
			       ? error_set(err, -EINVAL, "--svg: %s is a name for text", name)
			       : 0;
	base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	if (args->svg || !strchr(base, '.'))
		return 0;
	return error_set(err, -EINVAL, "--output %s: only .txt (text) and .svg can be drawn", name);
}

static bool locale_is_utf8(void)
{
	return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int style_choose(const struct draw_args *args, enum canvas_style *ret, struct error *err)
{
	const char *when = args->colour ? args->colour : "auto", *no = getenv("NO_COLOR");
	bool coloured = strcmp(when, "always") == 0;

	if (strcmp(when, "auto") == 0)
		coloured = !args->output && isatty(STDOUT_FILENO) && !(no && *no);
	else if (!coloured && strcmp(when, "never") != 0)
		return error_set(err, -EINVAL, "--color %s: expected auto, always or never", when);
	*ret = (args->ascii || !locale_is_utf8() ? CANVAS_ASCII : 0) |
	       (coloured ? CANVAS_COLOURED : 0);
	return 0;
}

static int columns_choose(const struct draw_args *args, unsigned *ret, struct error *err)
{
	struct winsize size;
	uint64_t columns = 0;

	if (args->width) {
		if (number_parse(args->width, CANVAS_COLUMNS_MAX, &columns) < 0 || columns == 0)
			return error_set(err, -EINVAL,
					 "--width '%.40s': expected a number of columns, 1 to %u",
					 args->width, CANVAS_COLUMNS_MAX);
	} else if (!args->output && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		columns = size.ws_col ? size.ws_col : COLUMNS_USUAL;
	}
	*ret = (unsigned)columns;
	return 0;
}

static int write_out(const char *output, const char *text, size_t len, struct error *err)
{
	if (output)
		return file_write_named(output, text, len, 0644, err);
	(void)fwrite(text, 1, len, stdout);
	return 0;
}

static int draw(const struct picture *p, const struct draw_args *args, struct error *err)
{
	enum canvas_style style = CANVAS_PLAIN;
	autofree char *text = NULL;
	unsigned columns = 0;
	bool svg = false;
	size_t len = 0;
	FILE *to;
	int r = kind_choose(args, &svg, err);

	if (r == 0)
		r = style_choose(args, &style, err);

	if (r == 0)
		r = columns_choose(args, &columns, err);
	if (r < 0)
		return r;
	to = open_memstream(&text, &len);
	if (!to)
		return error_sys(err, -errno, "draw in memory");
	if (svg)
		picture_write_svg(p, to);
	else
		picture_print(p, columns, style, to);
	(void)fclose(to);
	return write_out(args->output, text, len, err);
}

static int draw_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	struct picture p = { .host = NULL };
	int r = network_view_picture(engine, &p, err);

	if (r == 0 && argc > 0 && picture_keep(&p, argv[0]) < 0)
		r = error_set(err, -ENOENT,
			      "there is no network, bridge or running container '%s' to draw",
			      argv[0]);
	if (r == 0)
		r = draw(&p, data, err);
	picture_done(&p);
	return r;
}

const struct cmd cmd_network_draw = {
	.name = "draw",
	.operands = "[NETWORK|BRIDGE|CONTAINER]",
	.help = "Draw what is connected to what, as the kernel has it",
	.details =
		"Left to right, as a packet from outside goes: the host's links, its routes and published\n"
		"ports, bridges, cables, and what is at their other ends. With a name only that part.",
	.opts = draw_opts,
	.args_size = sizeof(struct draw_args),
	.max_operands = 1,
	.run = draw_run,
};
