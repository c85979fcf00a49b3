/* src/cmd/image_pull.c - strake-image pull */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/image_options.h"
#include "cmd/registry_open.h"
#include "cmd/registry_options.h"
#include "engine/engine.h"
#include "image/image.h"
#include "image/platform.h"
#include "image/reference.h"
#include "transfer/policy.h"
#include "transfer/progress.h"
#include "transfer/pull.h"
#include "transfer/remote.h"

struct pulling {
	struct engine *engine;
	const struct pull_args *args;
	const struct policy *policy;
	struct progress *progress;
	struct remote *remote;
	bool missing; /* only what is not here */
};

static void report(const struct pulling *p, const char *name, const struct pull_result *result,
		   int64_t ms)
{
	char familiar[REFERENCE_MAX], size[NUMBER_SIZE_LEN];
	autofree char *text = NULL;

	reference_familiar(name, familiar);
	number_format_size((uint64_t)result->bytes, size);
	text = xasprintf("%s: %s, %s, %zu layer%s, %s fetched in %lld.%lld s%s%s", familiar,
			 result->digest, result->platform, result->layers,
			 result->layers == 1 ? "" : "s", size, (long long)ms / 1000,
			 (long long)ms % 1000 / 100, result->rate ? "; " : "",
			 result->rate ? result->rate : "");
	progress_note(p->progress, text);
	image_note_left_out("pull", result->left_out);
	(void)puts(result->id);
}

static int pull_name(const struct pulling *p, const char *name, struct error *err)
{
	cleanup(pull_result_done) struct pull_result result = { .rate = NULL };
	const struct pull_request req = {
		.db = engine_db(p->engine),
		.root = engine_root(p->engine),
		.root_fd = engine_root_fd(p->engine),
		.remote = p->remote,
		.name = name,
		.platform = p->args->platform,
		.policy = p->policy,
		.progress = p->progress,
	};
	int64_t start = clock_monotonic_ms();
	int r = image_pull(&req, &result, err);

	if (r == 0)
		report(p, name, &result, clock_monotonic_ms() - start);
	return r;
}

static bool is_for(const struct image *image, const char *platform)
{
	const struct image_config *config = &image->config;
	autofree char *have = NULL;

	if (!platform || !config->os || !config->architecture)
		return true;
	have = xasprintf("%s/%s", config->os, config->architecture);
	return platform_fits(have, platform) || platform_fits(platform, have);
}

/* Under one of the names that it may stand for. */
static bool is_here(const struct pulling *p, const struct strv *names)
{
	for (size_t i = 0; i < names->n; i++) {
		cleanup(image_cleanup) struct image *image = NULL;
		int r = image_find(engine_db(p->engine), engine_root_fd(p->engine), names->items[i],
				   &image, NULL);

		if (r < 0 || !is_for(image, p->args->platform))
			continue;
		(void)puts(image->id);
		return true;
	}
	return false;
}

/* A search (short-name-mode disabled) goes through its candidates, aloud. */
static int pull_one(const struct pulling *p, size_t i, const char *typed, struct error *err)
{
	struct strv names = { 0 };
	autofree char *first = NULL;
	int r;

	remote_candidates(p->remote, i, &names);
	if (p->missing && is_here(p, &names)) {
		strv_done(&names);
		return 0;
	}
	r = registry_name(p->remote, i, typed, p->progress, &first, err);
	if (r == 0)
		r = pull_name(p, first, err);
	for (size_t k = 1; r < 0 && k < names.n; k++) {
		autofree char *text = xasprintf("%s; trying %s", err->text, names.items[k]);

		progress_note(p->progress, text);
		r = pull_name(p, names.items[k], err);
	}
	strv_done(&names);
	return r;
}

static int pull_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct pull_args *args = data;
	cleanup(progress_cleanup) struct progress *progress =
		progress_new(stderr, args->quiet ? PROGRESS_NONE : PROGRESS_AUTO);
	cleanup(policy_cleanup) struct policy *policy = NULL;
	cleanup(remote_cleanup) struct remote *remote = NULL;
	struct pulling p = { .engine = engine, .args = args, .progress = progress };
	struct strv names = { 0 };
	int r, first = 0;

	if (args->when && strcmp(args->when, "always") != 0 && strcmp(args->when, "missing") != 0)
		return error_set(err, -EINVAL, "--policy wants always or missing, not '%.40s'",
				 args->when);
	p.missing = args->when && strcmp(args->when, "missing") == 0;
	strv_extend(&names, argv, (size_t)argc);
	r = policy_load(args->policy, &policy, err);
	if (r == 0)
		r = registry_open(&args->registry, progress, &names, NULL, &remote, err);
	strv_done(&names);
	if (r < 0)
		return r;
	p.policy = policy;
	p.remote = remote;
	for (int i = 0; i < argc; i++) {
		struct error why = { 0 };

		r = pull_one(&p, (size_t)i, argv[i], &why);
		if (r < 0 && argc > 1)
			cmd_report("pull", &why);
		if (r < 0 && first == 0) {
			first = r;
			*err = why;
		}
	}
	return first < 0 && argc > 1 ? error_set(err, first, "not every image came") : first;
}

const struct cmd cmd_image_pull = {
	.name = "pull",
	.operands = "IMAGE...",
	.help = "Fetch images from a registry",
	.opts = pull_opts,
	.args_size = sizeof(struct pull_args),
	.min_operands = 1,
	.max_operands = 10000,
	.flags = CMD_MAKES,
	.run = pull_run,
};
