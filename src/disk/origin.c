/* src/disk/origin.c */
#include "disk/origin.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/json.h"
#include "disk/filetree.h"
#include "disk/machine/orders.h"
#include "disk/place.h"
#include "disk/source.h"
#include "engine/stage.h"

int origin_put(struct disk_source *s, int64_t now_s, struct error *err)
{
	struct placing p = { .source = s, .mtime = { .tv_sec = now_s } };
	const struct owner owner = { .mode = 0600 }; /* an environment may hold secrets */

	if (!s->config)
		return 0;
	return place_text(&p, "what the image says about running it, for the way back",
			  &ORIGIN_PATH[1], owner, s->config, err);
}

int origin_take(const struct filetree *t, struct strv *ret, struct error *err)
{
	const struct file *f = filetree_resolve(t, ORIGIN_PATH, NULL);
	cleanup(json_cleanup) json_t *config = NULL;
	struct stage stage = STAGE_INIT;
	autofree char *text = NULL;
	size_t len = 0;
	int r;

	if (!f || !S_ISREG(f->mode))
		return 0;
	r = content_read(&f->content, PLACED_TEXT_MAX, PLACED_TEXT_MAX, &text, &len, err);
	if (r == 0)
		r = json_load_bytes(text, len, ORIGIN_PATH, &config, err);
	if (r == 0)
		r = stage_say_config(&stage, config, err);
	if (r == 0)
		strv_extend(ret, stage.instructions.items, stage.instructions.n);
	stage_done(&stage);
	return r;
}
