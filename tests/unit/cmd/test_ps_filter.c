/* tests/unit/cmd/test_ps_filter.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "cmd/ps_filter.h"
#include "engine/container.h"
#include "engine/status.h"

#define IMAGE "aa0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"

static void filters_fit_as_docker_reads_them(void **state)
{
	static const struct {
		const char *filters[4];
		bool fits;
	} cases[] = {
		{ { "name=we" }, true },
		{ { "name=x" }, false },
		{ { "name=x", "name=web" }, true },
		{ { "name=web", "status=exited" }, true },
		{ { "name=web", "status=running" }, false },
		{ { "id=0123" }, true },
		{ { "id=123" }, false },
		{ { "label=a" }, true },
		{ { "label=a=1" }, true },
		{ { "label=a=2" }, false },
		{ { "label=a", "label=flag" }, true },
		{ { "label=a", "label=none" }, false },
		{ { "ancestor=web" }, true },
		{ { "ancestor=docker.io/library/web:latest" }, true },
		{ { "ancestor=aa01" }, true },
		{ { "ancestor=other" }, false },
		{ { "network=bridge" }, true },
		{ { "network=none" }, false },
		{ { "exited=3" }, true },
		{ { "exited=0", "exited=3" }, true },
		{ { "exited=0" }, false },
	};
	struct container c = {
		.id = "0123456789abcdef",
		.name = "my-web-1",
		.source = "web",
		.image_id = IMAGE,
		.network = "bridge",
	};
	const struct status s = { .kind = STATUS_EXITED, .exit_code = 3 };

	(void)state;
	strv_add(&c.labels, "a=1");
	strv_add(&c.labels, "flag");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv filters = { 0 };

		for (size_t k = 0; cases[i].filters[k]; k++)
			strv_add(&filters, cases[i].filters[k]);
		assert_int_equal(ps_filter_check(&filters, NULL), 0);
		if (ps_filter_fits(&filters, &c, &s) != cases[i].fits)
			fail_msg("%s", cases[i].filters[0]);
		strv_done(&filters);
	}
	strv_done(&c.labels);
}

static void what_nobody_knows_is_refused(void **state)
{
	static const char *const cases[] = { "web",         "colour=red", "status=well", "exited=x",
					     "exited=1000", "name=",      "=x",          "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv filters = { 0 };

		strv_add(&filters, cases[i]);
		assert_int_equal(ps_filter_check(&filters, NULL), -EINVAL);
		strv_done(&filters);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_fit_as_docker_reads_them),
		cmocka_unit_test(what_nobody_knows_is_refused),
	};

	return cmocka_run_group_tests_name("cmd/ps_filter", tests, NULL, NULL);
}
