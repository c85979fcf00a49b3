/* tests/unit/cmd/test_dispatch.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"

struct globals {
	const char *root;
};

struct args {
	bool quiet;
	int status;
};

static const struct opt global_opts[] = {
	OPT(struct globals, root, "root", 0, "DIR", "where"),
	{ 0 },
};

static const struct opt say_opts[] = {
	OPT(struct args, quiet, "quiet", 'q', NULL, "less"),
	OPT(struct args, status, "status", 's', "N", "what to end with"),
	{ 0 },
};

/* Ends with --status; one below 0 is a failure. */
static int say_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct args *args = data;
	const struct globals *g = globals;

	(void)argv;
	if (args->status < 0)
		return error_set(err, args->status, "failed");
	return args->status + argc + (args->quiet ? 10 : 0) + (g->root ? 20 : 0);
}

static const struct cmd cmd_say = {
	.name = "say",
	.operands = "[WORD...]",
	.help = "Say words",
	.opts = say_opts,
	.args_size = sizeof(struct args),
	.max_operands = 3,
	.run_alone = say_run,
};

static const struct cmd cmd_one = {
	.name = "one",
	.operands = "WORD",
	.help = "Say one word",
	.opts = say_opts,
	.args_size = sizeof(struct args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND,
	.error_status = 125,
	.run_alone = say_run,
};

static bool goes_on(const void *args, const char *operand)
{
	(void)args;
	return operand[0] == '/';
}

static const struct cmd cmd_path = {
	.name = "path",
	.operands = "PATH [WORD...]",
	.help = "Say words behind a path",
	.opts = say_opts,
	.args_size = sizeof(struct args),
	.max_operands = 3,
	.flags = CMD_FIRST_OPERAND,
	.goes_on = goes_on,
	.run_alone = say_run,
};

static const struct cmd cmd_tell = { .name = "tell", .same = &cmd_say };

static const struct cmd *const group_cmds[] = { &cmd_say, &cmd_tell, NULL };
static const struct cmd cmd_group = {
	.name = "group",
	.operands = "COMMAND",
	.help = "Commands in a group",
	.sub = group_cmds,
};

static const struct cmd *const cmds[] = { &cmd_say, &cmd_one, &cmd_path, &cmd_group, NULL };
static const struct program program = {
	.name = "test",
	.help = "a program for tests",
	.cmds = cmds,
	.global_opts = global_opts,
	.globals_size = sizeof(struct globals),
};

/* Its own messages are not the test's. */
static int run_quietly(int argc, char **argv)
{
	int kept[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;

	(void)fflush(NULL);
	for (int i = 0; i < 2; i++) {
		kept[i] = dup(i + 1);
		(void)dup2(null, i + 1);
	}
	status = program_main(&program, argc, argv);
	(void)fflush(NULL);
	for (int i = 0; i < 2; i++) {
		(void)dup2(kept[i], i + 1);
		(void)close(kept[i]);
	}
	(void)close(null);
	return status;
}

static void command_lines_become_statuses(void **state)
{
	static const struct {
		const char *argv[7];
		int status;
	} cases[] = {
		{ { "say" }, 0 },
		{ { "say", "a", "b" }, 2 },
		{ { "say", "-q", "a" }, 11 },
		{ { "say", "a", "-q" }, 11 },
		{ { "--root=x", "say" }, 20 },
		{ { "say", "--root", "x" }, 20 },
		{ { "group", "say", "a" }, 1 },
		{ { "one", "a", "-q" }, 2 }, /* both are operands */
		{ { "one", "-q", "a" }, 11 },
		{ { "say", "--", "-q" }, 1 },
		{ { "--help" }, 0 },
		{ { "say", "--help" }, 0 },
		{ { "group", "--help" }, 0 },
		{ { "--version" }, 0 },
		{ { "say", "-s", "-22" }, 1 },
		{ { "one", "-s", "-22", "a" }, 125 },
		{ { "say", "a", "b", "c", "d" }, 2 },
		{ { "say", "--nope" }, 2 },
		{ { "nope" }, 2 },
		{ { "group", "nope" }, 2 },
		{ { "group" }, 2 },
		{ { "one" }, 125 },
		{ { "one", "--nope" }, 125 },
		{ { "--nope", "say" }, 2 },
		{ { "group", "tell", "a", "-q" }, 11 },
		{ { "tell" }, 2 },
		{ { "path", "/p", "-q", "a", "-q" }, 13 }, /* the word ends them */
		{ { "path", "/p", "--", "-q" }, 2 },
		{ { "path", "p", "-q" }, 2 },
		{ { "path", "--", "/p", "-q" }, 2 },
		{ { "path", "-q", "/p", "-s", "1" }, 12 },
		{ { "path", "/p", "--nope" }, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[8] = { (char *)"test" };
		int argc = 1, status;

		for (; cases[i].argv[argc - 1]; argc++)
			argv[argc] = (char *)cases[i].argv[argc - 1];
		status = run_quietly(argc, argv);
		if (status != cases[i].status)
			fail_msg("case %zu (%s): %d", i, cases[i].argv[0], status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_become_statuses),
	};

	return cmocka_run_group_tests_name("cmd/dispatch", tests, NULL, NULL);
}
