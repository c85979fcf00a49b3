/* src/builder/transfer.c */
#include "builder/transfer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/strv.h"
#include "builder/build.h"
#include "builder/halt.h"
#include "engine/archive.h"

#define SAID_MAX 65536

static void hear(void *data, const void *bytes, size_t len)
{
	struct buf *said = data;

	if (said->len + len <= said->max)
		buf_add(said, bytes, len);
}

/* A line each; the last one of a failure is "strake copy: why". */
static void pass_on(const struct build_request *req, const char *at, int r, struct error *err)
{
	while (*at) {
		size_t len = strcspn(at, "\n");
		autofree char *line = xstrndup(at, len);
		const char *why = strncmp(line, "strake", 6) == 0 ? strstr(line, ": ") : NULL;
		const struct build_told told = { .event = BUILD_EXPORT, .text = line };

		at += len + (at[len] == '\n');
		if (r < 0 && !*at)
			(void)error_set(err, r, "%s", why ? why + 2 : line);
		else
			req->tell(req->data, &told);
	}
}

int transfer(struct engine *engine, const struct build_request *req, const char *command,
	     const char *const *words, struct error *err)
{
	struct buf said = BUF_INIT(SAID_MAX);
	struct archive_call call = { .output = hear, .data = &said };
	char answer[ARCHIVE_ANSWER_MAX];
	struct strv all = { 0 };
	sigset_t before;
	int r;

	strv_add(&all, command);
	strv_extend(&all, req->registry_flags->items, req->registry_flags->n);
	for (; *words; words++)
		strv_add(&all, *words);
	call.words = (const char *const *)all.items;
	halt_allow(&before);
	r = archive_run(engine, &call, answer, err);
	halt_forbid(&before);
	pass_on(req, buf_text(&said), r, err);
	strv_done(&all);
	buf_done(&said);
	return r;
}
