#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "bench.h"
#include "builder/finish.h"
#include "builder/named.h"

/* An image of this machine's, "web:1". */
static void make(struct bench *bench, const char *dir, char ret_id[ID_LEN + 1])
{
	struct strv names = { 0 };
	const struct finish_request req = { .names = &names, .records = true };

	bench_open(bench, dir);
	strv_add(&names, "docker.io/library/web:1");
	assert_int_equal(build_finish(&bench->hand.build, &bench->hand.state, &req, ret_id, NULL),
			 0);
	strv_done(&names);
}

static int find(struct bench *bench, const char *name, const char *platform,
		char ret_id[ID_LEN + 1])
{
	bench->err = (struct error) { 0 };
	return build_find_image(&bench->hand.build, name, platform, ret_id);
}

static void what_is_here_is_not_fetched(void **state)
{
	static const char *const pulls[] = { NULL, "missing", "never" };
	char id[ID_LEN + 1], found[ID_LEN + 1];
	struct bench bench;

	make(&bench, *state, id);
	for (size_t i = 0; i < ARRAY_SIZE(pulls); i++) {
		bench.hand.req.pull = pulls[i];
		assert_int_equal(find(&bench, "web:1", NULL, found), 0);
		assert_string_equal(found, id);
		assert_int_equal(find(&bench, id, NULL, found), 0);
		assert_string_equal(found, id);
	}
	bench_close(&bench);
}

static void what_is_not_here_is_an_error_if_it_may_not_be_fetched(void **state)
{
	char id[ID_LEN + 1], found[ID_LEN + 1] = "untouched";
	struct bench bench;

	make(&bench, *state, id);
	bench.hand.req.pull = "never";
	assert_int_equal(find(&bench, "nothing", NULL, found), -ENOENT);
	assert_non_null(strstr(bench.err.text, "nothing"));
	assert_int_equal(find(&bench, "web:1", "linux/s390x", found), -ENOENT);
	assert_string_equal(bench.err.text, "image web:1 is here, but not for linux/s390x");
	assert_true(find(&bench, "web:1", "nonsense//", found) < 0);
	assert_true(*bench.err.text);
	assert_string_equal(found, "untouched");
	bench_close(&bench);
}

static void a_context_of_that_name_comes_first(void **state)
{
	struct named one = { .context = CONTEXT_INIT };
	const struct named_list list = { .items = &one, .n = 1 };
	char id[ID_LEN + 1], found[ID_LEN + 1];
	struct bench bench;

	make(&bench, *state, id);
	one.name = xstrdup("Alpine");
	one.image = xstrdup("web:1");
	bench.hand.req.contexts = &list;
	bench.hand.req.pull = "never";
	assert_int_equal(find(&bench, "alpine", NULL, found), 0);
	assert_string_equal(found, id);
	free(one.name);
	free(one.image);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_here_is_not_fetched),
		CASE(what_is_not_here_is_an_error_if_it_may_not_be_fetched),
		CASE(a_context_of_that_name_comes_first),
	};

	return cmocka_run_group_tests_name("builder/base_image", tests, NULL, NULL);
}
