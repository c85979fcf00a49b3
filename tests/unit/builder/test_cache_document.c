#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "builder/cache_document.h"

static void fill(char *ret, char c)
{
	memset(ret, c, DIGEST_HEX_LEN);
	ret[DIGEST_HEX_LEN] = '\0';
}

static void steps_survive_being_a_document(void **state)
{
	struct cached_steps list = { .n = 0 }, got = { .n = 0 };
	struct step step = { .created_ns = -5 };
	autofree char *text = NULL, *again = NULL;
	char blob[DIGEST_HEX_LEN + 1];

	(void)state;
	fill(step.key, 'a');
	fill(step.what, 'b');
	cached_steps_add(&list, &step, "");
	fill(step.key, 'c');
	fill(step.chain, 'd');
	fill(blob, 'e');
	cached_steps_add(&list, &step, blob);
	text = cache_document_format(&list);
	assert_int_equal(cache_document_parse(text, strlen(text), &got, NULL), 0);
	assert_int_equal(got.n, 2);
	again = cache_document_format(&got);
	assert_string_equal(text, again);
	assert_string_equal(cached_steps_find(&got, step.key)->blob, blob);
	assert_null(cached_steps_find(&got, "none"));
	cached_steps_done(&list);
	cached_steps_done(&got);
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STEP(key, chain, blob)                                                                     \
	"{\"version\":1,\"steps\":[{\"key\":\"" key "\",\"parent\":\"\",\"what\":\"" HEX           \
	"\",\"reads\":\"\",\"chain\":\"" chain "\",\"created\":1,\"blob\":\"" blob "\"}]}"

static void strangers_are_refused_with_the_place(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "[]", "" },
		{ "{}", "version" },
		{ "{\"version\":2,\"steps\":[]}", "version" },
		{ "{\"version\":1,\"steps\":{}}", "steps" },
		{ "{\"version\":1,\"steps\":[1]}", "[0]" },
		{ STEP("../../etc/passwd", HEX, HEX), "[0]: key" },
		{ STEP("", HEX, HEX), "[0]: key" },
		{ STEP(HEX, "zz", HEX), "[0]: chain" },
		{ STEP(HEX, HEX, "../x"), "[0]: blob" },
		{ STEP(HEX, HEX, ""), "[0]: blob" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cached_steps got = { .n = 0 };
		struct error err = { 0 };

		assert_true(cache_document_parse(cases[i].text, strlen(cases[i].text), &got, &err) <
			    0);
		if (!strstr(err.text, cases[i].said))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(got.n, 0);
		cached_steps_done(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_survive_being_a_document),
		cmocka_unit_test(strangers_are_refused_with_the_place),
	};

	return cmocka_run_group_tests_name("builder/cache_document", tests, NULL, NULL);
}
