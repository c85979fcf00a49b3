/* src/cmd/build.c - strake-build build */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/root.h"
#include "builder/build.h"
#include "builder/context.h"
#include "builder/git_source.h"
#include "builder/halt.h"
#include "builder/scope.h"
#include "cmd/build_call.h"
#include "cmd/build_options.h"
#include "cmd/build_view.h"
#include "cmd/build_wishes.h"
#include "cmd/cmd.h"
#include "engine/engine.h"

#define TICK_MS   100 /* of the live view */
#define OFFER_MAX 65536

static int check_view(const struct build_args *args, enum view_kind *ret, struct error *err)
{
	int r = view_kind_parse(args->progress, args->quiet, ret, err);

	if (r == 0 && args->logfile && *ret == VIEW_TTY)
		*ret = VIEW_PLAIN;
	if (r == 0 && args->run.interactive && args->debug)
		r = error_set(err, -EINVAL, "--debug and --stdin both want standard input");

	if (r == 0 && args->debug && (*ret == VIEW_QUIET || *ret == VIEW_JSON))
		r = error_set(err, -EINVAL, "--debug opens a shell, which is not %s",
			      *ret == VIEW_QUIET ? "quiet" : "JSON");
	return r;
}

/* Standard output is for the result: what a shell for the user prints goes the other way. */
struct turned {
	int out; /* -1: it was not */
};

