/* src/image/describe.c */
#include "image/describe.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/json.h"
#include "image/image.h"
#include "image/reference.h"
#include "kernel/overlay.h"

/* Names without a digest are tags; each repository has the digests of all manifests. */
static void add_names(const struct image *image, const struct strv *digests, json_t *doc)
{
	json_t *tags = json_array(), *repos = json_array();
	struct strv seen = { 0 };

	for (size_t i = 0; i < image->names.n; i++) {
		char familiar[REFERENCE_MAX];
		char *at, *colon;

		reference_familiar(image->names.items[i], familiar);
		at = strchr(familiar, '@');
		if (!at)
			(void)json_array_append_new(tags, json_string(familiar));
		else
			*at = '\0';
		colon = strrchr(familiar, ':');
		if (colon && !strchr(colon, '/'))
			*colon = '\0';
		for (size_t k = 0; k < digests->n && !strv_has(&seen, familiar); k++)
			(void)json_array_append_new(
				repos, json_sprintf("%s@sha256:%s", familiar, digests->items[k]));
		strv_add(&seen, familiar);
	}
	(void)json_object_set_new(doc, "RepoTags", tags);
	(void)json_object_set_new(doc, "RepoDigests", repos);
	strv_done(&seen);
}

static int read_digests(struct db *db, const char *id, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT digest FROM documents WHERE image = ?1 ORDER BY made DESC", "s",
			 id);

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

static int add_layers(struct db *db, const char *id, json_t *doc, struct error *err)
{
	json_t *layers = json_array(), *diff_ids = json_array();
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT l.chain, l.diff_id, l.size, l.disk,"
			 " (SELECT digest FROM layer_blobs b WHERE b.diff_id = l.diff_id LIMIT 1)"
			 " FROM image_layers i JOIN layers l USING (chain)"
			 " WHERE i.image = ?1 ORDER BY i.position",
			 "s", id);

	while (r == 0 && db_next(&rows)) {
		const char *blob = db_text(&rows, 4);

		(void)json_array_append_new(diff_ids, json_sprintf("sha256:%s", db_text(&rows, 1)));
		(void)json_array_append_new(
			layers, json_pack("{s:s, s:o, s:I, s:I, s:o}", "Chain", db_text(&rows, 0),
					  "DiffId", json_sprintf("sha256:%s", db_text(&rows, 1)),
					  "Size", (json_int_t)db_int(&rows, 2), "Disk",
					  (json_int_t)db_int(&rows, 3), "Blob",
					  blob ? json_sprintf("sha256:%s", blob) : json_null()));
	}
	if (r == 0)
		r = db_finish(&rows);
	(void)json_object_set_new(doc, "RootFS",
				  json_pack("{s:s, s:o}", "Type", "layers", "Layers", diff_ids));
	(void)json_object_set_new(doc, "Layers", layers);
	return r;
}

static void copy_text(json_t *to, const char *key, const json_t *from, const char *from_key)
{
	const char *text = json_string_value(json_object_get(from, from_key));

	(void)json_object_set_new(to, key, json_string(text ? text : ""));
}

static void add_config(const json_t *config, json_t *doc)
{
	static const struct {
		const char *to, *from;
	} texts[] = { { "Created", "created" },
		      { "Author", "author" },
		      { "Architecture", "architecture" },
		      { "Variant", "variant" },
		      { "Os", "os" },
		      { "OsVersion", "os.version" },
		      { "DockerVersion", "docker_version" },
		      { "Comment", "comment" } };
	json_t *own = json_object_get(config, "config");

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		copy_text(doc, texts[i].to, config, texts[i].from);
	(void)json_object_set_new(doc, "Parent", json_string(""));
	(void)json_object_set_new(doc, "Config", own ? json_incref(own) : json_object());
}

/* For those who mount it themselves, and for scripts that look for it. */
static void add_driver(const char *root, const struct image *image, json_t *doc)
{
	struct strv lower = { 0 };
	autofree char *joined = NULL;

	image_lower_dirs(root, image, &lower);
	joined = overlay_join(&lower);
	(void)json_object_set_new(
		doc, "GraphDriver",
		json_pack("{s:s, s:{s:s}}", "Name", "overlay", "Data", "LowerDir", joined));
	strv_done(&lower);
}

int image_describe(struct db *db, const char *root, int root_fd, const struct image *image,
		   json_t **ret, struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", image->id);
	cleanup(json_cleanup) json_t *config = NULL, *doc = json_object();
	struct strv digests = { 0 };
	char loaded[CLOCK_TEXT_LEN];
	int r = json_load_at(root_fd, path, &config, err);

	if (r == 0)
		r = read_digests(db, image->id, &digests, err);
	clock_format(image->loaded_ns, loaded);
	(void)json_object_set_new(doc, "Id", json_sprintf("sha256:%s", image->id));
	add_names(image, &digests, doc);
	if (r == 0)
		add_config(config, doc);
	(void)json_object_set_new(doc, "Size", json_integer(image->size));
	if (r == 0)
		r = add_layers(db, image->id, doc, err);
	add_driver(root, image, doc);
	(void)json_object_set_new(doc, "Metadata", json_pack("{s:s}", "LoadedAt", loaded));
	strv_done(&digests);
	if (r == 0)
		*ret = steal_ptr(&doc);
	return r;
}
