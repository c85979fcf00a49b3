#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "builder/cache_spec.h"

static void what_is_written_is_meant(void **state)
{
	static const struct {
		const char *text;
		bool writing;
		enum cache_type type;
		const char *where;
		bool max;
	} cases[] = {
		{ "reg/name:1", false, CACHE_REGISTRY, "reg/name:1", false },
		{ "type=registry,ref=reg/name:1", true, CACHE_REGISTRY, "reg/name:1", false },
		{ "type=local,src=/a b", false, CACHE_LOCAL, "/a b", false },
		{ "dest=/d,mode=max,type=local", true, CACHE_LOCAL, "/d", true },
		{ "type=registry,mode=min,ref=x", true, CACHE_REGISTRY, "x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cache_specs list = { .n = 0 };
		struct error err = { 0 };

		if (cache_spec_parse(&list, "--x", cases[i].text, cases[i].writing, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(list.items[0].type, cases[i].type);
		assert_string_equal(list.items[0].where, cases[i].where);
		assert_int_equal(list.items[0].max, cases[i].max);
		cache_specs_done(&list);
	}
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *text, *said;
		bool writing;
	} cases[] = {
		{ "", "is not KEY=VALUE", false },
		{ "type=gha", "type=gha: local and registry are known", false },
		{ "type=local,src=x", "'src' is not known; dest and mode are", true },
		{ "type=local,dest=x", "'dest' is not known; src is", false },
		{ "type=local,src=x,mode=max", "'mode' is not known", false },
		{ "type=registry,ref=x,mode=some", "mode is min or max", true },
		{ "type=local", "dest= is missing", true },
		{ "type=local,nothing", "'nothing' is not KEY=VALUE", true },
		{ "type=local,\"src=x", "a quote is not closed", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cache_specs list = { .n = 0 };
		struct error err = { 0 };

		assert_true(cache_spec_parse(&list, "--x", cases[i].text, cases[i].writing, &err) <
			    0);
		if (!strstr(err.text, cases[i].said))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(list.n, 0);
		cache_specs_done(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_meant),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests_name("builder/cache_spec", tests, NULL, NULL);
}
