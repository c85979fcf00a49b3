/* tests/unit/builder/test_step.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "bench.h"

static void key_of(const struct work *w, const char *word, const char *text, const char *reads,
		   struct step *ret)
{
	struct step_key key;

	step_key_begin(&key, word);
	step_key_add(&key, text);
	if (reads)
		step_key_reads(&key, reads);
	step_key_end(&key, w, ret);
}

static void a_key_has_all_that_it_depends_on_and_nothing_else(void **state)
{
	struct bench bench;
	struct step a, b;
	struct work w;

	bench_open(&bench, *state);
	w = (struct work) { .b = &bench.hand.build, .state = &bench.hand.state };
	key_of(&w, "RUN", "x", NULL, &a);
	key_of(&w, "RUN", "x", NULL, &b);
	assert_string_equal(a.key, b.key);
	assert_string_equal(a.parent, "");
	assert_string_equal(a.reads, "");
	key_of(&w, "RUN", "y", NULL, &b);
	assert_string_not_equal(a.key, b.key);
	assert_string_not_equal(a.what, b.what);
	key_of(&w, "RUNx", "", NULL, &b); /* where one text ends counts */
	assert_string_not_equal(a.key, b.key);
	key_of(&w, "RUN", "x", "content", &b);
	assert_string_equal(a.what, b.what);
	assert_string_not_equal(a.key, b.key);
	/* Another time for files gives other files. */
	bench.hand.req.newest_s++;
	key_of(&w, "RUN", "x", NULL, &b);
	assert_string_not_equal(a.key, b.key);
	bench.hand.req.newest_s--;
	/* And another layer below. */
	assert_int_equal(bench_do(&bench, "WORKDIR /w"), 0);
	key_of(&w, "RUN", "x", NULL, &b);
	assert_string_equal(a.what, b.what);
	assert_string_not_equal(a.key, b.key);
	assert_string_equal(b.parent, state_top(&bench.hand.state));
	bench_close(&bench);
}

static void owners_are_those_of_the_files_in_the_image(void **state)
{
	static const struct {
		const char *text;
		int r;
		uid_t uid;
		gid_t gid;
	} cases[] = {
		{ "5", 0, 5, 5 },           { "5:6", 0, 5, 6 },    { "web", 0, 33, 34 },
		{ "web:web", 0, 33, 35 },   { "5:web", 0, 5, 35 }, { "nobody", -ENOENT, 0, 0 },
		{ "4294967295", -1, 0, 0 },
	};
	struct bench bench;
	struct work w;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/etc/passwd", "web:x:33:34::/:/bin/sh\n");
	scratch_put(*state, "ctx/etc/group", "web:x:35:\n");
	assert_int_equal(bench_do(&bench, "COPY . /"), 0);
	w = (struct work) { .b = &bench.hand.build, .state = &bench.hand.state };
	state_lower(bench.engine, w.state, &w.lower);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uid_t uid = 0;
		gid_t gid = 0;
		int r = step_owner(&w, cases[i].text, &uid, &gid);

		if (cases[i].r < 0) {
			assert_true(r < 0);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(uid, cases[i].uid);
		assert_int_equal(gid, cases[i].gid);
	}
	strv_done(&w.lower);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_key_has_all_that_it_depends_on_and_nothing_else),
		CASE(owners_are_those_of_the_files_in_the_image),
	};

	return cmocka_run_group_tests_name("builder/step", tests, NULL, NULL);
}
