/* src/base/explain.c */
#include "base/explain.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

#define LINE_MAX_BYTES (1U << 20) /* an nft table or a long environment is one step */

static struct {
	enum explain_mode mode;
	int fd;
	unsigned depth; /* open explain_begin() blocks */
	char *words[16];
	unsigned next;
} state = { .fd = -1 };

void explain_init(enum explain_mode mode, int fd)
{
	state.mode = mode;
	state.fd = mode == EXPLAIN_OFF ? -1 : fd;
	if (mode == EXPLAIN_DRY) {
		static const char head[] = "#!/bin/sh\nset -eu\n";

		ignore_result(file_write_all(fd, head, sizeof(head) - 1));
	}
}

enum explain_mode explain_mode(void)
{
	return state.mode;
}

int explain_fd(void)
{
	return state.fd;
}

static void emit(const char *why, const char *tail, const char *fmt, va_list ap)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	bool narrate = state.mode == EXPLAIN_NARRATE;

	for (unsigned i = 0; narrate && i < state.depth; i++)
		buf_add_str(&line, "  ");
	if (why)
		buf_addf(&line, "# %s\n", why);
	if (narrate && why) {
		for (unsigned i = 0; i < state.depth; i++)
			buf_add_str(&line, "  ");
	}
	if (narrate)
		buf_add_str(&line, fmt ? "+ " : "");
	buf_addv(&line, fmt, ap);
	buf_addf(&line, "%s\n", tail ? tail : "");
	/* One write per step: lines of the front command, the monitor and the child stay whole. */
	ignore_result(file_write_all(state.fd, line.data, line.len));
	buf_done(&line);
}

bool explain(const char *why, const char *fmt, ...)
{
	va_list ap;

	if (state.mode == EXPLAIN_OFF)
		return false;
	va_start(ap, fmt);
	emit(why, NULL, fmt, ap);
	va_end(ap);
	return state.mode == EXPLAIN_DRY;
}

bool explain_note(const char *fmt, ...)
{
	struct buf text = BUF_INIT(LINE_MAX_BYTES);
	va_list ap;

	if (state.mode == EXPLAIN_OFF)
		return false;
	for (unsigned i = 0; state.mode == EXPLAIN_NARRATE && i < state.depth; i++)
		buf_add_str(&text, "  ");
	buf_add_str(&text, "# ");
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	buf_add_char(&text, '\n');
	ignore_result(file_write_all(state.fd, text.data, text.len));
	buf_done(&text);
	return state.mode == EXPLAIN_DRY;
}

bool explain_begin(const char *word, const char *why, const char *fmt, ...)
{
	autofree char *tail = NULL;
	va_list ap;

	if (state.mode == EXPLAIN_OFF)
		return false;
	if (state.mode == EXPLAIN_DRY)
		tail = xasprintf(" sh -eu /dev/fd/3 3<<'%s'", word);
	va_start(ap, fmt);
	emit(why, tail, fmt, ap);
	va_end(ap);
	state.depth++;
	return state.mode == EXPLAIN_DRY;
}

void explain_end(const char *word)
{
	if (state.mode == EXPLAIN_OFF)
		return;
	state.depth--;
	if (state.mode == EXPLAIN_DRY) {
		autofree char *line = xasprintf("%s\n", word);

		ignore_result(file_write_all(state.fd, line, strlen(line)));
	}
}

const char *sq(const char *word)
{
	struct buf quoted = BUF_INIT(LINE_MAX_BYTES);
	char **slot;

	if (state.mode == EXPLAIN_OFF)
		return word;
	slot = &state.words[state.next++ % ARRAY_SIZE(state.words)];
	free(*slot);
	buf_add_shell(&quoted, word);
	*slot = buf_steal(&quoted);
	return *slot;
}