static int turn_output(struct turned *t, struct error *err)
{
	(void)fflush(stdout);
	t->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (t->out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return error_sys(err, -errno, "turn standard output");
	return 0;
}

static void turn_back(struct turned *t)
{
	if (t->out < 0)
		return;
	(void)dup2(t->out, STDOUT_FILENO);
	(void)close(t->out);
	t->out = -1;
}

static int open_view(const struct build_args *args, enum view_kind kind, struct view *ret,
		     struct error *err)
{
	int fd = args->logfile ? open(args->logfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)
			       : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");

	if (!to)
		return error_sys(err, -errno, "open %s",
				 args->logfile ? args->logfile : "standard error");
	view_init(ret, kind, to);
	ret->explain_cache = args->explain_cache;
	return 0;
}

/* Signals that would end us wait until all is cleared up, and then do so. */
static int run_held(struct engine *engine, struct build_request *req, struct view *view,
		    struct build_result *ret, struct fault *ret_fault, struct error *err)
{
	struct turned turned = { -1 };
	sigset_t before;
	int r = req->debug ? turn_output(&turned, err) : 0;

	if (r < 0)
		return r;
	halt_hold(&before);
	req->tell = view_tell;
	req->data = view;
	req->tick_ms = view->kind == VIEW_TTY ? TICK_MS : 0;
	r = build_run(engine, req, ret, ret_fault, err);
	turn_back(&turned);
	if (r < 0)
		view_end(view);
	return r;
}

static void show_fault(const struct fault *fault, const struct context *context)
{
	autofree char *shown = fault_show(fault, context->file, context->len);

	(void)fprintf(stderr, "%s\n", shown);
}

static int look(struct engine *engine, const struct build_request *req, const struct call *call,
		const struct context *context, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct fault fault = { 0, 0 };
	int r = build_look(engine, req, call->what, &doc, &fault, err);
	size_t warnings;

	if (r < 0) {
		if (fault.line > 0)
			show_fault(&fault, context);
		return r;
	}
	warnings = call_print(call, doc, context);
	return warnings == 0 ? 1
			     : error_set(err, -EINVAL, "%s: %zu warning%s", context->name, warnings,
					 warnings == 1 ? "" : "s");
}

/* 1: there was nothing to build. */
static int build_it(struct engine *engine, const struct build_args *args,
		    const struct context *context, struct build_result *ret, struct error *err)
{
	cleanup(wishes_done) struct build_wishes wishes = { .outputs = { .n = 0 } };
	cleanup(view_done) struct view view = { .to = NULL };
	struct fault fault = { 0, 0 };
	struct build_request req = {
		.bytes = context->file,
		.len = context->len,
		.name = context->name,
		.context = context->fd,
		.ignore = &context->ignore,
	};
	enum view_kind kind = VIEW_PLAIN;
	struct call call = { .builds = true };
	int r = check_view(args, &kind, err);

	if (r == 0)
		r = wishes_read(engine, args, &wishes, &req, err);
	if (r == 0)
		r = call_parse(args->call, args->check, &call, err);
	if (r < 0 || !call.builds)
		return r < 0 ? r : look(engine, &req, &call, context, err);
	if (r == 0)
		r = open_view(args, kind, &view, err);
	if (r == 0)
		r = run_held(engine, &req, &view, ret, &fault, err);
	if (r < 0 && fault.line > 0 && kind != VIEW_JSON)
		show_fault(&fault, context);
	if (r == 0 && !outputs_use_stdout(&wishes.outputs))
		(void)puts(ret->id);
	return r;
}

static int write_iid(const char *path, const char *id, struct error *err)
{
	autofree char *text = xasprintf("sha256:%s", id);

	return file_write_named(path, text, strlen(text), 0644, err);
}

static int write_metadata(const char *path, const json_t *doc, struct error *err)
{
	autofree char *text = json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	return text ? file_write_named(path, text, strlen(text), 0600, err)
		    : error_set(err, -EINVAL, "cannot write %s as JSON", path);
}

/* What is printed ends up in logs: passwords of registries, of proxies and in URLs stay out.  A
 * proxy by its name alone is taken from the environment.
 */
static void leave_out_passwords(struct build_args *args, struct strv *ret_build_args)
{
	for (size_t i = 0; i < args->build_args.n; i++) {
		const char *arg = args->build_args.items[i];
		autofree char *name = xstrndup(arg, strcspn(arg, "="));

		strv_add(ret_build_args, scope_is_proxy(name) && strchr(arg, '@') ? name : arg);
	}
	args->build_args = *ret_build_args;
	args->credentials = NULL;
}

/* The same again, up to where it failed; what came by standard input cannot be given again. */
static void offer_shell(const struct engine *engine, const struct build_args *args,
			const char *context)
{
	autofree char *root = root_choose_lasting(NULL), *run_root = root_choose_run(NULL);
	autofree char *where = url_shown(context);
	struct build_args again = *args;
	struct buf line = BUF_INIT(OFFER_MAX);
	struct strv words = { 0 }, build_args = { 0 };

	if (args->debug || strcmp(context, "-") == 0 ||
	    (args->file && strcmp(args->file, "-") == 0))
		return;
	again.debug = true;
	again.no_cache = false;
	again.outputs = (struct strv) { 0 }; /* it does not come to that */
	again.push = false;
	leave_out_passwords(&again, &build_args);
	strv_add(&words, "strake");
	if (strcmp(engine->root, root) != 0)
		strv_addf(&words, "--root=%s", engine->root);
	if (strcmp(engine->run_root, run_root) != 0)
		strv_addf(&words, "--run-root=%s", engine->run_root);
	strv_add(&words, "build");
	opt_format(build_opts, &again, &words);
	strv_add(&words, where);
	for (size_t i = 0; i < words.n; i++) {
		buf_add_str(&line, i ? " " : "");
		buf_add_shell(&line, words.items[i]);
	}
	if (buf_result(&line) == 0)
		(void)fprintf(stderr, "a shell in this state: %s\n", buf_text(&line));
	buf_done(&line);
	strv_done(&words);
	strv_done(&build_args);
}

static int build_main(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct build_args *args = data;
	const struct context_request cr = {
		.path = argc ? argv[0] : ".",
		.file = args->file,
		.ignore_file = args->ignore_file,
		.takes_input = args->run.interactive,
		.secrets = &args->secrets,
		.keeps_git_dir = strv_has(&args->build_args, "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1"),
	};
	cleanup(context_done) struct context context = CONTEXT_INIT;
	struct build_result result = { .metadata = NULL };
	sigset_t before;
	int r = context_open(engine, &cr, &context, err);

	(void)sigprocmask(SIG_BLOCK, NULL, &before);
	if (r == 0)
		r = build_it(engine, args, &context, &result, err);
	/* A command failed, and nothing else: what it stood on is kept. */
	if (r == -ECANCELED && !args->quiet &&
	    !(args->progress && strcmp(args->progress, "json") == 0))
		offer_shell(engine, args, cr.path);
	if (halt_asked())
		context_done(&context);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (r > 0)
		return 0;
	if (r == 0 && args->iidfile)
		r = write_iid(args->iidfile, result.id, err);
	if (r == 0 && args->metadata_file)
		r = write_metadata(args->metadata_file, result.metadata, err);
	json_decref(result.metadata);
	return r;
}

const struct cmd cmd_build_do = {
	.name = "build",
	.operands = "[CONTEXT|ARCHIVE|URL|-]",
	.help = "Build an image from a Containerfile",
	.opts = build_opts,
	.args_size = sizeof(struct build_args),
	.max_operands = 1,
	.flags = CMD_MAKES,
	.run = build_main,
};
