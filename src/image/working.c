/* src/image/working.c */
#include "image/working.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "base/walk.h"
#include "image/hold.h"
#include "image/layer_info.h"

#define RECORD    "working.json"
#define NAME_FILE "name" /* there before the record, so that nobody else takes it */
#define NAMES_MAX 10000

char *working_path(const char *id)
{
	return xasprintf(WORKING_DIR "/%s", id);
}

void working_done(struct working *w)
{
	free(w->name);
	free(w->image);
	free(w->state);
	free(w->created_by);
	strv_done(&w->chains);
	strv_done(&w->annotations);
	if (w->fd >= 0)
		(void)close(w->fd);
	*w = WORKING_INIT;
}

/* the record */

static int save_record(const struct working *w, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:o, s:o, s:s, s:s*}", "id", w->id,
		"name", w->name, "image", w->image, "imageId", w->image_id, "created",
		(json_int_t)w->created_ns, "below", (json_int_t)w->below, "belowHistory",
		(json_int_t)w->below_history, "isMounted", w->is_mounted, "chains",
		json_from_strv(&w->chains), "annotations", json_from_strv(&w->annotations), "state",
		w->state, "createdBy", w->created_by);

	if (!doc)
		return error_set(err, -EILSEQ, "working container %s has texts that are no UTF-8",
				 w->name);
	return json_save_at(w->fd, RECORD, doc, true, err);
}

static int read_record(const json_t *doc, const char *path, struct working *ret, struct error *err)
{
	const char *created_by;
	struct json_reader rd;

	json_reader_init(&rd, path, err);
	ret->name = xstrdup(json_need_string(&rd, doc, "name"));
	ret->image = xstrdup(json_need_string(&rd, doc, "image"));
	(void)snprintf(ret->image_id, sizeof(ret->image_id), "%s",
		       json_read_string(&rd, doc, "imageId", ""));
	ret->created_ns = json_read_int(&rd, doc, "created", 0, INT64_MAX, 0);
	ret->below = json_read_int(&rd, doc, "below", 0, INT32_MAX, 0);
	ret->below_history = json_read_int(&rd, doc, "belowHistory", 0, INT32_MAX, 0);
	ret->is_mounted = json_read_bool(&rd, doc, "isMounted", false);
	json_read_strings(&rd, doc, "chains", &ret->chains);
	json_read_strings(&rd, doc, "annotations", &ret->annotations);
	ret->state = xstrdup(json_need_string(&rd, doc, "state"));
	created_by = json_read_string(&rd, doc, "createdBy", NULL);
	ret->created_by = created_by ? xstrdup(created_by) : NULL;
	return rd.r;
}

/* -ENOENT: there is none of this ID, or not yet. */
static int load(int root_fd, const char *id, struct working *ret, struct error *err)
{
	autofree char *path = xasprintf(WORKING_DIR "/%s/" RECORD, id);
	cleanup(json_cleanup) json_t *doc = NULL;
	struct working w = WORKING_INIT;
	int r = json_load_at(root_fd, path, &doc, err);

	if (r == 0)
		r = read_record(doc, path, &w, err);
	if (r < 0) {
		working_done(&w);
		return r;
	}
	(void)snprintf(w.id, sizeof(w.id), "%s", id);
	*ret = w;
	return 0;
}

int working_ids(int root_fd, struct strv *ret, struct error *err)
{
	autoclose int fd = openat(root_fd, WORKING_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strv names = { 0 };
	int r;

	if (fd < 0) /* nobody made one, or a dry run without a root */
		return errno == ENOENT || root_fd < 0 ? 0
						      : error_sys(err, -errno, "list " WORKING_DIR);
	r = walk_names(fd, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		autofree char *record = xasprintf("%s/" RECORD, names.items[i]);

		if (faccessat(fd, record, F_OK, 0) == 0)
			strv_add(ret, names.items[i]);
	}
	strv_done(&names);
	return r < 0 ? error_sys(err, r, "list " WORKING_DIR) : 0;
}

/* finding */

static int ambiguous(const char *what, struct error *err)
{
	return error_set(err, -EINVAL, "more than one working container's ID starts with %s", what);
}

/* A name before the start of an ID. */
static int choose(int root_fd, const char *what, char ret_id[ID_LEN + 1], struct error *err)
{
	struct strv ids = { 0 };
	const char *match = NULL;
	bool by_name = false;
	int r = working_ids(root_fd, &ids, err);

	for (size_t i = 0; r == 0 && !by_name && i < ids.n; i++) {
		cleanup(working_done) struct working w = WORKING_INIT;

		if (load(root_fd, ids.items[i], &w, NULL) == 0 && strcmp(w.name, what) == 0) {
			by_name = true;
			match = ids.items[i];
		} else if (*what && strncmp(ids.items[i], what, strlen(what)) == 0) {
			if (match)
				r = ambiguous(what, err);
			match = ids.items[i];
		}
	}
	if (by_name)
		r = 0;
	if (r == 0 && !match)
		r = error_set(err, -ENOENT,
			      "no working container %.100s; 'strake builder ps' lists them", what);
	if (r == 0)
		(void)snprintf(ret_id, ID_LEN + 1, "%s", match);
	strv_done(&ids);
	return r;
}

int working_find(int root_fd, const char *what, struct working *ret, struct error *err)
{
	char id[ID_LEN + 1];
	int r = choose(root_fd, what, id, err);

	return r < 0 ? r : load(root_fd, id, ret, err);
}

static int lock(int root_fd, const char *path, bool wait, int *ret, struct error *err)
{
	autoclose int fd = -1;
	int r = dir_open_at(root_fd, path, &fd, err);

	if (r == 0 && TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) < 0)
		r = error_sys(err, -errno, "lock %s", path);
	if (r == 0)
		*ret = steal_fd(&fd);
	return r;
}

