/* src/builder/step_run.c - RUN: a command in a container of its own; what it changed is the layer.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/id.h"
#include "builder/ahead.h"
#include "builder/crew.h"
#include "builder/hand.h"
#include "builder/instruction.h"
#include "builder/mounts.h"
#include "builder/step.h"
#include "builder/strip.h"
#include "engine/container.h"
#include "engine/container_files.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "engine/remove.h"
#include "engine/run.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/platform.h"

#define UPPER_NAME  "upper"
#define SCRIPT_DEST "/dev/strake-script"
#define ENV_DEST    "/dev/strake-env"
#define EXEC_DEST   "/dev/strake-exec"
#define SAID_MAX    65536
#define BUILD_LABEL "strake.build"

struct running {
	struct work *w;
	struct strv argv;
	struct strv env;
	char *network; /* NULL: the usual one */
	bool privileged;
	const char *script; /* a here-document with a "#!" of its own; NULL */
	struct mounts mounts;
	struct image_config config;
	struct buf said;
	struct step step;
	char id[ID_LEN + 1];
};

static void running_done(struct running *run)
{
	strv_done(&run->argv);
	strv_done(&run->env);
	free(run->network);
	mounts_done(&run->mounts);
	image_config_done(&run->config);
	buf_done(&run->said);
}

/* the command */

static bool is_one_doc(const struct instruction *ins)
{
	const char *name = ins->rest + 2 + (strncmp(ins->rest, "<<-", 3) == 0);

	return ins->line->ndocs == 1 && strncmp(ins->rest, "<<", 2) == 0 &&
	       !strpbrk(name, " \t|&;<>()");
}

/* The shell reads its here-documents from the text behind the line, as it does in a script. */
static char *line_with_docs(const struct instruction *ins)
{
	struct buf text = BUF_INIT(CONTAINERFILE_MAX);

	buf_add_str(&text, ins->rest);
	for (size_t i = 0; i < ins->line->ndocs; i++)
		buf_addf(&text, "\n%s%s", ins->line->docs[i].content, ins->line->docs[i].name);
	if (ins->line->ndocs)
		buf_add_char(&text, '\n');
	return buf_steal(&text);
}

static void choose_command(struct running *run)
{
	const struct instruction *ins = run->w->ins;

	if (ins->is_exec) {
		strv_extend(&run->argv, ins->words.items, ins->words.n);
		return;
	}
	if (is_one_doc(ins) && strncmp(ins->line->docs[0].content, "#!", 2) == 0) {
		run->script = ins->line->docs[0].content;
		strv_add(&run->argv, SCRIPT_DEST);
		return;
	}
	strv_extend(&run->argv, run->w->state->shell.items, run->w->state->shell.n);
	if (is_one_doc(ins))
		strv_add(&run->argv, ins->line->docs[0].content);
	else
		strv_take(&run->argv, line_with_docs(ins));
}

static int choose_network(struct running *run)
{
	static const char *const modes[] = { "default", "none", "host" };
	const char *flag = instruction_flag(run->w->ins, "network");
	const char *wish = flag && strcmp(flag, "default") != 0 ? flag : run->w->b->req->network;

	for (size_t i = 0; flag; i++) {
		if (i == ARRAY_SIZE(modes))
			return error_set(run->w->b->err, -EINVAL,
					 "--network=%.60s: a RUN takes default, none or host",
					 flag);
		if (strcmp(flag, modes[i]) == 0)
			break;
	}
	run->network = wish && strcmp(wish, "default") != 0 ? xstrdup(wish) : NULL;
	return 0;
}

/* More rights than a container has are for the user to give, not for the file to take. */
static int choose_security(struct running *run)
{
	const char *flag = instruction_flag(run->w->ins, "security");

	if (!flag || strcmp(flag, "sandbox") == 0)
		return 0;
	if (strcmp(flag, "insecure") != 0)
		return error_set(run->w->b->err, -EINVAL,
				 "--security=%.60s: it is sandbox or insecure", flag);
	if (!strv_has(run->w->b->req->allow, "security.insecure"))
		return error_set(run->w->b->err, -EPERM,
				 "--security=insecure wants all rights on this machine; build "
				 "--allow security.insecure gives them");
	run->privileged = true;
	return 0;
}

