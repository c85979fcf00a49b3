/* src/cmd/builder.c - strake builder prune */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/hand_options.h"
#include "engine/build_cache.h"
#include "engine/engine.h"
#include "image/list.h"
#include "image/step.h"

struct prune_args {
	bool all, force;
	uint64_t keep;
	struct strv filter;
};

static const struct opt prune_opts[] = {
	OPT(struct prune_args, filter, "filter", 0, "until=AGE",
	    "only steps that no build used for so long: until=24h"),
	OPT(struct prune_args, keep, "keep-storage", 0, "SIZE",
	    "keep this much, of what was used last"),
	OPT(struct prune_args, all, "all", 'a', NULL,
	    "what RUN --mount=type=cache keeps, too, if no step uses it now"),
	OPT(struct prune_args, force, "force", 'f', NULL, "do not ask"),
	{ 0 },
};

static int ask(const struct prune_args *args, struct error *err)
{
	char answer[8] = "";

	if (args->force)
		return 1;
	if (!isatty(STDIN_FILENO))
		return error_set(err, -EINVAL,
				 "nobody to ask; --force removes the build cache without asking");
	(void)printf("Remove what builds have kept of their steps? [y/N] ");
	(void)fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int read_filter(struct engine *engine, const struct prune_args *args, int64_t *ret_ns,
		       struct error *err)
{
	cleanup(image_filter_done) struct image_filter filter = { 0 };
	int r;

	for (size_t i = 0; i < args->filter.n; i++)
		if (strncmp(args->filter.items[i], "until=", 6) != 0)
			return error_set(err, -EINVAL, "--filter '%s': expected until=AGE",
					 args->filter.items[i]);
	r = image_filter_parse(engine_db(engine), engine_root_fd(engine), &args->filter, &filter,
			       err);
	*ret_ns = filter.until_ns ? filter.until_ns : INT64_MAX;
	return r;
}

static int prune_run(struct engine *engine, const void *data, int argc, char **argv,
		     struct error *err)
{
	const struct prune_args *args = data;
	struct step_prune prune = { .keep_bytes = (int64_t)args->keep };
	struct build_cache_prune caches = { .bytes = 0 };
	char freed[NUMBER_SIZE_LEN];
	int r = read_filter(engine, args, &prune.unused_since_ns, err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = ask(args, err);
	if (r <= 0)
		return r;
	caches.unused_since_ns = prune.unused_since_ns;
	r = step_prune(engine_db(engine), engine_root_fd(engine), &prune, err);
	if (r == 0 && args->all)
		r = build_cache_prune(engine, &caches, err);
	if (r < 0)
		return r;
	number_format_size((uint64_t)(prune.bytes + caches.bytes), freed);
	(void)printf("Steps forgotten: %lld\n", (long long)prune.steps);
	if (args->all)
		(void)printf("Caches removed: %lld\n", (long long)caches.caches);
	(void)printf("Total reclaimed space: %s\n", freed);
	return 0;
}

static const struct cmd cmd_builder_prune = {
	.name = "prune",
	.operands = "",
	.help = "Remove what builds have kept of their steps",
	.details =
		"Layers that an image has stay with it; only a build would do their steps again.",
	.opts = prune_opts,
	.args_size = sizeof(struct prune_args),
	.run = prune_run,
};

extern const struct cmd cmd_build;

/* As docker builder and docker buildx have it, too. */
static const struct cmd also_build = { .name = "build", .same = &cmd_build };

/* buildah's other names of ps, umount and rm. */
static const struct cmd also_containers = { .name = "containers", .same = &cmd_hand_ps };
static const struct cmd also_unmount = { .name = "unmount", .same = &cmd_hand_umount };
static const struct cmd also_delete = { .name = "delete", .same = &cmd_hand_rm };

static const struct cmd *const subs[] = {
	&also_build,      &cmd_hand_from,   &cmd_hand_run,   &cmd_hand_copy,
	&cmd_hand_add,    &cmd_hand_config, &cmd_hand_mount, &cmd_hand_umount,
	&cmd_hand_commit, &cmd_hand_ps,     &cmd_hand_rm,    &cmd_builder_prune,
	&also_containers, &also_unmount,    &also_delete,    NULL,
};

static const struct cmd *const buildx_subs[] = { &also_build, &cmd_builder_prune, NULL };

/* For scripts. */
const struct cmd cmd_buildx = {
	.name = "buildx",
	.operands = "",
	.help = "As docker buildx build; see build and builder",
	.flags = CMD_HIDDEN,
	.sub = buildx_subs,
};

const struct cmd cmd_builder = {
	.name = "builder",
	.operands = "",
	.help = "Build by hand, and look after the build cache",
	.sub = subs,
};
