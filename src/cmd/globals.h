/* src/cmd/globals.h - the options that every command of strake takes, in each of its programs. */
#ifndef CMD_GLOBALS_H
#define CMD_GLOBALS_H

#include <stdbool.h>

#include "base/opt.h"

struct globals {
	const char *root;
	const char *run_root;
	bool explain;
	bool dry_run;
};

extern const struct opt globals_opts[];

/* Whether steps are told, and where: a script is standard output. */
void globals_explain(const struct globals *globals);

#endif
