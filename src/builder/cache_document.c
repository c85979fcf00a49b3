/* src/builder/cache_document.c */
#include "builder/cache_document.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/id.h"
#include "base/json.h"

#define VERSION 1

void cached_steps_add(struct cached_steps *list, const struct step *step, const char *blob)
{
	struct cached_step one = { .step = *step };

	(void)snprintf(one.blob, sizeof(one.blob), "%s", blob);
	VEC_GROW(list->items, list->n, list->room);
	list->items[list->n++] = one;
}

void cached_steps_done(struct cached_steps *list)
{
	free(list->items);
	*list = (struct cached_steps) { .n = 0 };
}

const struct cached_step *cached_steps_find(const struct cached_steps *list, const char *key)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].step.key, key) == 0)
			return &list->items[i];
	return NULL;
}

char *cache_document_format(const struct cached_steps *list)
{
	json_t *steps = json_array(), *doc;
	char *text;

	for (size_t i = 0; i < list->n; i++) {
		const struct cached_step *c = &list->items[i];

		(void)json_array_append_new(
			steps, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "key", c->step.key,
					 "parent", c->step.parent, "what", c->step.what, "reads",
					 c->step.reads, "chain", c->step.chain, "created",
					 (json_int_t)c->step.created_ns, "blob", c->blob));
	}
	doc = json_pack("{s:i, s:o}", "version", VERSION, "steps", steps);
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}

/* A digest, or nothing where that is allowed. */
static void read_hex(struct json_reader *rd, const json_t *obj, const char *key, bool may_be_empty,
		     char ret[DIGEST_HEX_LEN + 1])
{
	const char *text = json_need_string(rd, obj, key);

	ret[0] = '\0';
	if (rd->r < 0 || (may_be_empty && !*text))
		return;
	if (strlen(text) != DIGEST_HEX_LEN || !id_is_hex(text))
		json_fail(rd, key, "is no digest");
	else
		memcpy(ret, text, DIGEST_HEX_LEN + 1);
}

static void read_step(struct json_reader *rd, const json_t *obj, struct cached_steps *ret)
{
	struct cached_step c = { .blob = "" };

	read_hex(rd, obj, "key", false, c.step.key);
	read_hex(rd, obj, "parent", true, c.step.parent);
	read_hex(rd, obj, "what", false, c.step.what);
	read_hex(rd, obj, "reads", true, c.step.reads);
	read_hex(rd, obj, "chain", true, c.step.chain);
	read_hex(rd, obj, "blob", true, c.blob);
	c.step.created_ns = json_read_int(rd, obj, "created", INT64_MIN, INT64_MAX, -1);
	if (rd->r == 0 && strcmp(c.step.chain, c.step.parent) != 0 && !*c.blob)
		json_fail(rd, "blob", "is missing");
	if (rd->r == 0)
		cached_steps_add(ret, &c.step, c.blob);
}

int cache_document_parse(const char *bytes, size_t len, struct cached_steps *ret, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct json_reader rd;
	json_t *list;
	int r = json_load_bytes(bytes, len, "build cache", &doc, err);

	if (r < 0)
		return r;
	json_reader_init(&rd, "build cache", err);
	if (json_read_int(&rd, doc, "version", 0, INT32_MAX, 0) != VERSION)
		json_fail(&rd, "version", "is not %d", VERSION);
	list = json_read_array(&rd, doc, "steps");
	if (json_array_size(list) > CACHE_STEPS_MAX)
		json_fail(&rd, "steps", "has more than %d entries", CACHE_STEPS_MAX);
	for (size_t i = 0; rd.r == 0 && i < json_array_size(list); i++) {
		struct json_place place = json_enter_index(&rd, i);

		read_step(&rd, json_array_get(list, i), ret);
		json_leave(&rd, place);
	}
	if (rd.r < 0)
		cached_steps_done(ret);
	return rd.r;
}
