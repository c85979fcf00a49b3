#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "bench.h"
#include "builder/export.h"
#include "builder/output_spec.h"

/* A build of one layer with etc/file, a link and a sub folder. */
static void make(struct bench *bench, const char *dir)
{
	autofree char *link = xasprintf("%s/ctx/etc/link", dir);

	bench_open(bench, dir);
	scratch_put(dir, "ctx/etc/file", "new");
	scratch_put(dir, "ctx/sub/deep/x", "x");
	assert_int_equal(symlink("/outside", link), 0);
	assert_int_equal(bench_do(bench, "COPY . /"), 0);
	bench->req.platform = "linux/arm64/v8";
}

static char *text_of(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	return scratch_get(dir, name);
}

static bool is_there(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Links that stand there before are replaced, not followed. */
static void a_directory_is_filled_and_never_left(void **state)
{
	autofree char *dest = xasprintf("%s/dest", (char *)*state), *text = NULL, *kept = NULL;
	autofree char *outside = xasprintf("%s/outside", (char *)*state), *safe = NULL;
	autofree char *dir_link = xasprintf("%s/sub", dest), *file_link = NULL, *link = NULL;
	const struct output output = { .type = OUTPUT_LOCAL, .dest = dest };
	struct bench bench;
	char target[64] = "";

	make(&bench, *state);
	scratch_put(outside, "file", "safe");
	scratch_put(dest, "beside", "kept");
	scratch_put(dest, "etc/old", "kept");
	assert_int_equal(symlink(outside, dir_link), 0);
	file_link = xasprintf("%s/etc/file", dest);
	link = xasprintf("%s/file", outside);
	assert_int_equal(symlink(link, file_link), 0);
	assert_int_equal(export_tree(&bench.hand.build, 1, &output, &bench.err), 0);
	text = text_of(dest, "etc/file");
	assert_string_equal(text, "new");
	safe = text_of(outside, "file");
	assert_string_equal(safe, "safe");
	assert_false(is_there(outside, "deep"));
	assert_true(is_there(dest, "sub/deep/x"));
	assert_true(is_there(dest, "etc/old"));
	kept = text_of(dest, "beside");
	assert_string_equal(kept, "kept");
	free(link);
	link = xasprintf("%s/etc/link", dest);
	assert_true(readlink(link, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/outside");
	/* Once more over itself. */
	assert_int_equal(export_tree(&bench.hand.build, 1, &output, &bench.err), 0);
	bench_close(&bench);
}

static void several_builds_have_a_directory_each(void **state)
{
	autofree char *dest = xasprintf("%s/dest", (char *)*state);
	const struct output output = { .type = OUTPUT_LOCAL, .dest = dest };
	struct build_request other;
	struct build builds[2];
	struct bench bench;

	make(&bench, *state);
	other = bench.req;
	other.platform = "linux/amd64";
	builds[0] = bench.hand.build;
	builds[0].req = &bench.req;
	builds[1] = bench.hand.build;
	builds[1].req = &other;
	assert_int_equal(export_tree(builds, 2, &output, &bench.err), 0);
	assert_true(is_there(dest, "linux_arm64_v8/etc/file"));
	assert_true(is_there(dest, "linux_amd64/sub/deep/x"));
	assert_false(is_there(dest, "etc"));
	bench_close(&bench);
}

static void what_is_no_directory_is_refused(void **state)
{
	autofree char *dest = xasprintf("%s/dest", (char *)*state);
	const struct output output = { .type = OUTPUT_LOCAL, .dest = dest };
	struct bench bench;

	make(&bench, *state);
	scratch_put(*state, "dest", "a file");
	bench.err = (struct error) { 0 };
	assert_true(export_tree(&bench.hand.build, 1, &output, &bench.err) < 0);
	assert_non_null(strstr(bench.err.text, dest));
	bench_close(&bench);
}

static void nothing_built_is_an_empty_archive(void **state)
{
	autofree char *dest = xasprintf("%s/it.tar", (char *)*state);
	const struct output output = { .type = OUTPUT_TAR, .dest = dest };
	struct bench bench;
	struct stat st;

	bench_open(&bench, *state);
	assert_int_equal(export_tree(&bench.hand.build, 1, &output, &bench.err), 0);
	assert_int_equal(stat(dest, &st), 0);
	assert_true(st.st_size > 0 && st.st_size % 512 == 0);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_directory_is_filled_and_never_left),
		CASE(several_builds_have_a_directory_each),
		CASE(what_is_no_directory_is_refused),
		CASE(nothing_built_is_an_empty_archive),
	};

	return cmocka_run_group_tests_name("builder/export", tests, NULL, NULL);
}
