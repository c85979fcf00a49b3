#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "builder/health.h"

static void durations_are_go_s(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} cases[] = {
		{ "0", 0 },
		{ "1s", 1000000000 },
		{ "1.5s", 1500000000 },
		{ "500ms", 500000000 },
		{ "1h2m3s", 3723000000000 },
		{ "10us", 10000 },
		{ "", -1 },
		{ "5", -1 },
		{ "s", -1 },
		{ "-1s", -1 },
		{ "1 s", -1 },
		{ "1x", -1 },
		{ "99999999999999999999h", -1 },
		{ "9999999999h", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns = -1;
		int r = duration_parse(cases[i].text, &ns);

		if ((r < 0 ? -1 : ns) != cases[i].ns)
			fail_msg("%s: %lld", cases[i].text, (long long)ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(durations_are_go_s) };

	return cmocka_run_group_tests_name("builder/health", tests, NULL, NULL);
}
