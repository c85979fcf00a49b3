/* src/cmd/lab_exec.c - strake-lab exec, shell and dns: what is started in a node. */
#include <limits.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "lab/enter.h"
#include "lab/lab.h"
#include "lab/name_server.h"

static int run_in(const struct globals *g, const char *what, const char *name, char *const *argv,
		  struct error *err)
{
	cleanup(lab_cleanup) struct lab *lab = NULL;
	size_t node = 0;
	int r = lab_open(g->run_root, what, &lab, err);

	if (r == 0)
		r = topology_need_node(lab->topology, name, &node, err);
	return r < 0 ? r : lab_exec(lab, node, argv, err);
}

static int exec_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	(void)data;
	(void)argc;
	return run_in(globals, argv[0], argv[1], argv + 2, err);
}

const struct cmd cmd_lab_exec = {
	.name = "exec",
	.operands = "LAB NODE COMMAND...",
	.help = "Run a command in a node of a lab",
	.flags = CMD_FIRST_OPERAND,
	.error_status = 125,
	.min_operands = 3,
	.max_operands = INT_MAX,
	.run_alone = exec_run,
};

static int shell_run(const void *globals, const void *data, int argc, char **argv,
		     struct error *err)
{
	const char *shell = getenv("SHELL");
	char *const words[] = { (char *)(shell && shell[0] ? shell : "/bin/sh"), NULL };

	(void)data;
	(void)argc;
	return run_in(globals, argv[0], argv[1], words, err);
}

const struct cmd cmd_lab_shell = {
	.name = "shell",
	.operands = "LAB NODE",
	.help = "Start a shell in a node of a lab",
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = shell_run,
};

static int dns_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	size_t node = 0;
	int r = lab_open(g->run_root, argv[0], &lab, err);

	(void)data;
	(void)argc;
	if (r == 0)
		r = topology_need_node(lab->topology, argv[1], &node, err);
	return r < 0 ? r : name_server_restart(lab, node, err);
}

const struct cmd cmd_lab_dns = {
	.name = "dns",
	.operands = "LAB NODE",
	.help = "Start the name server of a node again",
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = dns_run,
};
