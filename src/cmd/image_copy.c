/* src/cmd/image_copy.c - strake-image copy, push */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/file.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/image_options.h"
#include "cmd/registry_open.h"
#include "cmd/registry_options.h"
#include "engine/engine.h"
#include "image/incoming.h"
#include "image/reference.h"
#include "transfer/copy.h"
#include "transfer/place.h"
#include "transfer/policy.h"
#include "transfer/progress.h"

/* What copy and push share: the store's places, and how registries are spoken with. */
struct work {
	struct incoming in;
	struct progress *progress;
	struct remote_options remote;
	char *program;
	struct place_context context;
	struct place *from, *to;
	uint64_t left_out;
	char *mount_names[4];
};

static void work_done(struct work *w)
{
	place_close(w->from);
	place_close(w->to);
	incoming_done(&w->in);
	progress_free(w->progress);
	free(w->program);
	for (size_t i = 0; i < ARRAY_SIZE(w->mount_names); i++)
		free(w->mount_names[i]);
}

static int work_open(struct work *w, struct engine *engine, const struct registry_args *args,
		     bool quiet, struct error *err)
{
	int r;

	*w = (struct work) { .in = INCOMING_INIT };
	w->progress = progress_new(stderr, quiet ? PROGRESS_NONE : PROGRESS_AUTO);
	r = incoming_open(engine_root(engine), engine_root_fd(engine), &w->in, err);
	if (r == 0)
		r = registry_options(args, w->progress, &w->program, &w->remote, err);
	w->context = (struct place_context) {
		.db = engine_db(engine),
		.root = engine_root(engine),
		.root_fd = engine_root_fd(engine),
		.tmp_fd = w->in.tmp_fd,
		.remote = &w->remote,
		.left_out = &w->left_out,
		.compression = "gzip",
		.format = "oci",
	};
	return r;
}

static void report(const struct work *w, const struct copy_result *result, const char *verb,
		   int64_t ms)
{
	autofree char *text = NULL;
	char size[NUMBER_SIZE_LEN];

	number_format_size((uint64_t)result->bytes, size);
	text = xasprintf("%s: %s, %s in %lld.%lld s, %zu blob%s sent, %zu there already", verb,
			 result->digest, size, (long long)ms / 1000, (long long)ms % 1000 / 100,
			 result->blobs, result->blobs == 1 ? "" : "s", result->skipped);
	progress_note(w->progress, text);
}

static int write_digest(const char *path, const char *digest, struct error *err)
{
	return path ? file_write_named(path, digest, strlen(digest), 0644, err) : 0;
}

/* copy */

/* "docker://HOST/a" to "docker://HOST/b": the registry can take the blobs over by itself. */
static void offer_mount(struct work *w, const char *source, const char *destination)
{
	char from[REFERENCE_MAX], to[REFERENCE_MAX];
	struct remote_name a, b;
	size_t host;

	if (strncmp(source, "docker://", 9) != 0 || strncmp(destination, "docker://", 9) != 0 ||
	    reference_canonical(source + 9, from, NULL) < 0 ||
	    reference_canonical(destination + 9, to, NULL) < 0)
		return;
	remote_name_parse(from, &a);
	remote_name_parse(to, &b);
	host = strcspn(a.repository, "/") + 1;
	if (strncmp(a.repository, b.repository, host) == 0 &&
	    strcmp(a.repository, b.repository) != 0) {
		w->mount_names[0] = xstrdup(a.repository + host);
		w->context.mount_from[0] = w->mount_names[0];
	}
	remote_name_done(&a);
	remote_name_done(&b);
}

static int copy(struct work *w, const struct copy_args *args, const struct policy *policy,
		const char *source, const char *destination, struct error *err)
{
	struct copy_result result = { .blobs = 0 };
	struct copy_request req = {
		.platform = args->platform,
		.all = args->all,
		.referrers = args->referrers,
		.policy = policy,
		.progress = w->progress,
		.verb = "copied",
		.tmp_fd = w->in.tmp_fd,
	};
	int64_t start = clock_monotonic_ms();
	int r = place_open(&w->context, source, false, &w->from, err);

	offer_mount(w, source, destination);
	if (r == 0)
		r = place_open(&w->context, destination, true, &w->to, err);
	req.from = w->from;
	req.to = w->to;
	if (r == 0)
		r = image_copy(&req, &result, err);
	if (r == 0)
		r = write_digest(args->digest_file, result.digest, err);
	if (r == 0)
		report(w, &result, "copied", clock_monotonic_ms() - start);
	image_note_left_out("copy", w->left_out);
	return r;
}

