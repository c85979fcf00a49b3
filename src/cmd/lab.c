/* src/cmd/lab.c - strake lab, as strake shows it; strake-lab does it. */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/handover.h"
#include "cmd/lab_options.h"

extern const struct cmd lab_send_front, lab_capture_front, lab_ping_front, lab_path_front,
	lab_domains_front, lab_matrix_front, lab_check_front, lab_faults_front, lab_hint_front,
	lab_draw_front; /* lab_look_front.c */

static const struct opt no_opts[] = { { 0 } };

HANDOVER("strake-lab", up, "up", lab_up_opts)
HANDOVER("strake-lab", down, "down", no_opts)
HANDOVER("strake-lab", exec, "exec", no_opts)
HANDOVER("strake-lab", shell, "shell", no_opts)
HANDOVER("strake-lab", list, "list", lab_list_opts)
HANDOVER("strake-lab", show, "show", lab_show_opts)
HANDOVER("strake-lab", link, "link", no_opts)
HANDOVER("strake-lab", dns, "dns", no_opts)

static const struct cmd lab_up_front = {
	.name = "up",
	.operands = "FILE",
	.help = "Raise the lab that a file describes",
	.details =
		"Each node becomes a network namespace, each link a cable between two of them. One process, the\n"
		"lab's keeper, holds them: 'strake lab down' ends it, and all goes with it.\n\n"
		"--dry-run prints a shell script that raises the same lab with ip and bridge.",
	.opts = lab_up_opts,
	.args_size = sizeof(struct lab_up_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = up_run,
};

static const struct cmd lab_down_front = {
	.name = "down",
	.operands = "LAB...",
	.help = "Take labs down",
	.details = "LAB is the name of a lab that is up, or the file that it was raised from.",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = down_run,
};

static const struct cmd lab_exec_front = {
	.name = "exec",
	.operands = "LAB NODE COMMAND...",
	.help = "Run a command in a node of a lab",
	.details =
		"It sees the node's network and the files of this host; /etc/hosts has the names of all nodes.\n"
		"What it leaves running goes with the lab. The exit status is the command's.",
	.flags = CMD_FIRST_OPERAND,
	.error_status = 125,
	.min_operands = 3,
	.max_operands = INT_MAX,
	.run_alone = exec_run,
};

static const struct cmd lab_shell_front = {
	.name = "shell",
	.operands = "LAB NODE",
	.help = "Start a shell in a node of a lab",
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = shell_run,
};

static const struct cmd lab_list_front = {
	.name = "list",
	.operands = "",
	.help = "List the labs that are up",
	.opts = lab_list_opts,
	.args_size = sizeof(struct lab_list_args),
	.run_alone = list_run,
};

static const struct cmd lab_show_front = {
	.name = "show",
	.operands = "LAB [NODE...] | --diff LAB -- COMMAND...",
	.help = "Show what the devices of a lab know",
	.details =
		"Interfaces, the forwarding database of each switch, neighbours (ARP and ND), routes and, where\n"
		"addresses are translated, connections both ways, of all nodes or of those named. Every\n"
		"MAC address is told whose it is.\n\n"
		"With --diff, COMMAND is run on this host, and rows that went are shown with -, rows that came\n"
		"with +; the exit status is the command's.",
	.opts = lab_show_opts,
	.args_size = sizeof(struct lab_show_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = show_run,
};

static const struct cmd lab_link_front = {
	.name = "link",
	.operands = "LAB A B up|down",
	.help = "Pull the cable between two nodes, or plug it in again",
	.details =
		"A and B are nodes, or interfaces such as s1:eth2 if several links join the two.",
	.min_operands = 4,
	.max_operands = 4,
	.run_alone = link_run,
};

static const struct cmd lab_dns_front = {
	.name = "dns",
	.operands = "LAB NODE",
	.help = "Start the name server of a node again",
	.details =
		"Of a node with 'dns:', whose server was ended. It answers from /etc/hosts of that node.",
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = dns_run,
};

static const struct cmd lab_ls = { .name = "ls", .same = &lab_list_front };

static const struct cmd *const lab_cmds[] = {
	&lab_up_front,
	&lab_down_front,
	&lab_list_front,
	&lab_ls,
	&lab_show_front,
	&lab_exec_front,
	&lab_shell_front,
	&lab_link_front,
	&lab_dns_front,
	/* what it does */
	&lab_ping_front,
	&lab_path_front,
	&lab_matrix_front,
	&lab_domains_front,
	&lab_send_front,
	&lab_capture_front,
	&lab_check_front,
	&lab_faults_front,
	&lab_hint_front,
	&lab_draw_front,
	NULL,
};

const struct cmd cmd_lab = {
	.name = "lab",
	.help = "Raise networks that a file describes, and look into them",
	.sub = lab_cmds,
};
