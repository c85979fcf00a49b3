/* src/programs/strake-image.c - what needs archive libraries, executed by strake when it is used.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/globals_engine.h"
#include "image/image.h"

extern const struct cmd cmd_image_commit, cmd_image_export, cmd_image_import, cmd_image_load,
	cmd_image_save, cmd_image_take;
extern const struct cmd cmd_image_check, cmd_image_pack;
extern const struct cmd cmd_image_manifest_add, cmd_image_manifest_annotate,
	cmd_image_manifest_create, cmd_image_manifest_remove;
extern const struct cmd cmd_image_copy, cmd_image_push, cmd_image_pull, cmd_image_login,
	cmd_image_logout, cmd_image_tags, cmd_image_search, cmd_image_referrers,
	cmd_image_remote_inspect;

static const struct cmd *const cmds[] = {
	&cmd_image_load,
	&cmd_image_save,
	&cmd_image_import,
	&cmd_image_export,
	&cmd_image_commit,
	&cmd_image_take,
	&cmd_image_check,
	&cmd_image_pack,
	&cmd_image_copy,
	&cmd_image_push,
	&cmd_image_pull,
	&cmd_image_login,
	&cmd_image_logout,
	&cmd_image_tags,
	&cmd_image_search,
	&cmd_image_referrers,
	&cmd_image_remote_inspect,
	&cmd_image_manifest_create,
	&cmd_image_manifest_add,
	&cmd_image_manifest_annotate,
	&cmd_image_manifest_remove,
	NULL,
};

/* Why there is no script of it. */
static const struct {
	const char *command, *why;
} no_scripts[] = {
	{ "login", "a login asks the registry and keeps a password, no stock tool does" },
	{ "logout", "a logout takes a password out of a file, no stock tool does" },
	{ "save", "no stock tool puts together an image archive; --explain tells the steps" },
	{ "export", "no script is made of an export; --explain tells the steps" },
	{ "push", "no stock tool sends an image to a registry" },
	{ "copy", "no stock tool copies an image" },
	{ "tags", "no stock tool asks a registry" },
	{ "search", "no stock tool asks a registry" },
	{ "referrers", "no stock tool asks a registry" },
	{ "check", "no stock tool checks the image store" },
};

static int refuse_dry_run(struct error *err)
{
	const char *why = "stock tools cannot fill the image store",
		   *last = strrchr(cmd_typed(), ' ');

	last = last ? last + 1 : cmd_typed();
	for (size_t i = 0; i < ARRAY_SIZE(no_scripts); i++)
		if (strcmp(no_scripts[i].command, last) == 0)
			why = no_scripts[i].why;
	return error_set(err, -EOPNOTSUPP, "--dry-run: %s; nothing was done", why);
}

static int setup(const void *globals, struct error *err)
{
	const struct globals *g = globals;

	if (g->dry_run)
		return refuse_dry_run(err);
	globals_explain(g);
	return 0;
}

static int open_engine(const void *data, const struct cmd *cmd, struct engine **ret,
		       struct error *err)
{
	int r = globals_open(data, cmd, ret, err);

	if (r == 0)
		image_sweep(engine_db(*ret), engine_root_fd(*ret));
	return r;
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "strake", /* whoever reads an error typed "strake load" */
		.help = "images out of archives; called by strake",
		.cmds = cmds,
		.global_opts = globals_opts,
		.globals_size = sizeof(struct globals),
		.setup = setup,
		.open = open_engine,
		.close = engine_close,
	};

	return program_main(&program, argc, argv);
}
