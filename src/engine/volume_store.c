/* src/engine/volume_store.c */
#include "engine/volume_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/event.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "engine/engine.h"
#include "image/remove.h"

#define NOTE "volume.json"

static void volume_done(struct volume *v)
{
	free(v->name);
	free(v->path);
	strv_done(&v->labels);
	strv_done(&v->users);
}

void volume_list_done(struct volume_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		volume_done(&list->items[i]);
	free(list->items);
	*list = (struct volume_list) { .n = 0 };
}

/* A mount's source has no links in it, the root may. */
char *volume_of_source(const struct engine *engine, const char *source)
{
	autofree char *real = realpath(engine->root, NULL);
	const char *roots[] = { engine->root, real };

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		autofree char *before = xasprintf("%s/volumes/", roots[i] ? roots[i] : "");
		size_t len = strlen(before);
		const char *slash =
			strncmp(source, before, len) == 0 ? strchr(source + len, '/') : NULL;

		if (slash && strcmp(slash, "/_data") == 0)
			return xstrndup(source + len, (size_t)(slash - source) - len);
	}
	return NULL;
}

/* who uses them */

/* users: pairs of a volume's name and a container's. */
static void note_users(const struct engine *engine, const json_t *config, const char *container,
		       struct strv *users)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		const char *source = json_string_value(json_object_get(mount, "source"));
		char *name = source ? volume_of_source(engine, source) : NULL;

		if (!name)
			continue;
		strv_take(users, name);
		strv_add(users, container);
	}
}

/* *ret_unknown: names of containers whose config.json cannot tell: being made, or damaged. */
static int list_users(struct engine *engine, struct strv *ret, struct strv *ret_unknown,
		      struct error *err)
{
	struct db_rows rows;
	int r = db_query(engine->db, &rows, err, "SELECT id, name FROM containers", "");

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		autofree char *path = xasprintf("containers/%s/config.json", db_text(&rows, 0));
		cleanup(json_cleanup) json_t *config = NULL;

		if (json_load_at(engine->root_fd, path, &config, NULL) == 0)
			note_users(engine, config, db_text(&rows, 1), ret);
		else
			strv_add(ret_unknown, db_text(&rows, 1));
	}
	return db_finish(&rows);
}

/* listing */

static void read_note(int dir, const char *name, struct volume *v)
{
	autofree char *path = xasprintf("%s/" NOTE, name);
	cleanup(json_cleanup) json_t *doc = NULL;
	struct error why = { 0 };
	struct json_reader rd;
	struct stat st;

	if (fstatat(dir, name, &st, 0) == 0)
		v->created_ns = clock_from_timespec(&st.st_mtim);
	if (json_load_at(dir, path, &doc, NULL) < 0)
		return;
	json_reader_init(&rd, path, &why);
	ignore_result(clock_parse(json_read_string(&rd, doc, "created", ""), &v->created_ns));
	json_read_strings(&rd, doc, "labels", &v->labels);
	v->is_anonymous = json_read_bool(&rd, doc, "anonymous", false);
}

static int by_name(const void *a, const void *b)
{
	const struct volume *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void add_volume(const struct engine *engine, int dir, const char *name,
		       const struct strv *users, struct volume_list *list)
{
	struct volume v = { .name = xstrdup(name) };

	v.path = xasprintf("%s/volumes/%s/_data", engine->root, name);
	read_note(dir, name, &v);
	for (size_t i = 0; i + 1 < users->n; i += 2)
		if (strcmp(users->items[i], name) == 0)
			strv_add(&v.users, users->items[i + 1]);
	VEC_GROW(list->items, list->n, list->room);
	list->items[list->n++] = v;
}

int volume_list(struct engine *engine, struct volume_list *ret, struct error *err)
{
	struct strv users = { 0 }, unknown = { 0 };
	struct volume_list list = { .n = 0 };
	int fd = openat(engine->root_fd, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int r = list_users(engine, &users, &unknown, err);

	while (r == 0 && dir && (entry = readdir(dir)))
		if (name_is_valid(entry->d_name))
			add_volume(engine, fd, entry->d_name, &users, &list);
	if (dir)
		(void)closedir(dir);
	strv_done(&users);
	strv_done(&unknown);
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), by_name);
	*ret = list;
	return r;
}

