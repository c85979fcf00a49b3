/* src/cmd/bundle.c - strake bundle */
#include <stdio.h>

#include "base/explain.h"
#include "cmd/cmd.h"
#include "engine/bundle_write.h"
#include "engine/options.h"

#define ROW(field, name, letter, operand, help)                                                    \
	OPT(struct container_options, field, name, letter, operand, help)

static const struct opt bundle_opts[] = {
	ROW(env, "env", 'e', "NAME[=VALUE]", "set a variable, or copy ours"),
	ROW(entrypoint, "entrypoint", 0, "PROGRAM", "in place of the image's; empty: none"),
	ROW(workdir, "workdir", 'w', "DIR", "start in DIR"),
	ROW(user, "user", 'u', "USER[:GROUP]", "run as this user, name or number"),
	ROW(hostname, "hostname", 'h', "NAME", "its host name (default: the image's name)"),
	ROW(read_only, "read-only", 0, NULL, "its root cannot be written to"),
	ROW(tty, "tty", 't', NULL, "give it a terminal"),
	ROW(volumes, "volume", 'v', "SOURCE:DEST[:ro]", "mount a host path"),
	{ 0 },
};

static int bundle_run(struct engine *engine, const void *args, int argc, char **argv,
		      struct error *err)
{
	struct container_options options = *(const struct container_options *)args;

	options.image = argv[0];
	options.command = argv + 2;
	options.ncommand = (size_t)argc - 2;
	if (explain_dry())
		return error_set(err, -EOPNOTSUPP,
				 "--dry-run: no stock tool makes this config.json; "
				 "'strake run --print-config' shows it");
	return bundle_write(engine, &options, argv[1], err);
}

const struct cmd cmd_bundle = {
	.name = "bundle",
	.operands = "[OPTIONS] IMAGE DIR [COMMAND [ARGUMENT...]]",
	.help = "Write an image as an OCI bundle",
	.details =
		"DIR gets the image's files as rootfs, and a config.json made of the image's configuration:\n"
		"runc, crun and strake-runtime run it unchanged, and 'strake run ./DIR' does. The way back is\n"
		"'strake image pack DIR NAME'.",
	.opts = bundle_opts,
	.args_size = sizeof(struct container_options),
	.min_operands = 2,
	.max_operands = 1000,
	.flags = CMD_FIRST_OPERAND | CMD_MAKES,
	.run = bundle_run,
};
