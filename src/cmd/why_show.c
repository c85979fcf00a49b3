/* src/cmd/why_show.c - strake why show */
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/why_open.h"
#include "cmd/why_options.h"
#include "kernel/stack.h"
#include "why/draw.h"
#include "why/lint.h"
#include "why/load.h"
#include "why/ruleset.h"
#include "why/show.h"

extern const struct cmd cmd_why_show;

/* The links that there are: rules that name others are told of. */
static int read_links(int netns_fd, struct strv *ret, struct error *err)
{
	struct stack stack = { .ino = 0 };
	int r = stack_read(netns_fd, STACK_WITHOUT_SOCKETS, &stack, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < stack.links.n; i++)
		strv_add(ret, stack.links.items[i].name);
	stack_done(&stack);
	return 0;
}

static int load(const void *globals, const struct why_show_args *args, int argc, char **argv,
		struct ruleset *rs, struct strv *links, struct error *err)
{
	char warning[LOAD_WARNING_LEN] = "";
	autoclose int fd = -1;
	int r;

	if (args->draw && args->json)
		return error_set(err, -EINVAL, "--draw and --json exclude each other");
	if (argc > 0 && (args->container || args->netns))
		return error_set(err, -EINVAL,
				 "rules come from files or from a namespace, not both");
	if (argc > 0)
		return load_files(rs, argv, (size_t)argc, err);
	r = why_open_netns(globals, &cmd_why_show, args->container, args->netns, &fd, err);
	if (r == 0)
		r = load_live(rs, fd, warning, err);
	if (r < 0)
		return r;
	if (warning[0])
		(void)fprintf(stderr, "warning: %s\n", warning);
	r = read_links(fd, links, err);
	if (r < 0)
		ruleset_done(rs);
	return r;
}

static int show_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct why_show_args *args = data;
	struct strv links = { 0 };
	struct findings findings = { 0 };
	struct ruleset rs;
	int r = load(globals, args, argc, argv, &rs, &links, err);

	if (r < 0) {
		strv_done(&links);
		return r;
	}
	lint(&rs, links.items, links.n, &findings);
	if (args->draw) {
		r = why_draw(args->draw, &(struct picture) { .rs = &rs }, 1, err);
	} else if (args->json) {
		json_t *doc = show_json(&rs, &findings);

		(void)json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
		(void)fputc('\n', stdout);
		json_decref(doc);
	} else {
		show_text(&rs, &findings, stdout);
	}
	findings_done(&findings);
	ruleset_done(&rs);
	strv_done(&links);
	return r;
}

const struct cmd cmd_why_show = {
	.name = "show",
	.operands = "[FILE...]",
	.help = "Tell what the firewall rules do",
	.opts = why_show_opts,
	.args_size = sizeof(struct why_show_args),
	.max_operands = INT_MAX,
	.run_alone = show_run,
};
