/* src/builder/annotation.c */
#include "builder/annotation.h"

#include <string.h>

#include "base/alloc.h"
#include "image/platform.h"

static const struct {
	const char *word;
	enum annotation_place place;
} words[] = {
	{ "manifest-descriptor", ON_DESCRIPTOR },
	{ "index-descriptor", ON_INDEX_DESCRIPTOR },
	{ "manifest", ON_MANIFEST },
	{ "index", ON_INDEX },
};

static void annotation_done(struct annotation *a)
{
	free(a->platform);
	free(a->text);
}

void annotations_done(struct annotations *list)
{
	for (size_t i = 0; i < list->n; i++)
		annotation_done(&list->items[i]);
	free(list->items);
	*list = (struct annotations) { .n = 0 };
}

/* One word of "index,manifest[linux/arm64]:"; its length, 0: it is none. */
static size_t read_place(const char *at, unsigned *places, char **platform)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i].word);
		const char *end;

		if (strncmp(at, words[i].word, strlen(words[i].word)) != 0)
			continue;
		end = at[n] == '[' ? strchr(at + n, ']') : NULL;
		if (end) {
			free(*platform);
			*platform = xstrndup(at + n + 1, (size_t)(end - at) - n - 1);
			n = (size_t)(end - at) + 1;
		}
		if (at[n] != ',' && at[n] != ':')
			continue;
		*places |= words[i].place;
		return n;
	}
	return 0;
}

/* What stands before the name; a name with a colon in it is no such thing. */
static const char *read_places(const char *text, struct annotation *a)
{
	const char *at = text;

	while (true) {
		size_t n = read_place(at, &a->places, &a->platform);

		if (n == 0)
			break;
		at += n + 1;
		if (at[-1] == ':')
			return at;
	}
	free(a->platform);
	*a = (struct annotation) { .places = ON_MANIFEST };
	return text;
}

static int read_platform(struct annotation *a, struct error *err)
{
	char platform[PLATFORM_LEN];
	int r = a->platform ? platform_parse(a->platform, platform, err) : 1;

	if (r != 0)
		return MIN(r, 0);
	if (a->places & (ON_INDEX | ON_INDEX_DESCRIPTOR))
		return error_set(err, -EINVAL, "an index has no platform");
	free(a->platform);
	a->platform = xstrdup(platform);
	return 0;
}

int annotation_parse(struct annotations *list, const char *text, struct error *err)
{
	struct annotation a = { .places = 0 };
	const char *rest = read_places(text, &a);
	int r = read_platform(&a, err);

	if (r == 0 && (*rest == '=' || !strchr(rest, '=')))
		r = error_set(err, -EINVAL, "expected NAME=VALUE");
	if (r < 0) {
		annotation_done(&a);
		return error_wrap(err, r, "--annotation '%.200s'", text);
	}
	a.text = xstrdup(rest);
	VEC_GROW(list->items, list->n, list->room);
	list->items[list->n++] = a;
	return 0;
}

void annotations_for(const struct annotations *list, enum annotation_place place,
		     const char *platform, struct strv *ret)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct annotation *a = &list->items[i];

		if ((a->places & place) &&
		    (!a->platform || !platform || platform_fits(platform, a->platform)))
			strv_add(ret, a->text);
	}
}

bool annotations_have(const struct annotations *list, enum annotation_place place)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].places & place)
			return true;
	return false;
}
