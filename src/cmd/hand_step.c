/* src/cmd/hand_step.c - strake-build from, run, copy and add */
#include "cmd/hand.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "builder/hand.h"
#include "builder/ignore.h"
#include "cmd/build_given.h"
#include "cmd/cmd.h"
#include "cmd/hand_options.h"
#include "engine/engine.h"
#include "image/commit.h"

#define IGNORE_MAX (4U << 20)

/* Why an image could not be fetched is said by who tried. */
static void tell_complaint(void *data, const struct build_told *told)
{
	(void)data;
	if (told->event == BUILD_OUTPUT && told->is_error)
		(void)fwrite(told->text, 1, told->len, stderr);
}

int hand_step_request(struct build_request *ret, struct error *err)
{
	hand_request_init(ret);
	ret->tell = tell_complaint;
	return source_date_epoch(&ret->newest_s, err);
}

int hand_end(struct hand *hand, int r)
{
	if (r == 0)
		r = hand_save(hand);
	hand_done(hand);
	return r;
}

/* from */

static int write_cid(struct engine *engine, const char *path, const char *name, struct error *err)
{
	cleanup(working_done) struct working w = WORKING_INIT;
	int r = working_find(engine_root_fd(engine), name, &w, err);

	return r < 0 ? r : file_write_named(path, w.id, strlen(w.id), 0644, err);
}

static int from_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct hand_from_args *args = data;
	autofree char *name = NULL;
	autofree char *parts = given_platform(args->arch, args->os, args->variant);
	const struct given_registry registry = { args->tls_verify, args->auth_file,
						 args->credentials, args->cert_dir };
	struct strv flags = { 0 };
	struct build_request req;
	int r = hand_step_request(&req, err);

	(void)argc;
	if (r == 0 && parts && args->platform)
		r = error_set(err, -EINVAL,
			      "--platform says it all; leave --arch, --os and --variant away");
	if (r == 0)
		r = given_pull(args->pull_always  ? "always"
			       : args->pull_never ? "never"
						  : args->pull,
			       &req, err);
	given_registry(&registry, &flags);
	req.registry_flags = &flags;
	req.platform = parts ? parts : args->platform;
	if (r == 0)
		r = hand_from(engine, &req, argv[0], args->name, &name, err);
	if (r == 0 && args->cidfile)
		r = write_cid(engine, args->cidfile, name, err);
	if (r == 0)
		(void)puts(name);
	strv_done(&flags);
	return r;
}

const struct cmd cmd_hand_from_do = {
	.name = "from",
	.operands = "IMAGE|scratch",
	.help = "Begin an image by hand: a working container",
	.opts = hand_from_opts,
	.args_size = sizeof(struct hand_from_args),
	.min_operands = 1,
	.max_operands = 1,
	.flags = CMD_MAKES,
	.run = from_run,
};

/* run */

static int run_run(struct engine *engine, const void *data, int argc, char **argv,
		   struct error *err)
{
	const struct hand_run_args *args = data;
	const int skip = argc > 2 && strcmp(argv[1], "--") == 0 ? 2 : 1;
	struct strv flags = { 0 }, words = { 0 };
	struct hand_run run = { .env = &args->env,
				.user = args->user,
				.workdir = args->workdir,
				.tty = args->tty || isatty(STDIN_FILENO) };
	struct build_request req;
	struct hand hand = { .w = WORKING_INIT };
	const struct given_only given = { "isolation", args->isolation, "default oci process",
					  "every command by hand is a container" };
	int r = hand_step_request(&req, err);

	if (r == 0)
		r = given_only(&given, 1, err);
	req.network = args->network;
	req.secrets = &args->secrets;
	req.ssh = &args->ssh;
	req.run = &args->run;
	for (size_t i = 0; i < args->mounts.n; i++)
		strv_addf(&flags, "mount=%s", args->mounts.items[i]);
	strv_extend(&words, argv + skip, (size_t)(argc - skip));
	if (r == 0)
		r = hand_open(engine, argv[0], &req, &hand, err);
	if (r == 0) {
		hand.run = &run;
		r = hand_end(&hand, hand_words(&hand, INS_RUN, &flags, &words, HAND_ARGUMENTS));
	}
	strv_done(&flags);
	strv_done(&words);
	return r < 0 ? r : run.status;
}

