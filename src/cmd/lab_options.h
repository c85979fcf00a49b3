/* src/cmd/lab_options.h - the options of "lab ...", for the program that shows them and the one
 * that heeds them.
 */
#ifndef CMD_LAB_OPTIONS_H
#define CMD_LAB_OPTIONS_H

#include "base/opt.h"

struct lab_list_args {
	bool quiet;
	const char *format;
};

static const struct opt lab_list_opts[] = {
	OPT(struct lab_list_args, quiet, "quiet", 'q', NULL, "names only"),
	OPT(struct lab_list_args, format, "format", 0, "FORMAT", "table (default) or json"),
	{ 0 },
};

struct lab_up_args {
	bool quiet;
	const char *fault;
};

static const struct opt lab_up_opts[] = {
	OPT(struct lab_up_args, quiet, "quiet", 'q', NULL, "say nothing when it is up"),
	OPT(struct lab_up_args, fault, "break", 0, "FAULT",
	    "hide a fault of 'strake lab faults' in it, or 'random'"),
	{ 0 },
};

struct lab_show_args {
	bool diff;
	const char *format;
};

static const struct opt lab_show_opts[] = {
	OPT(struct lab_show_args, diff, "diff", 0, NULL,
	    "run a command, and show only what changed by it"),
	OPT(struct lab_show_args, format, "format", 0, "FORMAT", "text (default) or json"),
	{ 0 },
};

#endif
