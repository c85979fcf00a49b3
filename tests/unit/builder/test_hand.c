/* tests/unit/builder/test_hand.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "../scratch.h"
#include "bench.h"

static int words(struct bench *bench, enum instruction_kind kind, const char *a, const char *b,
		 enum hand_words keep)
{
	struct strv list = { 0 };
	int r;

	strv_add(&list, a);
	if (b)
		strv_add(&list, b);
	r = hand_words(&bench->hand, kind, NULL, &list, keep);
	strv_done(&list);
	return r;
}

static const char *label(const struct bench *bench, const char *name)
{
	const json_t *config = json_object_get(bench->hand.state.doc, "config");

	return json_string_value(json_object_get(json_object_get(config, "Labels"), name));
}

static void words_are_data_whatever_is_in_them(void **state)
{
	static const char *const texts[] = { "plain", "a  b", "\"'\\", "a\nb", "#", "\\$X", "*?[" };
	struct bench bench;

	bench_open(&bench, *state);
	assert_int_equal(words(&bench, INS_ENV, "X=1", NULL, HAND_VARIABLES), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		autofree char *pair = xasprintf("l=%s", texts[i]);

		assert_int_equal(words(&bench, INS_LABEL, pair, NULL, HAND_LITERAL), 0);
		assert_string_equal(label(&bench, "l"), texts[i]);
	}
	assert_int_equal(words(&bench, INS_LABEL, "l=$X \"q\" ${X:+y}", NULL, HAND_VARIABLES), 0);
	assert_string_equal(label(&bench, "l"), "1 \"q\" y");
	assert_int_equal(words(&bench, INS_CMD, "$X", "a b", HAND_ARGUMENTS), 0);
	assert_string_equal(bench_said(&bench), "CMD [\"$X\", \"a b\"]");
	bench_close(&bench);
}

static void a_line_is_one_instruction(void **state)
{
	struct bench bench;

	bench_open(&bench, *state);
	assert_int_equal(bench_do(&bench, "ENV A=b"), 0);
	assert_true(bench_do(&bench, "ENV A=b\nENV C=d") < 0);
	assert_true(bench_do(&bench, "") < 0);
	assert_true(bench_do(&bench, "NOTHING x") < 0);
	bench_close(&bench);
}

static void what_was_saved_comes_back_and_what_was_not_does_not(void **state)
{
	struct engine *engine;
	struct hand hand;
	struct bench bench;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/f", "F");
	assert_int_equal(bench_do(&bench, "COPY f /f"), 0);
	assert_int_equal(bench_do(&bench, "ENV A=b"), 0);
	assert_int_equal(hand_save(&bench.hand), 0);
	assert_int_equal(bench_do(&bench, "COPY f /g"), 0);
	assert_int_equal(bench.hand.state.chains.n, 2);
	bench_close(&bench); /* as a kill would */
	engine = bench_engine(*state);
	assert_int_equal(hand_open(engine, "bench", &bench.req, &hand, NULL), 0);
	assert_int_equal(hand.state.chains.n, 1);
	assert_string_equal(strv_env_get(&hand.state.scope.env, "A"), "b");
	/* The second layer goes with the next save. */
	assert_int_equal(hand_save(&hand), 0);
	hand_done(&hand);
	engine_close(engine);
}

static void a_commit_is_an_image_and_squashed_one_layer(void **state)
{
	struct hand_commit hc = { .names = &(struct strv) { 0 }, .newest_s = -1 };
	cleanup(image_cleanup) struct image *image = NULL, *again = NULL;
	char id[ID_LEN + 1], same[ID_LEN + 1];
	struct bench bench;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/f", "F");
	assert_int_equal(bench_do(&bench, "COPY f /f"), 0);
	assert_int_equal(bench_do(&bench, "COPY f /g"), 0);
	assert_int_equal(hand_save(&bench.hand), 0);
	assert_int_equal(hand_commit(&bench.hand, &hc, id), 0);
	assert_int_equal(hand_commit(&bench.hand, &hc, same), 0);
	assert_string_equal(id, same);
	assert_int_equal(
		image_load(engine_db(bench.engine), engine_root_fd(bench.engine), id, &image, NULL),
		0);
	assert_int_equal(image->layers.n, 2);
	/* Other times, other layers; an earlier one changes nothing back. */
	hc.newest_s = 500000000;
	assert_int_equal(hand_commit(&bench.hand, &hc, same), 0);
	assert_string_not_equal(id, same);
	assert_int_equal(image_load(engine_db(bench.engine), engine_root_fd(bench.engine), same,
				    &again, NULL),
			 0);
	assert_int_equal(again->layers.n, 2);
	assert_string_not_equal(image->layers.items[0], again->layers.items[0]);
	assert_int_equal(strncmp(again->config.created, "1985-11-05T", 11), 0);
	hc.newest_s = 1000000000;
	assert_int_equal(hand_commit(&bench.hand, &hc, same), 0);
	assert_string_equal(id, same);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(words_are_data_whatever_is_in_them),
		CASE(a_line_is_one_instruction),
		CASE(what_was_saved_comes_back_and_what_was_not_does_not),
		CASE(a_commit_is_an_image_and_squashed_one_layer),
	};

	return cmocka_run_group_tests_name("builder/hand", tests, NULL, NULL);
}
