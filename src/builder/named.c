/* src/builder/named.c */
#include "builder/named.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "engine/archive.h"
#include "engine/engine.h"
#include "image/digest.h"

#define IMAGE_PREFIX  "docker-image://"
#define LAYOUT_PREFIX "oci-layout://"

void named_done(struct named_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].name);
		free(list->items[i].image);
		context_done(&list->items[i].context);
	}
	free(list->items);
	strv_done(&list->names);
	*list = (struct named_list) { .n = 0 };
}

const struct named *named_find(const struct named_list *list, const char *name)
{
	for (size_t i = 0; list && i < list->n; i++)
		if (strcasecmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

/* "DIR:TAG" of a layout is one of several images in it, and gets a name in the store. */
static int take_tagged(const struct named_request *req, const char *layout, struct named *ret,
		       struct error *err)
{
	autofree char *from = xasprintf("oci:%s", layout), *to = NULL;
	autofree char *wish = xasprintf("--platform=%s", req->platform ? req->platform : "");
	char answer[ARCHIVE_ANSWER_MAX], digest[DIGEST_HEX_LEN + 1];
	const char *words[] = { "copy", "--quiet", "--", from, NULL, NULL, NULL };
	const struct archive_call call = { .words = words };
	int r;

	digest_bytes(layout, strlen(layout), digest);
	ret->image = xasprintf("localhost/oci-layout:%.12s", digest);
	to = xasprintf("store:%s", ret->image);
	words[4] = to;
	if (req->platform) {
		words[2] = wish;
		words[3] = "--";
		words[4] = from;
		words[5] = to;
	}
	r = archive_run(req->engine, &call, answer, err);
	return r < 0 ? error_set(err, r, "%s could not be read", layout) : 0;
}

static int open_layout(const struct named_request *req, const char *layout, struct named *ret,
		       struct error *err)
{
	char id[ID_LEN + 1];
	struct stat st;
	int r;

	if (stat(layout, &st) < 0 || !S_ISDIR(st.st_mode))
		return take_tagged(req, layout, ret, err);
	r = archive_import(req->engine, layout, id, err);
	if (r == 0)
		ret->image = xstrdup(id);
	return r;
}

static int open_one(const struct named_request *req, const char *value, struct named *ret,
		    struct error *err)
{
	const struct context_request cr = { .path = value,
					    .secrets = req->secrets,
					    .files_alone = true };

	if (strncmp(value, IMAGE_PREFIX, strlen(IMAGE_PREFIX)) == 0) {
		ret->image = xstrdup(value + strlen(IMAGE_PREFIX));
		return 0;
	}
	if (strncmp(value, LAYOUT_PREFIX, strlen(LAYOUT_PREFIX)) == 0)
		return open_layout(req, value + strlen(LAYOUT_PREFIX), ret, err);
	if (strcmp(value, "-") == 0)
		return error_set(err, -EINVAL, "standard input is the main context's");
	return context_open(req->engine, &cr, &ret->context, err);
}

int named_open(const struct named_request *req, struct named_list *ret, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < req->texts->n; i++) {
		const char *text = req->texts->items[i];
		size_t n = strcspn(text, "=");
		struct named one = { .context = CONTEXT_INIT };

		if (n == 0 || !text[n] || !text[n + 1])
			return error_set(err, -EINVAL,
					 "--build-context '%.200s': expected NAME=VALUE", text);
		one.name = xstrndup(text, n);
		r = open_one(req, text + n + 1, &one, err);
		VEC_GROW(ret->items, ret->n, ret->room);
		ret->items[ret->n++] = one;
		strv_add(&ret->names, one.name);
		if (r < 0)
			(void)error_wrap(err, r, "--build-context %s", one.name);
	}
	return r;
}
