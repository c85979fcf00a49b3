/* src/programs/strake.c - the front command: its table of commands, and how it opens the engine. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/cmd.h"
#include "cmd/globals_engine.h"
#include "engine/recover.h"

extern const struct cmd cmd_attach, cmd_build, cmd_builder, cmd_buildx, cmd_bundle, cmd_debug,
	cmd_events, cmd_exec, cmd_history, cmd_image, cmd_images, cmd_inspect, cmd_kill, cmd_load,
	cmd_logs, cmd_network, cmd_ps, cmd_surface, cmd_rm, cmd_rmi, cmd_run, cmd_stop, cmd_system,
	cmd_tag, cmd_untag, cmd_volume, cmd_wait, cmd_container;
extern const struct cmd cmd_image_mount, cmd_image_unmount, cmd_manifest;
extern const struct cmd cmd_disk, cmd_lab, cmd_why;
extern const struct cmd cmd_commit, cmd_diff, cmd_export, cmd_import, cmd_save;

extern const struct cmd cmd_pull, cmd_push, cmd_copy, cmd_login, cmd_logout, cmd_search, cmd_tags,
	cmd_referrers;

static const struct cmd *const cmds[] = {
	/* containers */
	&cmd_run,
	&cmd_exec,
	&cmd_debug,
	&cmd_attach,
	&cmd_ps,
	&cmd_logs,
	&cmd_stop,
	&cmd_kill,
	&cmd_wait,
	&cmd_rm,
	&cmd_inspect,
	&cmd_commit,
	&cmd_diff,
	&cmd_export,
	&cmd_container,
	/* images */
	&cmd_build,
	&cmd_builder,
	&cmd_buildx,
	&cmd_images,
	&cmd_image,
	&cmd_rmi,
	&cmd_tag,
	&cmd_untag,
	&cmd_history,
	&cmd_surface,
	&cmd_manifest,
	&cmd_image_mount,
	&cmd_image_unmount,
	/* in and out */
	&cmd_pull,
	&cmd_push,
	&cmd_copy,
	&cmd_load,
	&cmd_save,
	&cmd_import,
	&cmd_bundle,
	&cmd_search,
	&cmd_tags,
	&cmd_referrers,
	&cmd_login,
	&cmd_logout,
	/* networks, machines, the rest */
	&cmd_network,
	&cmd_lab,
	&cmd_why,
	&cmd_disk,
	&cmd_volume,
	&cmd_events,
	&cmd_system,
	NULL,
};

static const struct cmd_heading headings[] = {
	{ "Containers", &cmd_run },
	{ "Images", &cmd_build },
	{ "Images from elsewhere and to it", &cmd_pull },
	{ "Networks, disks and state", &cmd_network },
	{ 0 },
};

static int setup(const void *data, struct error *err)
{
	const struct globals *g = data;

	if (g->explain && g->dry_run)
		return error_set(err, -EINVAL, "--explain and --dry-run exclude each other");
	globals_explain(g);
	return 0;
}

static int open_engine(const void *data, const struct cmd *cmd, struct engine **ret,
		       struct error *err)
{
	int r = globals_open(data, cmd, ret, err);

	if (r == 0)
		recover_dead(*ret);
	return r;
}

/* "strake foo" runs strake-foo from our libexec directory, then from PATH, as git does. */
static int run_helper(int argc, char **argv, struct error *err)
{
	autofree char *name = xasprintf("strake-%s", argv[0]);
	autofree char *dir = libexec_find();
	autofree char *path = xasprintf("%s/%s", dir, name);
	char *plain = argv[0];

	(void)argc;
	if (strchr(plain, '/'))
		return -ENOENT;
	argv[0] = name;
	(void)execv(path, argv);
	if (errno == ENOENT)
		(void)execvp(name, argv);
	argv[0] = plain;
	return errno == ENOENT ? -ENOENT : error_sys(err, -errno, "run %s", name);
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "strake",
		.help = "containers out of plain Linux parts, without a daemon",
		.cmds = cmds,
		.headings = headings,
		.global_opts = globals_opts,
		.globals_size = sizeof(struct globals),
		.setup = setup,
		.open = open_engine,
		.close = engine_close,
		.advise = engine_advise,
		.fallback = run_helper,
	};

	return program_main(&program, argc, argv);
}