static void say(struct running *run)
{
	buf_init(&run->said, SAID_MAX);
	buf_add_str(&run->said, "RUN");
	if (run->script)
		buf_addf(&run->said, " %s", run->script);
	for (size_t i = 0; !run->script && i < run->argv.n; i++)
		buf_addf(&run->said, " %s", run->argv.items[i]);
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* As BuildKit has it: a host's name counts and its address does not, ulimits count.  How much
 * memory there is decides whether a command gets through, not what it makes.
 */
static void add_limits(const struct running *run, struct step_key *key)
{
	const struct container_options *o = run->w->b->req->run;
	struct strv hosts = { 0 };

	for (size_t i = 0; i < o->add_host.n; i++)
		strv_take(&hosts,
			  xstrndup(o->add_host.items[i], strcspn(o->add_host.items[i], ":=")));
	step_key_add_all(key, &hosts);
	step_key_add_all(key, &o->ulimits);
	strv_done(&hosts);
}

/* What it may do and what it sees: one that was done with more is not one that was done with less.
 * Without any of these the key is what it was.
 */
static void add_rights(const struct running *run, struct step_key *key)
{
	const struct container_options *o = run->w->b->req->run;
	const struct {
		const char *name;
		const struct strv *texts;
	} lists[] = {
		{ "cap-add", &o->cap_add }, { "cap-drop", &o->cap_drop },
		{ "device", &o->devices },  { "security", &o->security },
		{ "volume", &o->volumes },  { "group", &o->group_add },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (lists[i].texts->n == 0)
			continue;
		step_key_add(key, lists[i].name);
		step_key_add_all(key, lists[i].texts);
	}
}

static int make_key(struct running *run)
{
	struct strv args = { 0 };
	struct step_key key;
	int r;

	/* What is given as proxy changes how something is fetched, not what. */
	scope_run_env(&run->w->state->scope, false, &args);
	step_key_begin(&key, "RUN");
	step_key_add_all(&key, &run->argv);
	step_key_add(&key, run->script ? run->script : "");
	step_key_add_all(&key, &run->w->state->scope.env);
	step_key_add_all(&key, &args);
	step_key_add(&key, text_or_empty(state_text(run->w->state, "User")));
	step_key_add(&key, text_or_empty(state_text(run->w->state, "WorkingDir")));
	step_key_add(&key, text_or_empty(run->network));
	add_limits(run, &key);
	add_rights(run, &key);
	if (run->privileged)
		step_key_add(&key, "privileged");
	r = mounts_read(run->w, &run->mounts, &key);
	step_key_end(&key, run->w, &run->step);
	strv_done(&args);
	return r;
}

/* the container */

/* By build, stage and step; a build for several platforms has the same stage several times. */
static char *container_name(const struct running *run, bool shell)
{
	const struct build *b = run->w->b;
	const char *platform = b->req->shown_platform ? b->req->shown_platform : "";
	char *name = xasprintf("build-%.6s-%.100s-%u%s%.40s%s", b->id,
			       b->plan.stages[run->w->stage].label, run->w->number,
			       *platform ? "-" : "", platform, shell ? "-shell" : "");

	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '-';
	return name;
}

static void add_labels(const struct running *run, struct strv *labels)
{
	const struct work *w = run->w;

	strv_addf(labels, BUILD_LABEL "=%s", w->b->id);
	strv_addf(labels, BUILD_LABEL ".stage=%s", w->b->plan.stages[w->stage].label);
	strv_addf(labels, BUILD_LABEL ".step=%u/%u", w->number, w->total);
}

static void add_file(struct running *run, const char *dest, const char *source)
{
	(void)json_array_append_new(run->mounts.list,
				    json_pack("{s:s, s:s, s:s, s:[s, s]}", "destination", dest,
					      "type", "bind", "source", source, "options", "bind",
					      "ro"));
}

static int add_script(struct running *run, const struct incoming *in)
{
	autofree char *path = NULL;
	int r;

	if (!run->script)
		return 0;
	r = file_write_at(in->tmp_fd, "script", run->script, strlen(run->script), 0755, FILE_PLAIN,
			  run->w->b->err);
	if (r < 0)
		return r;
	path = xasprintf("%s/%s/script", in->root, in->tmp_name);
	add_file(run, SCRIPT_DEST, path);
	return 0;
}

/* Variables that are secret come from a file, read by a program of ours that then becomes the
 * command: what the engine is told of a container it writes down.
 */
static void wrap_command(const struct running *run, const struct strv *argv, struct strv *ret)
{
	if (run->mounts.secret_env) {
		strv_add(ret, EXEC_DEST);
		strv_add(ret, "--env");
		strv_add(ret, ENV_DEST);
	}
	strv_extend(ret, argv->items, argv->n);
}

static void add_secret_env(struct running *run)
{
	autofree char *program = engine_program(run->w->b->engine, "strake-init");

	if (!run->mounts.secret_env)
		return;
	add_file(run, EXEC_DEST, program);
	add_file(run, ENV_DEST, run->mounts.secret_env);
}

static void take_output(void *data, bool is_error, const void *bytes, size_t len)
{
	const struct running *run = data;
	struct build_told told = work_told(run->w, BUILD_OUTPUT);

	told.text = bytes;
	told.len = len;
	told.is_error = is_error;
	run->w->b->req->tell(run->w->b->req->data, &told);
}

static void add_hand(const struct hand_run *hand, struct container_options *options)
{
	options->user = hand->user;
	options->workdir = hand->workdir;
	options->interactive = true;
	options->tty = hand->tty;
	options->output = NULL;
	options->ends_by_signal = false;
}

/* A container on these layers; with a shell, one for the user, which goes when he leaves it. */
static int run_container(struct running *run, const struct strv *layers, bool shell,
			 char ret_id[ID_LEN + 1], int *ret_status)
{
	struct strv command = { 0 };
	struct work *w = run->w;
	const struct strv shell_argv = { .items = w->state->shell.items, .n = 1 };
	autofree char *name = container_name(run, shell);
	const struct prepared_root root = { .source = w->b->plan.stages[w->stage].label,
					    .layers = layers,
					    .config = &run->config,
					    .mounts = run->mounts.list };
	struct container_options options = *w->b->req->run;
	int r;

	options.prepared = &root;
	options.name = name;
	options.entrypoint = "";
	options.env = run->env;
	options.stop_timeout = STOP_TIMEOUT_DEFAULT;
	options.output = shell ? NULL : take_output;
	options.output_data = run;
	options.ends_by_signal = !shell;
	options.interactive |= shell;
	options.privileged |= run->privileged;
	options.tty = shell && isatty(STDIN_FILENO);
	options.tied = true;
	wrap_command(run, shell ? &shell_argv : &run->argv, &command);
	options.command = command.items;
	options.ncommand = command.n;
	if (w->b->hand_run && !shell)
		add_hand(w->b->hand_run, &options);
	if (run->network)
		strv_add(&options.networks, run->network);
	add_labels(run, &options.labels);
	r = container_run(w->b->engine, &options, ret_id, w->b->err);
	strv_done(&command);
	strv_done(&options.networks);
	strv_done(&options.labels);
	if (r < 0)
		return r;
	*ret_status = r;
	return 0;
}

static int discard(const struct running *run, const char *id, struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	int r = container_find(run->w->b->engine, id, &c, err);

	return r < 0 ? r : container_remove(run->w->b->engine, c, REMOVE_FORCE, err);
}

/* Its upper directory moves into the store's temporary directory, from where it becomes a layer. */
static int take_upper(struct running *run, const struct incoming *in)
{
	cleanup(container_files_done) struct container_files files = { .upper = NULL };
	cleanup(container_cleanup) struct container *c = NULL;
	struct error *err = run->w->b->err;
	autoclose int upper = -1;
	int r = container_find(run->w->b->engine, run->id, &c, err);

	if (r == 0)
		r = container_files_load(run->w->b->engine, c, &files, err);
	if (r == 0)
		r = dir_make_at(in->tmp_fd, UPPER_NAME, 0711, err);
	if (r == 0 && renameat(AT_FDCWD, files.upper, in->tmp_fd, UPPER_NAME "/diff") < 0)
		r = error_sys(err, -errno, "move the layer out of container %s", c->name);
	if (r == 0)
		r = dir_open_at(in->tmp_fd, UPPER_NAME "/diff", &upper, err);
	if (r == 0)
		r = strip_mount_points(upper, &run->w->lower, &files.mount_points, err);
	return r;
}

/* A shell on what the command left: its upper directory is one more layer, which stays as it is. */
static int debug(struct running *run)
{
	cleanup(container_files_done) struct container_files files = { .upper = NULL };
	cleanup(container_cleanup) struct container *c = NULL;
	struct error *err = run->w->b->err;
	struct strv layers = { 0 };
	char id[ID_LEN + 1] = "";
	int status, r = container_find(run->w->b->engine, run->id, &c, err);

	if (r == 0)
		r = container_files_load(run->w->b->engine, c, &files, err);
	if (r == 0) {
		strv_add(&layers, files.upper);
		strv_extend(&layers, run->w->lower.items, run->w->lower.n);
		r = crew_alone(run->w->b);
	}
	if (r == 0) {
		work_tell(run->w, BUILD_DEBUG, NULL);
		r = run_container(run, &layers, true, id, &status);
		ignore_result(discard(run, id, NULL));
	}
	strv_done(&layers);
	return r;
}

static int failed(struct running *run, int status)
{
	struct error *err = run->w->b->err;
	int r = run->w->b->req->debug ? debug(run) : 0;

	ignore_result(discard(run, run->id, NULL));
	return r < 0 ? r
		     : error_set(err, -ECANCELED, "the command ended with status %d%s", status,
				 run->w->b->req->debug
					 ? ""
					 : "; build --debug opens a shell where it did");
}

/* The store is free while the command runs, for however long: the layers below are held. */
/* What registers an emulator calls it so, after the machine as uname(1) has it. */
static bool has_emulator(const char *arch)
{
	static const char *const names[][2] = { { "amd64", "x86_64" },
						{ "arm64", "aarch64" },
						{ "386", "i386" } };
	autofree char *path = NULL, *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i][0], arch) == 0)
			arch = names[i][1];
	path = xasprintf("/proc/sys/fs/binfmt_misc/qemu-%s", arch);
	return file_read_at(AT_FDCWD, path, 4096, &text, NULL, NULL) == 0 &&
	       strncmp(text, "enabled", 7) == 0;
}

