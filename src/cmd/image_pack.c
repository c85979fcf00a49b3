/* src/cmd/image_pack.c - strake-image pack */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/pack_options.h"
#include "engine/engine.h"
#include "engine/stage.h"
#include "image/changes.h"
#include "image/commit.h"
#include "image/incoming.h"
#include "image/reference.h"

#define STAGE_DIR "stage"

/* What the user says comes behind what the file, the directory or the bundle says. */
static void add_words(const struct strv *words, const char *instruction, struct strv *ret)
{
	json_t *list = json_from_strv(words);
	char *text = json_dumps(list, JSON_COMPACT);

	if (words->n && text)
		strv_addf(ret, "%s %s", instruction, text);
	json_decref(list);
	free(text);
}

static void add_options(const struct pack_args *args, struct strv *ret)
{
	add_words(&args->entrypoint, "ENTRYPOINT", ret);
	add_words(&args->cmd, "CMD", ret);
	strv_extend(ret, args->change.items, args->change.n);
}

static int pack(struct engine *engine, const struct incoming *in, const struct pack_args *args,
		const char *path, const char *name, char id[ID_LEN + 1], struct error *err)
{
	cleanup(stage_done) struct stage stage = STAGE_INIT;
	autofree char *tmp_path = xasprintf("%s/%s/" STAGE_DIR, in->root, in->tmp_name);
	const char *slash = strrchr(path, '/');
	autofree char *made_by = xasprintf("strake image pack %s", slash ? slash + 1 : path);
	autoclose int tmp = -1;
	struct stage_request sr = { .path = path,
				    .with_libs = args->with_libs,
				    .with = &args->with,
				    .tmp_path = tmp_path };
	struct changes_request changes = { .fd = -1 };
	struct commit_request req = { .root = in->root,
				      .root_fd = in->root_fd,
				      .changes = &changes,
				      .archive = -1,
				      .created_by = made_by,
				      .name = name };
	int r = dir_ensure_at(in->tmp_fd, STAGE_DIR, 0755, &tmp, err);

	sr.tmp = tmp;
	if (r == 0)
		r = stage_make(&sr, &stage, err);
	if (r == 0)
		r = source_date_epoch(&req.newest_s, err);
	if (r < 0)
		return r;
	add_options(args, &stage.instructions);
	changes.fd = stage.dir;
	req.instructions = &stage.instructions;
	/* The same file is the same image on any day. */
	if (stage.is_ours && req.newest_s < 0)
		req.newest_s = stage.newest_s;
	return image_commit(engine_db(engine), &req, id, err);
}

static int pack_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	char name[REFERENCE_MAX], id[ID_LEN + 1];
	int r = argc > 1 ? reference_canonical(argv[1], name, err) : 0;

	if (r == 0)
		r = incoming_open(engine_root(engine), engine_root_fd(engine), &in, err);
	if (r == 0)
		r = pack(engine, &in, data, argv[0], argc > 1 ? name : NULL, id, err);
	if (r == 0)
		(void)puts(id);
	return r;
}

const struct cmd cmd_image_pack = {
	.name = "pack",
	.operands = "FILE|DIR|BUNDLE [NAME]",
	.help = "Make an image of one executable, a directory or a bundle",
	.opts = pack_opts,
	.args_size = sizeof(struct pack_args),
	.min_operands = 1,
	.max_operands = 2,
	.run = pack_run,
};
