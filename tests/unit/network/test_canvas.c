/* tests/unit/network/test_canvas.c */
#include "network/canvas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char *printed(const struct canvas *c, enum canvas_style style)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	canvas_print(c, style, to);
	(void)fclose(to);
	return text;
}

static void assert_prints(const struct canvas *c, enum canvas_style style, const char *want)
{
	char *text = printed(c, style);

	assert_string_equal(text, want);
	free(text);
}

static void lines_that_meet_become_corners_and_tees(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c, 20);
	canvas_box(&c, 0, 0, 4, 3, PEN_THIN, INK_PLAIN);
	canvas_box(&c, 6, 0, 4, 3, PEN_THICK, INK_PLAIN);
	canvas_wire(&c, 3, 6, 1, INK_PLAIN);
	assert_prints(&c, CANVAS_PLAIN, "╭──╮  ┏━━┓\n│  ├──┨  ┃\n╰──╯  ┗━━┛\n");
	assert_prints(&c, CANVAS_ASCII, "+--+  #==#\n|  +--#  #\n+--+  #==#\n");
	canvas_done(&c);
}

static void a_wire_goes_behind_thick_lines_and_through_thin_ones(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c, 20);
	canvas_line(&c, 2, 0, 2, 2, PEN_THICK, INK_PLAIN);
	canvas_line(&c, 4, 0, 4, 2, PEN_THIN, INK_PLAIN);
	canvas_wire(&c, 0, 6, 1, INK_PLAIN);
	assert_prints(&c, CANVAS_PLAIN, "  ╻ ╷\n╶─┃─┼─╴\n  ╹ ╵\n");
	canvas_done(&c);
}

static void text_is_cut_with_an_ellipsis_and_cleaned(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c, 20);
	canvas_text(&c, 0, 0, 5, INK_PLAIN, "abcdefgh");
	canvas_text(&c, 0, 1, 5, INK_PLAIN, "abcde");
	canvas_text(&c, 0, 2, 0, INK_PLAIN, "a\033[0m\xff z");
	assert_prints(&c, CANVAS_PLAIN, "abcd…\nabcde\na?[0m? z\n");
	assert_prints(&c, CANVAS_ASCII, "abcd.\nabcde\na?[0m? z\n");
	canvas_done(&c);
}

static void what_is_beyond_the_edge_is_not_seen(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c, 4);
	canvas_text(&c, 2, 0, 0, INK_PLAIN, "abcdef");
	canvas_line(&c, 0, CANVAS_ROWS_MAX + 5, 3, CANVAS_ROWS_MAX + 5, PEN_THIN, INK_PLAIN);
	assert_prints(&c, CANVAS_PLAIN, "  ab\n");
	canvas_done(&c);
}

static void colours_end_with_the_line(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c, 8);
	canvas_text(&c, 0, 0, 0, INK_FIRST, "ab");
	canvas_text(&c, 3, 0, 0, INK_FIRST + 6, "c"); /* the palette begins again */
	assert_prints(&c, CANVAS_COLOURED, "\033[0;36mab \033[0;36mc\033[0m\n");
	canvas_done(&c);
}

static void width_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(canvas_text_width(""), 0);
	assert_int_equal(canvas_text_width("a▶b"), 3);
	assert_int_equal(canvas_text_width("\xe2\x96"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_meet_become_corners_and_tees),
		cmocka_unit_test(a_wire_goes_behind_thick_lines_and_through_thin_ones),
		cmocka_unit_test(text_is_cut_with_an_ellipsis_and_cleaned),
		cmocka_unit_test(what_is_beyond_the_edge_is_not_seen),
		cmocka_unit_test(colours_end_with_the_line),
		cmocka_unit_test(width_counts_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
