/* tests/unit/image/test_load.c - from a directory in docker-archive form into a store, and out */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "base/db.h"
#include "image/digest.h"
#include "image/image.h"
#include "image/load.h"
#include "image/schema.h"

struct store {
	const char *dir;
	struct db *db;
	int root_fd;
	struct strv reports;
};

static void report_image(void *data, const char *name, const char *id)
{
	struct store *s = data;

	strv_addf(&s->reports, "%s %.3s", name ? name : "-", id);
}

static void report_text(void *data, const char *text)
{
	struct store *s = data;

	strv_add(&s->reports, text);
}

static struct store *store_open(const char *dir)
{
	static const struct db_schema *const schemas[] = { &image_schema, NULL };
	struct store *s = xnew(struct store);

	s->dir = dir;
	s->root_fd = scratch_open(dir);
	assert_int_equal(db_open(":memory:", schemas, &s->db, NULL), 0);
	/* The engine's, as far as image_remove() looks at it. */
	assert_int_equal(
		db_run(s->db, NULL, "CREATE TABLE containers (id TEXT, name TEXT, image TEXT)", ""),
		0);
	return s;
}

static void store_close(struct store *s)
{
	db_close(s->db);
	(void)close(s->root_fd);
	strv_done(&s->reports);
	free(s);
}
DEFINE_CLEANUP(struct store *, store, store_close);

/* A layer of nothing: 1024 zero bytes. */
static void put_image(const char *dir, const char *names, const char *layers, const char *diff_id)
{
	static const char zeros[1024];
	char hex[DIGEST_HEX_LEN + 1];
	autofree char *config = NULL, *manifest = NULL, *layer = xasprintf("%s/in/l", dir);

	digest_bytes(zeros, sizeof(zeros), hex);
	config = xasprintf(
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"x\"]},"
		"\"rootfs\":{\"diff_ids\":[\"sha256:%s\"]}}",
		diff_id ? diff_id : hex);
	manifest =
		xasprintf("[{\"Config\":\"c\",\"RepoTags\":[%s],\"Layers\":[%s]}]", names, layers);
	scratch_put(dir, "in/c", config);
	scratch_put(dir, "in/manifest.json", manifest);
	assert_int_equal(
		file_write_at(AT_FDCWD, layer, zeros, sizeof(zeros), 0644, FILE_PLAIN, NULL), 0);
}

static int load(struct store *s, struct error *err)
{
	autofree char *in = xasprintf("%s/in", s->dir);
	const struct load_request req = { .path = in,
					  .platform = "linux/amd64",
					  .root = s->dir,
					  .root_fd = s->root_fd,
					  .report = report_image,
					  .data = s };

	return image_load_archive(s->db, &req, err);
}

static void an_image_is_found_by_name_and_id(void **state)
{
	cleanup(store_cleanup) struct store *s = store_open(*state);
	cleanup(image_cleanup) struct image *image = NULL;
	const char *ways[4];
	struct strv ids = { 0 };
	autofree char *prefixed = NULL, *start = NULL;

	put_image(s->dir, "\"web:1\"", "\"l\"", NULL);
	assert_int_equal(load(s, NULL), 0);
	assert_int_equal(load(s, NULL), 0); /* once more changes nothing */
	assert_int_equal(image_ids(s->db, &ids, NULL), 0);
	assert_int_equal(ids.n, 1);
	prefixed = xasprintf("sha256:%s", ids.items[0]);
	start = xstrndup(ids.items[0], 12);
	ways[0] = "web:1";
	ways[1] = ids.items[0];
	ways[2] = prefixed;
	ways[3] = start;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		cleanup(image_cleanup) struct image *found = NULL;

		assert_int_equal(image_find(s->db, s->root_fd, ways[i], &found, NULL), 0);
		assert_string_equal(found->id, ids.items[0]);
		assert_string_equal(found->names.items[0], "docker.io/library/web:1");
		assert_int_equal(found->layers.n, 1);
		assert_string_equal(found->config.cmd.items[0], "x");
	}
	assert_int_equal(image_find(s->db, s->root_fd, "web", &image, NULL), -ENOENT);
	assert_int_equal(image_find(s->db, s->root_fd, "../x", &image, NULL), -EINVAL);
	strv_done(&ids);
}

