/* tests/unit/kernel/test_cgroup_limit.c - a directory with the files' names stands in for cgroups
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "../scratch.h"
#include "kernel/cgroup.h"

static const char *const files[] = {
	"memory.max",
	"memory.swap.max",
	"memory.low",
	"cpu.weight",
	"cpu.max",
	"cpuset.cpus",
	"io.weight",
	"io.max",
	"pids.max",
	"hugetlb.2MB.max",
	"memory.high",
	"memory.limit_in_bytes",
	"memory.memsw.limit_in_bytes",
	"memory.soft_limit_in_bytes",
	"memory.oom_control",
	"cpu.shares",
	"cpu.cfs_period_us",
	"cpu.cfs_quota_us",
	"blkio.weight",
	"blkio.throttle.read_bps_device",
	"hugetlb.2MB.limit_in_bytes",
	"devices.allow",
	"devices.deny",
};

static void open_part(struct cgroup *cg, const char *dir, const char *name, bool v2)
{
	struct cgroup_part *part = &cg->parts[cg->n++];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		scratch_put(dir, files[i], "");
	(void)snprintf(part->name, sizeof(part->name), "%s", name);
	part->dir = xstrdup(dir);
	part->dir_fd = scratch_open(dir);
	part->join_fd = -1;
	part->v2 = v2;
}

/* v1 is one hierarchy with all controllers, in an order that hides "cpu" behind others. */
static int limit(const char *dir, bool v2, const struct cgroup_limits *limits)
{
	struct cgroup cg = { .n = 0 };
	int r;

	open_part(&cg, dir, v2 ? "unified" : "cpuset,cpuacct,cpu,memory,pids,blkio,hugetlb,devices",
		  v2);
	r = cgroup_limit(&cg, limits, NULL);
	cgroup_close(&cg);
	return r;
}

static void limits_are_written_as_each_version_wants_them(void **state)
{
	static const struct {
		struct cgroup_limits limits;
		const char *v1_file, *v1_text, *v2_file, *v2_text;
	} cases[] = {
		{ { .has_memory = true, .memory = 1024 },
		  "memory.limit_in_bytes",
		  "1024",
		  "memory.max",
		  "1024" },
		{ { .has_memory = true, .memory = -1 },
		  "memory.limit_in_bytes",
		  "-1",
		  "memory.max",
		  "max" },
		{ { .has_memory = true, .memory = 1024, .has_swap = true, .swap = 3072 },
		  "memory.memsw.limit_in_bytes",
		  "3072",
		  "memory.swap.max",
		  "2048" },
		{ { .has_memory = true, .memory = 1024, .has_swap = true, .swap = 1024 },
		  "memory.memsw.limit_in_bytes",
		  "1024",
		  "memory.swap.max",
		  "0" },
		{ { .has_memory = true, .memory = 1024, .has_swap = true, .swap = -1 },
		  "memory.memsw.limit_in_bytes",
		  "-1",
		  "memory.swap.max",
		  "max" },
		{ { .has_reservation = true, .reservation = 7 },
		  "memory.soft_limit_in_bytes",
		  "7",
		  "memory.low",
		  "7" },
		{ { .has_shares = true, .shares = 1024 },
		  "cpu.shares",
		  "1024",
		  "cpu.weight",
		  "39" },
		{ { .has_shares = true, .shares = 1 }, "cpu.shares", "2", "cpu.weight", "1" },
		{ { .has_shares = true, .shares = 999999 },
		  "cpu.shares",
		  "262144",
		  "cpu.weight",
		  "10000" },
		{ { .has_quota = true, .quota = 50000 },
		  "cpu.cfs_quota_us",
		  "50000",
		  "cpu.max",
		  "50000 100000" },
		{ { .has_period = true, .period = 5000 },
		  "cpu.cfs_period_us",
		  "5000",
		  "cpu.max",
		  "max 5000" },
		{ { .has_quota = true, .quota = -1 },
		  "cpu.cfs_quota_us",
		  "-1",
		  "cpu.max",
		  "max 100000" },
		{ { .cpus = (char *)"0-1" }, "cpuset.cpus", "0-1", "cpuset.cpus", "0-1" },
		{ { .has_pids = true, .pids = 5 }, "pids.max", "5", "pids.max", "5" },
		{ { .has_pids = true, .pids = -1 }, "pids.max", "max", "pids.max", "max" },
		{ { .blkio_weight = 10 }, "blkio.weight", "10", "io.weight", "1" },
		{ { .blkio_weight = 1000 }, "blkio.weight", "1000", "io.weight", "10000" },
	};
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *v1 = NULL, *v2 = NULL;

		assert_int_equal(limit(dir, false, &cases[i].limits), 0);
		v1 = scratch_get(dir, cases[i].v1_file);
		assert_string_equal(v1, cases[i].v1_text);
		assert_int_equal(limit(dir, true, &cases[i].limits), 0);
		v2 = scratch_get(dir, cases[i].v2_file);
		assert_string_equal(v2, cases[i].v2_text);
	}
}

