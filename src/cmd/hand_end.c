/* src/cmd/hand_end.c - strake-build commit, mount, umount, ps and rm */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/table.h"
#include "builder/hand.h"
#include "builder/edits.h"
#include "builder/hand_mount.h"
#include "cmd/build_given.h"
#include "cmd/cmd.h"
#include "cmd/hand.h"
#include "cmd/hand_options.h"
#include "cmd/rows.h"
#include "engine/engine.h"

/* commit */

static int make_image(struct hand *hand, const struct hand_commit_args *args,
		      const struct strv *names)
{
	const struct image_edits edits = { .unset_env = args->unset_env,
					   .no_history = args->omit_history };
	struct hand_commit hc = { .names = names,
				  .edits = &edits,
				  .format = args->format,
				  .manifest = args->manifest,
				  .squash = args->squash };
	const struct given_only given[] = {
		{ "format", args->format, "oci docker", "there is no other" },
		{ "identity-label", args->identity_label, "false", "no label says what built it" },
		{ "disable-compression", args->disable_compression, "true",
		  "layers are packed when they leave" },
		{ "rewrite-timestamp", args->rewrite_timestamp, "true",
		  "--timestamp holds the times of files down, too" },
	};
	char id[ID_LEN + 1];
	int r = given_only(given, ARRAY_SIZE(given), hand->err);

	if (r == 0)
		r = read_timestamp(args->timestamp, &hc.newest_s, hand->err);

	if (r == 0)
		r = hand_commit(hand, &hc, id);
	if (r == 0 && args->iidfile) {
		autofree char *text = xasprintf("sha256:%s", id);

		r = file_write_named(args->iidfile, text, strlen(text), 0644, hand->err);
	}
	if (r == 0 && !args->quiet)
		(void)puts(id);
	return r;
}

static int commit_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct hand_commit_args *args = data;
	struct strv given = { 0 }, names = { 0 };
	struct build_request req;
	struct hand hand = { .w = WORKING_INIT };
	int r = hand_step_request(&req, err);

	strv_extend(&given, argv + 1, (size_t)(argc - 1));
	if (r == 0)
		r = read_image_names(&given, "NAME", &names, err);
	if (r == 0)
		r = hand_open(engine, argv[0], &req, &hand, err);
	if (r == 0) {
		r = make_image(&hand, args, &names);
		if (r == 0 && args->remove) {
			hand.w.is_mounted = false; /* it is not by now */
			r = working_remove(engine_db(engine), engine_root_fd(engine), &hand.w, err);
		}
		hand_done(&hand);
	}
	strv_done(&given);
	strv_done(&names);
	return r;
}

const struct cmd cmd_hand_commit_do = {
	.name = "commit",
	.operands = "CONTAINER [NAME]",
	.help = "Make an image of a working container",
	.opts = hand_commit_opts,
	.args_size = sizeof(struct hand_commit_args),
	.min_operands = 1,
	.max_operands = 2,
	.run = commit_run,
};

/* mount, umount */

static int list_mounts(struct engine *engine, struct error *err)
{
	static const char *const headings[] = { "CONTAINER ID", "NAME", "MOUNT" };
	const int root = engine_root_fd(engine);
	struct strv ids = { 0 };
	struct table t;
	int r = working_ids(root, &ids, err);

	table_init(&t, ARRAY_SIZE(headings), headings);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		cleanup(working_done) struct working w = WORKING_INIT;
		autofree char *path = hand_mount_path(engine, ids.items[i]);

		if (!hand_is_mounted(engine, ids.items[i]) ||
		    working_find(root, ids.items[i], &w, NULL) < 0)
			continue;
		table_cellf(&t, "%.*s", ID_SHORT_LEN, w.id);
		table_cell(&t, w.name);
		table_cell(&t, path);
	}
	if (r == 0)
		table_print(&t, stdout);
	table_done(&t);
	strv_done(&ids);
	return r;
}

static int note_mounted(struct engine *engine, struct working *w, bool is_mounted,
			struct error *err)
{
	if (w->is_mounted == is_mounted)
		return 0;
	w->is_mounted = is_mounted;
	return working_save(engine_db(engine), engine_root_fd(engine), w, err);
}

static int mount_one(struct engine *engine, const char *what, struct error *err)
{
	cleanup(working_done) struct working w = WORKING_INIT;
	autofree char *path = NULL;
	int r = working_open(engine_root_fd(engine), what, true, &w, err);

	if (r == 0)
		r = hand_mount(engine, &w, &path, err);
	if (r == 0)
		r = note_mounted(engine, &w, true, err);
	if (r == 0)
		(void)puts(path);
	return r;
}

static int mount_run(struct engine *engine, const void *data, int argc, char **argv,
		     struct error *err)
{
	int r = argc ? 0 : list_mounts(engine, err);

	(void)data;
	for (int i = 0; r == 0 && i < argc; i++)
		r = mount_one(engine, argv[i], err);
	return r;
}

