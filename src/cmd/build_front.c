/* src/cmd/build_front.c - build, as strake shows it; strake-build does it. */
#include "cmd/build_options.h"
#include "cmd/cmd.h"
#include "cmd/handover.h"

static int build_run(const void *globals, const void *args, int argc, char **argv,
		     struct error *err)
{
	(void)argc;
	return handover("strake-build", "build", globals, build_opts, args, argv, err);
}

const struct cmd cmd_build = {
	.name = "build",
	.operands = "[CONTEXT|ARCHIVE|URL|-]",
	.help = "Build an image from a Containerfile",
	.details =
		"The context is the directory whose files COPY and ADD take (default: where we are), an\n"
		"archive of one, or - for an\n"
		"archive, or a Containerfile alone, on standard input; or a git repository\n"
		"(https://HOST/X.git#BRANCH:DIR), or the URL of an archive or a Containerfile. What\n"
		".containerignore or .dockerignore names is not in it.\n"
		"\n"
		"Each step's result is kept and taken again when nothing that it depends on has changed.\n"
		"Only RUN starts a container, which ps shows as build-...-STAGE-NUMBER. What steps print,\n"
		"and how the build goes on, is on standard error; the image's ID is on standard output.",
	.opts = build_opts,
	.args_size = sizeof(struct build_args),
	.max_operands = 1,
	.run_alone = build_run,
};