const struct volume *volume_list_find(const struct volume_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

json_t *volume_describe(const struct volume *v)
{
	json_t *labels = json_object(), *doc;
	char created[CLOCK_TEXT_LEN];

	for (size_t i = 0; i < v->labels.n; i++) {
		autofree char *name = xstrdup(v->labels.items[i]);
		char *value = strchr(name, '=');

		if (value)
			*value++ = '\0';
		(void)json_object_set_new(labels, name, json_string(value ? value : ""));
	}
	clock_format(v->created_ns, created);
	doc = json_pack("{s:s, s:s, s:o, s:s, s:s, s:{}, s:s}", "CreatedAt", created, "Driver",
			"local", "Labels", labels, "Mountpoint", v->path, "Name", v->name,
			"Options", "Scope", "local");
	(void)json_object_set_new(doc, "Containers", json_from_strv(&v->users));
	return doc;
}

/* making */

static int write_note(const struct engine *engine, const char *name, const struct strv *labels,
		      bool anonymous, struct error *err)
{
	autofree char *path = xasprintf("%s/volumes/%s/" NOTE, engine->root, name);
	cleanup(json_cleanup) json_t *doc = json_object();
	char created[CLOCK_TEXT_LEN];

	clock_format(clock_now_ns(), created);
	(void)json_object_set_new(doc, "created", json_string(created));
	(void)json_object_set_new(doc, "labels", json_from_strv(labels));
	(void)json_object_set_new(doc, "anonymous", json_boolean(anonymous));
	return json_save_at(AT_FDCWD, path, doc, false, err);
}

static void tell(const struct engine *engine, const char *action, const char *name)
{
	const char *const list[] = { "driver", "local", "name", name, NULL };

	event_tell(engine->root_fd, "volume", action, name, list);
}

int volume_create(struct engine *engine, const char *name, const struct strv *labels, char **ret,
		  struct error *err)
{
	char made_up[ID_LEN + 1] = "";
	autofree char *path = NULL;
	int r = name ? 0 : id_new(made_up);

	if (r < 0)
		return error_sys(err, r, "make up a name");
	if (name && !name_is_valid(name))
		return error_set(err, -EINVAL,
				 "'%.100s' is no name for a volume: letters, digits, and _.+- "
				 "behind the first",
				 name);
	path = xasprintf("%s/volumes/%s/_data", engine->root, name ? name : made_up);
	*ret = xstrdup(name ? name : made_up);
	if (access(path, F_OK) == 0 || explain("a volume is a directory", "mkdir -p %s", sq(path)))
		return 0;
	r = dir_make_at(AT_FDCWD, path, 0755, err);
	if (r == 0)
		r = write_note(engine, *ret, labels, !name, err);
	if (r == 0)
		tell(engine, "create", *ret);
	return r;
}

/* removing */

static int check_unused(struct engine *engine, const char *name, struct error *err)
{
	struct strv users = { 0 }, unknown = { 0 };
	int r = list_users(engine, &users, &unknown, err);

	for (size_t i = 0; r == 0 && i + 1 < users.n; i += 2)
		if (strcmp(users.items[i], name) == 0)
			r = error_set(err, -EBUSY,
				      "volume %s is in use by container %s; 'strake rm %s' first",
				      name, users.items[i + 1], users.items[i + 1]);
	if (r == 0 && unknown.n)
		r = error_set(
			err, -EBUSY,
			"volume %s may be in use: what container %s mounts cannot be read, it "
			"is being made or damaged ('strake system check' tells)",
			name, unknown.items[0]);
	strv_done(&users);
	strv_done(&unknown);
	return r;
}

/* In one transaction: a run that begins later makes the directory anew, one that began before has
 * its row already.
 */
static int bury(struct engine *engine, const char *name, struct grave *grave, struct error *err)
{
	autofree char *path = xasprintf("volumes/%s", name);
	int r = db_begin(engine->db, err);

	if (r == 0)
		r = check_unused(engine, name, err);
	if (r == 0 && renameat(engine->root_fd, path, grave->fd, name) < 0)
		r = error_sys(err, -errno, "remove volume %s", name);
	if (r == 0)
		r = db_commit(engine->db, err);
	db_rollback(engine->db);
	return r;
}

int volume_remove(struct engine *engine, const char *name, struct error *err)
{
	autofree char *path = xasprintf("volumes/%s", name), *whole = NULL;
	struct grave grave;
	int r;

	if (!name_is_valid(name) || faccessat(engine->root_fd, path, F_OK, 0) < 0)
		return error_set(err, -ENOENT, "no volume '%.100s'; 'strake volume ls' lists them",
				 name);
	whole = xasprintf("%s/%s", engine->root, path);
	if (explain_dry()) {
		r = check_unused(engine, name, err);
		if (r == 0)
			(void)explain("its files, which no container needs", "rm -rf %s",
				      sq(whole));
		return r;
	}
	r = grave_open(engine->root_fd, &grave, err);
	if (r < 0)
		return r;
	r = bury(engine, name, &grave, err);
	if (r == 0) {
		(void)explain("its files, which no container needs", "rm -rf %s", sq(whole));
		r = dir_remove_at(grave.fd, name, err);
	}
	grave_close(&grave);
	if (r == 0)
		tell(engine, "destroy", name);
	return r;
}
