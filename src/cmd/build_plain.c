/* src/cmd/build_plain.c - a build as lines, each with the number of its step. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/number.h"
#include "cmd/build_view.h"

#define WORTH_SAYING_MS 1000

static void line(struct view *v, const struct view_step *step, const char *before, const char *text)
{
	autofree char *clean = view_clean(text);

	if (step)
		(void)fprintf(v->to, "#%u %s%s\n", step->id, before, clean);
	else
		(void)fprintf(v->to, "%s%s\n", before, clean);
}

static void output_line(struct view *v, struct view_step *step, const char *text)
{
	line(v, step, "| ", text);
	v->last = step->id;
}

static void layer(struct view *v, const struct view_step *step, const struct build_told *told)
{
	char size[NUMBER_SIZE_LEN];

	if (!told->chain) {
		line(v, step, "  ", "nothing changed: no layer");
		return;
	}
	number_format_size((uint64_t)told->size, size);
	(void)fprintf(v->to, "#%u   layer %.12s, %s\n", step->id, told->chain, size);
}

static void over(struct view *v, struct view_step *step, const struct build_told *told)
{
	view_last_lines(v, step, output_line);
	if (told->event == BUILD_END && step->took_ms >= WORTH_SAYING_MS)
		(void)fprintf(v->to, "#%u   done in %lld.%lld s\n", step->id,
			      (long long)step->took_ms / 1000,
			      (long long)step->took_ms % 1000 / 100);
}

static void of_step(struct view *v, struct view_step *step, const struct build_told *told)
{
	autofree char *before = NULL;

	switch (told->event) {
	case BUILD_STEP:
		before = xasprintf("%s ", step->label);
		line(v, step, before, step->text);
		break;
	case BUILD_OUTPUT:
		view_lines(v, step, told, output_line);
		break;
	case BUILD_END:
	case BUILD_FAILED:
		over(v, step, told);
		break;
	case BUILD_CACHED:
		line(v, step, told->text ? "  cached, from " : "  cached",
		     told->text ? told->text : "");
		break;
	case BUILD_MISS:
		if (v->explain_cache)
			line(v, step, "  not cached: ", told->text);
		break;
	case BUILD_LAYER:
		view_last_lines(v, step, output_line);
		layer(v, step, told);
		break;
	case BUILD_CHANGE:
		line(v, step, "  ", told->text);
		break;
	case BUILD_PULL:
		line(v, step, "  pulling ", told->text);
		break;
	case BUILD_DEBUG:
		line(v, step, "  ", "a shell where it failed; the build ends when you leave it");
		break;
	case BUILD_WARNING:
	case BUILD_EXPORT:
	case BUILD_TICK:
		break;
	}
}

void plain_tell(struct view *v, struct view_step *step, const struct build_told *told)
{
	if (told->event == BUILD_WARNING)
		line(v, NULL, "strake build: warning: ", told->text);
	else if (told->event == BUILD_EXPORT)
		line(v, NULL, "=> ", told->text);
	else if (step)
		of_step(v, step, told);
	if (told->event != BUILD_OUTPUT && told->event != BUILD_TICK &&
	    !(step && step->id == v->last))
		v->last = 0;
	(void)fflush(v->to);
}
