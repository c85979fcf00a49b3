/* src/cmd/why_check.c - strake why check */
#include <limits.h>
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/why_open.h"
#include "cmd/why_options.h"
#include "why/draw.h"
#include "why/eval.h"
#include "why/load.h"
#include "why/narrate.h"
#include "why/ruleset.h"

extern const struct cmd cmd_why_check;

static int read_world(const struct why_check_args *args, struct world *ret, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < args->local.n; i++)
		r = world_add_local(ret, args->local.items[i], err);
	for (size_t i = 0; r == 0 && i < args->route.n; i++)
		r = world_add_route(ret, args->route.items[i], err);
	return r;
}

static int tell(const struct check *check, const struct packet *packet, bool json)
{
	json_t *doc;

	if (!json) {
		narrate_text(check, packet, stdout);
		return narrate_status(check);
	}
	doc = narrate_json(check, packet);
	(void)json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	(void)fputc('\n', stdout);
	json_decref(doc);
	return narrate_status(check);
}

static int check(const struct why_check_args *args, char **files, size_t n,
		 const struct packet *packet, struct error *err)
{
	struct world world = { 0 };
	struct ruleset rs = { 0 };
	struct check result;
	int r = read_world(args, &world, err);

	if (r == 0)
		r = load_files(&rs, files, n, err);
	if (r == 0) {
		check_run(&rs, packet, &world, &result);
		r = tell(&result, packet, args->json);
		if (args->draw &&
		    why_draw(args->draw, &(struct picture) { .rs = &rs, .path = &result.path }, 1,
			     err) < 0)
			r = err->code;
		check_done(&result);
	}
	ruleset_done(&rs);
	world_done(&world);
	return r;
}

static int check_cmd(const void *globals, const void *data, int argc, char **argv,
		     struct error *err)
{
	struct strv words = { 0 };
	struct packet packet;
	int n = 0, r;

	(void)globals;
	while (n < argc && strcmp(argv[n], "--") != 0) {
		if (argv[n][0] == '-' && argv[n][1])
			return error_set(err, -EINVAL, "options such as %s stand before RULES",
					 argv[n]);
		n++;
	}
	if (n == 0 || n + 1 >= argc)
		return error_set(
			err, -EINVAL,
			"wants RULES... -- PACKET: files, two dashes, and the packet's words");
	strv_extend(&words, argv + n + 1, (size_t)(argc - n - 1));
	r = packet_parse(&words, &packet, err);
	strv_done(&words);
	return r < 0 ? r : check(data, argv, (size_t)n, &packet, err);
}

const struct cmd cmd_why_check = {
	.name = "check",
	.operands = "RULES... -- PACKET",
	.help = "Tell what saved rules would do with a packet",
	.opts = why_check_opts,
	.args_size = sizeof(struct why_check_args),
	.min_operands = 3,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND,
	.run_alone = check_cmd,
};
