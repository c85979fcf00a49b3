/* tests/unit/builder/test_step_copy.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "bench.h"

static void files_go_where_the_words_say(void **state)
{
	static const struct {
		const char *line, *file, *text, *said;
	} cases[] = {
		{ "COPY a /x", "x", "A", "COPY a /x" },
		{ "COPY a /dir/", "dir/a", "A", "COPY a /dir/" },
		{ "COPY a b /dir/", "dir/b", "B", "COPY a b /dir/" },
		{ "COPY sub /", "c", "C", "COPY sub /" },
		{ "COPY sub /to", "to/c", "C", "COPY sub /to" },
		{ "COPY [\"a\", \"/with blank\"]", "with blank", "A", "COPY a /with blank" },
		{ "COPY ../../a /up", "up", "A", "COPY ../../a /up" },
		{ "COPY --chmod=600 [ab] /m/", "m/b", "B", "COPY --chmod=600 [ab] /m/" },
		{ "COPY <<X /doc\nhello\nX", "doc", "hello\n", "COPY <<X /doc" },
	};
	struct bench bench;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/a", "A");
	scratch_put(*state, "ctx/b", "B");
	scratch_put(*state, "ctx/sub/c", "C");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *text = NULL;

		assert_int_equal(bench_do(&bench, cases[i].line), 0);
		text = bench_read(&bench, cases[i].file);
		assert_string_equal(text, cases[i].text);
		assert_string_equal(bench_said(&bench), cases[i].said);
	}
	bench_close(&bench);
}

static void owners_modes_and_times_are_those_asked_for(void **state)
{
	autofree char *path = NULL;
	struct bench bench;
	struct stat st;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/a", "A");
	assert_int_equal(bench_do(&bench, "COPY --chown=7:8 --chmod=0640 a /d/a"), 0);
	path = bench_layer(&bench, "d/a");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_gid, 8);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	bench_close(&bench);
}

static void mistakes_are_named_and_leave_nothing(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "COPY none /x", "none" },
		{ "COPY a b /x", "the destination is a directory and ends with /" },
		{ "COPY --chown=nobody a /x", "--chown=nobody" },
		{ "COPY --chmod=9 a /x", "--chmod" },
		{ "COPY \"\" /x", "a source is empty" },
	};
	struct bench bench;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/a", "A");
	scratch_put(*state, "ctx/b", "B");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(bench_do(&bench, cases[i].line) < 0);
		if (!strstr(bench.err.text, cases[i].text))
			fail_msg("%s: %s", cases[i].line, bench.err.text);
		assert_int_equal(bench.hand.state.chains.n, 0);
	}
	bench_close(&bench);
}

static void links_lead_nowhere_outside(void **state)
{
	autofree char *link = xasprintf("%s/ctx/link", (char *)*state);
	autofree char *secret = xasprintf("%s/secret", (char *)*state), *path = NULL;
	struct bench bench;
	struct stat st;

	bench_open(&bench, *state);
	scratch_put(*state, "secret", "s3cret");
	assert_int_equal(symlink(secret, link), 0);
	/* In its directory it is copied as the link that it is. */
	assert_int_equal(bench_do(&bench, "COPY . /all/"), 0);
	path = bench_layer(&bench, "all/link");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	/* By name it is followed, inside the context. */
	assert_int_equal(bench_do(&bench, "COPY link /x"), -ENOENT);
	/* One of the image's is followed inside the image. */
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("/", link), 0);
	scratch_put(*state, "ctx/tmp/f", "F");
	assert_int_equal(bench_do(&bench, "COPY . /up/"), 0);
	assert_int_equal(bench_do(&bench, "COPY tmp/f /up/link/strake-out"), 0);
	assert_int_not_equal(access("/strake-out", F_OK), 0);
	free(path);
	path = bench_layer(&bench, "strake-out");
	assert_int_equal(access(path, F_OK), 0);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(files_go_where_the_words_say),
		CASE(owners_modes_and_times_are_those_asked_for),
		CASE(mistakes_are_named_and_leave_nothing),
		CASE(links_lead_nowhere_outside),
	};

	return cmocka_run_group_tests_name("builder/step_copy", tests, NULL, NULL);
}
