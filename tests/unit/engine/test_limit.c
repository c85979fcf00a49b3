/* tests/unit/engine/test_limit.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "engine/limit.h"
#include "engine/options.h"

static json_int_t number_at(const json_t *doc, const char *outer, const char *inner)
{
	return json_integer_value(json_object_get(json_object_get(doc, outer), inner));
}

static void limits_become_resources(void **state)
{
	const struct container_options o = { .memory = 64U << 20, .cpus = "1.5", .pids_limit = 20 };
	cleanup(json_cleanup) json_t *doc = json_object();

	(void)state;
	assert_int_equal(limit_add_resources(&o, doc, NULL), 0);
	assert_int_equal(number_at(doc, "memory", "limit"), 64 << 20);
	assert_int_equal(number_at(doc, "cpu", "quota"), 150000);
	assert_int_equal(number_at(doc, "cpu", "period"), 100000);
	assert_int_equal(number_at(doc, "pids", "limit"), 20);
}

static void nothing_asked_is_nothing_set(void **state)
{
	const struct container_options o = { .pids_limit = -1 };
	cleanup(json_cleanup) json_t *doc = json_object();

	(void)state;
	assert_int_equal(limit_add_resources(&o, doc, NULL), 0);
	assert_int_equal(json_object_size(doc), 0);
}

static void refusals_name_the_option(void **state)
{
	static const struct {
		struct container_options o;
		const char *text;
	} cases[] = {
		{ { .memory = 1000 }, "--memory: at least 512k are needed to start a process" },
		{ { .cpus = "many" }, "--cpus 'many': expected a number such as 0.5 or 2" },
		{ { .cpus = "0" }, "--cpus '0': expected a number such as 0.5 or 2" },
		{ { .cpus = "-1" }, "--cpus '-1': expected a number such as 0.5 or 2" },
		{ { .pids_limit = -2 }, "--pids-limit: expected a number, or -1 for no limit" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(json_cleanup) json_t *doc = json_object();
		struct error err = { 0 };

		assert_int_equal(limit_add_resources(&cases[i].o, doc, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void ulimits(void **state)
{
	static const struct {
		const char *text;
		int r;
		json_int_t soft, hard;
	} cases[] = {
		{ "nofile=1024", 0, 1024, 1024 },
		{ "nofile=1024:4096", 0, 1024, 4096 },
		{ "core=0:unlimited", 0, 0, INT64_MAX },
		{ "core=-1", 0, INT64_MAX, INT64_MAX },
		{ "nofile", -EINVAL, 0, 0 },
		{ "nofiles=1", -EINVAL, 0, 0 },
		{ "nofile=2:1", -EINVAL, 0, 0 },
		{ "nofile=", -EINVAL, 0, 0 },
		{ "nofile=1:", -EINVAL, 0, 0 },
		{ "=1", -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct container_options o = { 0 };
		cleanup(json_cleanup) json_t *list = json_array();

		strv_add(&o.ulimits, cases[i].text);
		assert_int_equal(limit_add_rlimits(&o, list, NULL), cases[i].r);
		strv_done(&o.ulimits);
		if (cases[i].r < 0)
			continue;
		assert_int_equal(
			json_integer_value(json_object_get(json_array_get(list, 0), "soft")),
			cases[i].soft);
		assert_int_equal(
			json_integer_value(json_object_get(json_array_get(list, 0), "hard")),
			cases[i].hard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_become_resources),
		cmocka_unit_test(nothing_asked_is_nothing_set),
		cmocka_unit_test(refusals_name_the_option),
		cmocka_unit_test(ulimits),
	};

	return cmocka_run_group_tests_name("engine/limit", tests, NULL, NULL);
}