/* A program that did not start, of another kind of machine: what is missing. */
static int foreign_reason(const struct running *run, int r)
{
	const json_t *doc = run->w->state->doc;
	const char *os = json_string_value(json_object_get(doc, "os"));
	const char *arch = json_string_value(json_object_get(doc, "architecture"));
	struct error *err = run->w->b->err;
	autofree char *have = xasprintf("%s/%s", os ? os : "", arch ? arch : "");
	autofree char *why = NULL;
	char own[PLATFORM_LEN];

	platform_own(own);
	if (!err->status || !os || !arch || platform_fits(have, own) || has_emulator(arch))
		return r;
	why = xstrdup(err->text);
	return error_set(err, r,
			 "%s; no emulator for %s is registered (binfmt_misc); Debian's "
			 "qemu-user-static brings one",
			 why, have);
}

static int execute(struct running *run, struct incoming *in)
{
	int status = 0;
	int r = mounts_make(run->w, &run->mounts, in);

	if (r == 0)
		r = add_script(run, in);
	if (r == 0) {
		add_secret_env(run);
		strv_extend(&run->env, run->mounts.env.items, run->mounts.env.n);
	}
	if (r == 0)
		r = run_container(run, &run->w->lower, false, run->id, &status);
	if (r < 0) {
		r = foreign_reason(run, r);
		if (!run->w->b->by_hand)
			run->w->b->err->status = 0; /* it is the build that fails */
		/* Of one that a signal ended there is something left. */
		if (*run->id)
			ignore_result(discard(run, run->id, NULL));
		return r;
	}
	if (run->w->b->hand_run)
		run->w->b->hand_run->status = status;
	else if (status != 0)
		return failed(run, status);
	r = take_upper(run, in);
	if (r == 0) {
		autofree char *changed = mounts_find_changed(&run->mounts);

		r = step_key_spoil(run->w, &run->step, changed);
	}
	if (r == 0)
		r = incoming_lock(in, run->w->b->err);
	if (r == 0)
		r = step_keep(run->w, in, UPPER_NAME, &run->step, buf_text(&run->said));
	if (r < 0) {
		ignore_result(discard(run, run->id, NULL));
		return r;
	}
	return discard(run, run->id, run->w->b->err);
}

