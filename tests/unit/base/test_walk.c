/* tests/unit/base/test_walk.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/walk.h"

#include "../scratch.h"

static int note(void *data, const struct walk_entry *e, struct error *err)
{
	struct buf *seen = data;

	(void)err;
	buf_addf(seen, "%s%s ", e->path, S_ISDIR(e->st.st_mode) ? "/" : "");
	return strcmp(e->path, "skipped") == 0 ? WALK_SKIP : 0;
}

static int note_end(void *data, const struct walk_entry *e, struct error *err)
{
	(void)err;
	buf_addf(data, "<%s ", e->path);
	return 0;
}

static void a_tree_is_told_in_order(void **state)
{
	struct buf seen = BUF_INIT(1000);
	autoclose int dir = -1;

	scratch_put(*state, "b/two", "");
	scratch_put(*state, "b/one", "");
	scratch_put(*state, "a", "");
	scratch_put(*state, "skipped/x", "");
	dir = scratch_open(*state);
	assert_int_equal(symlinkat("b", dir, "c"), 0);
	assert_int_equal(walk_tree(dir, note, note_end, &seen, NULL), 0);
	assert_string_equal(buf_text(&seen), "/ a b/ b/one b/two <b c skipped/ < ");
	buf_done(&seen);
}

static int stop(void *data, const struct walk_entry *e, struct error *err)
{
	(void)data;
	return e->path[0] ? error_set(err, -EIO, "at %s", e->path) : 0;
}

static void a_failure_ends_it(void **state)
{
	struct error err = { 0 };
	autoclose int dir = -1;

	scratch_put(*state, "d/e/f", "");
	dir = scratch_open(*state);
	assert_int_equal(walk_tree(dir, stop, NULL, NULL, &err), -EIO);
	assert_string_equal(err.text, "at d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tree_is_told_in_order, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_failure_ends_it, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("base/walk", tests, NULL, NULL);
}
