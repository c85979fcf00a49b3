/* src/cmd/dispatch.c - from argv to an exit status.
 *
 * Start at program_main().  The options of the program may stand before the command's name or among
 * its own options; --help anywhere before the operands explains instead of running.
 */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/nearest.h"
#include "cmd/cmd.h"
#include "cmd/help.h"

#define USAGE_STATUS 2

struct common {
	bool help;
	bool version;
};

static const struct opt common_opts[] = {
	OPT(struct common, help, "help", 'h', NULL, "say how to use this"),
	OPT(struct common, version, "version", 'v', NULL, "print the version"),
	{ 0 },
};

/* One call of the program.  -h is --hostname in some commands: a command's own rows win. */
struct invocation {
	const struct program *program;
	const struct cmd *cmd; /* NULL until the name was read */
	void *globals;
	void *args;
	struct common common;
	char path[64];  /* "network ls" */
	bool is_called; /* by the program that was typed, see handover() */
	int argc;       /* what is still to be read */
	char **argv;
};

/* As typed: "image rm" where the command calls itself rmi.  Set once, by cmd_resolve(). */
static char typed[64];

const char *cmd_typed(void)
{
	return typed;
}

static void report_plain(const char *name, const struct error *err)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: %s\n", name, err->text);
}

void cmd_report(const char *command, const struct error *err)
{
	autofree char *name = xasprintf("strake %s", *typed ? typed : command);

	report_plain(name, err);
}

static int fail(const struct invocation *inv, const struct error *err, int status)
{
	char name[128];

	if (inv->program->report) {
		inv->program->report(inv->globals, err);
		return status;
	}
	(void)snprintf(name, sizeof(name), "%s%s%s", inv->program->name, *inv->path ? " " : "",
		       inv->is_called ? typed : inv->path);
	report_plain(name, err);
	return status;
}

static int usage_status(const struct invocation *inv)
{
	return inv->cmd && inv->cmd->error_status ? inv->cmd->error_status : USAGE_STATUS;
}

static const struct cmd *cmd_find(const struct cmd *const *cmds, const char *name)
{
	for (; *cmds; cmds++)
		if (strcmp((*cmds)->name, name) == 0)
			return *cmds;
	return NULL;
}

static int unknown_command(struct invocation *inv, struct error *err)
{
	const struct cmd *const *cmds = inv->cmd ? inv->cmd->sub : inv->program->cmds;
	struct nearest near = nearest_init(inv->argv[0]);
	int r = -ENOENT;

	if (!inv->cmd && inv->program->fallback)
		r = inv->program->fallback(inv->argc, inv->argv, err);
	if (r != -ENOENT)
		return r;
	for (; *cmds; cmds++)
		if (!((*cmds)->flags & CMD_HIDDEN))
			nearest_try(&near, (*cmds)->name);
	return error_set(
		err, -EINVAL, "'%.100s' is not a command%s%s%s; '%s%s%s --help' lists them",
		inv->argv[0], near.best ? " (did you mean '" : "", near.best ? near.best : "",
		near.best ? "'?)" : "", inv->program->name, *inv->path ? " " : "", inv->path);
}

/* Reads names into sub-tables until one command is found. */
static int cmd_resolve(struct invocation *inv, struct error *err)
{
	const struct cmd *const *cmds = inv->program->cmds;

	while (cmds && inv->argc > 0 && inv->argv[0][0] != '-') {
		const struct cmd *cmd = cmd_find(cmds, inv->argv[0]);
		size_t len = strlen(inv->path);

		if (!cmd && inv->cmd && inv->cmd->otherwise)
			break;
		if (!cmd)
			return unknown_command(inv, err);
		(void)snprintf(inv->path + len, sizeof(inv->path) - len, "%s%s", len ? " " : "",
			       cmd->name);
		cmd = cmd->same ? cmd->same : cmd;
		inv->cmd = cmd;
		inv->argc--;
		inv->argv++;
		cmds = cmd->sub;
	}
	if (inv->cmd && inv->cmd->otherwise && inv->argc > 0 && strcmp(inv->argv[0], "--help") != 0)
		inv->cmd = inv->cmd->otherwise;
	if (!inv->is_called)
		(void)snprintf(typed, sizeof(typed), "%s", inv->path);
	return 0;
}

