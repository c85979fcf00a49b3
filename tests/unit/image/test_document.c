/* tests/unit/image/test_document.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "image/document.h"
#include "image/platform.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define S   "\"digest\":\"sha512:" A64 A64 "\",\"size\":7"
#define D   "\"digest\":\"sha256:" A64 "\",\"size\":7"

static void documents_are_one_thing_or_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
		size_t n;
		bool is_index;
	} cases[] = {
		{ "{\"config\":{" D "},\"layers\":[{" D "},{" D "}]}", 0, 3, false },
		{ "{\"config\":{" D "}}", 0, 1, false },
		{ "{\"config\":{" S "},\"layers\":[{" S "},{" D "}]}", 0, 3, false },
		{ "{\"config\":{\"digest\":\"sha512:" A64 "\"}}", -EBADMSG, 0, false },
		{ "{\"config\":{\"digest\":\"sha384:" A64 "\"}}", -EBADMSG, 0, false },
		{ "{\"manifests\":[{" D "}]}", 0, 1, true },
		{ "{\"manifests\":[]}", 0, 0, true },
		{ "{\"config\":{" D "},\"manifests\":[]}", -EBADMSG, 0, false },
		{ "{\"layers\":[],\"manifests\":[]}", -EBADMSG, 0, false },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", -EBADMSG, 0, false },
		{ "{}", -EBADMSG, 0, false },
		{ "[]", -EBADMSG, 0, false },
		{ "{\"config\":{\"digest\":\"sha256:../../x\"}}", -EBADMSG, 0, false },
		{ "{\"config\":{\"digest\":\"sha256:" A64 "\",\"size\":-1}}", -EBADMSG, 0, false },
		{ "{\"config\":{" D "},\"layers\":[7]}", -EBADMSG, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct document doc = { .n = 0 };
		struct error err = { 0 };
		int r = document_parse(cases[i].text, strlen(cases[i].text), "it", &doc, &err);

		if (r != cases[i].r || doc.n != cases[i].n || doc.is_index != cases[i].is_index)
			fail_msg("case %zu: %d, %zu parts: %s", i, r, doc.n, err.text);
		document_done(&doc);
	}
}

static void a_part_has_the_digest_that_it_was_given(void **state)
{
	static const char text[] = "{\"config\":{" D "},\"layers\":[{" S "}]}";
	struct document doc = { .n = 0 };
	char digest[PART_DIGEST_LEN];

	(void)state;
	assert_int_equal(document_parse(text, strlen(text), "it", &doc, NULL), 0);
	assert_string_equal(part_digest(&doc.parts[0], digest), "sha256:" A64);
	assert_string_equal(part_digest(&doc.parts[1], digest), "sha512:" A64 A64);
	assert_string_equal(part_hex(&doc.parts[1]), A64 A64);
	assert_string_equal(doc.parts[1].digest, "");
	document_done(&doc);
}

static void the_platform_that_fits_best_is_taken(void **state)
{
	struct part parts[] = { { .platform = (char *)"unknown/unknown" },
				{ .platform = (char *)"linux/arm64/v8" },
				{ .platform = (char *)"linux/arm64" },
				{ .platform = (char *)"linux/arm/v7" } };
	const struct document doc = { .parts = parts, .n = 4, .is_index = true };

	(void)state;
	assert_int_equal(platform_choose(&doc, "linux/arm64"), 2);
	assert_int_equal(platform_choose(&doc, "linux/arm64/v8"), 1);
	assert_int_equal(platform_choose(&doc, "linux/arm"), 3);
	assert_int_equal(platform_choose(&doc, "linux/amd64"), -1);
	assert_false(platform_fits("linux/arm64", "linux/arm"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_one_thing_or_refused),
		cmocka_unit_test(a_part_has_the_digest_that_it_was_given),
		cmocka_unit_test(the_platform_that_fits_best_is_taken),
	};

	return cmocka_run_group_tests_name("image/document", tests, NULL, NULL);
}
