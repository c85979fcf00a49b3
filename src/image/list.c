/* src/image/list.c */
#include "image/list.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/json.h"
#include "base/number.h"
#include "image/image.h"
#include "image/reference.h"

static void listed_done(struct listed *l)
{
	free(l->platform);
	free(l->created);
	strv_done(&l->names);
}

void image_list_done(struct image_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		listed_done(&list->items[i]);
	free(list->items);
	*list = (struct image_list) { 0 };
}

/* filters */

void image_filter_done(struct image_filter *f)
{
	strv_done(&f->labels);
	strv_done(&f->references);
}

/* "90s", "10m", "24h", "1h30m": Go's durations; or a moment as RFC 3339. */
static int parse_until(const char *text, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	int64_t total = 0;
	const char *p = text;

	if (clock_parse(text, ret) == 0)
		return 0;
	while (*p) {
		size_t digits = strspn(p, "0123456789");
		autofree char *number = xstrndup(p, digits);
		uint64_t value;
		size_t i = 0;

		if (number_parse(number, 1000000000, &value) < 0)
			return -EINVAL;
		while (i < ARRAY_SIZE(units) && units[i].unit != p[digits])
			i++;
		if (i == ARRAY_SIZE(units))
			return -EINVAL;
		total += (int64_t)value * units[i].seconds;
		p += digits + 1;
	}
	if (p == text || total > INT64_MAX / 1000000000)
		return -EINVAL;
	*ret = clock_now_ns() - total * 1000000000;
	return 0;
}

static int parse_dangling(const char *value, enum dangling *ret)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*ret = DANGLING_ONLY;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*ret = DANGLING_NEVER;
	else
		return -EINVAL;
	return 0;
}

static int parse_neighbour(struct db *db, int root_fd, const char *what, int64_t *ret, char id[65],
			   struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	int r = image_find(db, root_fd, what, &image, err);

	if (r < 0)
		return r;
	*ret = image->loaded_ns;
	memcpy(id, image->id, sizeof(image->id));
	return 0;
}

static int parse_one(struct db *db, int root_fd, const char *text, struct image_filter *f,
		     struct error *err)
{
	autofree char *key = xstrdup(text);
	char *value = strchr(key, '=');
	int r = -EINVAL;

	if (value)
		*value++ = '\0';
	if (!value || !*value)
		return error_set(err, r, "--filter '%s': expected NAME=VALUE", text);
	if (strcmp(key, "dangling") == 0)
		r = parse_dangling(value, &f->dangling);
	else if (strcmp(key, "until") == 0)
		r = parse_until(value, &f->until_ns);
	else if (strcmp(key, "before") == 0)
		return parse_neighbour(db, root_fd, value, &f->before_ns, f->before_id, err);
	else if (strcmp(key, "since") == 0)
		return parse_neighbour(db, root_fd, value, &f->since_ns, f->since_id, err);
	else if (strcmp(key, "label") == 0 || strcmp(key, "reference") == 0) {
		strv_add(key[0] == 'l' ? &f->labels : &f->references, value);
		r = 0;
	} else {
		return error_set(err, r,
				 "--filter '%s': expected dangling, until, label, before, since "
				 "or reference",
				 text);
	}
	return r < 0 ? error_set(err, r, "--filter '%s': cannot understand '%s'", text, value) : 0;
}

int image_filter_parse(struct db *db, int root_fd, const struct strv *texts,
		       struct image_filter *ret, struct error *err)
{
	struct image_filter f = { .until_ns = 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < texts->n; i++)
		r = parse_one(db, root_fd, texts->items[i], &f, err);
	if (r < 0) {
		image_filter_done(&f);
		return r;
	}
	*ret = f;
	return 0;
}

bool image_name_matches(const char *name, const char *pattern)
{
	char familiar[REFERENCE_MAX];
	char *tag;

	reference_familiar(name, familiar);
	if (fnmatch(pattern, familiar, FNM_PATHNAME) == 0 ||
	    fnmatch(pattern, name, FNM_PATHNAME) == 0)
		return true;
	tag = strrchr(familiar, ':');
	if (!tag || strchr(tag, '/'))
		return false;
	*tag = '\0';
	return fnmatch(pattern, familiar, FNM_PATHNAME) == 0;
}

/* A name that no pattern means goes; without one that is left the image is not listed. */
static bool keep_names(struct strv *names, const struct strv *patterns)
{
	struct strv kept = { 0 };

	if (patterns->n == 0)
		return true;
	for (size_t i = 0; i < names->n; i++) {
		bool fits = false;

		for (size_t k = 0; !fits && k < patterns->n; k++)
			fits = image_name_matches(names->items[i], patterns->items[k]);
		if (fits)
			strv_add(&kept, names->items[i]);
	}
	strv_done(names);
	*names = kept;
	return kept.n > 0;
}

static bool has_label(const json_t *labels, const char *wanted)
{
	autofree char *key = xstrdup(wanted);
	char *value = strchr(key, '=');
	const char *have;

	if (value)
		*value++ = '\0';
	have = json_string_value(json_object_get(labels, key));
	return have && (!value || strcmp(have, value) == 0);
}