const struct cmd cmd_hand_run_do = {
	.name = "run",
	.operands = "CONTAINER [--] COMMAND...",
	.help = "Run a command in a working container: the next layer",
	.opts = hand_run_opts,
	.args_size = sizeof(struct hand_run_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND,
	.error_status = 125,
	.run = run_run,
};

/* copy, add */

struct sources {
	struct strv words; /* and the destination */
	const char *context;
	struct ignore ignore;
	int fd;
};

static void sources_done(struct sources *s)
{
	strv_done(&s->words);
	ignore_done(&s->ignore);
	if (s->fd >= 0)
		(void)close(s->fd);
}

static bool leads_out(const char *path)
{
	autofree char *clean = path_clean(path);

	return *path == '/' || strncmp(clean, "../", 3) == 0 || strcmp(clean, "..") == 0;
}

/* A user names files as his shell sees them: what lies elsewhere is found from the root. */
static int choose_context(const struct hand_copy_args *args, char **argv, int n, struct sources *s,
			  struct error *err)
{
	autofree char *here = getcwd(NULL, 0);

	s->context = args->context ? args->context : ".";
	for (int i = 0; !args->context && i < n; i++)
		if (leads_out(argv[i]))
			s->context = "/";
	if (!here)
		return error_sys(err, -errno, "find out where we are");
	for (int i = 0; i < n; i++) {
		if (args->from || strcmp(s->context, "/") != 0 || *argv[i] == '/') {
			strv_add(&s->words, argv[i]);
		} else {
			autofree char *whole = xasprintf("%s/%s", here, argv[i]);

			strv_take(&s->words, path_clean(whole));
		}
	}
	if (args->from)
		return 0;
	s->fd = open(s->context, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->fd < 0 ? error_sys(err, -errno, "open %s", s->context) : 0;
}

static int read_ignores(const struct hand_copy_args *args, struct sources *s, struct error *err)
{
	autofree char *text = NULL;
	size_t len;
	int r;

	if (!args->ignore_file)
		return 0;
	if (!args->context)
		return error_set(err, -EINVAL,
				 "--ignorefile says what of a --contextdir is left out");
	r = file_read_at(AT_FDCWD, args->ignore_file, IGNORE_MAX, &text, &len, err);
	if (r == 0)
		r = ignore_parse(text, len, &s->ignore, err);
	return r < 0 ? error_wrap(err, r, "%s", args->ignore_file) : 0;
}

static void add_flag(struct strv *flags, const char *name, const char *value)
{
	if (value)
		strv_addf(flags, "%s=%s", name, value);
}

static int copy(struct engine *engine, const struct hand_copy_args *args,
		enum instruction_kind kind, int argc, char **argv, struct error *err)
{
	const int n = argc > 2 ? argc - 2 : 1; /* sources, behind the container */
	struct sources s = { .fd = -1 };
	struct strv flags = { 0 };
	struct build_request req;
	struct hand hand = { .w = WORKING_INIT };
	int r = hand_step_request(&req, err);

	add_flag(&flags, "from", args->from);
	add_flag(&flags, "chown", args->chown);
	add_flag(&flags, "chmod", args->chmod);
	add_flag(&flags, "checksum", args->checksum);
	add_flag(&flags, "unpack", args->unpack);
	add_flag(&flags, "link", args->link ? "true" : NULL);
	add_flag(&flags, "parents", args->parents ? "true" : NULL);
	add_flag(&flags, "keep-git-dir", args->keep_git_dir ? "true" : NULL);
	for (size_t i = 0; i < args->exclude.n; i++)
		add_flag(&flags, "exclude", args->exclude.items[i]);
	if (r == 0)
		r = choose_context(args, argv + 1, n, &s, err);
	if (r == 0)
		r = read_ignores(args, &s, err);
	strv_add(&s.words, argc > 2 ? argv[argc - 1] : ".");
	req.context = s.fd;
	req.ignore = &s.ignore;
	if (r == 0)
		r = hand_open(engine, argv[0], &req, &hand, err);
	if (r == 0)
		r = hand_end(&hand, hand_words(&hand, kind, &flags, &s.words, HAND_LITERAL));
	strv_done(&flags);
	sources_done(&s);
	return r;
}

static int copy_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct hand_copy_args *args = data;

	return args->checksum || args->unpack || args->keep_git_dir
		       ? error_set(err, -EINVAL,
				   "--checksum, --unpack and --keep-git-dir are for builder add")
		       : copy(engine, args, INS_COPY, argc, argv, err);
}

static int add_run(struct engine *engine, const void *data, int argc, char **argv,
		   struct error *err)
{
	const struct hand_copy_args *args = data;

	return args->from || args->parents
		       ? error_set(
				 err, -EINVAL,
				 "--from and --parents are for builder copy, which takes files of "
				 "an image or a working container")
		       : copy(engine, args, INS_ADD, argc, argv, err);
}

const struct cmd cmd_hand_copy_do = {
	.name = "copy",
	.operands = "CONTAINER SOURCE... [DEST]",
	.help = "Copy files into a working container",
	.opts = hand_copy_opts,
	.args_size = sizeof(struct hand_copy_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run = copy_run,
};

const struct cmd cmd_hand_add_do = {
	.name = "add",
	.operands = "CONTAINER SOURCE... [DEST]",
	.help = "Copy files into a working container, and unpack archives there",
	.opts = hand_copy_opts,
	.args_size = sizeof(struct hand_copy_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run = add_run,
};
