/* src/cmd/why_front.c - strake why, as strake shows it; strake-why does it. */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/handover.h"
#include "cmd/why_options.h"

static const struct opt no_opts[] = { { 0 } };

HANDOVER("strake-why", show, "show", why_show_opts)
HANDOVER("strake-why", check, "check", why_check_opts)
HANDOVER("strake-why", trace, "trace", why_trace_opts)
HANDOVER("strake-why", how, "how", no_opts)

static const struct cmd why_show_front = {
	.name = "show",
	.operands = "[FILE...]",
	.help = "Tell what the firewall rules do, in the order in which a packet meets them",
	.details =
		"Every table of nftables, iptables, iptables-legacy and ebtables, hook by hook: each rule in\n"
		"plain words with its own syntax below, how often it was hit, whose it is, and rules that\n"
		"can never match. Nothing is changed.\n\n"
		"FILE is what 'nft -j list ruleset', iptables-save, ip6tables-save or ebtables-save printed;\n"
		"several are taken together, and no privileges are needed. '-' is standard input.",
	.opts = why_show_opts,
	.args_size = sizeof(struct why_show_args),
	.max_operands = INT_MAX,
	.run_alone = show_run,
};

static const struct cmd why_check_front = {
	.name = "check",
	.operands = "RULES... -- PACKET",
	.help = "Tell what saved rules would do with a packet",
	.details =
		"RULES are files as for 'why show'. PACKET is such as\n"
		"'in eth0 from 192.0.2.9 to 192.0.2.1 tcp dport 80 state new' or\n"
		"'tcp 10.0.0.1:1234 -> 10.0.0.2:80 in eth0 out br0': in LINK for what comes in, out LINK for\n"
		"what programs here send, both for what is forwarded. Other words: sport, mark, ctmark,\n"
		"flags, type, code, ttl, length, uid, gid, mac, status, direction, pkttype, physin, physout.\n"
		"With bridged, LINKs are ports of a bridge and the rules of bridge and ebtables are asked;\n"
		"without it those are not, and the output says so where there are any.\n"
		"Without a state it is a connection's first packet. No privileges are needed.\n\n"
		"A match that is not known, or asks for what was not said, is not guessed: both ways are\n"
		"gone, and where they end differently the verdict is unknown.\n\n"
		"Exits with 0 if the packet passes, 3 if it is dropped, 4 if it is refused, 5 if nobody can\n"
		"say.",
	.opts = why_check_opts,
	.args_size = sizeof(struct why_check_args),
	.min_operands = 3,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND,
	.run_alone = check_run,
};

static const struct cmd why_trace_front = {
	.name = "trace",
	.operands = "[FROM] TO[:PORT][/tcp|/udp]",
	.help = "Send a packet, follow it, and tell what becomes of it and why",
	.details =
		"'strake why FROM TO' is the same as 'strake why trace FROM TO'. FROM is an address, a\n"
		"container, or 'host'; without it the packet goes from here. TO is an address or a container.\n"
		"One real packet is sent from where the traffic would start and followed through every\n"
		"network namespace, bridge, chain and rule, and so is the answer. Then: who dropped it,\n"
		"where, why, and the command that would change it, which is not run.\n\n"
		"No rule of others is touched. The kernel is asked for its account by a table of our own that\n"
		"goes when this program ends, however that is. It needs root.\n\n"
		"That account has the rules of nftables and iptables-nft. Those of iptables-legacy are not in\n"
		"it; where a packet ends between two events they are worked out, and the verdict says so.\n\n"
		"Exits with 0 if it was answered, 3 if it was dropped or lost, 4 if it was refused, 5 if nobody\n"
		"can say.",
	.opts = why_trace_opts,
	.args_size = sizeof(struct why_trace_args),
	.min_operands = 1,
	.max_operands = 3,
	.run_alone = trace_run,
};

static const struct cmd why_how_front = {
	.name = "how",
	.operands = "WISH...",
	.help = "Tell the rule that does what is wished, and what it does not do",
	.details =
		"WISH is such as 'block source 192.0.2.9', 'allow in tcp 80,443', 'block out tcp 22' or\n"
		"'block through udp 53 to 10.0.0.0/8'. The rule is printed for iptables and for nftables, with\n"
		"where it takes effect and what it would not stop. It is not run.",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = how_run,
};

static const struct cmd *const why_cmds[] = { &why_show_front, &why_check_front, &why_trace_front,
					      &why_how_front, NULL };

const struct cmd cmd_why = {
	.name = "why",
	.help = "Explain firewalls, and where packets go",
	.sub = why_cmds,
	.otherwise = &why_trace_front,
};