static void lists_are_written_line_by_line(void **state)
{
	struct cgroup_limits limits = { .has_memory = false };
	const char *dir = *state;
	autofree char *throttle = NULL, *huge = NULL, *high = NULL, *v1 = NULL;

	strv_add(&limits.throttle, "rbps 8:0 99");
	strv_add(&limits.hugetlb, "2MB=4");
	assert_int_equal(limit(dir, false, &limits), 0);
	v1 = scratch_get(dir, "blkio.throttle.read_bps_device");
	assert_string_equal(v1, "8:0 99");
	strv_add(&limits.unified, "memory.high=7");
	assert_int_equal(limit(dir, true, &limits), 0);
	throttle = scratch_get(dir, "io.max");
	huge = scratch_get(dir, "hugetlb.2MB.max");
	high = scratch_get(dir, "memory.high");
	assert_string_equal(throttle, "8:0 rbps=99");
	assert_string_equal(huge, "4");
	assert_string_equal(high, "7");
	cgroup_limits_done(&limits);
}

static void device_rules_of_v1_have_a_grammar(void **state)
{
	static const struct {
		struct cgroup_device_rule rule;
		const char *file, *text;
	} cases[] = {
		{ { false, 'a', -1, -1, "rwm" }, "devices.deny", "a" },
		{ { true, 'c', 1, 3, "rw" }, "devices.allow", "c 1:3 rw" },
		{ { true, 'b', 8, -1, "r" }, "devices.allow", "b 8:* r" },
		{ { false, 'c', -1, -1, "m" }, "devices.deny", "c *:* m" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup_device_rule rule = cases[i].rule;
		const struct cgroup_limits limits = { .devices = &rule, .ndevices = 1 };
		autofree char *text = NULL;

		assert_int_equal(limit(*state, false, &limits), 0);
		text = scratch_get(*state, cases[i].file);
		assert_string_equal(text, cases[i].text);
	}
}

static void what_cannot_be_limited_is_an_error(void **state)
{
	static const struct {
		struct cgroup_limits limits;
		bool v2;
		int r;
	} cases[] = {
		/* Less than nothing for swap alone would read as "max". */
		{ { .has_memory = true, .memory = 1024, .has_swap = true, .swap = 512 },
		  true,
		  -EINVAL },
		{ { .mems = (char *)"0" }, true, -EOPNOTSUPP },
		{ { .mems = (char *)"0" }, false, -EOPNOTSUPP },
	};
	static const struct cgroup none = { .n = 0 };
	const struct cgroup_limits pids = { .has_pids = true, .pids = 1 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(limit(*state, cases[i].v2, &cases[i].limits), cases[i].r);
	assert_int_equal(cgroup_limit(&none, &pids, NULL), -EOPNOTSUPP);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(limits_are_written_as_each_version_wants_them),
		CASE(lists_are_written_line_by_line),
		CASE(device_rules_of_v1_have_a_grammar),
		CASE(what_cannot_be_limited_is_an_error),
	};

	return cmocka_run_group_tests_name("kernel/cgroup_limit", tests, NULL, NULL);
}
