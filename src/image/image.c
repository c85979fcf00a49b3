/* src/image/image.c - finding images, and what their config says; removal is in remove.c. */
#include "image/image.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/id.h"
#include "base/json.h"
#include "image/index.h"
#include "image/reference.h"
#include "image/schema.h"

static const char *const steps[] = {
	"CREATE TABLE images ("
	" id TEXT PRIMARY KEY,"
	" size INTEGER NOT NULL,"
	" loaded INTEGER NOT NULL);"
	"CREATE TABLE image_names ("
	" name TEXT PRIMARY KEY,"
	" image TEXT NOT NULL REFERENCES images (id));"
	"CREATE INDEX image_names_image ON image_names (image);"
	"CREATE TABLE image_layers ("
	" image TEXT NOT NULL REFERENCES images (id),"
	" position INTEGER NOT NULL,"
	" chain TEXT NOT NULL,"
	" PRIMARY KEY (image, position));"
	"CREATE INDEX image_layers_chain ON image_layers (chain)",

	/* What is known without a look at files.  documents: the manifests and indexes that came or
	 * were made, as they are in blobs/sha256; one that describes an image names it, an index
	 * does not.  layer_blobs: blobs of layers that are kept, and what they unpack to; one is
	 * used as long as an image has a layer with that diff ID.  Digests are hex.
	 */
	"ALTER TABLE images ADD COLUMN platform TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE images ADD COLUMN created TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE layers ("
	" chain TEXT PRIMARY KEY,"
	" diff_id TEXT NOT NULL,"
	" size INTEGER NOT NULL," /* of the files */
	" disk INTEGER NOT NULL);"
	"CREATE INDEX layers_diff_id ON layers (diff_id);"
	"CREATE TABLE layer_blobs ("
	" digest TEXT PRIMARY KEY,"
	" diff_id TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" packing TEXT NOT NULL);"
	"CREATE INDEX layer_blobs_diff_id ON layer_blobs (diff_id);"
	"CREATE TABLE documents ("
	" digest TEXT PRIMARY KEY,"
	" media_type TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" image TEXT REFERENCES images (id),"
	" made INTEGER NOT NULL);" /* ns; the newest of an image is pushed */
	"CREATE INDEX documents_image ON documents (image);"
	"CREATE TABLE document_parts ("
	" document TEXT NOT NULL REFERENCES documents (digest) ON DELETE CASCADE,"
	" position INTEGER NOT NULL,"
	" kind TEXT NOT NULL," /* config, layer, manifest */
	" digest TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" media_type TEXT NOT NULL,"
	" platform TEXT NOT NULL," /* "linux/arm64/v8", or "" */
	" PRIMARY KEY (document, position));"
	"CREATE INDEX document_parts_digest ON document_parts (digest);"
	"CREATE TABLE index_names ("
	" name TEXT PRIMARY KEY,"
	" document TEXT NOT NULL REFERENCES documents (digest));"
	"CREATE INDEX index_names_document ON index_names (document)",

	/* Of the archive that has the layer's diff ID. */
	"ALTER TABLE layers ADD COLUMN tar_size INTEGER NOT NULL DEFAULT -1",

	/* The build cache, see step.h; a lost one is not made again. */
	"CREATE TABLE build_steps ("
	" key TEXT PRIMARY KEY,"
	" parent TEXT NOT NULL,"
	" what TEXT NOT NULL,"
	" reads TEXT NOT NULL,"
	" chain TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" used INTEGER NOT NULL);"
	"CREATE INDEX build_steps_chain ON build_steps (chain);"
	"CREATE INDEX build_steps_what ON build_steps (what, parent)",

	/* Of builds that go on and of working containers, see hold.h. */
	"CREATE TABLE layer_holds ("
	" name TEXT NOT NULL,"
	" chain TEXT NOT NULL,"
	" PRIMARY KEY (name, chain));"
	"CREATE INDEX layer_holds_chain ON layer_holds (chain)",
	NULL,
};

const struct db_schema image_schema = { .module = "image", .steps = steps };

void image_config_done(struct image_config *c)
{
	strv_done(&c->entrypoint);
	strv_done(&c->cmd);
	strv_done(&c->env);
	strv_done(&c->volumes);
	strv_done(&c->exposed_ports);
	strv_done(&c->labels);
	free(c->user);
	free(c->workdir);
	free(c->stop_signal);
	free(c->architecture);
	free(c->os);
	free(c->created);
}

