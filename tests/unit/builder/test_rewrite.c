/* tests/unit/builder/test_rewrite.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "bench.h"
#include "builder/rewrite.h"
#include "image/incoming.h"

static int rewrite(struct bench *bench, size_t below, int64_t newest_s)
{
	const struct rewrite_request req = { .below = below,
					     .below_history = below,
					     .newest_s = newest_s };
	struct incoming in = INCOMING_INIT;
	int r = incoming_open(engine_root(bench->engine), engine_root_fd(bench->engine), &in, NULL);

	assert_int_equal(r, 0);
	r = rewrite_layers(&bench->hand.build, &bench->hand.state, &req, &in);
	incoming_done(&in);
	return r;
}

static const char *created(const struct bench *bench, size_t i)
{
	return json_string_value(json_object_get(
		json_array_get(json_object_get(bench->hand.state.doc, "history"), i), "created"));
}

static void later_times_become_the_one_asked_for_and_the_base_stays(void **state)
{
	autofree char *base = NULL, *second = NULL, *file = NULL;
	struct bench bench;
	struct stat st;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/f", "F");
	assert_int_equal(bench_do(&bench, "COPY f /f"), 0);
	base = xstrdup(state_top(&bench.hand.state));
	assert_int_equal(bench_do(&bench, "COPY f /g"), 0);
	second = xstrdup(state_top(&bench.hand.state));
	assert_int_equal(rewrite(&bench, 1, 5), 0);
	assert_int_equal(bench.hand.state.chains.n, 2);
	assert_string_equal(bench.hand.state.chains.items[0], base);
	assert_string_not_equal(bench.hand.state.chains.items[1], second);
	assert_string_equal(created(&bench, 0), "2001-09-09T01:46:40.000000000Z");
	assert_string_equal(created(&bench, 1), "1970-01-01T00:00:05.000000000Z");
	file = bench_layer(&bench, "g");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 5);
	bench_close(&bench);
}

static void nothing_to_do_changes_nothing(void **state)
{
	autofree char *before = NULL, *after = NULL;
	struct bench bench;

	bench_open(&bench, *state);
	assert_int_equal(rewrite(&bench, 0, 5), 0);
	assert_int_equal(bench_do(&bench, "WORKDIR /w"), 0);
	before = state_dump(&bench.hand.state);
	assert_int_equal(rewrite(&bench, 0, -1), 0);
	/* What is older already is the same bytes again. */
	assert_int_equal(rewrite(&bench, 0, 1000000000), 0);
	after = state_dump(&bench.hand.state);
	assert_string_equal(before, after);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(later_times_become_the_one_asked_for_and_the_base_stays),
		CASE(nothing_to_do_changes_nothing),
	};

	return cmocka_run_group_tests_name("builder/rewrite", tests, NULL, NULL);
}
