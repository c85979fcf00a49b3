/* src/cmd/lab_draw.c - strake-lab draw: a picture, or a film. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "cmd/lab_look_options.h"
#include "lab/diagnose.h"
#include "lab/draw.h"
#include "lab/path.h"
#include "lab/play.h"

static bool ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len > n && strcmp(name + len - n, ending) == 0;
}

/* A name without an ending is taken for what was asked. */
static bool can_be_drawn(const struct lab_draw_args *args)
{
	const char *slash = strrchr(args->output, '/');

	if (!strchr(slash ? slash + 1 : args->output, '.'))
		return true;
	if (args->play)
		return ends_in(args->output, ".html") || ends_in(args->output, ".htm");
	return ends_in(args->output, ".svg") || (!args->svg && ends_in(args->output, ".txt"));
}

/* The film's frames are captured first: looking for domains teaches the switches. */
static int watch(struct lab *lab, char **ends, struct path *ret, struct error *err)
{
	struct diagnosis d;
	struct ip_net net = { .prefix_len = 0 };
	size_t from = 0, to = 0;
	int r = topology_need_node(lab->topology, ends[0], &from, err);

	if (r == 0)
		r = topology_need_node(lab->topology, ends[1], &to, err);
	if (r < 0)
		return r;
	diagnosis_init(&d, lab);
	if (!node_address_for(&d.facts, from, to, AF_INET, &net))
		r = error_set(err, -EINVAL, "%s has no IP address to be reached by", ends[1]);
	diagnosis_done(&d);
	return r < 0 ? r : path_observe(lab, from, &net.ip, NULL, true, ret, err);
}

static int write_picture(const struct lab_draw_args *args, const struct layout *l,
			 const struct path *film, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	int r = 0;

	if (!to)
		return error_sys(err, -errno, "draw in memory");
	if (film)
		play_write(l, film, to);
	else if (args->svg || (args->output && ends_in(args->output, ".svg")))
		draw_svg(l, to);
	else
		draw_text(l, !args->output && isatty(STDOUT_FILENO), to);
	(void)fclose(to);
	if (args->output)
		r = file_write_named(args->output, text, len, 0644, err);
	else
		(void)fwrite(text, 1, len, stdout);
	return r;
}

static int draw_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	const struct lab_draw_args *args = data;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	struct domains domains = { .topology = NULL };
	struct path film;
	struct layout layout;
	int r;

	if (argc != (args->play ? 3 : 1))
		return error_set(err, -EINVAL,
				 args->play ? "--play wants two nodes behind the lab"
					    : "two nodes are for --play");
	if (args->output && !can_be_drawn(args))
		return error_set(err, -EINVAL, "--output %s: only %s can be drawn", args->output,
				 args->play ? ".html" : ".svg and .txt");
	r = lab_open(g->run_root, argv[0], &lab, err);
	if (r == 0 && args->play)
		r = watch(lab, argv + 1, &film, err);
	if (r < 0)
		return r;
	r = domains_observe(lab, &domains, err);
	if (r == 0) {
		layout_make(lab->topology, &domains, &layout);
		r = write_picture(args, &layout, args->play ? &film : NULL, err);
		layout_done(&layout);
		domains_done(&domains);
	}
	if (args->play)
		path_done(&film);
	return r;
}

const struct cmd cmd_lab_draw = {
	.name = "draw",
	.operands = "LAB [NODE NODE]",
	.help = "Draw a lab, or a film of one ping",
	.opts = lab_draw_opts,
	.args_size = sizeof(struct lab_draw_args),
	.min_operands = 1,
	.max_operands = 3,
	.run_alone = draw_run,
};