static int copy_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct copy_args *args = data;
	cleanup(policy_cleanup) struct policy *policy = NULL;
	cleanup(work_done) struct work w;
	int r = work_open(&w, engine, &args->registry, args->quiet, err);

	(void)argc;
	if (r == 0)
		r = policy_load(args->policy, &policy, err);
	return r < 0 ? r : copy(&w, args, policy, argv[0], argv[1], err);
}

/* push */

/* Other names of the same registry under which it may have layers of this image. */
static int list_mounts(struct work *w, const char *canonical, struct error *err)
{
	size_t host = strcspn(canonical, "/") + 1, n = 0;
	autofree char *like = xasprintf("%.*s%%", (int)host, canonical);
	struct remote_name own;
	struct db_rows rows;
	int r = db_query(w->context.db, &rows, err,
			 "SELECT name FROM image_names WHERE name LIKE ?1 ORDER BY name", "s",
			 like);

	remote_name_parse(canonical, &own);
	while (r == 0 && db_next(&rows)) {
		struct remote_name other;
		bool known;

		remote_name_parse(db_text(&rows, 0), &other);
		known = strncmp(other.repository, own.repository, host) != 0 ||
			strcmp(other.repository, own.repository) == 0 ||
			(n > 0 && strcmp(other.repository + host, w->mount_names[n - 1]) == 0);
		if (!known && n < ARRAY_SIZE(w->mount_names)) {
			w->mount_names[n] = xstrdup(other.repository + host);
			w->context.mount_from[n] = w->mount_names[n];
			n++;
		}
		remote_name_done(&other);
	}
	remote_name_done(&own);
	return r < 0 ? r : db_finish(&rows);
}

static int push(struct work *w, const struct push_args *args, const char *name,
		const char *destination, struct error *err)
{
	autofree char *source = xasprintf("store:%s", name);
	autofree char *target = strncmp(destination, "docker://", 9) == 0
					? xstrdup(destination)
					: xasprintf("docker://%s", destination);
	struct copy_result result = { .blobs = 0 };
	struct copy_request req = {
		.all = true, /* what the name stands for, whole */
		.progress = w->progress,
		.verb = "pushed",
		.tmp_fd = w->in.tmp_fd,
	};
	char canonical[REFERENCE_MAX];
	int64_t start = clock_monotonic_ms();
	int r = place_open(&w->context, source, false, &w->from, err);

	if (r == 0 && reference_canonical(target + 9, canonical, NULL) == 0)
		r = list_mounts(w, canonical, err);
	if (r == 0)
		r = place_open(&w->context, target, true, &w->to, err);
	req.from = w->from;
	req.to = w->to;
	if (r == 0)
		r = image_copy(&req, &result, err);
	if (r == 0)
		r = write_digest(args->digest_file, result.digest, err);
	if (r == 0)
		report(w, &result, w->to->name, clock_monotonic_ms() - start);
	return r < 0 ? error_wrap(err, r, "%s", destination) : 0;
}

static int push_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct push_args *args = data;
	cleanup(work_done) struct work w;
	int r = work_open(&w, engine, &args->registry, args->quiet, err);

	if (r < 0)
		return r;
	if (args->format && strcmp(args->format, "oci") != 0 && strcmp(args->format, "docker") != 0)
		return error_set(err, -EINVAL, "--format wants oci or docker, not '%.40s'",
				 args->format);
	if (args->format)
		w.context.format = args->format;
	if (args->compression)
		w.context.compression = args->compression;
	w.context.chunk = (int64_t)args->chunk;
	return push(&w, args, argv[0], argc > 1 ? argv[1] : argv[0], err);
}

const struct cmd cmd_image_copy = {
	.name = "copy",
	.operands = "SOURCE DESTINATION",
	.help = "Copy an image",
	.opts = copy_opts,
	.args_size = sizeof(struct copy_args),
	.min_operands = 2,
	.max_operands = 2,
	.flags = CMD_MAKES,
	.run = copy_run,
};

const struct cmd cmd_image_push = {
	.name = "push",
	.operands = "IMAGE [DESTINATION]",
	.help = "Send an image to a registry",
	.opts = push_opts,
	.args_size = sizeof(struct push_args),
	.min_operands = 1,
	.max_operands = 2,
	.run = push_run,
};