static int parse(struct invocation *inv, enum opt_flags flags, struct error *err)
{
	struct opt_set sets[4] = { 0 };
	size_t n = 0;
	int r;

	if (inv->cmd && inv->cmd->opts)
		sets[n++] = (struct opt_set) { inv->cmd->opts, inv->args };
	if (inv->program->global_opts)
		sets[n++] = (struct opt_set) { inv->program->global_opts, inv->globals };
	sets[n] = (struct opt_set) { common_opts, &inv->common };
	r = opt_parse(sets, flags, inv->argc, inv->argv, err);
	if (r >= 0)
		inv->argc = r;
	if (r == -ENOENT) {
		autofree char *text = xstrdup(err->text);

		return error_set(err, -EINVAL, "%s; '%s%s%s --help' lists them", text,
				 inv->program->name, *inv->path ? " " : "", inv->path);
	}
	return r < 0 ? r : 0;
}

/* "run ./hello --hostname X": a second helping of options, unless "--" ended them before.  words
 * are the n arguments as they stood before the first.
 */
static int parse_rest(struct invocation *inv, char *const *words, int n, struct error *err)
{
	int used = n - inv->argc, r;

	if (inv->argc < 2 || (used > 0 && strcmp(words[used - 1], "--") == 0) ||
	    !inv->cmd->goes_on(inv->args, inv->argv[0]))
		return 0;
	inv->argc--;
	inv->argv++;
	r = parse(inv, OPT_FIRST_OPERAND, err);
	inv->argc++;
	inv->argv--;
	if (r < 0) {
		autofree char *text = xstrdup(err->text);

		return error_set(err, r, "%s; what is meant for %s stands behind --", text,
				 inv->argv[0]);
	}
	return 0;
}

static int parse_args(struct invocation *inv, struct error *err)
{
	autofree char **words = xcalloc((size_t)inv->argc + 1, sizeof(*words));
	int n = inv->argc, r;

	memcpy(words, inv->argv, (size_t)n * sizeof(*words));
	r = parse(inv, inv->cmd->flags & CMD_FIRST_OPERAND ? OPT_FIRST_OPERAND : OPT_ANYWHERE, err);
	return r == 0 && inv->cmd->goes_on ? parse_rest(inv, words, n, err) : r;
}

static int operands_check(const struct invocation *inv, struct error *err)
{
	const struct cmd *cmd = inv->cmd;

	if (inv->argc < cmd->min_operands)
		return error_set(err, -EINVAL, "wants %s; see '%s %s --help'", cmd->operands,
				 inv->program->name, inv->path);
	if (inv->argc > cmd->max_operands)
		return error_set(err, -EINVAL,
				 "does not know what to do with '%.100s'; see '%s %s --help'",
				 inv->argv[cmd->max_operands], inv->program->name, inv->path);
	return 0;
}

static int run(struct invocation *inv, struct error *err)
{
	const struct program *program = inv->program;
	struct engine *engine = NULL;
	int r = 0;

	if (program->setup)
		r = program->setup(inv->globals, err);
	if (r < 0)
		return r;
	if (inv->cmd->run_alone)
		return inv->cmd->run_alone(inv->globals, inv->args, inv->argc, inv->argv, err);
	r = program->open(inv->globals, inv->cmd, &engine, err);
	if (r < 0)
		return r;
	r = inv->cmd->run(engine, inv->args, inv->argc, inv->argv, err);
	if (r < 0 && program->advise)
		program->advise(engine, err);
	program->close(engine);
	return r;
}

