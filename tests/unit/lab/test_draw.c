/* tests/unit/lab/test_draw.c - where things stand on the sheet, and what is written there. */
#include "lab/draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char star[] = "nodes: {s1: {kind: switch}}\n"
			   "hosts: {'h[1-3]': {addresses: [10.9.0.1/24]}}\n"
			   "links: ['h[1-3] - s1']\n";
static const char ring[] = "nodes: {'br[1-4]': {kind: bridge, stp: true}}\n"
			   "hosts: 'h[1-4]'\n"
			   "links: ['h[1-4] - br[1-4]', br1 - br2 - br3 - br4 - br1]\n";
static const char parts[] = "nodes:\n"
			    "  r1: {kind: router, addresses: [10.0.0.1/24, 'fd00::1/64']}\n"
			    "  hub1: {kind: hub}\n"
			    "hosts: [h1, h2, lonely]\n"
			    "links: [h1 - r1:eth0, h1 - hub1, h2 - hub1, h2:eth7 - h1:eth7]\n";

static struct topology *read_lab(const char *text)
{
	struct topology *t = NULL;
	struct error err = { 0 };

	assert_int_equal(topology_parse(text, strlen(text), "lab.yaml", &t, &err), 0);
	return t;
}

static bool overlap(const struct box *a, const struct box *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static bool is_on_sheet(const struct layout *l, int x, int y)
{
	return x >= 0 && x <= l->width && y >= 0 && y <= l->height;
}

static void boxes_stand_apart_and_on_the_sheet(void **state)
{
	static const char *const texts[] = { star, ring, parts };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup(topology_cleanup) struct topology *t = read_lab(texts[i]);
		struct layout l;

		layout_make(t, NULL, &l);
		for (size_t a = 0; a < t->n_nodes; a++) {
			const struct box *box = &l.boxes[a];

			assert_int_equal(l.of_node[box->node], a);
			assert_true(is_on_sheet(&l, box->x, box->y));
			assert_true(is_on_sheet(&l, box->x + box->width, box->y + box->height));
			for (size_t b = 0; b < a; b++)
				assert_false(overlap(box, &l.boxes[b]));
			/* What hangs on it stands right of it, and is drawn later. */
			if (box->up == NO_INDEX)
				continue;
			assert_true(box->up < a);
			assert_true(l.boxes[box->up].x + l.boxes[box->up].width < box->x);
		}
		layout_done(&l);
	}
}

static bool is_at(const struct box *b, int x, int y)
{
	return (x == b->x || x == b->x + b->width) && y >= b->y && y <= b->y + b->height;
}

static void cables_end_at_the_boxes_that_they_join(void **state)
{
	static const char *const texts[] = { star, ring, parts };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup(topology_cleanup) struct topology *t = read_lab(texts[i]);
		struct layout l;

		layout_make(t, NULL, &l);
		for (size_t k = 0; k < t->n_links; k++) {
			struct wire_line w = layout_line(&l, k);
			const struct link_end *ends = t->links[k].ends;

			assert_true(is_at(&l.boxes[l.of_node[ends[0].node]], w.x1, w.y1));
			assert_true(is_at(&l.boxes[l.of_node[ends[1].node]], w.x2, w.y2));
			for (size_t other = 0; other < k; other++) {
				struct wire_line o = layout_line(&l, other);

				assert_false(w.x1 == o.x1 && w.y1 == o.y1 && w.x2 == o.x2 &&
					     w.y2 == o.y2);
			}
		}
		layout_done(&l);
	}
}

static char *drawn(const char *text, void (*draw)(const struct layout *l, FILE *to))
{
	cleanup(topology_cleanup) struct topology *t = read_lab(text);
	struct layout l;
	char *made = NULL;
	size_t len;
	FILE *to = open_memstream(&made, &len);

	assert_non_null(to);
	layout_make(t, NULL, &l);
	draw(&l, to);
	layout_done(&l);
	assert_int_equal(fclose(to), 0);
	return made;
}

static void as_text(const struct layout *l, FILE *to)
{
	draw_text(l, false, to);
}

static void text_is_a_tree_and_what_joins_it(void **state)
{
	char *got = drawn(star, as_text);

	(void)state;
	assert_string_equal(got, "s1 (switch)\n"
				 "├─ eth0 eth0 h1 (host)  eth0 10.9.0.1/24\n"
				 "├─ eth1 eth0 h2 (host)  eth0 10.9.0.2/24\n"
				 "└─ eth2 eth0 h3 (host)  eth0 10.9.0.3/24\n");
	free(got);
	got = drawn(parts, as_text);
	assert_non_null(strstr(got, "r1 (router)  eth0 10.0.0.1/24  eth0 fd00::1/64\n"));
	assert_non_null(strstr(got, "\nlonely (host)\n"));
	assert_non_null(strstr(got, "\nand "));
	free(got);
}

static size_t count(const char *in, const char *what)
{
	size_t n = 0;

	for (const char *at = in; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void svg_has_all_and_says_what_was_not_observed(void **state)
{
	char *got = drawn(parts, draw_svg);

	(void)state;
	assert_int_equal(count(got, "<g id=\"node-"), 5);
	assert_int_equal(count(got, "class=\"name\""), 5);
	assert_int_equal(count(got, "class=\"end\""), 8);
	assert_non_null(strstr(got, "fd00::1/64"));
	assert_int_equal(count(got, "collision domain: a hub repeats to all"), 1);
	assert_non_null(strstr(got, "the lab is not up, nothing was observed"));
	assert_null(strstr(got, "no frame comes through"));
	assert_int_equal(strcmp(got + strlen(got) - 7, "</svg>\n"), 0);
	free(got);
	got = drawn(star, draw_svg);
	assert_null(strstr(got, "collision domain"));
	assert_non_null(strstr(got, ">10.9.0.0/24<"));
	free(got);
}

static void what_would_be_markup_is_escaped(void **state)
{
	char *made = NULL;
	size_t len;
	FILE *to = open_memstream(&made, &len);

	(void)state;
	assert_non_null(to);
	draw_escaped(to, "<a href=\"x\">&\033[31m");
	assert_int_equal(fclose(to), 0);
	assert_string_equal(made, "&lt;a href=&quot;x&quot;&gt;&amp;?[31m");
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_stand_apart_and_on_the_sheet),
		cmocka_unit_test(cables_end_at_the_boxes_that_they_join),
		cmocka_unit_test(text_is_a_tree_and_what_joins_it),
		cmocka_unit_test(svg_has_all_and_says_what_was_not_observed),
		cmocka_unit_test(what_would_be_markup_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
