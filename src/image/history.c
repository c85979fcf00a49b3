/* src/image/history.c */
#include "image/history.h"

#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/json.h"
#include "image/image.h"

#define STEPS_MAX 4096 /* real ones have fewer than 200 */

void history_done(struct history *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->steps[i].created);
		free(h->steps[i].created_by);
		free(h->steps[i].comment);
	}
	free(h->steps);
	*h = (struct history) { 0 };
}

static void read_step(struct json_reader *rd, const json_t *obj, struct history_step *ret)
{
	ret->created = xstrdup_or_null(json_read_string(rd, obj, "created", NULL));
	ret->created_by = xstrdup(json_read_string(rd, obj, "created_by", ""));
	ret->comment = xstrdup(json_read_string(rd, obj, "comment", ""));
}

static int read_steps(const json_t *list, const struct image *image, struct history *h,
		      struct error *err)
{
	struct json_reader rd;
	const json_t *obj;
	size_t i, layer = 0;

	json_reader_init(&rd, "history", err);
	json_array_foreach (list, i, obj) {
		struct json_place place = json_enter_index(&rd, i);
		struct history_step *step = &h->steps[h->n++];

		read_step(&rd, obj, step);
		if (!json_read_bool(&rd, obj, "empty_layer", false)) {
			step->chain = layer < image->layers.n ? image->layers.items[layer] : NULL;
			layer++;
		}
		json_leave(&rd, place);
	}
	return rd.r < 0 ? rd.r : layer == image->layers.n ? 1 : 0;
}

static void bare_steps(const struct image *image, struct history *h)
{
	h->steps = xcalloc(image->layers.n + 1, sizeof(*h->steps));
	for (; h->n < image->layers.n; h->n++)
		h->steps[h->n] = (struct history_step) { .created_by = xstrdup(""),
							 .comment = xstrdup(""),
							 .chain = image->layers.items[h->n] };
}

int history_parse(const json_t *doc, const struct image *image, struct history *ret,
		  struct error *err)
{
	struct history h = { 0 };
	struct json_reader rd;
	const json_t *list;
	int r;

	json_reader_init(&rd, "image config", err);
	list = json_read_array(&rd, doc, "history");
	if (rd.r < 0)
		return rd.r;
	if (json_array_size(list) > STEPS_MAX)
		return error_set(err, -E2BIG, "the image's history has %zu steps; %d are the most",
				 json_array_size(list), STEPS_MAX);
	h.steps = xcalloc(json_array_size(list) + 1, sizeof(*h.steps));
	r = read_steps(list, image, &h, err);
	if (r <= 0)
		history_done(&h);
	if (r < 0)
		return r;
	if (r == 0)
		bare_steps(image, &h);
	*ret = h;
	return 0;
}

static int layer_size(struct db *db, const char *chain, int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT size FROM layers WHERE chain = ?1", "s", chain);

	if (r < 0)
		return r;
	if (db_next(&rows))
		*ret = db_int(&rows, 0);
	return db_finish(&rows);
}

int history_load(struct db *db, int root_fd, const struct image *image, struct history *ret,
		 struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", image->id);
	cleanup(json_cleanup) json_t *doc = NULL;
	struct history h = { 0 };
	int r = json_load_at(root_fd, path, &doc, err);

	if (r == 0)
		r = history_parse(doc, image, &h, err);
	for (size_t i = 0; r == 0 && i < h.n; i++)
		if (h.steps[i].chain)
			r = layer_size(db, h.steps[i].chain, &h.steps[i].size, err);
	if (r < 0) {
		history_done(&h);
		return r;
	}
	*ret = h;
	return 0;
}
