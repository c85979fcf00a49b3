/* src/builder/cache_spec.c */
#include "builder/cache_spec.h"

#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "builder/output_spec.h"

void cache_specs_done(struct cache_specs *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].where);
	free(list->items);
	*list = (struct cache_specs) { .n = 0 };
}

static int read_mode(const char *value, struct cache_spec *spec, struct error *err)
{
	spec->max = strcmp(value, "max") == 0;
	return spec->max || strcmp(value, "min") == 0
		       ? 0
		       : error_set(err, -EINVAL, "mode is min or max, not '%.40s'", value);
}

static int read_type(const char *value, bool writing, struct cache_spec *spec, struct error *err)
{
	if (strcmp(value, "local") == 0)
		spec->type = CACHE_LOCAL;
	else if (strcmp(value, "registry") == 0)
		spec->type = CACHE_REGISTRY;
	else if (strcmp(value, "inline") == 0 && writing)
		spec->type = CACHE_INLINE;
	else
		return error_set(err, -EINVAL, "type=%.40s: local and registry are known%s", value,
				 writing ? ", and inline" : "");
	return 0;
}

static int read_field(const char *key, const char *value, bool writing, struct cache_spec *spec,
		      struct error *err)
{
	const char *dir = writing ? "dest" : "src";

	if (strcmp(key, "type") == 0)
		return read_type(value, writing, spec, err);
	if (spec->type == CACHE_INLINE)
		return error_set(err, -EINVAL, "'%.40s': type=inline is all there is to say", key);
	if (strcmp(key, "mode") == 0 && writing)
		return read_mode(value, spec, err);
	if (strcmp(key, spec->type == CACHE_LOCAL ? dir : "ref") != 0)
		return error_set(err, -EINVAL, "'%.40s' is not known; %s%s", key,
				 spec->type == CACHE_LOCAL ? dir : "ref",
				 writing ? " and mode are" : " is");
	free(spec->where);
	spec->where = xstrdup(value);
	return 0;
}

/* The type comes first, wherever it stands: it says what the others mean. */
static int read_fields(const struct strv *fields, bool writing, struct cache_spec *spec,
		       struct error *err)
{
	int r = 0;

	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; r == 0 && i < fields->n; i++) {
			const char *field = fields->items[i];
			size_t n = strcspn(field, "=");
			autofree char *key = xstrndup(field, n);
			bool is_type = strcmp(key, "type") == 0;

			if (!field[n])
				r = error_set(err, -EINVAL, "'%.60s' is not KEY=VALUE", field);
			else if (is_type == (pass == 0))
				r = read_field(key, field + n + 1, writing, spec, err);
		}
	if (r == 0 && spec->type != CACHE_INLINE && (!spec->where || !*spec->where))
		r = error_set(err, -EINVAL, "%s= is missing",
			      spec->type == CACHE_REGISTRY ? "ref"
			      : writing                    ? "dest"
							   : "src");
	return r;
}

int cache_spec_parse(struct cache_specs *list, const char *option, const char *text, bool writing,
		     struct error *err)
{
	struct cache_spec spec = { .type = CACHE_REGISTRY };
	struct strv fields = { 0 };
	int r = 0;

	if (!strchr(text, '=') && *text) {
		spec.where = xstrdup(text);
	} else {
		r = csv_split(text, &fields);
		r = r < 0 ? error_set(err, r, "a quote is not closed")
			  : read_fields(&fields, writing, &spec, err);
	}
	strv_done(&fields);
	if (r < 0) {
		free(spec.where);
		return error_wrap(err, r, "%s '%.200s'", option, text);
	}
	VEC_GROW(list->items, list->n, list->room);
	list->items[list->n++] = spec;
	return 0;
}