static bool labels_fit(int root_fd, const char *id, const struct strv *wanted)
{
	autofree char *path = xasprintf("blobs/sha256/%s", id);
	cleanup(json_cleanup) json_t *doc = NULL;
	const json_t *labels;

	if (wanted->n == 0)
		return true;
	if (json_load_at(root_fd, path, &doc, NULL) < 0)
		return false;
	labels = json_object_get(json_object_get(doc, "config"), "Labels");
	for (size_t i = 0; i < wanted->n; i++)
		if (!has_label(labels, wanted->items[i]))
			return false;
	return true;
}

static bool fits(int root_fd, struct listed *l, const struct image_filter *f)
{
	if (f->dangling == DANGLING_ONLY && l->names.n > 0)
		return false;
	if (f->dangling == DANGLING_NEVER && l->names.n == 0)
		return false;
	if (f->until_ns && (l->created_ns ? l->created_ns : l->loaded_ns) >= f->until_ns)
		return false;
	if (f->before_ns && (l->loaded_ns >= f->before_ns || strcmp(l->id, f->before_id) == 0))
		return false;
	if (f->since_ns && (l->loaded_ns <= f->since_ns || strcmp(l->id, f->since_id) == 0))
		return false;
	return keep_names(&l->names, &f->references) && labels_fit(root_fd, l->id, &f->labels);
}

/* rows */

static struct listed *row_of(struct db_rows *rows, struct image_list *list)
{
	const char *id = db_text(rows, 0), *digest = db_text(rows, 5);
	struct listed *l = list->n ? &list->items[list->n - 1] : NULL;

	if (l && strcmp(l->id, id) == 0)
		return l;
	VEC_GROW(list->items, list->n, list->room);
	l = &list->items[list->n++];
	*l = (struct listed) { .size = db_int(rows, 1),
			       .loaded_ns = db_int(rows, 2),
			       .created = xstrdup(db_text(rows, 3)),
			       .platform = xstrdup(db_text(rows, 4)),
			       .containers = db_int(rows, 7) };
	(void)snprintf(l->id, sizeof(l->id), "%s", id);
	(void)snprintf(l->digest, sizeof(l->digest), "%s", digest ? digest : "");
	if (clock_parse(l->created, &l->created_ns) < 0)
		l->created_ns = 0;
	return l;
}

#define ROWS(digest, containers)                                                                   \
	"SELECT i.id, i.size, i.loaded, i.created, i.platform, " digest ", n.name, " containers    \
	" FROM images i LEFT JOIN image_names n ON n.image = i.id"                                 \
	" ORDER BY i.loaded DESC, i.id, n.name"

static int read_rows(struct db *db, bool brief, struct image_list *list, struct error *err)
{
	static const char all[] =
		ROWS("(SELECT digest FROM documents WHERE image = i.id ORDER BY made DESC LIMIT 1)",
		     "(SELECT count(*) FROM containers c WHERE c.image = i.id)");
	static const char some[] = ROWS("''", "0");
	struct db_rows rows;
	int r = db_query(db, &rows, err, brief ? some : all, "");

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct listed *l = row_of(&rows, list);

		if (db_text(&rows, 6))
			strv_add(&l->names, db_text(&rows, 6));
	}
	return db_finish(&rows);
}

static int read_indexes(struct db *db, struct image_list *list, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT d.digest, d.size, d.made, '', '', d.digest, n.name, 0"
			 " FROM index_names n JOIN documents d ON d.digest = n.document"
			 " ORDER BY d.made DESC, d.digest, n.name",
			 "");

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct listed *l = row_of(&rows, list);

		l->is_index = true;
		strv_add(&l->names, db_text(&rows, 6));
	}
	return db_finish(&rows);
}

static int count_indexes(struct db *db, struct image_list *list, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT d.image, count(DISTINCT n.document) FROM index_names n"
			 " JOIN document_parts p USING (document)"
			 " JOIN documents d ON d.digest = p.digest"
			 " WHERE d.image IS NOT NULL GROUP BY d.image",
			 "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		for (size_t i = 0; i < list->n; i++)
			if (strcmp(list->items[i].id, db_text(&rows, 0)) == 0)
				list->items[i].indexes = db_int(&rows, 1);
	return db_finish(&rows);
}

/* An index before what it lists: who removes them in this order can. */
static int by_load(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->loaded_ns != y->loaded_ns)
		return (x->loaded_ns < y->loaded_ns) - (x->loaded_ns > y->loaded_ns);
	return x->is_index != y->is_index ? y->is_index - x->is_index : strcmp(x->id, y->id);
}

static int add_indexes(struct db *db, struct image_list *list, struct error *err)
{
	size_t before = list->n;
	int r = read_indexes(db, list, err);

	if (r < 0 || list->n == before)
		return r;
	r = count_indexes(db, list, err);
	qsort(list->items, list->n, sizeof(*list->items), by_load);
	return r;
}

int image_list(struct db *db, int root_fd, const struct image_filter *filter,
	       struct image_list *ret, struct error *err)
{
	struct image_list list = { 0 };
	size_t kept = 0;
	int r = read_rows(db, filter && filter->brief, &list, err);

	if (r == 0)
		r = add_indexes(db, &list, err);
	if (r < 0) {
		image_list_done(&list);
		return r;
	}
	for (size_t i = 0; i < list.n; i++) {
		if (filter && !fits(root_fd, &list.items[i], filter))
			listed_done(&list.items[i]);
		else
			list.items[kept++] = list.items[i];
	}
	list.n = kept;
	*ret = list;
	return 0;
}
