/* src/cmd/globals.c */
#include "cmd/globals.h"

#include <unistd.h>

#include "base/explain.h"

const struct opt globals_opts[] = {
	OPT(struct globals, root, "root", 0, "DIR", "lasting state (default /var/lib/strake)"),
	OPT(struct globals, run_root, "run-root", 0, "DIR",
	    "state gone at reboot (default /run/strake)"),
	OPT(struct globals, explain, "explain", 0, NULL,
	    "say each step on standard error as it is done"),
	OPT(struct globals, dry_run, "dry-run", 0, NULL,
	    "print the steps as a shell script, do nothing"),
	{ 0 },
};

void globals_explain(const struct globals *g)
{
	if (g->dry_run) {
		explain_init(EXPLAIN_DRY, STDOUT_FILENO);
		explain_own_stdout();
	} else if (g->explain) {
		explain_init(EXPLAIN_NARRATE, STDERR_FILENO);
	}
}
