/* src/cmd/build_view.c */
#include "cmd/build_view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

#define PART_MAX 16384
#define TAIL_MAX 8192

int view_kind_parse(const char *text, bool quiet, enum view_kind *ret, struct error *err)
{
	static const char *const names[] = { [VIEW_PLAIN] = "plain",
					     [VIEW_TTY] = "tty",
					     [VIEW_JSON] = "json",
					     [VIEW_QUIET] = "quiet" };
	const char *term = getenv("TERM");

	if (quiet || !text || strcmp(text, "auto") == 0) {
		*ret = quiet                                                        ? VIEW_QUIET
		       : isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 ? VIEW_TTY
										    : VIEW_PLAIN;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum view_kind)i;
			return 0;
		}
	return error_set(err, -EINVAL, "--progress is auto, plain, tty, json or quiet, not '%.40s'",
			 text);
}

void view_init(struct view *v, enum view_kind kind, FILE *to)
{
	*v = (struct view) { .kind = kind, .to = to };
}

void view_done(struct view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->steps[i].label);
		free(v->steps[i].text);
		buf_done(&v->steps[i].parts[0]);
		buf_done(&v->steps[i].parts[1]);
		buf_done(&v->steps[i].tail);
	}
	free(v->steps);
	if (v->to)
		(void)fclose(v->to);
	*v = (struct view) { .to = NULL };
}

char *view_clean(const char *text)
{
	char *copy = xstrdup(text);

	text_clean(copy);
	return copy;
}

/* steps */

static struct view_step *find(const struct view *v, unsigned id)
{
	for (size_t i = v->n; i > 0; i--)
		if (v->steps[i - 1].id == id)
			return &v->steps[i - 1];
	return NULL;
}

static struct view_step *begin(struct view *v, const struct build_told *told)
{
	struct view_step *step = find(v, told->id);

	/* ONBUILD: an instruction within one. */
	if (!step) {
		VEC_GROW(v->steps, v->n, v->room);
		step = &v->steps[v->n++];
		*step = (struct view_step) { .id = told->id };
		step->began_ms = clock_monotonic_ms();
		buf_init(&step->parts[0], PART_MAX);
		buf_init(&step->parts[1], PART_MAX);
		buf_init(&step->tail, TAIL_MAX);
	}
	free(step->label);
	free(step->text);
	step->id = told->id;
	step->state = STEP_RUNS;
	step->cached = false;
	step->label = xasprintf("[%s%s%s %u/%u]", told->platform ? told->platform : "",
				told->platform ? " " : "", told->stage, told->number, told->total);
	step->text = view_clean(told->text);
	return step;
}

static void keep_tail(struct view_step *step, const struct build_told *told)
{
	size_t len = MIN(told->len, (size_t)TAIL_MAX);

	if (step->tail.len + len > TAIL_MAX)
		buf_drop_front(&step->tail, step->tail.len + len - TAIL_MAX);
	buf_add(&step->tail, told->text + told->len - len, len);
}

static void note(struct view *v, struct view_step *step, const struct build_told *told)
{
	if (told->event == BUILD_OUTPUT)
		keep_tail(step, told);
	else if (told->event == BUILD_CACHED)
		step->cached = true;
	else if (told->event == BUILD_END || told->event == BUILD_FAILED) {
		step->state = told->event == BUILD_END ? STEP_DONE : STEP_FAILED;
		step->took_ms = clock_monotonic_ms() - step->began_ms;
	}
	if (told->event == BUILD_FAILED)
		v->failed = step->id;
}

void view_tell(void *data, const struct build_told *told)
{
	struct view *v = data;
	struct view_step *step = told->event == BUILD_STEP ? begin(v, told) : find(v, told->id);

	if (step)
		note(v, step, told);
	switch (v->kind) {
	case VIEW_PLAIN:
		plain_tell(v, step, told);
		break;
	case VIEW_TTY:
		tty_tell(v, step, told);
		break;
	case VIEW_JSON:
		json_tell(v, told);
		break;
	case VIEW_QUIET:
		break;
	}
}

/* output */

void view_lines(struct view *v, struct view_step *step, const struct build_told *told,
		void (*line)(struct view *v, struct view_step *step, const char *text))
{
	const char *at = told->text, *end = told->text + told->len;
	struct buf *part = &step->parts[told->is_error];

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop ? stop : end) - at);

		/* What does not fit is a line of its own. */
		while (part->len + len > PART_MAX) {
			size_t fits = PART_MAX - part->len;

			buf_add(part, at, fits);
			line(v, step, buf_text(part));
			buf_reset(part);
			at += fits;
			len -= fits;
		}
		buf_add(part, at, len);
		at += len;
		if (!stop)
			break;
		line(v, step, buf_text(part));
		buf_reset(part);
		at++;
	}
}

void view_last_lines(struct view *v, struct view_step *step,
		     void (*line)(struct view *v, struct view_step *step, const char *text))
{
	for (size_t i = 0; i < ARRAY_SIZE(step->parts); i++) {
		if (step->parts[i].len)
			line(v, step, buf_text(&step->parts[i]));
		buf_reset(&step->parts[i]);
	}
}

/* the end */

static void show_tail(struct view *v, const struct view_step *step)
{
	const char *at = buf_text(&step->tail);

	/* Cut off at the front, it begins with the next whole line. */
	if (step->tail.len == TAIL_MAX && strchr(at, '\n'))
		at = strchr(at, '\n') + 1;
	(void)fprintf(v->to, "%s %s\n", step->label, step->text);
	while (*at) {
		size_t len = strcspn(at, "\n");
		autofree char *text = xstrndup(at, len), *clean = view_clean(text);

		(void)fprintf(v->to, "  | %s\n", clean);
		at += len + (at[len] == '\n');
	}
}

void view_end(struct view *v)
{
	const struct view_step *step = v->failed ? find(v, v->failed) : NULL;

	if (v->kind == VIEW_TTY)
		tty_end(v);
	if (step && step->tail.len > 0 && v->kind != VIEW_JSON &&
	    !(v->kind == VIEW_PLAIN && v->last == step->id))
		show_tail(v, step);
	(void)fflush(v->to);
}
