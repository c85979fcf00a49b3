/* src/builder/output_spec.c */
#include "builder/output_spec.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

#define FIELD_MAX 65536

static const char *const types[] = {
	[OUTPUT_IMAGE] = "image",   [OUTPUT_REGISTRY] = "registry", [OUTPUT_OCI] = "oci",
	[OUTPUT_DOCKER] = "docker", [OUTPUT_TAR] = "tar",           [OUTPUT_LOCAL] = "local",
};

int csv_split(const char *text, struct strv *ret)
{
	struct buf field = BUF_INIT(FIELD_MAX);
	bool quoted = false;

	for (const char *p = text;; p++) {
		if (*p == '"' && quoted && p[1] == '"') {
			buf_add_char(&field, *p++);
		} else if (*p == '"') {
			quoted = !quoted;
		} else if (!*p || (*p == ',' && !quoted)) {
			if (!*p && quoted) {
				buf_done(&field);
				return -EINVAL;
			}
			strv_take(ret, buf_steal(&field));
			if (!*p)
				return 0;
		} else {
			buf_add_char(&field, *p);
		}
	}
}

static void output_done(struct output *o)
{
	free(o->dest);
	free(o->compression);
	strv_done(&o->names);
}

void outputs_done(struct outputs *list)
{
	for (size_t i = 0; i < list->n; i++)
		output_done(&list->items[i]);
	free(list->items);
	*list = (struct outputs) { .n = 0 };
}

bool outputs_use_stdout(const struct outputs *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].dest && strcmp(list->items[i].dest, "-") == 0)
			return true;
	return false;
}

bool outputs_have(const struct outputs *list, enum output_type type)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].type == type)
			return true;
	return false;
}

void output_add(struct outputs *list, enum output_type type)
{
	VEC_GROW(list->items, list->n, list->room);
	list->items[list->n++] = (struct output) { .type = type };
}

/* fields */

static int read_bool(const char *key, const char *value, bool *ret, struct error *err)
{
	bool yes = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;

	if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return error_set(err, -EINVAL, "%s wants true or false, not '%.40s'", key, value);
	*ret = yes;
	return 0;
}

static int read_type(const char *value, struct output *o, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i], value) == 0) {
			o->type = (enum output_type)i;
			return 0;
		}
	return error_set(err, -EINVAL,
			 "type=%.40s is not known; image, registry, oci, docker, tar and local are",
			 value);
}

static int read_compression(const char *value, struct output *o, struct error *err)
{
	static const char *const words[][2] = { { "gzip", "gzip" },
						{ "zstd", "zstd" },
						{ "none", "none" },
						{ "uncompressed", "none" } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i][0], value) == 0) {
			free(o->compression);
			o->compression = xstrdup(words[i][1]);
			return 0;
		}
	return error_set(err, -EINVAL, "compression is gzip, zstd or none, not '%.40s'", value);
}

static int read_field(struct output *o, const char *key, const char *value, struct error *err)
{
	bool yes = false;
	int r;

	if (strcmp(key, "type") == 0)
		return read_type(value, o, err);
	if (strcmp(key, "compression") == 0)
		return read_compression(value, o, err);
	if (strcmp(key, "name") == 0)
		return csv_split(value, &o->names);
	if (strcmp(key, "dest") == 0) {
		free(o->dest);
		o->dest = xstrdup(value);
		return 0;
	}
	if (strcmp(key, "push") == 0)
		return read_bool(key, value, &o->push, err);
	if (strcmp(key, "tar") == 0) {
		r = read_bool(key, value, &yes, err);
		o->is_dir = !yes;
		return r;
	}
	return error_set(err, -EINVAL,
			 "'%.40s' is not known; type, dest, name, push, tar and compression are",
			 key);
}

/* What goes together. */
static int check(struct output *o, struct error *err)
{
	const char *type = types[o->type];
	bool is_file = o->type != OUTPUT_IMAGE && o->type != OUTPUT_REGISTRY;
	bool needs_dir = o->type == OUTPUT_LOCAL || (o->type == OUTPUT_OCI && o->is_dir);

	if (o->dest && !is_file)
		return error_set(err, -EINVAL, "type=%s has no dest; it has a name", type);
	if (o->dest && !*o->dest)
		return error_set(err, -EINVAL, "dest is empty");
	if (is_file && !o->dest && !needs_dir && o->type != OUTPUT_DOCKER)
		o->dest = xstrdup("-");
	if (needs_dir && (!o->dest || strcmp(o->dest, "-") == 0))
		return error_set(err, -EINVAL, "type=%s wants dest=DIRECTORY", type);
	if (o->is_dir && o->type != OUTPUT_OCI)
		return error_set(err, -EINVAL, "tar=false is for type=oci");
	if (o->push && o->type != OUTPUT_IMAGE)
		return error_set(err, -EINVAL, "push=true is for type=image");
	if (o->compression &&
	    (o->type == OUTPUT_TAR || o->type == OUTPUT_LOCAL || o->type == OUTPUT_DOCKER))
		return error_set(err, -EINVAL, "type=%s has no compression", type);
	/* buildx's way to say --load. */
	if (o->type == OUTPUT_DOCKER && !o->dest)
		o->type = OUTPUT_IMAGE;
	return 0;
}

static int read_fields(const char *text, struct output *o, struct error *err)
{
	struct strv fields = { 0 };
	bool has_type = false;
	int r = csv_split(text, &fields);

	if (r < 0)
		r = error_set(err, r, "a quote is not closed");
	for (size_t i = 0; r == 0 && i < fields.n; i++) {
		const char *field = fields.items[i];
		size_t n = strcspn(field, "=");
		autofree char *key = xstrndup(field, n);

		if (!field[n])
			r = error_set(err, -EINVAL, "'%.60s' is not KEY=VALUE", field);
		else
			r = read_field(o, key, field + n + 1, err);
		has_type |= strcmp(key, "type") == 0;
	}
	if (r == 0 && !has_type)
		r = error_set(err, -EINVAL, "type= is missing");
	strv_done(&fields);
	return r < 0 ? r : check(o, err);
}

int output_parse(struct outputs *list, const char *text, struct error *err)
{
	struct output o = { .type = OUTPUT_LOCAL };
	int r = 0;

	if (!*text)
		r = error_set(err, -EINVAL, "a directory, -, or type=... is wanted");
	else if (strcmp(text, "-") == 0)
		o = (struct output) { .type = OUTPUT_TAR, .dest = xstrdup("-") };
	else if (!strchr(text, '='))
		o.dest = xstrdup(text);
	else
		r = read_fields(text, &o, err);
	if (r < 0) {
		output_done(&o);
		return error_wrap(err, r, "--output '%.200s'", text);
	}
	VEC_GROW(list->items, list->n, list->room);
	list->items[list->n++] = o;
	return 0;
}
