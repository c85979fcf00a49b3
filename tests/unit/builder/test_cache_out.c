#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "base/json.h"
#include "base/walk.h"
#include "bench.h"
#include "builder/cache_out.h"
#include "builder/cache_spec.h"

static int write_to(struct bench *bench, const char *where)
{
	struct cache_spec spec = { .type = CACHE_LOCAL, .where = (char *)where, .max = true };
	const struct cache_specs specs = { .items = &spec, .n = 1 };

	bench->err = (struct error) { 0 };
	bench->hand.stage.needed = true;
	return caches_write(&bench->hand.build, 1, &specs, &bench->err);
}

/* The blob of a digest in a layout's document. */
static json_t *blob_of(const char *where, const json_t *descriptor)
{
	const char *digest = json_string_value(json_object_get(descriptor, "digest"));
	autofree char *name = NULL, *text = NULL;
	json_t *doc;

	assert_non_null(digest);
	assert_memory_equal(digest, "sha256:", 7);
	name = xasprintf("blobs/sha256/%s", digest + 7);
	text = scratch_get(where, name);
	assert_int_equal(json_integer_value(json_object_get(descriptor, "size")), strlen(text));
	doc = json_loads(text, 0, NULL);
	assert_non_null(doc);
	return doc;
}

static size_t count_blobs(const char *where)
{
	autofree char *path = xasprintf("%s/blobs/sha256", where);
	struct strv names = { 0 };
	int fd = scratch_open(path);
	size_t n;

	assert_int_equal(walk_names(fd, &names), 0);
	n = names.n;
	strv_done(&names);
	(void)close(fd);
	return n;
}

static void a_layout_is_whole_and_holds_nothing_old(void **state)
{
	autofree char *where = xasprintf("%s/cache", (char *)*state), *text = NULL;
	cleanup(json_cleanup) json_t *index = NULL, *manifest = NULL;
	json_t *config;
	struct bench bench;

	bench_open(&bench, *state);
	assert_int_equal(bench_do(&bench, "WORKDIR /w"), 0);
	assert_int_equal(write_to(&bench, where), 0);
	assert_int_equal(count_blobs(where), 2);
	scratch_put(where, "blobs/sha256/of-an-earlier-build", "x");
	scratch_put(where, "blobs/sha256/half.new", "x");
	assert_int_equal(write_to(&bench, where), 0);
	assert_int_equal(count_blobs(where), 2);
	text = scratch_get(where, "index.json");
	index = json_loads(text, 0, NULL);
	manifest = blob_of(where, json_array_get(json_object_get(index, "manifests"), 0));
	config = blob_of(where, json_object_get(manifest, "config"));
	assert_int_equal(json_array_size(json_object_get(config, "steps")), 0);
	json_decref(config);
	bench_close(&bench);
}

static void a_directory_of_other_things_is_left_alone(void **state)
{
	autofree char *where = xasprintf("%s/mine", (char *)*state), *file = NULL;
	struct bench bench;

	bench_open(&bench, *state);
	scratch_put(*state, "mine/blobs/sha256/precious", "x");
	assert_int_equal(write_to(&bench, where), -ENOTEMPTY);
	assert_non_null(strstr(bench.err.text, "--cache-to "));
	assert_non_null(strstr(bench.err.text, "holds other things than a build cache"));
	assert_int_equal(count_blobs(where), 1);
	file = xasprintf("%s/mine/blobs/sha256/precious", (char *)*state);
	assert_true(write_to(&bench, file) < 0);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_layout_is_whole_and_holds_nothing_old),
		CASE(a_directory_of_other_things_is_left_alone),
	};

	return cmocka_run_group_tests_name("builder/cache_out", tests, NULL, NULL);
}
