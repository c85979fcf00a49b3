/* tests/unit/image/test_index_document.c */
#include "image/index_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"

static const char *const first = "aa11111111111111111111111111111111111111111111111111111111111111";
static const char *const second =
	"aa22222222222222222222222222222222222222222222222222222222222222";

static json_t *two(void)
{
	const struct index_entry a = { first, "m", 1, "linux/arm64/v8" },
				 b = { second, "m", 2, "" };
	json_t *doc = index_document_new();

	assert_int_equal(index_document_add(doc, &a, NULL), 0);
	assert_int_equal(index_document_add(doc, &b, NULL), 0);
	assert_int_equal(index_document_add(doc, &a, NULL), 0); /* is listed */
	return doc;
}

static void assert_text(const json_t *doc, const char *want)
{
	autofree char *text = json_dumps(doc, JSON_COMPACT);

	assert_string_equal(text, want);
}

static void entries_come_and_go(void **state)
{
	cleanup(json_cleanup) json_t *doc = two();

	(void)state;
	assert_null(index_document_find(doc, "aa")); /* several */
	assert_null(index_document_find(doc, "bb"));
	assert_string_equal(index_document_find(doc, "aa2"), second);
	assert_int_equal(index_document_remove(doc, second, NULL), 0);
	assert_int_equal(index_document_remove(doc, second, NULL), -ENOENT);
	assert_text(
		doc,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
		"\"manifests\":[{\"mediaType\":\"m\",\"digest\":\"sha256:"
		"aa11111111111111111111111111111111111111111111111111111111111111\",\"size\":1,"
		"\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":\"v8\"}}]}");
}

static void notes(void **state)
{
	static const struct {
		struct index_note note;
		const char *annotation; /* NULL: none */
		int want;
	} cases[] = {
		{ { .arch = "arm64" }, NULL, 0 },       { { .arch = "" }, NULL, -EINVAL },
		{ { .arch = "a/b" }, NULL, -EINVAL },   { { .os = "a\nb" }, NULL, -EINVAL },
		{ { .variant = "v8" }, "a=b=c", 0 },    { { .variant = NULL }, "a", -EINVAL },
		{ { .variant = NULL }, "=b", -EINVAL }, { { .variant = NULL }, "a=\xff", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(json_cleanup) json_t *doc = two();
		struct index_note note = cases[i].note;
		struct strv list = { 0 };

		if (cases[i].annotation)
			strv_add(&list, cases[i].annotation);
		note.annotations = &list;
		assert_int_equal(index_document_annotate(doc, second, &note, NULL), cases[i].want);
		strv_done(&list);
	}
}

static void an_annotation_is_taken_away(void **state)
{
	cleanup(json_cleanup) json_t *doc = index_document_new();
	struct strv set = { 0 }, unset = { 0 };
	const struct index_note with = { .annotations = &set }, without = { .annotations = &unset };
	const struct index_note platform = { .os = "linux" };

	(void)state;
	strv_add(&set, "a=b=c");
	strv_add(&unset, "a=");
	assert_int_equal(index_document_annotate(doc, NULL, &with, NULL), 0);
	assert_text(json_object_get(doc, "annotations"), "{\"a\":\"b=c\"}");
	assert_int_equal(index_document_annotate(doc, NULL, &without, NULL), 0);
	assert_null(json_object_get(doc, "annotations"));
	assert_int_equal(index_document_annotate(doc, NULL, &platform, NULL), -EINVAL);
	strv_done(&set);
	strv_done(&unset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_and_go),
		cmocka_unit_test(notes),
		cmocka_unit_test(an_annotation_is_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
