/* src/engine/container.c */
#include "engine/container.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/engine.h"
#include "engine/schema.h"
#include "engine/options.h"

#define DEFINITION_VERSION 1

char *container_dir(const struct engine *engine, const char *id)
{
	return xasprintf("%s/containers/%s", engine->root, id);
}

char *container_run_dir(const struct engine *engine, const char *id)
{
	return xasprintf("%s/containers/%s", engine->run_root, id);
}

char *container_netns(const struct engine *engine, const char *id)
{
	return xasprintf("%s/containers/%s/netns", engine->run_root, id);
}

char *container_log(const struct engine *engine, const char *id)
{
	return xasprintf("%s/containers/%s/log", engine->root, id);
}

void container_free(struct container *c)
{
	if (!c)
		return;
	free(c->name);
	free(c->source);
	free(c->image_id);
	strv_done(&c->command);
	free(c->network);
	json_decref(c->places);
	strv_done(&c->ports);
	free(c->address);
	strv_done(&c->labels);
	free(c->user);
	free(c->stop_signal);
	free(c);
}

static void set_text(json_t *doc, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(doc, key, json_string(text));
}

int container_save(const struct engine *engine, const struct container *c, struct error *err)
{
	autofree char *path = xasprintf("%s/containers/%s/container.json", engine->root, c->id);
	cleanup(json_cleanup) json_t *doc = json_object();
	char created[CLOCK_TEXT_LEN];

	clock_format(c->created_ns, created);
	(void)json_object_set_new(doc, "version", json_integer(DEFINITION_VERSION));
	set_text(doc, "id", c->id);
	set_text(doc, "name", c->name);
	set_text(doc, "created", created);
	set_text(doc, "source", c->source);
	set_text(doc, "imageId", c->image_id);
	(void)json_object_set_new(doc, "command", json_from_strv(&c->command));
	set_text(doc, "network", c->network);
	if (c->places)
		(void)json_object_set(doc, "places", c->places);
	(void)json_object_set_new(doc, "ports", json_from_strv(&c->ports));
	set_text(doc, "address", c->address);
	(void)json_object_set_new(doc, "labels", json_from_strv(&c->labels));
	set_text(doc, "user", c->user);
	set_text(doc, "stopSignal", c->stop_signal);
	(void)json_object_set_new(doc, "stopTimeout", json_integer(c->stop_timeout));
	(void)json_object_set_new(doc, "tty", json_boolean(c->tty));
	(void)json_object_set_new(doc, "openStdin", json_boolean(c->open_stdin));
	(void)json_object_set_new(doc, "autoRemove", json_boolean(c->auto_remove));
	return json_save_at(AT_FDCWD, path, doc, false, err);
}

static int parse(const json_t *doc, const char *what, struct container *c, struct error *err)
{
	struct json_reader rd;

	json_reader_init(&rd, what, err);
	if (json_read_int(&rd, doc, "version", 0, INT_MAX, 0) != DEFINITION_VERSION)
		json_fail(&rd, "version", "is not %d; a newer strake wrote this",
			  DEFINITION_VERSION);
	c->name = xstrdup(json_need_string(&rd, doc, "name"));
	c->source = xstrdup(json_need_string(&rd, doc, "source"));
	c->image_id = xstrdup_or_null(json_read_string(&rd, doc, "imageId", NULL));
	if (clock_parse(json_need_string(&rd, doc, "created"), &c->created_ns) < 0)
		json_fail(&rd, "created", "is not a time");
	json_read_strings(&rd, doc, "command", &c->command);
	c->network = xstrdup(json_read_string(&rd, doc, "network", "none"));
	c->places = json_incref(json_read_object(&rd, doc, "places"));
	json_read_strings(&rd, doc, "ports", &c->ports);
	c->address = xstrdup_or_null(json_read_string(&rd, doc, "address", NULL));
	json_read_strings(&rd, doc, "labels", &c->labels);
	c->user = xstrdup_or_null(json_read_string(&rd, doc, "user", NULL));
	c->stop_signal = xstrdup_or_null(json_read_string(&rd, doc, "stopSignal", NULL));
	c->stop_timeout =
		(int)json_read_int(&rd, doc, "stopTimeout", -1, INT_MAX, STOP_TIMEOUT_DEFAULT);
	c->tty = json_read_bool(&rd, doc, "tty", false);
	c->open_stdin = json_read_bool(&rd, doc, "openStdin", false);
	c->auto_remove = json_read_bool(&rd, doc, "autoRemove", false);
	return rd.r;
}

int container_load(const struct engine *engine, const char *id, struct container **ret,
		   struct error *err)
{
	autofree char *path = xasprintf("%s/containers/%s/container.json", engine->root, id);
	cleanup(container_cleanup) struct container *c = xnew(struct container);
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = json_load_at(AT_FDCWD, path, &doc, err);

	if (r == 0)
		r = parse(doc, path, c, err);
	if (r < 0)
		return error_wrap(err, r, "load container %.12s", id);
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	*ret = steal_ptr(&c);
	return 0;
}