void image_free(struct image *image)
{
	if (!image)
		return;
	strv_done(&image->names);
	strv_done(&image->layers);
	image_config_done(&image->config);
	free(image);
}

/* "Volumes" and "ExposedPorts" are sets, written as objects with empty members. */
static void read_set(struct json_reader *rd, const json_t *obj, const char *key, struct strv *ret)
{
	json_t *set = json_read_object(rd, obj, key), *value;
	const char *name;

	json_object_foreach (set, name, value)
		strv_add(ret, name);
}

static char *read_text(struct json_reader *rd, const json_t *obj, const char *key)
{
	const char *text = json_read_string(rd, obj, key, NULL);

	return text && text[0] ? xstrdup(text) : NULL;
}

static void read_labels(struct json_reader *rd, const json_t *config, struct strv *ret)
{
	json_t *labels = json_incref(json_read_object(rd, config, "Labels"));
	const char *name;
	json_t *value;

	json_object_foreach (labels, name, value)
		if (json_is_string(value))
			strv_addf(ret, "%s=%s", name, json_string_value(value));
	json_decref(labels);
}

int image_config_parse(const json_t *doc, struct image_config *ret, struct error *err)
{
	struct image_config c = { .user = NULL };
	struct json_reader rd;
	const json_t *config;

	json_reader_init(&rd, "image config", err);
	if (!json_is_object(doc))
		return error_set(err, -EBADMSG, "image config: expected an object");
	config = json_read_object(&rd, doc, "config");
	json_read_strings(&rd, config, "Entrypoint", &c.entrypoint);
	json_read_strings(&rd, config, "Cmd", &c.cmd);
	json_read_strings(&rd, config, "Env", &c.env);
	read_set(&rd, config, "Volumes", &c.volumes);
	read_set(&rd, config, "ExposedPorts", &c.exposed_ports);
	read_labels(&rd, config, &c.labels);
	c.user = read_text(&rd, config, "User");
	c.workdir = read_text(&rd, config, "WorkingDir");
	c.stop_signal = read_text(&rd, config, "StopSignal");
	c.architecture = read_text(&rd, doc, "architecture");
	c.os = read_text(&rd, doc, "os");
	c.created = read_text(&rd, doc, "created");
	if (rd.r < 0) {
		image_config_done(&c);
		return rd.r;
	}
	*ret = c;
	return 0;
}

int image_summary_parse(const char *bytes, size_t len, struct image_summary *ret, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct json_reader rd;
	const char *os, *arch, *variant;
	int r = json_load_bytes(bytes, len, "image config", &doc, err);

	if (r < 0)
		return r;
	json_reader_init(&rd, "image config", err);
	os = json_read_string(&rd, doc, "os", "linux");
	arch = json_read_string(&rd, doc, "architecture", "");
	variant = json_read_string(&rd, doc, "variant", "");
	(void)snprintf(ret->platform, sizeof(ret->platform), "%.40s/%.40s%s%.40s", os, arch,
		       *variant ? "/" : "", variant);
	(void)snprintf(ret->created, sizeof(ret->created), "%.63s",
		       json_read_string(&rd, doc, "created", ""));
	return rd.r;
}

static int read_texts(struct db *db, const char *sql, const char *id, struct strv *ret,
		      struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "s", id);

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

static int read_row(struct db *db, struct image *image, struct error *err)
{
	struct db_rows rows;
	bool found = false;
	int r = db_query(db, &rows, err, "SELECT size, loaded FROM images WHERE id = ?1", "s",
			 image->id);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		found = true;
		image->size = db_int(&rows, 0);
		image->loaded_ns = db_int(&rows, 1);
	}
	r = db_finish(&rows);
	return r < 0 ? r : found ? 0 : -ENOENT;
}

static int load_rows(struct db *db, const char *id, struct image **ret, struct error *err)
{
	cleanup(image_cleanup) struct image *image = xnew(struct image);
	int r;

	(void)snprintf(image->id, sizeof(image->id), "%s", id);
	r = read_row(db, image, err);
	if (r == 0)
		r = read_texts(db, "SELECT name FROM image_names WHERE image = ?1 ORDER BY name",
			       id, &image->names, err);
	if (r == 0)
		r = read_texts(db,
			       "SELECT chain FROM image_layers WHERE image = ?1 ORDER BY position",
			       id, &image->layers, err);
	if (r == 0)
		*ret = steal_ptr(&image);
	return r;
}

