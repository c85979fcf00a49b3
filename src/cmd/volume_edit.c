/* src/cmd/volume_edit.c - strake volume create, rm, prune */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "engine/engine.h"
#include "engine/usage.h"
#include "engine/volume_store.h"

struct create_args {
	const char *driver;
	struct strv labels;
};

static const struct opt create_opts[] = {
	OPT(struct create_args, driver, "driver", 'd', "DRIVER", "local, the only one"),
	OPT(struct create_args, labels, "label", 0, "NAME=VALUE", "a note for programs"),
	{ 0 },
};

static int create_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct create_args *args = data;
	autofree char *name = NULL;
	int r;

	if (args->driver && strcmp(args->driver, "local") != 0)
		return error_set(err, -EINVAL, "--driver '%.60s': there is only local",
				 args->driver);
	r = volume_create(engine, argc ? argv[0] : NULL, &args->labels, &name, err);
	if (r == 0)
		(void)puts(name);
	return r;
}

const struct cmd cmd_volume_create = {
	.name = "create",
	.operands = "[VOLUME]",
	.help = "Make a volume, if it is not there",
	.details = "'strake run -v VOLUME:/PATH' makes one, too. Without a name one is made up.",
	.opts = create_opts,
	.args_size = sizeof(struct create_args),
	.max_operands = 1,
	.flags = CMD_MAKES,
	.run = create_run,
};

struct rm_args {
	bool force;
};

static const struct opt rm_opts[] = {
	OPT(struct rm_args, force, "force", 'f', NULL, "a missing volume is fine"),
	{ 0 },
};

static int rm_run(struct engine *engine, const void *data, int argc, char **argv, struct error *err)
{
	bool force = ((const struct rm_args *)data)->force;
	int failed = 0;

	(void)err;
	for (int i = 0; i < argc; i++) {
		struct error failure = { 0 };
		int r = volume_remove(engine, argv[i], &failure);

		if (r < 0 && !(force && r == -ENOENT)) {
			cmd_report("volume rm", &failure);
			failed = 1;
			continue;
		}
		(void)puts(argv[i]);
	}
	return failed;
}

const struct cmd cmd_volume_rm = {
	.name = "rm",
	.operands = "VOLUME...",
	.help = "Remove volumes and what is in them",
	.opts = rm_opts,
	.args_size = sizeof(struct rm_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = rm_run,
};

struct prune_args {
	bool all, force;
};

static const struct opt prune_opts[] = {
	OPT(struct prune_args, all, "all", 'a', NULL,
	    "those with a name, too, not only those whose name was made up"),
	OPT(struct prune_args, force, "force", 'f', NULL, "do not ask"),
	{ 0 },
};

static int ask(const struct prune_args *args, struct error *err)
{
	const char *what = args->all ? "volumes" : "volumes without a name of their own";
	char answer[8] = "";

	if (args->force)
		return 1;
	if (!isatty(STDIN_FILENO))
		return error_set(err, -EINVAL,
				 "nobody to ask; --force removes all %s that no container has "
				 "without asking",
				 what);
	(void)printf("Remove all %s that no container has? [y/N] ", what);
	(void)fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int64_t bytes_of_volumes(struct engine *engine)
{
	struct usage usage;

	return usage_read(engine, &usage, NULL) < 0 ? 0 : usage.parts[USAGE_VOLUMES].bytes;
}

static int prune_run(struct engine *engine, const void *data, int argc, char **argv,
		     struct error *err)
{
	const struct prune_args *args = data;
	cleanup(volume_list_done) struct volume_list list = { .n = 0 };
	int64_t before = bytes_of_volumes(engine);
	char freed[NUMBER_SIZE_LEN];
	int failed = 0, r = ask(args, err);

	(void)argc;
	(void)argv;
	if (r <= 0)
		return r;
	r = volume_list(engine, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct volume *v = &list.items[i];
		struct error failure = { 0 };

		if (v->users.n || !(args->all || v->is_anonymous))
			continue;
		if (volume_remove(engine, v->name, &failure) == 0) {
			(void)puts(v->name);
			continue;
		}
		/* A container may have taken it meanwhile. */
		cmd_report("volume prune", &failure);
		failed = 1;
	}
	number_format_size((uint64_t)MAX(before - bytes_of_volumes(engine), 0), freed);
	(void)printf("Total reclaimed space: %s\n", freed);
	return r < 0 ? r : failed;
}

const struct cmd cmd_volume_prune = {
	.name = "prune",
	.operands = "",
	.help = "Remove volumes that no container has",
	.opts = prune_opts,
	.args_size = sizeof(struct prune_args),
	.run = prune_run,
};
