/* src/cmd/build_tty.c - a build live on a terminal: what is done scrolls up, what goes on is drawn
 * below it, again and again.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/number.h"
#include "cmd/build_view.h"

#define LINES_OF_OUTPUT 4 /* of each step that runs */

static struct winsize size_of(const struct view *v)
{
	struct winsize size = { .ws_row = 0 };

	if (ioctl(fileno(v->to), TIOCGWINSZ, &size) < 0 || size.ws_col < 20 || size.ws_row < 4) {
		size.ws_col = 80;
		size.ws_row = 24;
	}
	return size;
}

/* Cut to the width: a line that wraps could not be taken back.  Bytes behind the first of a
 * character take no column.
 */
static void put_line(struct view *v, const char *text, unsigned columns)
{
	unsigned used = 0;

	for (const char *p = text; *p; p++) {
		used += ((unsigned char)*p & 0xc0) != 0x80;
		if (used >= columns)
			break;
		(void)fputc(*p, v->to);
	}
	(void)fputs("\033[K\n", v->to);
}

static void erase(struct view *v)
{
	if (v->drawn)
		(void)fprintf(v->to, "\r\033[%uA\033[J", v->drawn);
	v->drawn = 0;
}

static void draw_line(struct view *v, const char *text, const struct winsize *size)
{
	/* Never the whole screen: then nothing would be left to scroll. */
	if (v->drawn + 2 >= size->ws_row)
		return;
	put_line(v, text, size->ws_col);
	v->drawn++;
}

static void draw_tail(struct view *v, const struct view_step *step, const struct winsize *size)
{
	const char *text = buf_text(&step->tail), *starts[LINES_OF_OUTPUT];
	size_t n = 0, len;

	for (const char *at = text; *at; at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		if (n == LINES_OF_OUTPUT)
			memmove(starts, starts + 1, (--n) * sizeof(*starts));
		starts[n++] = at;
	}
	for (size_t i = 0; i < n; i++) {
		autofree char *raw = xstrndup(starts[i], strcspn(starts[i], "\n"));
		autofree char *clean = view_clean(raw), *all = xasprintf("   | %s", clean);

		draw_line(v, all, size);
	}
}

static void draw(struct view *v)
{
	const struct winsize size = size_of(v);
	int64_t now = clock_monotonic_ms();

	for (size_t i = 0; i < v->n; i++) {
		const struct view_step *step = &v->steps[i];
		autofree char *text = NULL;

		if (step->state != STEP_RUNS)
			continue;
		text = xasprintf("#%u %s %s  %lld.%lld s", step->id, step->label, step->text,
				 (long long)(now - step->began_ms) / 1000,
				 (long long)(now - step->began_ms) % 1000 / 100);
		draw_line(v, text, &size);
		draw_tail(v, step, &size);
	}
}

static void lasting(struct view *v, const char *text)
{
	autofree char *clean = view_clean(text);

	put_line(v, clean, size_of(v).ws_col);
}

static void show_over(struct view *v, const struct view_step *step)
{
	autofree char *text = NULL;

	if (step->state == STEP_FAILED)
		text = xasprintf("#%u %s %s  FAILED", step->id, step->label, step->text);
	else if (step->cached)
		text = xasprintf("#%u %s %s  cached", step->id, step->label, step->text);
	else
		text = xasprintf("#%u %s %s  %lld.%lld s", step->id, step->label, step->text,
				 (long long)step->took_ms / 1000,
				 (long long)step->took_ms % 1000 / 100);
	lasting(v, text);
}

static void note(struct view *v, const struct view_step *step, const char *before, const char *text)
{
	autofree char *all = step ? xasprintf("#%u   %s%s", step->id, before, text)
				  : xasprintf("%s%s", before, text);

	lasting(v, all);
}

void tty_tell(struct view *v, struct view_step *step, const struct build_told *told)
{
	erase(v);
	if (step && (told->event == BUILD_END || told->event == BUILD_FAILED))
		show_over(v, step);
	else if (told->event == BUILD_MISS && v->explain_cache)
		note(v, step, "not cached: ", told->text);
	else if (told->event == BUILD_CHANGE)
		note(v, step, "", told->text);
	else if (told->event == BUILD_PULL)
		note(v, step, "pulling ", told->text);
	else if (told->event == BUILD_WARNING)
		note(v, NULL, "strake build: warning: ", told->text);
	else if (told->event == BUILD_EXPORT)
		note(v, NULL, "=> ", told->text);
	if (told->event == BUILD_DEBUG)
		note(v, step, "a shell where it failed; the build ends when you leave it", "");
	else if (!v->failed)
		draw(v);
	(void)fflush(v->to);
}

void tty_end(struct view *v)
{
	erase(v);
	(void)fflush(v->to);
}
