/* src/cmd/why_options.h - the options of strake why, for the program that shows them and the one
 * that heeds them.
 */
#ifndef CMD_WHY_OPTIONS_H
#define CMD_WHY_OPTIONS_H

#include "base/opt.h"

struct why_show_args {
	const char *container, *netns;
	bool json;
};

static const struct opt why_show_opts[] = {
	OPT(struct why_show_args, container, "container", 0, "CONTAINER",
	    "the rules in a running container's network namespace"),
	OPT(struct why_show_args, netns, "netns", 0, "NAME|PATH",
	    "those of a network namespace, as ip netns names it or by its file"),
	OPT(struct why_show_args, json, "json", 0, NULL, "for programs"),
	{ 0 },
};

struct why_check_args {
	struct strv local, route;
	bool json;
};

static const struct opt why_check_opts[] = {
	OPT(struct why_check_args, local, "local", 0, "ADDRESS[=LINK]",
	    "an address of the host itself (can be repeated)"),
	OPT(struct why_check_args, route, "route", 0, "SUBNET=LINK",
	    "a route of the host, or default=LINK (can be repeated)"),
	OPT(struct why_check_args, json, "json", 0, NULL, "for programs"),
	{ 0 },
};

#endif
