/* src/base/explain.c */
#include "base/explain.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

#define LINE_MAX_BYTES (1U << 20) /* an nft table or a long environment is one step */
#define HELD_BYTES_MAX (1U << 24) /* more than any script: results, such as a long log */

static struct {
	enum explain_mode mode;
	int fd;
	unsigned depth; /* open explain_begin() blocks */
	bool has_head;  /* of a script: printed with the first line, so that no line means no script
			 */
	bool holds;     /* what is said waits in held: see explain_release() */
	struct buf held;
	size_t mark; /* a place in it */
	struct buf captured;
	bool captures;
	bool apart;       /* steps are shown, not taken: see explain_apart() */
	bool owns_stdout; /* what is printed becomes comments */
	bool in_line;     /* of such a comment */
	char *words[16];
	unsigned next;
	struct {
		const char *name;
		char *value;
		size_t len;
	} names[4];
	unsigned nnames;
} state = { .fd = -1 };

void explain_init(enum explain_mode mode, int fd)
{
	state.mode = mode;
	state.fd = mode == EXPLAIN_OFF ? -1 : fd;
	state.holds = mode == EXPLAIN_DRY;
	buf_init(&state.held, HELD_BYTES_MAX);
	buf_init(&state.captured, HELD_BYTES_MAX);
}

static void write_held(void)
{
	ignore_result(file_write_all(state.fd, state.held.data, state.held.len));
	buf_done(&state.held);
	state.holds = false;
}

static void deliver(const char *bytes, size_t len)
{
	if (state.captures) {
		buf_add(&state.captured, bytes, len);
		return;
	}
	if (state.holds && state.held.len + len > HELD_BYTES_MAX)
		write_held();
	if (state.holds)
		buf_add(&state.held, bytes, len);
	else
		ignore_result(file_write_all(state.fd, bytes, len));
}

void explain_release(void)
{
	if (!state.holds)
		return;
	if (state.owns_stdout)
		(void)fflush(stdout);
	write_held();
}

/* Everything that we say goes through here.  One write for each step: lines of the front command,
 * the monitor and the child stay whole.
 */
static void put(const char *bytes, size_t len)
{
	static const char head[] = "#!/bin/sh\nset -eu\numask 022\n";

	if (state.mode == EXPLAIN_DRY && !state.has_head)
		deliver(head, sizeof(head) - 1);
	state.has_head = true;
	deliver(bytes, len);
}

/* Each line of text with prefix before it. */
static void put_lines(const char *prefix, const char *text)
{
	struct buf lines = BUF_INIT(2 * LINE_MAX_BYTES);

	while (*text) {
		size_t len = strcspn(text, "\n");

		buf_addf(&lines, "%s%.*s\n", prefix, (int)len, text);
		text += len + (text[len] == '\n');
	}
	put(lines.data, lines.len);
	buf_done(&lines);
}

static void say(struct buf *text)
{
	if (state.owns_stdout)
		(void)fflush(stdout);
	if (state.in_line)
		put("\n", 1);
	state.in_line = false;
	if (state.apart)
		put_lines(EXPLAIN_APART, buf_text(text));
	else
		put(text->data, text->len);
}

static ssize_t comment(void *cookie, const char *bytes, size_t len)
{
	struct buf text = BUF_INIT(2 * LINE_MAX_BYTES);

	(void)cookie;
	for (size_t i = 0; i < len; i++) {
		if (!state.in_line)
			buf_add_str(&text, "# ");
		buf_add_char(&text, bytes[i]);
		state.in_line = bytes[i] != '\n';
	}
	put(text.data, text.len);
	buf_done(&text);
	return (ssize_t)len;
}

void explain_own_stdout(void)
{
	const cookie_io_functions_t functions = { .write = comment };
	FILE *file = fopencookie(NULL, "w", functions);

	if (!file)
		abort(); /* no memory */
	(void)setvbuf(file, NULL, _IOLBF, 0);
	stdout = file;
	state.owns_stdout = true;
}

void explain_mark(void)
{
	state.mark = state.held.len;
}

void explain_capture(void)
{
	state.captures = true;
}

char *explain_captured(void)
{
	state.captures = false;
	return buf_steal(&state.captured);
}

void explain_insert(const char *text)
{
	struct buf rest = BUF_INIT(HELD_BYTES_MAX);
	size_t at = MIN(state.mark, state.held.len);

	if (state.holds) {
		buf_add(&rest, state.held.data + at, state.held.len - at);
		state.held.len = at;
	}
	deliver(text, strlen(text));
	if (rest.len)
		deliver(rest.data, rest.len);
	buf_done(&rest);
}

void explain_apart(bool apart)
{
	state.apart = apart && state.mode == EXPLAIN_DRY;
}

enum explain_mode explain_mode(void)
{
	return state.mode;
}

int explain_fd(void)
{
	return state.fd;
}

/* The name whose value stands at p, as a word or as the beginning of a path. */
static int name_at(const char *start, const char *p)
{
	for (unsigned i = state.nnames; i-- > 0;) {
		if (strncmp(p, state.names[i].value, state.names[i].len) != 0)
			continue;
		if ((p > start && isalnum((unsigned char)p[-1])) ||
		    isalnum((unsigned char)p[state.names[i].len]))
			continue;
		return (int)i;
	}
	return -1;
}

/* Between single quotes the shell puts nothing in. */
static void add_named(struct buf *line, const char *command)
{
	bool quoted = false;

	for (const char *p = command; *p; p++) {
		int i = quoted || state.apart ? -1 : name_at(command, p);

		if (!quoted && *p == '\\' && p[1])
			buf_add_char(line, *p++); /* a quote behind it opens nothing */
		else
			quoted ^= *p == '\'';
		if (i < 0) {
			buf_add_char(line, *p);
			continue;
		}
		buf_addf(line, "$%s", state.names[i].name);
		p += state.names[i].len - 1;
	}
}

static bool name_is_useful(const char *value)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
	size_t len = strlen(value);

	return state.mode != EXPLAIN_OFF && state.nnames < ARRAY_SIZE(state.names) && len >= 8 &&
	       strspn(value, plain) == len;
}

void explain_name_known(const char *name, const char *value)
{
	if (!name_is_useful(value))
		return;
	state.names[state.nnames].name = name;
	state.names[state.nnames].value = xstrdup(value);
	state.names[state.nnames++].len = strlen(value);
}

void explain_name(const char *name, const char *value)
{
	if (name_is_useful(value))
		(void)explain("a short name for what is said often", "export %s=%s", name, value);
	explain_name_known(name, value);
}

static void emit(const char *why, const char *tail, const char *fmt, va_list ap)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES), command = BUF_INIT(LINE_MAX_BYTES);
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
	buf_addv(&command, fmt, ap);
	add_named(&line, buf_text(&command));
	buf_addf(&line, "%s\n", tail ? tail : "");
	say(&line);
	buf_done(&command);
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
	say(&text);
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
		struct buf line = BUF_INIT(LINE_MAX_BYTES);

		buf_addf(&line, "%s\n", word);
		say(&line);
		buf_done(&line);
	}
}

void explain_exit(void)
{
	if (state.mode == EXPLAIN_DRY)
		(void)explain("and the script ends as the container did", "exit \"${status:-0}\"");
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
