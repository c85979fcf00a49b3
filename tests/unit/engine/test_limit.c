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

static void the_kernel_s_own_numbers(void **state)
{
	const struct container_options o = { .memory = 64U << 20,
					     .memory_swap = "-1",
					     .cpu_period = 50000,
					     .cpu_quota = -1,
					     .cpu_shares = 512,
					     .cpuset_cpus = "0-1",
					     .cpuset_mems = "0" };
	cleanup(json_cleanup) json_t *doc = json_object();
	const json_t *cpu;

	(void)state;
	assert_int_equal(limit_add_resources(&o, doc, NULL), 0);
	cpu = json_object_get(doc, "cpu");
	assert_int_equal(number_at(doc, "memory", "swap"), -1);
	assert_int_equal(number_at(doc, "cpu", "period"), 50000);
	assert_int_equal(number_at(doc, "cpu", "quota"), -1);
	assert_int_equal(number_at(doc, "cpu", "shares"), 512);
	assert_string_equal(json_string_value(json_object_get(cpu, "cpus")), "0-1");
	assert_string_equal(json_string_value(json_object_get(cpu, "mems")), "0");
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
		{ { .memory_swap = "1g" },
		  "--memory-swap counts memory and swap together; it wants --memory beside it" },
		{ { .memory = 2U << 20, .memory_swap = "1m" },
		  "--memory-swap 1m: memory and swap together cannot be less than --memory" },
		{ { .memory = 2U << 20, .memory_swap = "x" },
		  "--memory-swap 'x': expected a size such as 1g, or -1 for no limit of swap" },
		{ { .cpus = "1", .cpu_quota = 5000 },
		  "--cpus says it all; leave --cpu-period and --cpu-quota away" },
		{ { .cpu_period = 5 },
		  "--cpu-period 5: the kernel takes 1000 to 1000000 microseconds" },
		{ { .cpu_quota = 5 },
		  "--cpu-quota 5: the kernel takes 1000 microseconds and more, or -1" },
		{ { .cpu_shares = 1 }, "--cpu-shares 1: it is a weight from 2 to 262144" },
		{ { .cpuset_cpus = "a" },
		  "--cpuset-cpus 'a': expected numbers such as 0-3 or 0,2" },
		{ { .cpuset_mems = "" }, "--cpuset-mems '': expected numbers such as 0-3 or 0,2" },
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
		cmocka_unit_test(the_kernel_s_own_numbers),
		cmocka_unit_test(nothing_asked_is_nothing_set),
		cmocka_unit_test(refusals_name_the_option),
		cmocka_unit_test(ulimits),
	};

	return cmocka_run_group_tests_name("engine/limit", tests, NULL, NULL);
}
