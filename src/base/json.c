/* src/base/json.c */
#include "base/json.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

int json_load_bytes(const char *bytes, size_t len, const char *what, json_t **ret,
		    struct error *err)
{
	json_error_t je;
	json_t *doc;

	if (len > JSON_SIZE_MAX)
		return error_set(err, -EFBIG, "%s is larger than %u bytes", what, JSON_SIZE_MAX);
	doc = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &je);
	if (!doc)
		return error_set(err, -EBADMSG, "%s is not valid JSON: line %d, column %d: %s",
				 what, je.line, je.column, je.text);
	*ret = doc;
	return 0;
}

int json_load_at(int dirfd, const char *path, json_t **ret, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_regular_at(dirfd, path, JSON_SIZE_MAX, &text, &len, err);

	return r < 0 ? r : json_load_bytes(text, len, path, ret, err);
}

int json_load_given(const char *path, json_t **ret, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, JSON_SIZE_MAX, &text, &len, err);

	return r < 0 ? r : json_load_bytes(text, len, path, ret, err);
}

int json_save_at(int dirfd, const char *path, const json_t *doc, bool sync, struct error *err)
{
	autofree char *text = json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	if (!text)
		return error_set(err, -EINVAL, "cannot write %s as JSON", path);
	return file_write_at(dirfd, path, text, strlen(text), 0600, sync ? FILE_SYNC : FILE_PLAIN,
			     err);
}

void json_reader_init(struct json_reader *rd, const char *what, struct error *err)
{
	*rd = (struct json_reader) { .err = err };
	(void)snprintf(rd->path, sizeof(rd->path), "%s", what);
	rd->len = strlen(rd->path);
}

void json_fail(struct json_reader *rd, const char *key, const char *fmt, ...)
{
	struct json_place place;
	char text[200];
	va_list ap;

	if (rd->r < 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	place = (struct json_place) { rd->len };
	if (key)
		place = json_enter(rd, key);
	rd->r = error_set(rd->err, -EBADMSG, "%s: %s", rd->path, text);
	json_leave(rd, place);
}

static struct json_place path_add(struct json_reader *rd, const char *text)
{
	struct json_place place = { rd->len };

	(void)snprintf(rd->path + rd->len, sizeof(rd->path) - rd->len, "%s", text);
	rd->len = strlen(rd->path);
	return place;
}

struct json_place json_enter(struct json_reader *rd, const char *key)
{
	char text[128];
	const char *glue = rd->len == 0 ? "" : strchr(rd->path, ':') ? "." : ": ";

	(void)snprintf(text, sizeof(text), "%s%s", glue, key);
	return path_add(rd, text);
}

struct json_place json_enter_index(struct json_reader *rd, size_t index)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "[%zu]", index);
	return path_add(rd, text);
}

void json_leave(struct json_reader *rd, struct json_place place)
{
	rd->len = place.len;
	rd->path[rd->len] = '\0';
}

static json_t *member(struct json_reader *rd, const json_t *obj, const char *key, const char *type)
{
	json_t *value = obj ? json_object_get(obj, key) : NULL;

	if (!value || json_is_null(value) || rd->r < 0)
		return NULL;
	switch (type[0]) {
	case 's':
		if (json_is_string(value) &&
		    strlen(json_string_value(value)) == json_string_length(value))
			return value;
		break;
	case 'b':
		if (json_is_boolean(value))
			return value;
		break;
	case 'i':
		if (json_is_integer(value))
			return value;
		break;
	case 'o':
		if (json_is_object(value))
			return value;
		break;
	default:
		if (json_is_array(value))
			return value;
	}
	json_fail(rd, key, "expected %s", type + 2);
	return NULL;
}

const char *json_read_string(struct json_reader *rd, const json_t *obj, const char *key,
			     const char *fallback)
{
	json_t *value = member(rd, obj, key, "s a string");

	return value ? json_string_value(value) : fallback;
}

const char *json_need_string(struct json_reader *rd, const json_t *obj, const char *key)
{
	const char *value = json_read_string(rd, obj, key, NULL);

	if (!value)
		json_fail(rd, key, "is missing");
	return value ? value : "";
}

bool json_read_bool(struct json_reader *rd, const json_t *obj, const char *key, bool fallback)
{
	json_t *value = member(rd, obj, key, "b true or false");

	return value ? json_is_true(value) : fallback;
}

int64_t json_read_int(struct json_reader *rd, const json_t *obj, const char *key, int64_t min,
		      int64_t max, int64_t fallback)
{
	json_t *value = member(rd, obj, key, "i an integer");
	json_int_t number;

	if (!value)
		return fallback;
	number = json_integer_value(value);
	if (number >= min && number <= max)
		return number;
	json_fail(rd, key, "%lld is not between %lld and %lld", (long long)number, (long long)min,
		  (long long)max);
	return fallback;
}

json_t *json_read_object(struct json_reader *rd, const json_t *obj, const char *key)
{
	return member(rd, obj, key, "o an object");
}

json_t *json_read_array(struct json_reader *rd, const json_t *obj, const char *key)
{
	return member(rd, obj, key, "a an array");
}

void json_read_strings(struct json_reader *rd, const json_t *obj, const char *key, struct strv *ret)
{
	json_t *array = json_read_array(rd, obj, key), *item;
	size_t i;

	json_array_foreach (array, i, item) {
		const char *text = json_string_value(item);
		struct json_place here;

		if (text && strlen(text) == json_string_length(item)) {
			strv_add(ret, text);
			continue;
		}
		here = json_enter(rd, key);
		(void)json_enter_index(rd, i);
		json_fail(rd, NULL, "expected a string");
		json_leave(rd, here);
	}
}

json_t *json_from_strv(const struct strv *v)
{
	json_t *array = json_array();

	for (size_t i = 0; i < v->n; i++)
		(void)json_array_append_new(array, json_string(v->items[i]));
	return array;
}