static int id_by_name(struct engine *engine, const char *name, char ret[ID_LEN + 1],
		      struct error *err)
{
	struct db_rows rows;
	bool found = false;
	int r = db_query(engine->db, &rows, err, "SELECT id FROM containers WHERE name=?1 OR id=?1",
			 "s", name);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		(void)snprintf(ret, ID_LEN + 1, "%s", db_text(&rows, 0));
		found = true;
	}
	r = db_finish(&rows);
	return r < 0 ? r : found ? 0 : -ENOENT;
}

static int id_by_prefix(struct engine *engine, const char *prefix, char ret[ID_LEN + 1],
			struct error *err)
{
	struct db_rows rows;
	int found = 0, r;

	r = db_query(engine->db, &rows, err,
		     "SELECT id FROM containers WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2", "s",
		     prefix);
	if (r < 0)
		return r;
	while (db_next(&rows)) {
		(void)snprintf(ret, ID_LEN + 1, "%s", db_text(&rows, 0));
		found++;
	}
	r = db_finish(&rows);
	if (r == 0 && found > 1)
		return error_set(err, -EINVAL,
				 "%s is the start of several container IDs; give more of it",
				 prefix);
	return r < 0 ? r : found == 1 ? 0 : -ENOENT;
}

bool container_was_started(const struct engine *engine, const char *id)
{
	autofree char *live = xasprintf("containers/%s/live.json", id);
	autofree char *ended = xasprintf("containers/%s/exit.json", id);

	return faccessat(engine->run_fd, live, F_OK, 0) == 0 ||
	       faccessat(engine->root_fd, ended, F_OK, 0) == 0;
}

pid_t container_maker(const struct engine *engine, const char *id)
{
	struct db_rows rows;
	pid_t pid = 0;

	if (container_was_started(engine, id) ||
	    db_query(engine->db, &rows, NULL,
		     "SELECT maker, maker_start FROM containers WHERE id = ?1 AND active <> 0", "s",
		     id) < 0)
		return 0;
	if (db_next(&rows) && process_is_alive((pid_t)db_int(&rows, 0), (uint64_t)db_int(&rows, 1)))
		pid = (pid_t)db_int(&rows, 0);
	return db_finish(&rows) < 0 ? 0 : pid;
}

static int row_load(struct engine *engine, const char *id, struct container **ret,
		    struct error *err)
{
	cleanup(container_cleanup) struct container *c = xnew(struct container);
	struct db_rows rows;
	int r = db_query(engine->db, &rows, err,
			 "SELECT name, image, created, auto_remove FROM containers WHERE id = ?1",
			 "s", id);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		const char *image = db_text(&rows, 1);

		c->name = xstrdup(db_text(&rows, 0));
		c->image_id = xstrdup_or_null(image);
		c->source = image ? xasprintf("%.12s", image) : xstrdup("?");
		c->created_ns = db_int(&rows, 2);
		c->auto_remove = db_int(&rows, 3) == REMOVAL_AT_END;
	}
	r = db_finish(&rows);
	if (r == 0 && !c->name)
		r = error_set(err, -ENOENT, "container %.12s is gone meanwhile", id);
	if (r < 0)
		return r;
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	c->network = xstrdup("?");
	c->stop_timeout = STOP_TIMEOUT_DEFAULT;
	c->is_damaged = true;
	*ret = steal_ptr(&c);
	return 0;
}

int container_load_row(struct engine *engine, const char *id, struct container **ret,
		       struct error *ret_why, struct error *err)
{
	*ret_why = (struct error) { 0 };
	return container_load(engine, id, ret, ret_why) == 0 ? 0 : row_load(engine, id, ret, err);
}

/* What one can do about a definition that cannot be read. */
static int damaged(struct engine *engine, const char *id, int r, const struct error *why,
		   struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;

	if (row_load(engine, id, &c, err) < 0)
		return -ENOENT;
	if (container_maker(engine, id))
		return error_set(err, r, "container %s is still being made", c->name);
	return error_set(err, r == -ENOENT ? -EUCLEAN : r,
			 "container %s is damaged: %.300s; 'strake rm -f %s' removes it", c->name,
			 why->text, c->name);
}

static int id_find(struct engine *engine, const char *what, char ret[ID_LEN + 1], struct error *err)
{
	int r = id_by_name(engine, what, ret, err);

	if (r == -ENOENT && id_is_hex(what))
		r = id_by_prefix(engine, what, ret, err);
	if (r == -ENOENT)
		return error_set(err, r, "no container '%.100s'; 'strake ps -a' lists them", what);
	return r;
}

int container_find(struct engine *engine, const char *what, struct container **ret,
		   struct error *err)
{
	char id[ID_LEN + 1];
	struct error why = { 0 };
	int r = id_find(engine, what, id, err);

	if (r < 0)
		return r;
	r = container_load(engine, id, ret, &why);
	return r < 0 ? damaged(engine, id, r, &why, err) : 0;
}

int container_find_row(struct engine *engine, const char *what, struct container **ret,
		       struct error *err)
{
	char id[ID_LEN + 1];
	struct error why;
	int r = id_find(engine, what, id, err);

	return r < 0 ? r : container_load_row(engine, id, ret, &why, err);
}

int container_ids(struct engine *engine, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(engine->db, &rows, err,
			 "SELECT id FROM containers ORDER BY created DESC, id", "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}
