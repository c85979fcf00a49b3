/* src/builder/base_image.c - images that a build stands on or takes from, by name. */
#include <poll.h>
#include <string.h>

#include "base/alloc.h"
#include "builder/halt.h"
#include "builder/named.h"
#include "builder/step.h"
#include "builder/turn.h"
#include "engine/archive.h"
#include "engine/engine.h"
#include "image/image.h"
#include "image/index.h"
#include "image/platform.h"
#include "image/reference.h"

static bool fits(const struct image *image, const char *wish)
{
	autofree char *have = NULL;

	if (!wish || !image->config.os || !image->config.architecture)
		return true;
	have = xasprintf("%s/%s", image->config.os, image->config.architecture);
	return platform_fits(have, wish) || platform_fits(wish, have);
}

static void hear(void *data, const void *bytes, size_t len)
{
	const struct build *b = data;
	const struct build_told told = {
		.event = BUILD_OUTPUT, .id = b->at, .text = bytes, .len = len, .is_error = true
	};

	b->req->tell(b->req->data, &told);
}

/* --retry */
static void tell_again(const struct build *b, unsigned number)
{
	autofree char *text = xasprintf("that failed; once more in %d ms, try %u of %u\n",
					b->req->retry_delay_ms, number, b->req->retries);

	hear((void *)b, text, strlen(text));
}

static int fetch(struct build *b, const char *name, const char *platform, bool always,
		 char ret_id[ID_LEN + 1])
{
	const struct build_told told = { .event = BUILD_PULL, .id = b->at, .text = name };
	const struct fetch_request req = { .name = name,
					   .platform = platform,
					   .always = always,
					   .flags = b->req->registry_flags,
					   .output = hear,
					   .data = b };
	sigset_t before;
	int r;

	b->req->tell(b->req->data, &told);
	/* It has a process of its own; nothing of ours is half made. */
	halt_allow(&before);
	r = archive_fetch(b->engine, &req, ret_id, b->err);
	for (unsigned i = 0; r < 0 && i < b->req->retries; i++) {
		tell_again(b, i + 1);
		(void)poll(NULL, 0, b->req->retry_delay_ms);
		r = archive_fetch(b->engine, &req, ret_id, b->err);
	}
	halt_forbid(&before);
	return r;
}

/* Of an index that is here the image for the platform. */
static int look(struct build *b, const char *name, const char *wish, struct image **ret)
{
	char canonical[REFERENCE_MAX], id[ID_LEN + 1] = "";
	struct db *db = engine_db(b->engine);

	if (wish && reference_canonical(name, canonical, NULL) == 0 &&
	    index_image(db, canonical, wish, id, NULL) == 0 && *id)
		return image_load(db, engine_root_fd(b->engine), id, ret, b->err);
	return image_find(db, engine_root_fd(b->engine), name, ret, b->err);
}

/* 1: it has to be fetched first, which may_fetch forbids. */
static int find(struct build *b, const char *name, const char *platform, char ret_id[ID_LEN + 1],
		bool may_fetch)
{
	cleanup(image_cleanup) struct image *image = NULL;
	const char *pull = b->req->pull;
	char wish[PLATFORM_LEN];
	bool newer, here;
	int r = platform ? platform_parse(platform, wish, b->err) : 0;

	if (r < 0)
		return r;
	if (pull && strcmp(pull, "always") == 0)
		return !may_fetch ? 1 : fetch(b, name, platform, true, ret_id);
	newer = pull && strcmp(pull, "newer") == 0;
	r = look(b, name, platform ? wish : NULL, &image);
	here = r == 0 && fits(image, platform ? wish : NULL);
	if (here && newer && may_fetch && fetch(b, name, platform, true, ret_id) == 0)
		return 0;
	if (here && (may_fetch || !newer)) {
		memcpy(ret_id, image->id, ID_LEN + 1);
		return 0;
	}
	if (pull && strcmp(pull, "never") == 0)
		return r < 0 ? r
			     : error_set(b->err, -ENOENT, "image %.200s is here, but not for %s",
					 name, wish);
	if (r < 0 && r != -ENOENT)
		return r;
	return !may_fetch ? 1 : fetch(b, name, platform, r == 0, ret_id);
}

/* Stages that want the same fetch it once. */
int build_find_image(struct build *b, const char *name, const char *platform,
		     char ret_id[ID_LEN + 1])
{
	const struct named *named = named_find(b->req->contexts, name);
	autofree char *what = NULL;
	struct turn turn = TURN_INIT;
	int r;

	if (named && named->image)
		name = named->image;
	what = xasprintf("fetch %s %s", name, platform ? platform : "");
	r = find(b, name, platform, ret_id, false);

	if (r <= 0)
		return r;
	r = turn_take(b->engine, what, &turn, b->err);
	if (r == 0)
		r = find(b, name, platform, ret_id, true);
	turn_leave(&turn);
	return r;
}
