/* src/cmd/lab_look_front.c - what observes a lab, as strake shows it; strake-lab does it. */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/handover.h"
#include "cmd/lab_look_options.h"

extern const struct cmd lab_send_front, lab_capture_front, lab_ping_front, lab_path_front,
	lab_domains_front, lab_matrix_front, lab_check_front, lab_faults_front, lab_hint_front,
	lab_draw_front;

static const struct opt no_opts[] = { { 0 } };

HANDOVER("strake-lab", send, "send", lab_send_opts)
HANDOVER("strake-lab", capture, "capture", lab_capture_opts)
HANDOVER("strake-lab", ping, "ping", lab_ping_opts)
HANDOVER("strake-lab", path, "path", lab_json_opts)
HANDOVER("strake-lab", domains, "domains", lab_json_opts)
HANDOVER("strake-lab", matrix, "matrix", lab_matrix_opts)
HANDOVER("strake-lab", check, "check", lab_json_opts)
HANDOVER("strake-lab", faults, "faults", lab_json_opts)
HANDOVER("strake-lab", hint, "hint", no_opts)
HANDOVER("strake-lab", draw, "draw", lab_draw_opts)

const struct cmd lab_send_front = {
	.name = "send",
	.operands = "LAB NODE[:IF] [TEXT]",
	.help = "Send one frame out of an interface, and show who receives it",
	.details =
		"The frame is an Ethernet header and TEXT, filled up to the shortest length that there is.\n"
		"No IP address is needed. A name in --to stands for the MAC address of that interface.",
	.opts = lab_send_opts,
	.args_size = sizeof(struct lab_send_args),
	.min_operands = 2,
	.max_operands = 3,
	.run_alone = send_run,
};

const struct cmd lab_capture_front = {
	.name = "capture",
	.operands = "LAB [NODE[:IF]...]",
	.help = "Show frames as they pass, of all nodes at once if none is named",
	.details =
		"A line for each frame, in the order of time: seconds since the first, where it was heard,\n"
		"whether it came in or went out, MAC addresses, and what it says. With --output a pcap file for\n"
		"tcpdump or Wireshark. Ends with Ctrl-C, after --count frames, or with --command.",
	.opts = lab_capture_opts,
	.args_size = sizeof(struct lab_capture_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = capture_run,
};

const struct cmd lab_ping_front = {
	.name = "ping",
	.operands = "LAB NODE TARGET",
	.help = "Send an echo request from a node, and say why none is answered",
	.details =
		"TARGET is a node, NODE:IF, or an address. The node's own network stack sends it. Exits with 1\n"
		"if it is not answered; the line then names the first step that failed.",
	.opts = lab_ping_opts,
	.args_size = sizeof(struct lab_ping_args),
	.min_operands = 3,
	.max_operands = 3,
	.run_alone = ping_run,
};

const struct cmd lab_path_front = {
	.name = "path",
	.operands = "LAB NODE TARGET",
	.help = "Follow one ping through the lab, frame by frame",
	.details =
		"Every frame is captured, none is calculated. For each node: whether it flooded, forwarded,\n"
		"routed or dropped the frame, by which interfaces, and what changed: MAC addresses and TTL at\n"
		"routers, IP addresses at NAT, tags on trunks, the outer header in VXLAN.",
	.opts = lab_json_opts,
	.args_size = sizeof(struct lab_json_args),
	.min_operands = 3,
	.max_operands = 3,
	.run_alone = path_run,
};

const struct cmd lab_domains_front = {
	.name = "domains",
	.operands = "LAB",
	.help = "Find who hears whom: broadcast and collision domains",
	.details =
		"One marked broadcast frame is sent from each interface; where it arrives is its broadcast\n"
		"domain. One that an interface sends to itself is repeated by hubs and dropped by switches:\n"
		"who hears it is in the same collision domain. If frames go round, the bridges are taken down.",
	.opts = lab_json_opts,
	.args_size = sizeof(struct lab_json_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = domains_run,
};

const struct cmd lab_matrix_front = {
	.name = "matrix",
	.operands = "LAB",
	.help = "Try every pair of hosts, and say why one fails",
	.details =
		"An echo request from each to each. For a pair that fails, the line names the first step that\n"
		"failed: no route, ARP unanswered and who could have answered, wrong gateway, missing return\n"
		"route, TTL, reverse-path filter, firewall rule, isolated port, VLAN mismatch, link down.\n"
		"Exits with 1 if a pair fails.",
	.opts = lab_matrix_opts,
	.args_size = sizeof(struct lab_matrix_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = matrix_run,
};

const struct cmd lab_check_front = {
	.name = "check",
	.operands = "LAB",
	.help = "Try what the lab's file claims",
	.details =
		"Each entry of 'checks' in the file is tried by sending frames; the output is TAP, and a line\n"
		"behind '#' says why one is not so, with the cause in brackets. Exits with 0 if all hold, 1 if\n"
		"one does not, 2 or more if they could not be tried.",
	.opts = lab_json_opts,
	.args_size = sizeof(struct lab_json_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = check_run,
};

const struct cmd lab_faults_front = {
	.name = "faults",
	.operands = "",
	.help = "List the faults that 'up --break' can hide",
	.opts = lab_json_opts,
	.args_size = sizeof(struct lab_json_args),
	.run_alone = faults_run,
};

const struct cmd lab_hint_front = {
	.name = "hint",
	.operands = "LAB",
	.help = "Say a little more about the fault that is hidden in a lab",
	.details = "Three hints, one each time: where to begin, where to look, what it is.",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = hint_run,
};

const struct cmd lab_draw_front = {
	.name = "draw",
	.operands = "LAB [NODE NODE]",
	.help = "Draw a lab, or a film of one ping",
	.details =
		"Devices by kind, interfaces, addresses; cables in the colour of the broadcast domain that was\n"
		"observed on them, dashed where nothing passed. With --play and two nodes one HTML file, which\n"
		"needs nothing else: the captured frames of a ping, hop by hop, and what each device learns.",
	.opts = lab_draw_opts,
	.args_size = sizeof(struct lab_draw_args),
	.min_operands = 1,
	.max_operands = 3,
	.run_alone = draw_run,
};
