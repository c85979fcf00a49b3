/* tests/unit/builder/test_cache_inline.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "builder/build.h"
#include "builder/cache_document.h"
#include "builder/cache_inline.h"
#include "builder/cache_spec.h"
#include "image/unpack.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define HEX_2 "2222222222222222222222222222222222222222222222222222222222222222"

static json_t *load(const char *text)
{
	json_t *doc = NULL;

	assert_int_equal(json_load_bytes(text, strlen(text), "test", &doc, NULL), 0);
	return doc;
}

static json_t *config_with(const char *chain)
{
	autofree char *text = xasprintf(
		"{\"rootfs\":{\"diff_ids\":[\"sha256:" HEX_1 "\",\"sha256:" HEX_2 "\"]},"
		"\"strake.buildcache\":{\"version\":1,\"steps\":[{\"key\":\"" HEX_A
		"\",\"parent\":\"" HEX_1 "\",\"what\":\"" HEX_A
		"\",\"reads\":\"\",\"chain\":\"%s\",\"created\":5,\"blob\":\"" HEX_A "\"}]}}",
		chain);

	return load(text);
}

static void a_step_has_the_blob_in_its_layers_place(void **state)
{
	cleanup(json_cleanup) json_t *manifest = load("{\"layers\":[{\"digest\":\"sha256:" HEX_A
						      "\"},{\"digest\":\"sha256:" HEX_B "\"}]}");
	cleanup(json_cleanup) json_t *config = NULL, *wrong = NULL, *none = load("{}");
	struct cached_steps list = { .n = 0 };
	char chain[DIGEST_HEX_LEN + 1] = "";

	(void)state;
	chain_next(chain, HEX_1);
	chain_next(chain, HEX_2);
	config = config_with(chain);
	assert_int_equal(cache_inline_read(config, manifest, &list, NULL), 0);
	assert_int_equal(list.n, 1);
	/* Whatever blob it said: it is the image's that is there. */
	assert_string_equal(list.items[0].blob, HEX_B);
	cached_steps_done(&list);
	/* Of no layer of the image. */
	wrong = config_with(HEX_B);
	assert_true(cache_inline_read(wrong, manifest, &list, NULL) < 0);
	assert_true(cache_inline_read(config, none, &list, NULL) < 0);
	assert_int_equal(cache_inline_read(none, manifest, &list, NULL), -ENOENT);
}

static void it_is_asked_for_in_two_ways(void **state)
{
	struct cache_specs specs = { .n = 0 };
	struct strv args = { 0 };
	const struct build_request req = { .build_args = &args, .cache_to = &specs };

	(void)state;
	assert_false(cache_inline_wanted(&req));
	strv_add(&args, "BUILDKIT_INLINE_CACHE=0");
	assert_false(cache_inline_wanted(&req));
	assert_int_equal(cache_spec_parse(&specs, "--cache-to", "type=inline", true, NULL), 0);
	assert_true(cache_inline_wanted(&req));
	cache_specs_done(&specs);
	strv_add(&args, "BUILDKIT_INLINE_CACHE=1");
	assert_true(cache_inline_wanted(&req));
	strv_done(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_has_the_blob_in_its_layers_place),
		cmocka_unit_test(it_is_asked_for_in_two_ways),
	};

	return cmocka_run_group_tests_name("builder/cache_inline", tests, NULL, NULL);
}
