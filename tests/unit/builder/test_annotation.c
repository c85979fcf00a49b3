#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "builder/annotation.h"

static void places_are_told_from_names(void **state)
{
	static const struct {
		const char *text;
		unsigned places;
		const char *platform, *rest;
	} cases[] = {
		{ "a=b", ON_MANIFEST, NULL, "a=b" },
		{ "index:a=b", ON_INDEX, NULL, "a=b" },
		{ "manifest:a=b=c", ON_MANIFEST, NULL, "a=b=c" },
		{ "index,manifest:a=", ON_INDEX | ON_MANIFEST, NULL, "a=" },
		{ "manifest[arm64]:a=b", ON_MANIFEST, "linux/arm64", "a=b" },
		{ "manifest-descriptor[linux/arm/v7],manifest:a=b", ON_MANIFEST | ON_DESCRIPTOR,
		  "linux/arm/v7", "a=b" },
		{ "org:index=x", ON_MANIFEST, NULL, "org:index=x" },
		{ "indexed:a=b", ON_MANIFEST, NULL, "indexed:a=b" },
		{ "manifest=b", ON_MANIFEST, NULL, "manifest=b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct annotations list = { .n = 0 };
		struct error err = { 0 };

		if (annotation_parse(&list, cases[i].text, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(list.items[0].places, cases[i].places);
		assert_string_equal(list.items[0].text, cases[i].rest);
		if (cases[i].platform)
			assert_string_equal(list.items[0].platform, cases[i].platform);
		else
			assert_null(list.items[0].platform);
		annotations_done(&list);
	}
}

static void each_goes_where_it_belongs(void **state)
{
	struct annotations list = { .n = 0 };
	struct strv got = { 0 };

	(void)state;
	assert_int_equal(annotation_parse(&list, "all=1", NULL), 0);
	assert_int_equal(annotation_parse(&list, "manifest[linux/arm64]:arm=1", NULL), 0);
	assert_int_equal(annotation_parse(&list, "index:top=1", NULL), 0);
	annotations_for(&list, ON_MANIFEST, "linux/amd64", &got);
	assert_int_equal(got.n, 1);
	annotations_for(&list, ON_MANIFEST, "linux/arm64/v8", &got);
	assert_int_equal(got.n, 3);
	annotations_for(&list, ON_INDEX, NULL, &got);
	assert_string_equal(got.items[3], "top=1");
	assert_true(annotations_have(&list, ON_INDEX));
	assert_false(annotations_have(&list, ON_DESCRIPTOR));
	strv_done(&got);
	annotations_done(&list);
}

static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = { "",
					     "a",
					     "=b",
					     "index:a",
					     "index[arm64]:a=b",
					     "manifest[nonsense/]:a=b",
					     "index-descriptor[arm64]:a=b",
					     "index-descriptor:a" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct annotations list = { .n = 0 };

		if (annotation_parse(&list, texts[i], NULL) == 0)
			fail_msg("%s", texts[i]);
		annotations_done(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_told_from_names),
		cmocka_unit_test(each_goes_where_it_belongs),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("builder/annotation", tests, NULL, NULL);
}