static int version(const struct invocation *inv)
{
	(void)printf("%s version %s\n", inv->program->name, STRAKE_VERSION);
	return 0;
}

static int run_cmd(struct invocation *inv)
{
	const struct cmd *cmd = inv->cmd;
	struct error err = { 0 };
	int r;

	if (inv->common.version)
		return version(inv);
	if (inv->common.help || cmd->sub) {
		FILE *to = inv->common.help ? stdout : stderr;

		help_cmd(inv->program, cmd, inv->path, to);
		return inv->common.help ? 0 : USAGE_STATUS;
	}
	if (operands_check(inv, &err) < 0)
		return fail(inv, &err, usage_status(inv));
	r = run(inv, &err);
	if (r >= 0 && fflush(stdout) != 0)
		r = error_sys(&err, -errno, "write output");
	if (r >= 0) {
		explain_release();
		return r;
	}
	if (!err.text[0])
		(void)error_sys(&err, r, "failed");
	return fail(inv, &err, err.status ? err.status : cmd->error_status ? cmd->error_status : 1);
}

/* "version", "help CMD", "CMD --help", "man CMD": all but the first end in help.c.  Returns -ENOENT
 * if it is none of these.
 */
static int run_help(struct invocation *inv, struct error *err)
{
	const char *word = inv->argv[0];
	bool man = strcmp(word, "man") == 0;
	int r;

	if (strcmp(word, "version") == 0 && inv->argc == 1)
		return version(inv);
	if (!man && strcmp(word, "help") != 0)
		return -ENOENT;
	inv->argc--;
	inv->argv++;
	r = cmd_resolve(inv, err);
	if (r < 0)
		return r;
	if (man)
		help_man(inv->program, inv->cmd, inv->path, stdout);
	else if (inv->cmd)
		help_cmd(inv->program, inv->cmd, inv->path, stdout);
	else
		help_program(inv->program, stdout);
	return 0;
}

static int invoke(struct invocation *inv)
{
	struct error err = { 0 };
	int r = parse(inv, OPT_FIRST_OPERAND, &err);

	if (r < 0)
		return fail(inv, &err, USAGE_STATUS);
	if (inv->common.version)
		return version(inv);
	if (inv->argc == 0) {
		help_program(inv->program, inv->common.help ? stdout : stderr);
		return inv->common.help ? 0 : USAGE_STATUS;
	}
	if (cmd_find(inv->program->cmds, inv->argv[0]) == NULL) {
		r = run_help(inv, &err);
		if (r != -ENOENT)
			return r < 0 ? fail(inv, &err, USAGE_STATUS) : 0;
	}
	r = cmd_resolve(inv, &err);
	if (r < 0)
		return fail(inv, &err, usage_status(inv));
	inv->args = xcalloc(1, inv->cmd->args_size);
	if (inv->cmd->defaults)
		memcpy(inv->args, inv->cmd->defaults, inv->cmd->args_size);
	r = parse_args(inv, &err);
	r = r < 0 ? fail(inv, &err, usage_status(inv)) : run_cmd(inv);
	opt_done(inv->cmd->opts, inv->args);
	free(inv->args);
	return r;
}

int program_main(const struct program *program, int argc, char **argv)
{
	struct invocation inv = {
		.program = program,
		.argc = MAX(argc - 1, 0),
		.argv = argc > 0 ? argv + 1 : argv,
	};
	int status;

	if (argc > 0 && strncmp(argv[0], HANDOVER_NAME, strlen(HANDOVER_NAME)) == 0) {
		(void)snprintf(typed, sizeof(typed), "%s", argv[0] + strlen(HANDOVER_NAME));
		inv.is_called = true;
	}
	inv.globals = xcalloc(1, program->globals_size);
	status = invoke(&inv);
	opt_done(program->global_opts, inv.globals);
	free(inv.globals);
	return status;
}
