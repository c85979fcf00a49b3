#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "builder/hand_mount.h"
#include "engine/engine.h"
#include "image/working.h"
#include "private_mount.h"

#define ID "0123456789abcdef"

/* A store with one layer, and a working container on it. */
struct bed {
	struct engine engine;
	struct working w;
};

static void bed_open(struct bed *bed, const char *dir, bool with_layer)
{
	autofree char *own = xasprintf("%s/store/" WORKING_DIR "/" ID, dir);

	*bed = (struct bed) { .w = WORKING_INIT };
	bed->engine.root = xasprintf("%s/store", dir);
	bed->engine.run_root = xasprintf("%s/run", dir);
	bed->w.name = xstrdup("it");
	memcpy(bed->w.id, ID, sizeof(ID));
	scratch_put(dir, "store/layers/chain/diff/below", "below");
	if (with_layer)
		strv_add(&bed->w.chains, "chain");
	assert_int_equal(dir_make_at(AT_FDCWD, own, 0700, NULL), 0);
	bed->w.fd = scratch_open(own);
}

static void bed_done(struct bed *bed)
{
	working_done(&bed->w);
	free(bed->engine.root);
	free(bed->engine.run_root);
}

static bool has(const struct bed *bed, const char *name)
{
	return faccessat(bed->w.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void put(const struct bed *bed, const char *name)
{
	assert_int_equal(file_write_at(bed->w.fd, name, "x", 1, 0644, FILE_PLAIN, NULL), 0);
}

static void nothing_written_is_nothing_to_settle(void **state)
{
	struct bed bed;

	bed_open(&bed, *state, true);
	assert_int_equal(hand_mount_settle(&bed.engine, &bed.w, NULL), 0);
	assert_int_equal(mkdirat(bed.w.fd, "upper", 0755), 0);
	assert_int_equal(hand_mount_settle(&bed.engine, &bed.w, NULL), 0);
	assert_true(has(&bed, "upper"));
	assert_false(has(&bed, HAND_SETTLING));
	bed_done(&bed);
}

/* Whoever was killed on the way goes on where he was. */
static void what_was_written_is_put_aside_once(void **state)
{
	struct bed bed;

	bed_open(&bed, *state, true);
	assert_int_equal(mkdirat(bed.w.fd, "upper", 0755), 0);
	assert_int_equal(mkdirat(bed.w.fd, "work", 0755), 0);
	assert_int_equal(mkdirat(bed.w.fd, HAND_SETTLING, 0711), 0); /* a killed one's */
	put(&bed, "upper/new");
	assert_int_equal(hand_mount_settle(&bed.engine, &bed.w, NULL), 1);
	assert_true(has(&bed, HAND_SETTLING "/diff/new"));
	assert_false(has(&bed, "upper"));
	assert_false(has(&bed, "work"));
	/* And what comes later waits. */
	assert_int_equal(mkdirat(bed.w.fd, "upper", 0755), 0);
	put(&bed, "upper/later");
	assert_int_equal(hand_mount_settle(&bed.engine, &bed.w, NULL), 1);
	assert_false(has(&bed, HAND_SETTLING "/diff/later"));
	assert_true(has(&bed, "upper/later"));
	bed_done(&bed);
}

static void what_is_written_through_it_settles(void **state)
{
	for (int with_layer = 0; with_layer < 2; with_layer++) {
		autofree char *path = NULL, *again = NULL, *dir = NULL;
		struct error err = { 0 };
		struct bed bed;
		int busy;

		if (!may_mount)
			skip();
		dir = xasprintf("%s/with:colon,%d", (char *)*state, with_layer);
		assert_int_equal(mkdir(dir, 0700), 0);
		bed_open(&bed, dir, with_layer);
		assert_false(hand_is_mounted(&bed.engine, ID));
		assert_int_equal(hand_mount(&bed.engine, &bed.w, &path, &err), 0);
		assert_int_equal(hand_mount(&bed.engine, &bed.w, &again, &err), 0);
		assert_string_equal(path, again);
		assert_true(hand_is_mounted(&bed.engine, ID));
		scratch_put(path, "new", "x");
		if (with_layer) {
			autofree char *text = scratch_get(path, "below");

			assert_string_equal(text, "below");
		}
		busy = scratch_open(path);
		assert_int_equal(hand_mount_settle(&bed.engine, &bed.w, &err), -EBUSY);
		assert_non_null(strstr(err.text, "somebody is in there"));
		assert_true(has(&bed, "upper/new"));
		(void)close(busy);
		assert_int_equal(hand_mount_settle(&bed.engine, &bed.w, &err), 1);
		assert_false(hand_is_mounted(&bed.engine, ID));
		assert_int_equal(access(path, F_OK), -1);
		assert_true(has(&bed, HAND_SETTLING "/diff/new"));
		assert_int_equal(hand_unmount(&bed.engine, &bed.w, &err), 0);
		bed_done(&bed);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, private_setup, private_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_written_is_nothing_to_settle),
		CASE(what_was_written_is_put_aside_once),
		CASE(what_is_written_through_it_settles),
	};

	return cmocka_run_group_tests_name("builder/hand_mount", tests, NULL, NULL);
}