int working_open(int root_fd, const char *what, bool wait, struct working *ret, struct error *err)
{
	autofree char *path = NULL;
	autoclose int fd = -1;
	char id[ID_LEN + 1];
	int r = choose(root_fd, what, id, err);

	if (r < 0)
		return r;
	path = working_path(id);
	r = lock(root_fd, path, wait, &fd, err);
	if (r == -EWOULDBLOCK)
		return error_set(err, -EBUSY,
				 "another command works on %.100s; wait for it, or end it", what);
	/* Removed while we waited: the record says so. */
	if (r == 0)
		r = load(root_fd, id, ret, err);
	if (r == 0)
		ret->fd = steal_fd(&fd);
	return r;
}

/* making */

static bool is_taken(int all, const struct strv *ids, const char *name)
{
	bool taken = false;

	for (size_t i = 0; !taken && i < ids->n; i++) {
		autofree char *path = xasprintf("%s/" NAME_FILE, ids->items[i]), *text = NULL;

		taken = file_read_regular_at(all, path, PATH_MAX, &text, NULL, NULL) == 0 &&
			strcmp(text, name) == 0;
	}
	return taken;
}

/* "quay.io/a/alpine:3" to "alpine-working-container". */
static char *name_after(const char *image, unsigned number)
{
	const char *slash = strrchr(image, '/'), *base = slash ? slash + 1 : image;
	int len = (int)strcspn(base, ":@");

	return number ? xasprintf("%.*s-working-container-%u", MIN(len, 60), base, number)
		      : xasprintf("%.*s-working-container", MIN(len, 60), base);
}

static int choose_name(int all, const char *name, struct working *w, struct error *err)
{
	struct strv ids = { 0 };
	int r = walk_names(all, &ids);

	if (r < 0)
		r = error_sys(err, r, "list " WORKING_DIR);
	else if (name && !name_is_valid(name))
		r = error_set(err, -EINVAL,
			      "--name '%s': letters, digits, and _.+- behind the first", name);
	else if (name && is_taken(all, &ids, name))
		r = error_set(err, -EEXIST,
			      "the name '%s' is taken; 'strake builder rm %s' frees it", name,
			      name);
	else if (name)
		w->name = xstrdup(name);
	for (unsigned i = 0; r == 0 && !w->name && i < NAMES_MAX; i++) {
		autofree char *fresh = name_after(w->image, i);

		if (!is_taken(all, &ids, fresh))
			w->name = steal_ptr(&fresh);
	}
	strv_done(&ids);
	return r == 0 && !w->name
		       ? error_set(err, -EEXIST, "all names after %.100s are taken", w->image)
		       : r;
}

int working_new(int root_fd, const char *name, const char *image, struct working *ret,
		struct error *err)
{
	struct working w = WORKING_INIT;
	autofree char *path = NULL;
	autoclose int all = -1;
	int r = id_new(w.id);

	if (r < 0)
		return error_sys(err, r, "choose a name");
	path = working_path(w.id);
	w.image = xstrdup(image);
	w.created_ns = clock_now_ns();
	r = dir_make_at(root_fd, WORKING_DIR, 0700, err);
	if (r == 0)
		r = lock(root_fd, WORKING_DIR, true, &all, err);
	if (r == 0)
		r = choose_name(all, name, &w, err);
	if (r == 0)
		r = dir_make_at(root_fd, path, 0700, err);
	if (r == 0)
		r = lock(root_fd, path, true, &w.fd, err);
	if (r == 0)
		r = file_write_at(w.fd, NAME_FILE, w.name, strlen(w.name), 0600, FILE_PLAIN, err);
	if (r < 0)
		working_done(&w);
	else
		*ret = w;
	return r;
}

