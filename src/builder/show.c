/* src/builder/show.c */
#include "builder/show.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "builder/step.h"
#include "engine/engine.h"
#include "image/changes.h"

static int tell(void *data, const struct change *item, struct error *err)
{
	static const char letters[] = {
		[CHANGE_ADDED] = 'A', [CHANGE_CHANGED] = 'C', [CHANGE_DELETED] = 'D'
	};
	const struct work *w = data;
	char size[NUMBER_SIZE_LEN];
	autofree char *text = NULL;

	(void)err;
	if (!*item->path)
		return 0;
	number_format_size((uint64_t)item->st.st_size, size);
	text = S_ISREG(item->st.st_mode) && item->kind != CHANGE_DELETED
		       ? xasprintf("%c /%s (%s)", letters[item->kind], item->path, size)
		       : xasprintf("%c /%s%s", letters[item->kind], item->path,
				   S_ISDIR(item->st.st_mode) ? "/" : "");
	work_tell(w, BUILD_CHANGE, text);
	return 0;
}

int show_changes(struct work *w, const struct step *step)
{
	autofree char *path = xasprintf("layers/%s/diff", step->chain);
	struct strv lower = { 0 };
	struct changes_request req = { .visit = tell, .data = w };
	autoclose int fd = -1;
	int r;

	if (strcmp(step->chain, step->parent) == 0)
		return 0;
	r = dir_open_at(engine_root_fd(w->b->engine), path, &fd, w->b->err);
	if (r < 0)
		return r;
	/* Those below it. */
	for (size_t i = w->state->chains.n - 1; i > 0; i--)
		strv_addf(&lower, "%s/layers/%s/diff", engine_root(w->b->engine),
			  w->state->chains.items[i - 1]);
	req.fd = fd;
	req.lower = lower.n ? &lower : NULL;
	r = changes_walk(&req, w->b->err);
	strv_done(&lower);
	return r;
}