static int prepare(struct running *run)
{
	struct work *w = run->w;

	if (w->lower.n == 0)
		return error_set(w->b->err, -ENOENT, "there is nothing in scratch that could run");
	/* Beside the image's variables, which the engine takes from its config. */
	scope_run_env(&w->state->scope, true, &run->env);
	if (w->b->hand_run)
		strv_extend(&run->env, w->b->hand_run->env->items, w->b->hand_run->env->n);
	return state_config(w->state, &run->config, w->b->err);
}

static int work_once(struct running *run)
{
	struct engine *engine = run->w->b->engine;
	struct incoming in = INCOMING_INIT;
	int r = prepare(run);

	if (r == 0)
		r = mounts_lock(run->w, &run->mounts);
	if (r == 0)
		r = incoming_begin(engine_root(engine), engine_root_fd(engine), &in,
				   run->w->b->err);
	if (r == 0)
		r = execute(run, &in);
	incoming_done(&in);
	return r;
}

int step_run(struct work *w)
{
	cleanup(running_done) struct running run = { .w = w, .mounts = MOUNTS_INIT };
	struct turn turn = TURN_INIT;
	int r;

	choose_command(&run);
	r = choose_network(&run);
	if (r == 0)
		r = choose_security(&run);
	if (r == 0)
		r = make_key(&run);
	if (r < 0)
		return r;
	say(&run);
	r = step_reuse_in_turn(w, &run.step, buf_text(&run.said), &turn);
	if (r == 0) {
		ahead_begin(w);
		r = work_once(&run);
	}
	turn_leave(&turn);
	return MIN(r, 0);
}
