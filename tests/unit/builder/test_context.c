/* tests/unit/builder/test_context.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "bench.h"
#include "builder/context.h"

static const struct strv none = { 0 };

static int open_one(const char *dir, const char *path, const char *file, struct context *ret,
		    struct error *err)
{
	const struct context_request req = { .path = path, .file = file, .secrets = &none };
	struct engine *engine = bench_engine(dir);
	int r = context_open(engine, &req, ret, err);

	engine_close(engine);
	return r;
}

static void the_usual_names_and_the_ignore_file_that_belongs_to_it(void **state)
{
	cleanup(context_done) struct context c = CONTEXT_INIT, d = CONTEXT_INIT;
	autofree char *ctx = xasprintf("%s/ctx", (char *)*state);
	autofree char *other = xasprintf("%s/ctx/Other", (char *)*state);

	scratch_put(*state, "ctx/Dockerfile", "FROM scratch");
	scratch_put(*state, "ctx/.dockerignore", "a\n");
	scratch_put(*state, "ctx/Other", "FROM x");
	scratch_put(*state, "ctx/Other.dockerignore", "b\n");
	assert_int_equal(open_one(*state, ctx, NULL, &c, NULL), 0);
	assert_string_equal(c.name, "Dockerfile");
	assert_string_equal(c.file, "FROM scratch");
	assert_true(ignore_matches(&c.ignore, "a"));
	assert_false(ignore_matches(&c.ignore, "b"));
	assert_int_equal(open_one(*state, ctx, other, &d, NULL), 0);
	assert_string_equal(d.file, "FROM x");
	assert_true(ignore_matches(&d.ignore, "b"));
	assert_false(ignore_matches(&d.ignore, "a"));
}

static void containerfile_comes_before_dockerfile(void **state)
{
	cleanup(context_done) struct context c = CONTEXT_INIT;
	autofree char *ctx = xasprintf("%s/ctx", (char *)*state);

	scratch_put(*state, "ctx/Dockerfile", "FROM d");
	scratch_put(*state, "ctx/Containerfile", "FROM c");
	assert_int_equal(open_one(*state, ctx, NULL, &c, NULL), 0);
	assert_string_equal(c.name, "Containerfile");
}

static void links_and_pipes_of_a_context_are_no_way_out(void **state)
{
	cleanup(context_done) struct context c = CONTEXT_INIT;
	autofree char *ctx = xasprintf("%s/ctx", (char *)*state);
	autofree char *file = xasprintf("%s/ctx/Containerfile", (char *)*state);
	autofree char *outside = xasprintf("%s/outside", (char *)*state);
	autofree char *ignore = xasprintf("%s/ctx/.dockerignore", (char *)*state);
	struct error err = { 0 };

	scratch_put(*state, "outside", "FROM scratch");
	scratch_put(*state, "ctx/x", "");
	assert_int_equal(symlink(outside, file), 0);
	assert_int_equal(open_one(*state, ctx, NULL, &c, &err), -ELOOP);
	assert_int_equal(unlink(file), 0);
	/* What an ignore file was to keep out does not come in because nobody could read it. */
	scratch_put(*state, "ctx/Containerfile", "FROM scratch");
	assert_int_equal(symlink(outside, ignore), 0);
	assert_int_equal(open_one(*state, ctx, NULL, &c, &err), -ELOOP);
	assert_non_null(strstr(err.text, ".dockerignore in the context is a link"));
	assert_int_equal(unlink(ignore), 0);
	assert_int_equal(unlink(file), 0);
	context_done(&c);
	c = (struct context)CONTEXT_INIT;
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(open_one(*state, ctx, NULL, &c, &err), -EINVAL);
	assert_string_equal(err.text, "Containerfile in the context is no file");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(open_one(*state, ctx, NULL, &c, &err), -ENOENT);
	assert_non_null(strstr(err.text, "neither a Containerfile nor a Dockerfile"));
	assert_int_equal(open_one(*state, "/nonexistent/x", NULL, &c, &err), -ENOENT);
	assert_int_equal(open_one(*state, outside, NULL, &c, &err), -EINVAL);
	assert_int_equal(open_one(*state, "-", "-", &c, &err), -EINVAL);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_usual_names_and_the_ignore_file_that_belongs_to_it),
		CASE(containerfile_comes_before_dockerfile),
		CASE(links_and_pipes_of_a_context_are_no_way_out),
	};

	return cmocka_run_group_tests_name("builder/context", tests, NULL, NULL);
}
