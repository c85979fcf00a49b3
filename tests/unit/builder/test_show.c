/* tests/unit/builder/test_show.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "bench.h"

struct heard {
	struct strv lines;
};

static void hear(void *data, const struct build_told *told)
{
	struct heard *heard = data;

	if (told->event == BUILD_CHANGE)
		strv_add(&heard->lines, told->text);
}

static void a_layer_is_told_as_what_it_adds_and_changes(void **state)
{
	static const char *const want[] = { "A /d/", "A /d/a (5B)", "C /d/", "C /d/a (2B)",
					    "A /d/b (0B)" };
	struct heard heard = { .lines = { 0 } };
	struct bench bench;

	bench_open(&bench, *state);
	bench.hand.req.show_changes = true;
	bench.hand.req.tell = hear;
	bench.hand.req.data = &heard;
	scratch_put(*state, "ctx/one/a", "12345");
	scratch_put(*state, "ctx/two/a", "12");
	scratch_put(*state, "ctx/two/b", "");
	assert_int_equal(bench_do(&bench, "COPY one /d"), 0);
	assert_int_equal(bench_do(&bench, "COPY two /d"), 0);
	assert_int_equal(bench_do(&bench, "ENV A=b"), 0);
	assert_int_equal(heard.lines.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(heard.lines.items[i], want[i]);
	strv_done(&heard.lines);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_layer_is_told_as_what_it_adds_and_changes),
	};

	return cmocka_run_group_tests_name("builder/show", tests, NULL, NULL);
}
