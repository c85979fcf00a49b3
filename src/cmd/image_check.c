/* src/cmd/image_check.c - strake-image check */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/strv.h"
#include "cmd/check_options.h"
#include "cmd/cmd.h"
#include "engine/engine.h"
#include "engine/layer_guard.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/reference.h"
#include "image/repair.h"
#include "image/verify.h"

struct source {
	struct engine *engine;
	const struct image *image;
	char *name; /* "quay.io/a/b@sha256:...": what exactly to ask for */
	struct layer_guard guard;
};

static void print(void *data, const char *text)
{
	(void)data;
	(void)puts(text);
}

/* The newest manifest under the first name: that has the same layers, whatever the tag is today. */
static int choose_source(struct source *s, struct error *err)
{
	char name[REFERENCE_MAX];
	struct db_rows rows;
	char *end;
	int r;

	if (s->image->names.n == 0)
		return error_set(err, -ENOENT, "it has no name that tells where to fetch it");
	(void)snprintf(name, sizeof(name), "%s", s->image->names.items[0]);
	end = strchr(name, '@');
	end = end ? end : strrchr(name, ':');
	if (end && !strchr(end, '/'))
		*end = '\0';
	r = db_query(engine_db(s->engine), &rows, err,
		     "SELECT digest FROM documents WHERE image = ?1 ORDER BY made DESC LIMIT 1",
		     "s", s->image->id);
	if (r < 0)
		return r;
	if (db_next(&rows))
		s->name = xasprintf("%s@sha256:%s", name, db_text(&rows, 0));
	r = db_finish(&rows);
	if (r == 0 && !s->name)
		r = error_set(err, -ENOENT, "it came without a manifest, so no registry has it");
	return r;
}

static int run_pull(const struct source *s, const char *root, struct error *err)
{
	autofree char *program = engine_program(s->engine, "strake-image");
	struct strv argv = { 0 };
	int state = 0;
	pid_t pid;

	strv_add(&argv, "strake-image");
	strv_add(&argv, "--root");
	strv_add(&argv, root);
	strv_add(&argv, "pull");
	strv_add(&argv, "--quiet");
	strv_add(&argv, s->name);
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)execv(program, argv.items);
		_exit(127);
	}
	strv_done(&argv);
	if (pid < 0 || TEMP_FAILURE_RETRY(waitpid(pid, &state, 0)) < 0)
		return error_sys(err, -errno, "run %s", program);
	return WIFEXITED(state) && WEXITSTATUS(state) == 0
		       ? 0
		       : error_set(err, -EIO, "%s could not be fetched", s->name);
}

static int fetch(void *data, const char *root, struct error *err)
{
	struct source *s = data;
	int r = choose_source(s, err);

	return r < 0 ? r : run_pull(s, root, err);
}

static int take(void *data, const struct strv *chains, struct error *err)
{
	struct source *s = data;

	return layer_guard_take(s->engine, chains, &s->guard, err);
}

static void release(void *data)
{
	struct source *s = data;

	layer_guard_release(&s->guard);
}

static int check_one(struct engine *engine, const struct image *image, bool repair, int *found,
		     int *mended, struct error *err)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	cleanup(verify_done) struct verify v = { .n = 0 };
	struct source s = { .engine = engine, .image = image };
	struct repair_request req = { .db = engine_db(engine),
				      .in = &in,
				      .image = image,
				      .fetch = fetch,
				      .take = take,
				      .release = release,
				      .data = &s };
	int r = incoming_open(engine_root(engine), engine_root_fd(engine), &in, err);

	if (r == 0)
		r = verify_image(engine_db(engine), &in, image, print, NULL, &v, err);
	if (r < 0)
		return error_wrap(err, r, "check image %.12s", image->id);
	*found += v.findings;
	if (v.findings == 0 || !repair)
		return 0;
	req.v = &v;
	r = image_repair(&req, err);
	free(s.name);
	if (r < 0)
		return error_wrap(err, r, "repair image %.12s", image->id);
	*mended += v.findings;
	return 0;
}

static int check_run(struct engine *engine, const void *data, int argc, char **argv,
		     struct error *err)
{
	const struct image_check_args *args = data;
	struct strv what = { 0 };
	int found = 0, mended = 0, status = 0;
	int r = argc ? 0 : image_ids(engine_db(engine), &what, err);

	strv_extend(&what, argv, (size_t)argc);
	for (size_t i = 0; r == 0 && i < what.n; i++) {
		cleanup(image_cleanup) struct image *image = NULL;
		struct error failure = { 0 };

		r = image_find_rows(engine_db(engine), what.items[i], &image, err);
		if (r == 0 &&
		    check_one(engine, image, args->repair, &found, &mended, &failure) < 0) {
			cmd_report("image check", &failure);
			status = 1;
		}
	}
	strv_done(&what);
	if (r < 0)
		return r;
	if (found == 0 && status == 0)
		(void)puts("nothing is wrong");
	else
		(void)printf("%d found, %d repaired\n", found, mended);
	return status || found > mended;
}

const struct cmd cmd_image_check = {
	.name = "check",
	.operands = "[IMAGE...]",
	.help = "Compare every byte of images with the digests that name it",
	.opts = image_check_opts,
	.args_size = sizeof(struct image_check_args),
	.max_operands = INT_MAX,
	.run = check_run,
};
