/* src/cmd/build.c - strake-build build */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "builder/build.h"
#include "builder/context.h"
#include "cmd/build_options.h"
#include "cmd/cmd.h"
#include "cmd/hand.h"
#include "engine/engine.h"

struct reporting {
	const struct build_args *args;
	bool quiet;
};

static void print(const char *format, const char *text)
{
	autofree char *clean = xstrdup(text);

	text_clean(clean);
	(void)fprintf(stderr, format, clean);
}

static void print_layer(const struct build_told *told)
{
	char size[NUMBER_SIZE_LEN];

	if (!told->chain) {
		(void)fputs("  nothing changed: no layer\n", stderr);
		return;
	}
	number_format_size((uint64_t)told->size, size);
	(void)fprintf(stderr, "  layer %.12s, %s\n", told->chain, size);
}

static void tell(void *data, const struct build_told *told)
{
	const struct reporting *rep = data;

	if (told->event == BUILD_WARNING) {
		print("strake build: warning: %s\n", told->text);
		return;
	}
	if (rep->quiet)
		return;
	switch (told->event) {
	case BUILD_STEP:
		(void)fprintf(stderr, "[%s %u/%u] ", told->stage, told->number, told->total);
		print("%s\n", told->text);
		return;
	case BUILD_CACHED:
		(void)fputs("  cached\n", stderr);
		return;
	case BUILD_MISS:
		if (rep->args->explain_cache)
			print("  not cached: %s\n", told->text);
		return;
	case BUILD_LAYER:
		print_layer(told);
		return;
	case BUILD_CHANGE:
		print("  %s\n", told->text);
		return;
	case BUILD_PULL:
		print("  pulling %s\n", told->text);
		return;
	case BUILD_DEBUG:
		(void)fputs("  a shell where it failed; the build ends when you leave it\n",
			    stderr);
		return;
	case BUILD_WARNING:
		return;
	}
}

static int check_args(const struct build_args *args, bool *ret_quiet, struct error *err)
{
	static const char *const pulls[] = { "missing", "always", "never" };
	bool known = !args->pull;

	for (size_t i = 0; args->pull && i < ARRAY_SIZE(pulls); i++)
		known |= strcmp(args->pull, pulls[i]) == 0;
	if (!known)
		return error_set(err, -EINVAL, "--pull wants missing, always or never, not '%.40s'",
				 args->pull);
	if (args->progress && strcmp(args->progress, "plain") != 0 &&
	    strcmp(args->progress, "quiet") != 0)
		return error_set(err, -EINVAL, "--progress is plain or quiet, not '%.40s'",
				 args->progress);
	*ret_quiet = args->quiet || (args->progress && strcmp(args->progress, "quiet") == 0);
	if (args->debug && *ret_quiet)
		return error_set(err, -EINVAL, "--debug opens a shell, which is not quiet");
	return 0;
}

/* Standard output is for the result: what containers print there goes the other way, or nowhere. */
struct outputs {
	int out, err;
};

static int outputs_turn(struct outputs *o, bool quiet, struct error *err)
{
	autoclose int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)fflush(stdout);
	o->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	o->err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (null < 0 || o->out < 0 || o->err < 0 ||
	    dup2(quiet ? null : o->err, STDOUT_FILENO) < 0 ||
	    (quiet && dup2(null, STDERR_FILENO) < 0))
		return error_sys(err, -errno, "turn standard output");
	return 0;
}

static void outputs_restore(struct outputs *o)
{
	if (o->out >= 0)
		(void)dup2(o->out, STDOUT_FILENO);
	if (o->err >= 0)
		(void)dup2(o->err, STDERR_FILENO);
	if (o->out >= 0)
		(void)close(o->out);
	if (o->err >= 0)
		(void)close(o->err);
}

static int build_it(struct engine *engine, const struct build_args *args,
		    const struct context *context, char ret_id[ID_LEN + 1], struct error *err)
{
	struct reporting rep = { .args = args };
	struct outputs outputs = { -1, -1 };
	struct strv names = { 0 };
	struct fault fault = { 0, 0 };
	struct build_request req = {
		.bytes = context->file,
		.len = context->len,
		.name = context->name,
		.context = context->fd,
		.ignore = &context->ignore,
		.target = args->target,
		.platform = args->platform,
		.pull = args->pull,
		.network = args->network,
		.build_args = &args->build_args,
		.labels = &args->labels,
		.secrets = &args->secrets,
		.add_hosts = &args->add_hosts,
		.ulimits = &args->ulimits,
		.memory = args->memory,
		.shm_size = args->shm_size,
		.names = &names,
		.newest_s = -1,
		.no_cache = args->no_cache,
		.show_changes = args->show_changes,
		.debug = args->debug,
		.tell = tell,
		.data = &rep,
	};
	int r = check_args(args, &rep.quiet, err);

	if (r == 0)
		r = read_image_names(&args->tags, "--tag", &names, err);
	if (r == 0)
		r = read_timestamp(args->timestamp, &req.newest_s, err);
	if (r == 0)
		r = outputs_turn(&outputs, rep.quiet, err);
	if (r == 0)
		r = build_run(engine, &req, ret_id, &fault, err);
	outputs_restore(&outputs);
	if (r < 0 && fault.line > 0) {
		autofree char *shown = fault_show(&fault, context->file, context->len);

		(void)fprintf(stderr, "%s\n", shown);
	}
	strv_done(&names);
	return r;
}

static int build_main(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct build_args *args = data;
	const struct context_request cr = { .path = argv[0], .file = args->file };
	cleanup(context_done) struct context context = CONTEXT_INIT;
	char id[ID_LEN + 1];
	int r = context_open(engine, &cr, &context, err);

	(void)argc;
	if (r == 0)
		r = build_it(engine, args, &context, id, err);
	if (r == 0 && args->iidfile) {
		autofree char *text = xasprintf("sha256:%s", id);

		r = file_write_at(AT_FDCWD, args->iidfile, text, strlen(text), 0644, FILE_PLAIN,
				  err);
	}
	if (r == 0)
		(void)puts(id);
	return r;
}

const struct cmd cmd_build_do = {
	.name = "build",
	.operands = "CONTEXT|ARCHIVE|-",
	.help = "Build an image from a Containerfile",
	.opts = build_opts,
	.args_size = sizeof(struct build_args),
	.min_operands = 1,
	.max_operands = 1,
	.flags = CMD_MAKES,
	.run = build_main,
};