int image_load(struct db *db, int root_fd, const char *id, struct image **ret, struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *path = xasprintf("blobs/sha256/%s", id);
	int r = load_rows(db, id, &image, err);

	if (r == 0)
		r = json_load_at(root_fd, path, &doc, err);
	if (r == 0)
		r = image_config_parse(doc, &image->config, err);
	if (r < 0)
		return error_wrap(err, r, "read image %.12s", id);
	*ret = steal_ptr(&image);
	return 0;
}

static int id_by(struct db *db, const char *sql, const char *text, char ret[65], size_t *ret_found,
		 struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "s", text);

	*ret_found = 0;
	if (r < 0)
		return r;
	while (db_next(&rows)) {
		(void)snprintf(ret, 65, "%s", db_text(&rows, 0));
		(*ret_found)++;
	}
	return db_finish(&rows);
}

static int resolve(struct db *db, const char *what, char ret[65], struct error *err)
{
	const char *hex = strncmp(what, "sha256:", 7) == 0 ? what + 7 : what;
	char name[REFERENCE_MAX] = "";
	size_t found = 0;
	int r = reference_canonical(what, name, hex == what ? err : NULL);

	if (r == 0)
		r = id_by(db, "SELECT image FROM image_names WHERE name = ?1", name, ret, &found,
			  err);
	else if (id_is_hex(hex))
		r = 0;
	if (r == 0 && found == 0 && name[0]) {
		r = index_image(db, name, NULL, ret, err);
		found = ret[0] ? 1 : 0;
	}
	if (r < 0 || found == 1)
		return r;
	if (id_is_hex(hex))
		r = id_by(db, "SELECT id FROM images WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2",
			  hex, ret, &found, err);
	if (r < 0)
		return r;
	if (found > 1)
		return error_set(err, -EINVAL,
				 "%s is the start of several image IDs; give more of it", what);
	if (found == 0)
		return error_set(
			err, -ENOENT,
			"no image '%s'; 'strake images' lists them, 'strake load -i FILE' brings "
			"one",
			what);
	return 0;
}

int image_find(struct db *db, int root_fd, const char *what, struct image **ret, struct error *err)
{
	char id[65];
	int r = resolve(db, what, id, err);

	return r < 0 ? r : image_load(db, root_fd, id, ret, err);
}

int image_find_rows(struct db *db, const char *what, struct image **ret, struct error *err)
{
	char id[65];
	int r = resolve(db, what, id, err);

	return r < 0 ? r : load_rows(db, id, ret, err);
}

int image_ids(struct db *db, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT id FROM images ORDER BY loaded DESC, id", "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

void image_lower_dirs(const char *root, const struct image *image, struct strv *ret)
{
	for (size_t i = image->layers.n; i > 0; i--)
		strv_addf(ret, "%s/layers/%s/diff", root, image->layers.items[i - 1]);
}

void image_name_lost(const char *root, const struct image *image, const char *name,
		     struct error *err)
{
	char familiar[REFERENCE_MAX];

	(void)snprintf(familiar, sizeof(familiar), "%.*s", ID_SHORT_LEN, image->id);
	if (image->names.n)
		reference_familiar(image->names.items[0], familiar);
	name = name ? name : familiar;
	for (size_t i = 0; err && i < image->layers.n; i++) {
		autofree char *dir = xasprintf("%s/layers/%s/diff", root, image->layers.items[i]);

		if (access(dir, F_OK) == 0 || errno != ENOENT)
			continue;
		(void)error_set(
			err, err->code,
			"image %s has lost files: %s/layers/%.12s... is gone; 'strake image "
			"check --repair %s' or loading it again brings it back",
			name, root, image->layers.items[i], name);
		return;
	}
}

int image_name_set(struct db *db, const char *name, const char *id, struct error *err)
{
	int r = index_name_take(db, name, err);

	return r < 0 ? r
		     : db_run(db, err,
			      "INSERT INTO image_names (name, image) VALUES (?1, ?2)"
			      " ON CONFLICT (name) DO UPDATE SET image = ?2",
			      "ss", name, id);
}
