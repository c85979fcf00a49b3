/* src/cmd/globals.h - the options that every command of strake takes. */
#ifndef CMD_GLOBALS_H
#define CMD_GLOBALS_H

#include <stdbool.h>

struct globals {
	const char *root;
	const char *run_root;
	bool explain;
	bool dry_run;
};

#endif
