#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../scratch.h"
#include "base/json.h"
#include "builder/bind.h"
#include "builder/ignore.h"
#include "builder/listing.h"
#include "private_mount.h"

struct bed {
	struct listing list;
	struct bind bind;
	struct strv layers;
	char *work;
	int root;
};

/* What path of the context DIR/ctx, or of layers, is to show at /at. */
static void bed_open(struct bed *bed, const char *dir, const char *root, const char *path,
		     const char *rules)
{
	struct ignore ignore = { NULL, 0, 0 };
	struct listing_request req = { .ignore = &ignore, .what = "it" };
	autofree char *root_path = xasprintf("%s/%s", dir, root);

	*bed = (struct bed) { .work = xasprintf("%s/work-XXXXXX", dir) };
	assert_int_equal(ignore_parse(rules, strlen(rules), &ignore, NULL), 0);
	bed->root = req.root = scratch_open(root_path);
	assert_int_equal(listing_add_whole(&bed->list, &req, path, NULL), 0);
	ignore_done(&ignore);
	assert_non_null(mkdtemp(bed->work));
	bed->bind = (struct bind) { .item = &bed->list.items[0],
				    .layers = &bed->layers,
				    .target = "/at",
				    .read_only = true,
				    .work = scratch_open(bed->work) };
}

static void bed_done(struct bed *bed)
{
	listing_done(&bed->list);
	strv_done(&bed->layers);
	(void)close(bed->bind.work);
	(void)close(bed->root);
	free(bed->work);
}

static const char *value(const json_t *mount, const char *key)
{
	return json_string_value(json_object_get(mount, key));
}

static bool has_option(const json_t *mount, const char *wanted)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(mount, "options"), i, one)
		if (strcmp(json_string_value(one), wanted) == 0)
			return true;
	return false;
}

static void a_plain_directory_is_shown_itself(void **state)
{
	cleanup(json_cleanup) json_t *mount = NULL;
	autofree char *path = xasprintf("%s/ctx/sub", (char *)*state);
	struct bed bed;

	scratch_put(*state, "ctx/sub/file", "x");
	bed_open(&bed, *state, "ctx", "sub", "");
	assert_int_equal(bind_make(&bed.bind, &mount, NULL), 0);
	assert_string_equal(value(mount, "type"), "bind");
	assert_string_equal(value(mount, "source"), path);
	assert_string_equal(value(mount, "destination"), "/at");
	assert_true(has_option(mount, "bind") && has_option(mount, "ro"));
	bed_done(&bed);
}

static void a_file_is_shown_itself_if_it_is_only_read(void **state)
{
	cleanup(json_cleanup) json_t *mount = NULL;
	autofree char *path = xasprintf("%s/ctx/file", (char *)*state);
	struct bed bed;

	scratch_put(*state, "ctx/file", "x");
	bed_open(&bed, *state, "ctx", "file", "");
	assert_int_equal(bind_make(&bed.bind, &mount, NULL), 0);
	assert_string_equal(value(mount, "source"), path);
	json_decref(mount);
	mount = NULL;
	bed.bind.read_only = false;
	assert_int_equal(bind_make(&bed.bind, &mount, NULL), 1);
	/* A container's document has no place for these bytes. */
	bed.bind.read_only = true;
	bed.bind.target = "/\xff";
	assert_int_equal(bind_make(&bed.bind, &mount, NULL), 1);
	assert_null(mount);
	bed_done(&bed);
}

static void what_is_ignored_is_hidden(void **state)
{
	cleanup(json_cleanup) json_t *mount = NULL;
	autofree char *layers = NULL, *hidden = NULL, *dir = NULL, *kept = NULL;
	struct bed bed;
	struct stat st;

	if (!may_mount)
		skip();
	scratch_put(*state, "ctx/kept", "x");
	scratch_put(*state, "ctx/secret", "x");
	scratch_put(*state, "ctx/sub/deep/secret", "x");
	scratch_put(*state, "ctx/sub/deep/kept", "x");
	scratch_put(*state, "ctx/out/o", "x");
	bed_open(&bed, *state, "ctx", ".", "**/secret\nout\n");
	assert_int_equal(bind_make(&bed.bind, &mount, NULL), 0);
	assert_string_equal(value(mount, "type"), "overlay");
	layers = xasprintf("lowerdir=%s/upper:%s/ctx", bed.work, (char *)*state);
	assert_true(has_option(mount, layers));
	hidden = xasprintf("%s/upper/sub/deep/secret", bed.work);
	dir = xasprintf("%s/upper/out", bed.work);
	kept = xasprintf("%s/upper/sub/deep/kept", bed.work);
	assert_int_equal(lstat(hidden, &st), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
	assert_int_equal(lstat(dir, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(lstat(kept, &st), -1);
	bed_done(&bed);
}

/* Of layers only those are shown that have the directory, down to one that hides the rest. */
static void layers_are_shown_as_far_as_they_reach(void **state)
{
	cleanup(json_cleanup) json_t *mount = NULL;
	autofree char *layers = NULL, *file = NULL;
	struct bed bed;

	if (!may_mount)
		skip();
	scratch_put(*state, "low/d/never", "x");
	scratch_put(*state, "middle/d/below", "x");
	scratch_put(*state, "other/e", "x");
	scratch_put(*state, "top/d/above", "x");
	file = xasprintf("%s/hidden", (char *)*state);
	assert_int_equal(mkdir(file, 0755), 0);
	scratch_put(file, "d", "a file, which no directory below shows through");
	bed_open(&bed, *state, "top", "d", "");
	strv_addf(&bed.layers, "%s/top", (char *)*state);
	strv_addf(&bed.layers, "%s/other", (char *)*state);
	strv_addf(&bed.layers, "%s/middle", (char *)*state);
	strv_addf(&bed.layers, "%s/hidden", (char *)*state);
	strv_addf(&bed.layers, "%s/low", (char *)*state);
	bed.bind.read_only = false;
	assert_int_equal(bind_make(&bed.bind, &mount, NULL), 0);
	layers = xasprintf("lowerdir=%s/top/d:%s/middle/d", (char *)*state, (char *)*state);
	assert_true(has_option(mount, layers));
	assert_true(has_option(mount, "rw"));
	bed_done(&bed);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, private_setup, private_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_plain_directory_is_shown_itself),
		CASE(a_file_is_shown_itself_if_it_is_only_read),
		CASE(what_is_ignored_is_hidden),
		CASE(layers_are_shown_as_far_as_they_reach),
	};

	return cmocka_run_group_tests_name("builder/bind", tests, NULL, NULL);
}
