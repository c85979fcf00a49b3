/* tests/unit/why/test_draw.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/draw.h"
#include "why/eval.h"

static char *draw(const struct ruleset *rs, const struct path *path, bool svg)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	const struct picture twice[] = { { rs, path, "one < two" }, { rs, path, "two" } };

	if (svg)
		draw_svg(twice, 2, to);
	else
		draw_text(twice, 2, true, to);
	(void)fclose(to);
	return text;
}

static void stations_hold_chains_and_calls(void **state)
{
	autofree char *text = NULL, *svg = NULL;
	struct ruleset rs;

	(void)state;
	rules_xt(&rs, "*filter\n:INPUT DROP [0:0]\n:<b> - [0:0]\n-A INPUT -j <b>\n");
	text = draw(&rs, NULL, false);
	assert_non_null(strstr(text, "0 ip filter INPUT: 1 rule, drop"));
	assert_non_null(strstr(text, "> <b> (0)"));
	assert_non_null(strstr(text, "programs here"));
	svg = draw(&rs, NULL, true);
	assert_null(strstr(svg, "<b>"));
	assert_non_null(strstr(svg, "one &#60; two</text>"));
	assert_null(strstr(svg, "class=\"hot\""));
	ruleset_done(&rs);
}

static void the_way_of_a_packet_is_marked(void **state)
{
	autofree char *text = NULL;
	struct ruleset rs;
	struct packet p;
	struct check check;

	(void)state;
	rules_xt(&rs, "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n");
	rules_packet("in eth0", &p);
	check_run(&rs, &p, NULL, &check);
	text = draw(&rs, &check.path, false);
	assert_non_null(strstr(text, "*    0 ip filter INPUT"));
	assert_null(strstr(text, "*    0 ip filter OUTPUT"));
	assert_non_null(strstr(text, "drop <== here"));
	check_done(&check);
	ruleset_done(&rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stations_hold_chains_and_calls),
		cmocka_unit_test(the_way_of_a_packet_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
