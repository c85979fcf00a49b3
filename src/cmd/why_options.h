/* src/cmd/why_options.h - the options of strake why, for the program that shows them and the one
 * that heeds them.
 */
#ifndef CMD_WHY_OPTIONS_H
#define CMD_WHY_OPTIONS_H

#include "base/opt.h"

struct why_show_args {
	const char *container, *netns, *draw;
	bool json;
};

static const struct opt why_show_opts[] = {
	OPT(struct why_show_args, container, "container", 0, "CONTAINER",
	    "the rules in a running container's network namespace"),
	OPT(struct why_show_args, netns, "netns", 0, "NAME|PATH",
	    "those of a network namespace, as ip netns names it or by its file"),
	OPT(struct why_show_args, draw, "draw", 0, "FILE",
	    "a picture in place of it: text to - (standard output) or .txt, else an .svg"),
	OPT(struct why_show_args, json, "json", 0, NULL, "for programs"),
	{ 0 },
};

struct why_check_args {
	struct strv local, route;
	const char *draw;
	bool json;
};

static const struct opt why_check_opts[] = {
	OPT(struct why_check_args, local, "local", 0, "ADDRESS[=LINK]",
	    "an address of the host itself (can be repeated)"),
	OPT(struct why_check_args, route, "route", 0, "SUBNET=LINK",
	    "a route of the host, or default=LINK (can be repeated)"),
	OPT(struct why_check_args, draw, "draw", 0, "FILE",
	    "the way as a picture, too: text to - (standard output) or .txt, else an .svg"),
	OPT(struct why_check_args, json, "json", 0, NULL, "for programs"),
	{ 0 },
};

struct why_trace_args {
	const char *from, *timeout, *count, *size, *ttl, *draw;
	bool icmp, udp, watch, json;
};

static const struct opt why_trace_opts[] = {
	OPT(struct why_trace_args, from, "from", 0, "CONTAINER|NETNS",
	    "send it there, not from the network that has the source address"),
	OPT(struct why_trace_args, icmp, "icmp", 0, NULL, "a ping in place of TCP"),
	OPT(struct why_trace_args, udp, "udp", 0, NULL,
	    "UDP in place of TCP (as /udp behind the port)"),
	OPT(struct why_trace_args, watch, "watch", 0, NULL,
	    "send nothing: wait for the next packet to that port"),
	OPT(struct why_trace_args, timeout, "timeout", 0, "SECONDS",
	    "wait so long for an answer (default 1; with --watch 60)"),
	OPT(struct why_trace_args, count, "count", 0, "N",
	    "with --icmp: so many pings (default 1)"),
	OPT(struct why_trace_args, size, "size", 0, "BYTES",
	    "make the packet so large, and let nobody divide it (ping, UDP)"),
	OPT(struct why_trace_args, ttl, "ttl", 0, "N", "send it with this time to live"),
	OPT(struct why_trace_args, draw, "draw", 0, "FILE",
	    "the way as pictures, too: text to - (standard output) or .txt, else an .svg"),
	OPT(struct why_trace_args, json, "json", 0, NULL, "for programs"),
	{ 0 },
};

#endif
