/* tests/unit/builder/test_step_workdir.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "bench.h"

static void a_directory_is_made_once_and_joined(void **state)
{
	autofree char *path = NULL;
	struct bench bench;
	struct stat st;

	bench_open(&bench, *state);
	assert_int_equal(bench_do(&bench, "WORKDIR /a/b"), 0);
	path = bench_layer(&bench, "a/b");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(bench.hand.state.chains.n, 1);
	assert_int_equal(bench_do(&bench, "WORKDIR ../c"), 0);
	assert_string_equal(state_text(&bench.hand.state, "WorkingDir"), "/a/c");
	assert_int_equal(bench.hand.state.chains.n, 2);
	/* It is there: no layer. */
	assert_int_equal(bench_do(&bench, "WORKDIR /a/b"), 0);
	assert_int_equal(bench.hand.state.chains.n, 2);
	assert_string_equal(bench_said(&bench), "WORKDIR /a/b");
	/* The root always is. */
	assert_int_equal(bench_do(&bench, "WORKDIR /"), 0);
	assert_int_equal(bench.hand.state.chains.n, 2);
	bench_close(&bench);
}

/* As BuildKit and Podman have it. */
static void it_belongs_to_the_user(void **state)
{
	autofree char *path = NULL, *named = NULL;
	struct bench bench;
	struct stat st;

	bench_open(&bench, *state);
	assert_int_equal(bench_do(&bench, "USER 5"), 0);
	assert_int_equal(bench_do(&bench, "WORKDIR /a/b"), 0);
	path = bench_layer(&bench, "a");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_gid, 5);
	assert_int_equal(bench_do(&bench, "USER nobody-knows"), 0);
	assert_int_equal(bench_do(&bench, "WORKDIR /c"), 0);
	named = bench_layer(&bench, "c");
	assert_int_equal(stat(named, &st), 0);
	assert_int_equal(st.st_uid, 0);
	bench_close(&bench);
}

static void a_file_in_its_place_is_an_error(void **state)
{
	struct bench bench;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/f", "");
	assert_int_equal(bench_do(&bench, "COPY f /f"), 0);
	assert_int_equal(bench_do(&bench, "WORKDIR /f"), -ENOTDIR);
	assert_string_equal(bench.err.text, "/f is there and no directory");
	assert_true(bench_do(&bench, "WORKDIR /f/below") < 0);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_directory_is_made_once_and_joined),
		CASE(it_belongs_to_the_user),
		CASE(a_file_in_its_place_is_an_error),
	};

	return cmocka_run_group_tests_name("builder/step_workdir", tests, NULL, NULL);
}
