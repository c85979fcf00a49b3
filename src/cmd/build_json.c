/* src/cmd/build_json.c - a build as JSON, an object for each line, for programs.
 *
 * docs/build.md lists the names; they stay.
 */
#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd/build_view.h"

static const char *const names[] = {
	[BUILD_STEP] = "start",      [BUILD_OUTPUT] = "output", [BUILD_END] = "done",
	[BUILD_FAILED] = "failed",   [BUILD_CACHED] = "cached", [BUILD_MISS] = "not-cached",
	[BUILD_LAYER] = "layer",     [BUILD_CHANGE] = "change", [BUILD_PULL] = "pull",
	[BUILD_WARNING] = "warning", [BUILD_DEBUG] = "debug",   [BUILD_EXPORT] = "export",
};

/* Bytes that are no UTF-8, and that JSON has no room for, become '?'. */
static json_t *text_of(const char *bytes, size_t len)
{
	json_t *text = json_stringn(bytes, len);
	autofree char *copy = NULL;

	if (text)
		return text;
	copy = xcalloc(len + 1, 1);
	memcpy(copy, bytes, len);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	return json_stringn(copy, len);
}

static void put(json_t *object, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(object, key, text_of(text, strlen(text)));
}

void json_tell(struct view *v, const struct build_told *told)
{
	char now[CLOCK_TEXT_LEN];
	json_t *object;

	if (told->event == BUILD_TICK)
		return;
	clock_format(clock_now_ns(), now);
	object = json_pack("{s:s, s:s}", "time", now, "event", names[told->event]);
	if (told->id) {
		(void)json_object_set_new(object, "id", json_integer(told->id));
		put(object, "platform", told->platform);
		put(object, "stage", told->stage);
	}
	if (told->event == BUILD_STEP) {
		(void)json_object_set_new(object, "number", json_integer(told->number));
		(void)json_object_set_new(object, "total", json_integer(told->total));
	}
	if (told->event == BUILD_OUTPUT) {
		put(object, "stream", told->is_error ? "stderr" : "stdout");
		(void)json_object_set_new(object, "text", text_of(told->text, told->len));
	} else {
		put(object, "text", told->text);
	}
	if (told->event == BUILD_LAYER) {
		put(object, "chain", told->chain);
		(void)json_object_set_new(object, "size", json_integer(told->size));
	}
	(void)json_dumpf(object, v->to, JSON_COMPACT | JSON_ENSURE_ASCII);
	(void)fputc('\n', v->to);
	(void)fflush(v->to);
	json_decref(object);
}