const struct cmd cmd_hand_mount_do = {
	.name = "mount",
	.operands = "[CONTAINER...]",
	.help = "Show a working container's files at a place on the host",
	.max_operands = INT_MAX,
	.run = mount_run,
};

static int umount_one(struct engine *engine, const char *what, struct error *err)
{
	cleanup(working_done) struct working w = WORKING_INIT;
	int r = working_open(engine_root_fd(engine), what, true, &w, err);

	if (r == 0)
		r = hand_unmount(engine, &w, err);
	return r < 0 ? r : note_mounted(engine, &w, false, err);
}

/* Each of those named, or each of all; the first failure ends it. */
static int each(struct engine *engine, bool all, int argc, char **argv,
		int (*fn)(struct engine *, const char *, struct error *), struct error *err)
{
	struct strv ids = { 0 };
	int r = 0;

	if (all == (argc > 0))
		return error_set(err, -EINVAL, "name a working container, or say --all");
	if (all)
		r = working_ids(engine_root_fd(engine), &ids, err);
	else
		strv_extend(&ids, argv, (size_t)argc);
	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = fn(engine, ids.items[i], err);
	strv_done(&ids);
	return r;
}

static int umount_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct hand_all_args *args = data;

	return each(engine, args->all, argc, argv, umount_one, err);
}

const struct cmd cmd_hand_umount_do = {
	.name = "umount",
	.operands = "CONTAINER...",
	.help = "Take what 'strake builder mount' showed away",
	.opts = hand_umount_opts,
	.args_size = sizeof(struct hand_all_args),
	.max_operands = INT_MAX,
	.run = umount_run,
};

/* rm */

static int remove_one(struct engine *engine, const char *what, struct error *err)
{
	cleanup(working_done) struct working w = WORKING_INIT;
	int r = working_open(engine_root_fd(engine), what, false, &w, err);

	if (r == 0)
		r = hand_unmount(engine, &w, err);
	if (r == 0)
		r = working_remove(engine_db(engine), engine_root_fd(engine), &w, err);
	if (r == 0)
		(void)puts(w.name);
	return r;
}

static int rm_run(struct engine *engine, const void *data, int argc, char **argv, struct error *err)
{
	const struct hand_all_args *args = data;

	return each(engine, args->all, argc, argv, remove_one, err);
}

const struct cmd cmd_hand_rm_do = {
	.name = "rm",
	.operands = "CONTAINER...",
	.help = "Remove working containers",
	.opts = hand_rm_opts,
	.args_size = sizeof(struct hand_all_args),
	.max_operands = INT_MAX,
	.run = rm_run,
};

/* ps */

static const struct column columns[] = {
	{ "CONTAINER ID", "ID" }, { "NAME", "Name" },
	{ "IMAGE", "Image" },     { "IMAGE ID", "ImageID" },
	{ "LAYERS", "Layers" },   { "CREATED", "RunningFor" },
	{ NULL, NULL },
};

static json_t *row_of(const struct engine *engine, const struct working *w, bool whole)
{
	const int len = whole ? ID_LEN : ID_SHORT_LEN;
	char created[CLOCK_TEXT_LEN], age[32];

	clock_format(w->created_ns, created);
	clock_format_age(clock_now_ns() - w->created_ns, age);
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:s}", "ID",
			 json_sprintf("%.*s", len, w->id), "Name", w->name, "Image", w->image,
			 "ImageID", json_sprintf("%.*s", len, w->image_id), "Layers",
			 json_sprintf("%lld", (long long)w->chains.n - w->below), "RunningFor",
			 json_sprintf("%s ago", age), "CreatedAt", created, "Mounted",
			 hand_is_mounted(engine, w->id) ? "true" : "false");
}

static int ps_run(struct engine *engine, const void *data, int argc, char **argv, struct error *err)
{
	const struct hand_ps_args *args = data;
	struct strv ids = { 0 };
	struct rows rows;
	int r = working_ids(engine_root_fd(engine), &ids, err);

	(void)argc;
	(void)argv;
	rows_init(&rows, columns, args->json ? "json" : args->format);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		cleanup(working_done) struct working w = WORKING_INIT;
		struct error failure = { 0 };

		if (working_find(engine_root_fd(engine), ids.items[i], &w, &failure) < 0)
			cmd_report("builder ps", &failure);
		else if (args->quiet)
			(void)printf("%.*s\n", args->no_trunc ? ID_LEN : ID_SHORT_LEN, w.id);
		else
			rows_add(&rows, row_of(engine, &w, args->no_trunc));
	}
	if (r == 0 && !args->quiet)
		r = rows_print(&rows, err);
	rows_done(&rows);
	strv_done(&ids);
	return r;
}

const struct cmd cmd_hand_ps_do = {
	.name = "ps",
	.operands = "",
	.help = "List working containers",
	.opts = hand_ps_opts,
	.args_size = sizeof(struct hand_ps_args),
	.run = ps_run,
};