static void what_does_not_fit_is_refused_and_leaves_nothing(void **state)
{
	static const struct {
		const char *names, *layers, *diff_id, *place;
	} cases[] = {
		{ "\"Web\"", "\"l\"", NULL, "not an image name" },
		{ "1", "\"l\"", NULL, "RepoTags" },
		{ "\"web\"", "", NULL, "0 layers but names 1 diff IDs" },
		{ "\"web\"", "\"l\",\"l\"", NULL, "2 layers but names 1 diff IDs" },
		{ "\"web\"", "\"nope\"", NULL, "nope" },
		{ "\"web\"", "\"../c\"", NULL, "../c" },
		{ "\"web\"", "\"l\"", "0", "is not a sha256 digest" },
		{ "\"web\"", "\"l\"",
		  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		  "unpacked its digest is" },
	};
	cleanup(store_cleanup) struct store *s = store_open(*state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv ids = { 0 };
		struct error err = { 0 };

		put_image(s->dir, cases[i].names, cases[i].layers, cases[i].diff_id);
		assert_true(load(s, &err) < 0);
		if (!strstr(err.text, cases[i].place))
			fail_msg("'%s' says nothing of '%s'", err.text, cases[i].place);
		assert_int_equal(image_ids(s->db, &ids, NULL), 0);
		assert_int_equal(ids.n, 0);
	}
	assert_int_equal(unlinkat(s->root_fd, "layers", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(s->root_fd, "tmp", AT_REMOVEDIR), 0);
}

static void removal_takes_names_first(void **state)
{
	cleanup(store_cleanup) struct store *s = store_open(*state);
	struct error err = { 0 };

	put_image(s->dir, "\"web:1\",\"web:2\"", "\"l\"", NULL);
	assert_int_equal(load(s, NULL), 0);
	assert_int_equal(image_remove(s->db, s->root_fd, "web:1", false, report_text, s, NULL), 0);
	assert_int_equal(image_remove(s->db, s->root_fd, "web:1", false, report_text, s, NULL),
			 -ENOENT);
	assert_int_equal(
		db_run(s->db, NULL, "INSERT INTO containers SELECT 'c', 'box', id FROM images", ""),
		0);
	assert_int_equal(image_remove(s->db, s->root_fd, "web:2", false, report_text, s, &err),
			 -EBUSY);
	assert_non_null(strstr(err.text, "box"));
	assert_int_equal(db_run(s->db, NULL, "DELETE FROM containers", ""), 0);
	assert_int_equal(image_remove(s->db, s->root_fd, "web:2", false, report_text, s, NULL), 0);
	assert_true(strv_has(&s->reports, "Untagged: web:1"));
	assert_true(strv_has(&s->reports, "Untagged: web:2"));
	assert_int_equal(unlinkat(s->root_fd, "layers", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(s->root_fd, "blobs/sha256", AT_REMOVEDIR), 0);
}

static void a_check_finds_and_repairs_what_is_left_over(void **state)
{
	cleanup(store_cleanup) struct store *s = store_open(*state);

	put_image(s->dir, "\"web:1\"", "\"l\"", NULL);
	assert_int_equal(load(s, NULL), 0);
	strv_done(&s->reports);
	assert_int_equal(image_check(s->db, s->root_fd, false, report_text, s, NULL, NULL), 0);
	assert_int_equal(s->reports.n, 0);
	scratch_put(s->dir, "layers/0123/diff/file", "");
	scratch_put(s->dir, "tmp/0123/file", "");
	assert_true(image_check(s->db, s->root_fd, false, report_text, s, NULL, NULL) >= 0);
	assert_int_equal(s->reports.n, 2);
	assert_true(image_check(s->db, s->root_fd, true, report_text, s, NULL, NULL) >= 0);
	strv_done(&s->reports);
	assert_int_equal(image_check(s->db, s->root_fd, false, report_text, s, NULL, NULL), 0);
	assert_int_equal(s->reports.n, 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_image_is_found_by_name_and_id),
		CASE(what_does_not_fit_is_refused_and_leaves_nothing),
		CASE(removal_takes_names_first),
		CASE(a_check_finds_and_repairs_what_is_left_over),
	};

	return cmocka_run_group_tests_name("image/load", tests, NULL, NULL);
}
