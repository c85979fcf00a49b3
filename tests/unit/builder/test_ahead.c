/* tests/unit/builder/test_ahead.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/ahead.h"
#include "builder/build.h"
#include "builder/named.h"
#include "builder/source.h"
#include "builder/step.h"

static void what_needs_nothing_below_it_is_free(void **state)
{
	static const struct {
		const char *line;
		bool is_free;
	} cases[] = {
		{ "COPY a /", false },
		{ "COPY --link a /", true },
		{ "COPY --link=false a /", false },
		{ "COPY --link --from=files a /", true },
		{ "COPY --link --from=picture a /", false },
		{ "COPY --link --from=other a /", false },
		{ "ADD a.tar /", false },
		{ "ADD --link a.tar /", true },
		{ "ADD http://example.org/a /", true },
		{ "ADD a https://example.org/b /", true },
		{ "ADD git@example.org:a.git /", true },
		{ "ADD https://example.org/a.git#v1 /", true },
		{ "ADD $URL /", true },
		{ "ADD a$URL /", false },
		/* the last word is where it goes */
		{ "ADD a http://example.org/", false },
		{ "RUN --mount=type=cache,target=/c true", false },
		{ "WORKDIR /x", false },
		{ "ENV A=http://example.org/", false },
	};
	struct named items[] = { { .name = (char *)"files" },
				 { .name = (char *)"picture", .image = (char *)"base:1" } };
	const struct named_list contexts = { .items = items, .n = ARRAY_SIZE(items) };
	const struct build_request req = { .contexts = &contexts };
	const struct build b = { .req = &req };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(source_done) struct source source = { .file = { .n = 0 } };
		struct fault where;
		struct error err = { 0 };

		assert_int_equal(source_parse(cases[i].line, strlen(cases[i].line), "f", &source,
					      &where, &err),
				 0);
		if (ahead_is_free(&b, &source.all.items[0]) != cases[i].is_free)
			fail_msg("%s", cases[i].line);
	}
}

static void what_was_not_begun_is_not_waited_for(void **state)
{
	struct build b = { .boss = -1 };
	struct work w = { .b = &b };
	struct incoming in;

	(void)state;
	assert_false(ahead_take(&w, &in));
	ahead_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_needs_nothing_below_it_is_free),
		cmocka_unit_test(what_was_not_begun_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
