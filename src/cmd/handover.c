/* src/cmd/handover.c */
#include "cmd/handover.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/opt.h"
#include "base/strv.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "engine/engine.h"

static const struct opt global_opts[] = {
	OPT(struct globals, root, "root", 0, "DIR", ""),
	OPT(struct globals, run_root, "run-root", 0, "DIR", ""),
	OPT(struct globals, explain, "explain", 0, NULL, ""),
	OPT(struct globals, dry_run, "dry-run", 0, NULL, ""),
	{ 0 },
};

int handover(const char *program, const char *command, const void *globals, const struct opt *opts,
	     const void *args, char **operands, struct error *err)
{
	autofree char *dir = libexec_find();
	autofree char *path = xasprintf("%s/%s", dir, program);
	struct strv argv = { 0 };
	int r;

	strv_addf(&argv, HANDOVER_NAME "%s", cmd_typed());
	if (globals)
		opt_format(global_opts, globals, &argv);
	strv_add(&argv, command);
	opt_format(opts, args, &argv);
	strv_add(&argv, "--");
	for (; *operands; operands++)
		strv_add(&argv, *operands);
	explain_release();
	(void)execv(path, argv.items);
	r = error_sys(err, -errno, "run %s", path);
	strv_done(&argv);
	return r;
}