int working_save(struct db *db, int root_fd, struct working *w, struct error *err)
{
	autofree char *path = working_path(w->id);
	int r = hold_add(db, path, &w->chains, err);

	if (r == 0)
		r = save_record(w, err);
	return r < 0 ? r : hold_release(db, root_fd, path, &w->chains, err);
}

/* Without its record it is none any more, whatever happens then. */
int working_remove(struct db *db, int root_fd, struct working *w, struct error *err)
{
	autofree char *path = working_path(w->id), *whole = file_path(root_fd, path);
	int r;

	if (explain("what it changed and no image has", "rm -rf %s", sq(whole)))
		return 0;
	if (unlinkat(w->fd, RECORD, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s/" RECORD, path);
	r = dir_remove_at(root_fd, path, err);
	return r < 0 ? r : hold_release(db, root_fd, path, NULL, err);
}

/* what was left */

static bool is_dead(int root_fd, const char *id)
{
	autofree char *path = working_path(id), *record = xasprintf("%s/" RECORD, path);
	autoclose int fd = -1;

	return faccessat(root_fd, record, F_OK, 0) < 0 &&
	       dir_open_at(root_fd, path, &fd, NULL) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static int list_dead(int root_fd, struct strv *ret)
{
	autoclose int fd = openat(root_fd, WORKING_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strv names = { 0 };
	int r = 0;

	/* Somebody makes one: a later command will look. */
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	r = walk_names(fd, &names);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (is_dead(root_fd, names.items[i]))
			strv_add(ret, names.items[i]);
	strv_done(&names);
	return r;
}

void working_sweep(int root_fd)
{
	struct strv dead = { 0 };

	if (list_dead(root_fd, &dead) == 0)
		for (size_t i = 0; i < dead.n; i++) {
			autofree char *path = working_path(dead.items[i]);

			ignore_result(dir_remove_at(root_fd, path, NULL));
		}
	strv_done(&dead);
}

static char *missing_layer(int root_fd, const struct working *w)
{
	for (size_t i = 0; i < w->chains.n; i++) {
		autofree char *dir = xasprintf("layers/%s/diff", w->chains.items[i]);

		if (faccessat(root_fd, dir, F_OK, 0) < 0)
			return xasprintf("working container %s: %s is gone; 'strake builder rm %s' "
					 "removes the rest",
					 w->name, dir, w->name);
	}
	return NULL;
}

int working_check(int root_fd, bool repair, void (*report)(void *data, const char *text),
		  void *data, int *ret_left, struct error *err)
{
	struct strv ids = { 0 }, dead = { 0 };
	int found = 0, r = working_ids(root_fd, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		cleanup(working_done) struct working w = WORKING_INIT;
		struct error why = { 0 };
		autofree char *text = NULL;

		if (load(root_fd, ids.items[i], &w, &why) < 0)
			text = xasprintf("working container %.12s: %s; 'strake builder rm %.12s' "
					 "removes it",
					 ids.items[i], why.text, ids.items[i]);
		else
			text = missing_layer(root_fd, &w);
		if (!text)
			continue;
		report(data, text);
		found++;
		*ret_left += 1;
	}
	if (r == 0)
		r = list_dead(root_fd, &dead);
	for (size_t i = 0; r == 0 && i < dead.n; i++) {
		autofree char *path = working_path(dead.items[i]);
		autofree char *text =
			xasprintf("directory %s belongs to no working container", path);

		report(data, text);
		found++;
		if (repair)
			r = dir_remove_at(root_fd, path, err);
	}
	strv_done(&ids);
	strv_done(&dead);
	return r < 0 ? r : found;
}

static int hold_again(struct db *db, int root_fd, const struct working *w, struct error *err)
{
	autoclose int layers = openat(root_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofree char *path = working_path(w->id);
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->chains.n; i++) {
		const char *chain = w->chains.items[i];
		struct layer_info info;

		if (layers >= 0 && layer_info_load(layers, chain, &info, NULL) == 0)
			r = layer_info_insert(db, chain, &info, err);
		if (r == 0)
			r = db_run(
				db, err,
				"INSERT OR IGNORE INTO layer_holds (name, chain) VALUES (?1, ?2)",
				"ss", path, chain);
	}
	return r;
}

int working_restore(struct db *db, int root_fd, struct error *err)
{
	struct strv ids = { 0 };
	int r = working_ids(root_fd, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		cleanup(working_done) struct working w = WORKING_INIT;

		if (load(root_fd, ids.items[i], &w, NULL) == 0)
			r = hold_again(db, root_fd, &w, err);
	}
	strv_done(&ids);
	return r;
}
