/* tests/unit/builder/test_cache_in.c - layouts that hold a cache, or do not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "builder/build.h"
#include "builder/cache_in.h"
#include "builder/cache_spec.h"
#include "image/digest.h"

#include "../scratch.h"

#define KEY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define STEPS                                                                                      \
	"{\"version\":1,\"steps\":[{\"key\":\"" KEY "\",\"parent\":\"\",\"what\":\"" KEY           \
	"\",\"reads\":\"\",\"chain\":\"\",\"created\":5,\"blob\":\"\"}]}"

static void note(void *data, const struct build_told *told)
{
	char *last = data;

	if (told->event == BUILD_WARNING)
		(void)snprintf(last, 500, "%s", told->text);
}

static void put_blob(const char *dir, const char *text, char ret[DIGEST_HEX_LEN + 1])
{
	autofree char *name = NULL;

	digest_bytes(text, strlen(text), ret);
	name = xasprintf("blobs/sha256/%s", ret);
	scratch_put(dir, name, text);
}

/* A layout whose manifest has this config. */
static void layout_put(const char *dir, const char *type, const char *config)
{
	char hex[DIGEST_HEX_LEN + 1];
	autofree char *manifest = NULL, *index = NULL;

	put_blob(dir, config, hex);
	manifest = xasprintf("{\"config\":{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\"},"
			     "\"layers\":[]}",
			     type, hex);
	put_blob(dir, manifest, hex);
	index = xasprintf("{\"manifests\":[{\"digest\":\"sha256:%s\"}]}", hex);
	scratch_put(dir, "index.json", index);
}

static size_t open_it(const char *dir, char said[500])
{
	struct cache_spec spec = { .type = CACHE_LOCAL, .where = (char *)dir };
	const struct cache_specs specs = { .items = &spec, .n = 1 };
	const struct build_request req = { .tell = note, .data = said };
	struct caches_in caches = { .in = INCOMING_INIT };
	size_t n;

	said[0] = '\0';
	/* It is no reason not to build. */
	assert_int_equal(caches_open(NULL, &req, &specs, &caches, NULL), 0);
	n = caches.items[0].steps.n;
	if (n)
		assert_non_null(cached_steps_find(&caches.items[0].steps, KEY));
	caches_done(&caches);
	return n;
}

static void a_cache_is_read(void **state)
{
	char said[500];

	layout_put(*state, CACHE_CONFIG_TYPE, STEPS);
	assert_int_equal(open_it(*state, said), 1);
	assert_string_equal(said, "");
}

static void so_is_one_in_an_image(void **state)
{
	char said[500];

	layout_put(*state, "application/vnd.oci.image.config.v1+json",
		   "{\"rootfs\":{\"diff_ids\":[]},\"" CACHE_INLINE_KEY "\":" STEPS "}");
	assert_int_equal(open_it(*state, said), 1);
	assert_string_equal(said, "");
	layout_put(*state, "application/vnd.oci.image.config.v1+json", "{}");
	assert_int_equal(open_it(*state, said), 0);
	assert_non_null(strstr(said, "the image has no cache in it"));
}

static void what_is_none_is_a_warning(void **state)
{
	char said[500], hex[DIGEST_HEX_LEN + 1];
	autofree char *name = NULL;

	assert_int_equal(open_it(*state, said), 0);
	assert_non_null(strstr(said, "index.json"));
	scratch_put(*state, "index.json", "{\"manifests\":[]}");
	assert_int_equal(open_it(*state, said), 0);
	assert_non_null(strstr(said, "lists nothing"));
	/* A path is no digest. */
	scratch_put(*state, "index.json",
		    "{\"manifests\":[{\"digest\":\"sha256:../../../../etc/passwd\"}]}");
	assert_int_equal(open_it(*state, said), 0);
	assert_non_null(strstr(said, "lists nothing"));
	layout_put(*state, CACHE_CONFIG_TYPE, "{\"version\":9}");
	assert_int_equal(open_it(*state, said), 0);
	assert_non_null(strstr(said, "version"));
	/* Bytes that are not those of their name. */
	layout_put(*state, CACHE_CONFIG_TYPE, STEPS);
	digest_bytes(STEPS, strlen(STEPS), hex);
	name = xasprintf("blobs/sha256/%s", hex);
	scratch_put(*state, name, "{}");
	assert_int_equal(open_it(*state, said), 0);
	assert_non_null(strstr(said, "holds something else"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_cache_is_read, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(so_is_one_in_an_image, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_none_is_a_warning, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/cache_in", tests, NULL, NULL);
}
