/* src/image/index_document.c */
#include "image/index_document.h"

#include <string.h>

#include "base/alloc.h"
#include "image/document.h"

#define WORD_MAX 64 /* of an architecture and such */

json_t *index_document_new(void)
{
	return json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", INDEX_MEDIA_TYPE,
			 "manifests");
}

static const char *hex_of(const json_t *entry)
{
	const char *digest = json_string_value(json_object_get(entry, "digest"));

	return digest && strlen(digest) > 7 ? digest + 7 : ""; /* "sha512:" is as long */
}

static json_t *entry_of(const json_t *doc, const char *digest, size_t *ret_at)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "manifests"), i, entry) {
		if (strcmp(hex_of(entry), digest) != 0)
			continue;
		*ret_at = i;
		return entry;
	}
	return NULL;
}

const char *index_document_find(const json_t *doc, const char *start)
{
	const char *found = NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "manifests"), i, entry) {
		if (strncmp(hex_of(entry), start, strlen(start)) != 0)
			continue;
		if (found)
			return NULL;
		found = hex_of(entry);
	}
	return found;
}

static json_t *platform_of(const char *text)
{
	autofree char *os = xstrdup(text);
	char *arch = strchr(os, '/'), *variant;

	if (!arch)
		return NULL;
	*arch++ = '\0';
	variant = strchr(arch, '/');
	if (variant)
		*variant++ = '\0';
	return json_pack("{s:s, s:s, s:s*}", "architecture", arch, "os", os, "variant", variant);
}

int index_document_add(json_t *doc, const struct index_entry *entry, struct error *err)
{
	json_t *list = json_object_get(doc, "manifests"), *fresh, *platform;
	autofree char *digest = xasprintf("sha256:%s", entry->digest);
	size_t at;

	if (entry_of(doc, entry->digest, &at))
		return 0;
	if (!json_is_array(list) || json_array_size(list) + 1 >= DOCUMENT_PARTS_MAX)
		return error_set(err, -E2BIG, "the index lists %zu images; it takes no more",
				 json_array_size(list));
	fresh = json_pack("{s:s, s:s, s:I}", "mediaType", entry->media_type, "digest", digest,
			  "size", (json_int_t)entry->size);
	platform = platform_of(entry->platform);
	if (platform)
		(void)json_object_set_new(fresh, "platform", platform);
	(void)json_array_append_new(list, fresh);
	return 0;
}

/* notes */

static json_t *member(json_t *obj, const char *key)
{
	json_t *value = json_object_get(obj, key);

	if (json_is_object(value))
		return value;
	(void)json_object_set_new(obj, key, json_object());
	return json_object_get(obj, key);
}

static int check_word(const char *option, const char *text, struct error *err)
{
	static const char legal[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	if (*text && strlen(text) <= WORD_MAX && !text[strspn(text, legal)])
		return 0;
	return error_set(err, -EINVAL, "%s '%.80s': expected a word such as arm64", option, text);
}

static int set_platform(json_t *entry, const struct index_note *note, struct error *err)
{
	const struct {
		const char *option, *key, *value;
	} words[] = {
		{ "--arch", "architecture", note->arch },
		{ "--os", "os", note->os },
		{ "--variant", "variant", note->variant },
		{ "--os-version", "os.version", note->os_version },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(words); i++) {
		if (!words[i].value)
			continue;
		r = check_word(words[i].option, words[i].value, err);
		if (r == 0)
			(void)json_object_set_new(member(entry, "platform"), words[i].key,
						  json_string(words[i].value));
	}
	if (r == 0 && note->os_features && note->os_features->n) {
		json_t *list = json_array();

		for (size_t i = 0; i < note->os_features->n; i++)
			(void)json_array_append_new(list, json_string(note->os_features->items[i]));
		(void)json_object_set_new(member(entry, "platform"), "os.features", list);
	}
	return r;
}

static int set_annotations(json_t *obj, const struct strv *list, struct error *err)
{
	for (size_t i = 0; list && i < list->n; i++) {
		autofree char *name = xstrdup(list->items[i]);
		char *value = strchr(name, '=');
		json_t *text;

		if (!value || value == name)
			return error_set(err, -EINVAL, "--annotation '%.80s': expected NAME=VALUE",
					 list->items[i]);
		*value++ = '\0';
		text = *value ? json_string(value) : NULL;
		if (*value && !text)
			return error_set(err, -EINVAL, "--annotation %.80s: it is not UTF-8", name);
		if (text)
			(void)json_object_set_new(member(obj, "annotations"), name, text);
		else
			(void)json_object_del(json_object_get(obj, "annotations"), name);
	}
	if (json_object_size(json_object_get(obj, "annotations")) == 0)
		(void)json_object_del(obj, "annotations");
	return 0;
}

static int no_entry(const char *digest, struct error *err)
{
	return error_set(err, -ENOENT, "the index does not list sha256:%.12s...", digest);
}

int index_document_annotate(json_t *doc, const char *digest, const struct index_note *note,
			    struct error *err)
{
	size_t at;
	json_t *entry = digest ? entry_of(doc, digest, &at) : doc;
	int r;

	if (!entry)
		return no_entry(digest, err);
	if (!digest && (note->os || note->arch || note->variant || note->os_version ||
			(note->os_features && note->os_features->n)))
		return error_set(err, -EINVAL, "an index has no platform; its images do");
	r = digest ? set_platform(entry, note, err) : 0;
	return r < 0 ? r : set_annotations(entry, note->annotations, err);
}

int index_document_remove(json_t *doc, const char *digest, struct error *err)
{
	size_t at;

	if (!entry_of(doc, digest, &at))
		return no_entry(digest, err);
	(void)json_array_remove(json_object_get(doc, "manifests"), at);
	return 0;
}
