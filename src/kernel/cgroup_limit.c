/* src/kernel/cgroup_limit.c - limits into the files of either version.
 *
 * Only what was asked is written.  A controller that this machine lacks is an error then, and none
 * otherwise.  Sources: cgroup-v1/memory.rst, cgroup-v2.rst, runtime-spec config-linux.md.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "kernel/cgroup.h"
#include "kernel/device_filter.h"

#define VALUE_BYTES_MAX 4096

/* Whether word is one of those in "cpuset,cpu,cpuacct". */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; *p; p += strspn(p, ",")) {
		size_t n = strcspn(p, ",");

		if (n == len && strncmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

/* The hierarchy with this controller: v1's own one (mounted alone or with others), else v2. */
static const struct cgroup_part *part_of(const struct cgroup *cg, const char *controller)
{
	for (size_t i = 0; i < cg->n; i++)
		if (!cg->parts[i].v2 && has_word(cg->parts[i].name, controller))
			return &cg->parts[i];
	for (size_t i = 0; i < cg->n; i++)
		if (cg->parts[i].v2)
			return &cg->parts[i];
	return NULL;
}

static const char *why(const char *file)
{
	static const struct {
		const char *start, *why;
	} known[] = {
		{ "memory", "no more memory than this" },
		{ "pids", "no more processes than this" },
		{ "cpuset", "on these processors and memory nodes" },
		{ "cpu", "its share of processor time" },
		{ "devices.deny", "no device may be used, but for what follows" },
		{ "devices.allow", "this one may be" },
		{ "blkio", "how much it may read and write" },
		{ "io", "how much it may read and write" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strncmp(file, known[i].start, strlen(known[i].start)) == 0)
			return known[i].why;
	return "a limit that was asked for";
}

static int put(const struct cgroup_part *part, const char *file, const char *value,
	       struct error *err)
{
	struct error failure = { 0 };
	int r;

	if (explain(why(file), "echo %s > %s/%s", sq(value), sq(part->dir), file))
		return 0;
	r = file_put_at(part->dir_fd, file, value, &failure);
	if (r == -ENOENT || r == -EACCES)
		return error_set(err, -EOPNOTSUPP,
				 "limit %s=%s: this machine's cgroups have no such file in %s",
				 file, value, part->dir);
	return r < 0 ? error_sys(err, r, "limit %s=%s", file, value) : 0;
}

static int put_number(const struct cgroup *cg, const char *controller, const char *v1_file,
		      const char *v2_file, int64_t value, struct error *err)
{
	const struct cgroup_part *part = part_of(cg, controller);
	autofree char *text = xasprintf("%lld", (long long)value);

	if (!part)
		return error_set(err, -EOPNOTSUPP, "limit %s: this machine has no %s cgroup",
				 v1_file, controller);
	return put(part, part->v2 ? v2_file : v1_file, part->v2 && value < 0 ? "max" : text, err);
}

/* OCI's swap is memory and swap together, as v1 counts; v2 counts swap alone.  Less than the memory
 * is refused, as v1's kernel does: the difference would read as "no limit".
 */
static int limit_swap(const struct cgroup *cg, const struct cgroup_limits *l, struct error *err)
{
	const struct cgroup_part *part = part_of(cg, "memory");
	int64_t value = l->swap;

	if (part && part->v2 && value > 0 && l->has_memory) {
		if (l->memory < 0 || value < l->memory)
			return error_set(err, -EINVAL,
					 "limit memory and swap to %lld: that is less than the "
					 "memory alone may be",
					 (long long)value);
		value -= l->memory;
	}
	return put_number(cg, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max", value,
			  err);
}

static int limit_memory(const struct cgroup *cg, const struct cgroup_limits *l, struct error *err)
{
	int r = 0;

	if (l->has_memory)
		r = put_number(cg, "memory", "memory.limit_in_bytes", "memory.max", l->memory, err);
	if (r == 0 && l->has_swap)
		r = limit_swap(cg, l, err);
	if (r == 0 && l->has_reservation)
		r = put_number(cg, "memory", "memory.soft_limit_in_bytes", "memory.low",
			       l->reservation, err);
	if (r == 0 && l->disable_oom_killer && part_of(cg, "memory") && !part_of(cg, "memory")->v2)
		r = put(part_of(cg, "memory"), "memory.oom_control", "1", err);
	return r;
}

/* v2 has weights 1..10000 for v1's shares 2..262144: the conversion of the OCI runtimes. */
static int limit_shares(const struct cgroup *cg, uint64_t shares, struct error *err)
{
	const struct cgroup_part *part = part_of(cg, "cpu");
	uint64_t in_range = MAX(MIN(shares, 262144), 2);
	uint64_t value = part && part->v2 ? 1 + ((in_range - 2) * 9999) / 262142 : in_range;

	return put_number(cg, "cpu", "cpu.shares", "cpu.weight", (int64_t)value, err);
}

static int limit_quota(const struct cgroup *cg, const struct cgroup_limits *l, struct error *err)
{
	const struct cgroup_part *part = part_of(cg, "cpu");
	autofree char *text = NULL;
	uint64_t period = l->has_period ? l->period : 100000;
	int r = 0;

	if (part && part->v2) {
		text = l->has_quota && l->quota > 0
			       ? xasprintf("%lld %llu", (long long)l->quota,
					   (unsigned long long)period)
			       : xasprintf("max %llu", (unsigned long long)period);
		return put(part, "cpu.max", text, err);
	}
	if (l->has_period)
		r = put_number(cg, "cpu", "cpu.cfs_period_us", "", (int64_t)period, err);
	if (r == 0 && l->has_quota)
		r = put_number(cg, "cpu", "cpu.cfs_quota_us", "", l->quota, err);
	return r;
}

static int limit_cpu(const struct cgroup *cg, const struct cgroup_limits *l, struct error *err)
{
	const struct cgroup_part *cpuset = part_of(cg, "cpuset");
	int r = 0;

	if (l->has_shares && l->shares)
		r = limit_shares(cg, l->shares, err);
	if (r == 0 && (l->has_quota || l->has_period))
		r = limit_quota(cg, l, err);
	if (r == 0 && (l->cpus || l->mems) && !cpuset)
		r = error_set(err, -EOPNOTSUPP, "limit cpuset: this machine has no cpuset cgroup");
	if (r == 0 && l->cpus)
		r = put(cpuset, "cpuset.cpus", l->cpus, err);
	if (r == 0 && l->mems)
		r = put(cpuset, "cpuset.mems", l->mems, err);
	return r;
}

/* "rbps 8:0 1048576": v1 has a file for each kind, v2 one line for all. */
static int limit_throttle(const struct cgroup *cg, const char *text, struct error *err)
{
	static const struct {
		const char *word, *file;
	} v1[] = {
		{ "rbps", "blkio.throttle.read_bps_device" },
		{ "wbps", "blkio.throttle.write_bps_device" },
		{ "riops", "blkio.throttle.read_iops_device" },
		{ "wiops", "blkio.throttle.write_iops_device" },
	};
	bool v2 = !part_of(cg, "blkio") || part_of(cg, "blkio")->v2;
	const struct cgroup_part *part = part_of(cg, v2 ? "io" : "blkio");
	autofree char *copy = xstrdup(text), *line = NULL;
	char *rest = copy, *word = strsep(&rest, " "), *device = strsep(&rest, " ");

	if (!part || !device || !rest)
		return error_set(err, -EOPNOTSUPP, "limit %s: this machine has no blkio cgroup",
				 text);
	line = v2 ? xasprintf("%s %s=%s", device, word, rest) : xasprintf("%s %s", device, rest);
	for (size_t i = 0; i < ARRAY_SIZE(v1); i++)
		if (strcmp(v1[i].word, word) == 0)
			return put(part, v2 ? "io.max" : v1[i].file, line, err);
	return error_set(err, -EINVAL, "limit %s is unknown", text);
}

/* v2 has weights 1..10000 for v1's 10..1000: the conversion of the OCI runtimes. */
static int limit_weight(const struct cgroup *cg, uint64_t weight, struct error *err)
{
	const struct cgroup_part *part = part_of(cg, "blkio");
	uint64_t in_range = MAX(MIN(weight, 1000), 10);
	uint64_t value = part && part->v2 ? 1 + ((in_range - 10) * 9999) / 990 : in_range;

	return put_number(cg, "blkio", "blkio.weight", "io.weight", (int64_t)value, err);
}

static int limit_io(const struct cgroup *cg, const struct cgroup_limits *l, struct error *err)
{
	int r = 0;

	if (l->blkio_weight)
		r = limit_weight(cg, l->blkio_weight, err);
	for (size_t i = 0; r == 0 && i < l->throttle.n; i++)
		r = limit_throttle(cg, l->throttle.items[i], err);
	return r;
}

/* "max" in both versions; 0 means nothing was asked (runtime-spec before 1.3 left it open). */
static int limit_pids(const struct cgroup *cg, int64_t pids, struct error *err)
{
	const struct cgroup_part *part = part_of(cg, "pids");
	autofree char *text = xasprintf("%lld", (long long)pids);

	if (!part)
		return error_set(err, -EOPNOTSUPP, "limit pids: this machine has no pids cgroup");
	return put(part, "pids.max", pids < 0 ? "max" : text, err);
}

static char *device_line(const struct cgroup_device_rule *rule)
{
	struct buf line = BUF_INIT(VALUE_BYTES_MAX);

	if (rule->type == 'a')
		return xstrdup("a");
	buf_addf(&line, "%c ", rule->type);
	if (rule->major < 0)
		buf_add_char(&line, '*');
	else
		buf_addf(&line, "%lld", (long long)rule->major);
	buf_add_char(&line, ':');
	if (rule->minor < 0)
		buf_add_char(&line, '*');
	else
		buf_addf(&line, "%lld", (long long)rule->minor);
	buf_addf(&line, " %s", rule->access);
	return buf_steal(&line);
}

/* A group that is allowed everything in parts cannot be denied parts: v1 starts from "deny a". */
static int limit_devices_v1(const struct cgroup_part *part, const struct cgroup_limits *l,
			    struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->ndevices; i++) {
		autofree char *line = device_line(&l->devices[i]);

		r = put(part, l->devices[i].allow ? "devices.allow" : "devices.deny", line, err);
	}
	return r;
}

static int limit_devices(const struct cgroup *cg, const struct cgroup_limits *l, struct error *err)
{
	const struct cgroup_part *part = part_of(cg, "devices");

	if (l->ndevices == 0 || !part)
		return 0;
	if (!part->v2)
		return limit_devices_v1(part, l, err);
	/* Only a v2 tree that is alone filters devices: in a hybrid one without v1's "devices" too.
	 */
	if (explain_note("device access is filtered by an eBPF program on %s", part->dir))
		return 0;
	return device_filter_attach(part->dir_fd, l->devices, l->ndevices, err);
}

static int limit_unified(const struct cgroup *cg, const struct strv *files, struct error *err)
{
	int v2 = -1, r = 0;

	for (size_t i = 0; i < cg->n; i++)
		if (cg->parts[i].v2)
			v2 = (int)i;
	for (size_t i = 0; r == 0 && i < files->n; i++) {
		autofree char *name = xstrdup(files->items[i]);
		char *value = strchr(name, '=');

		if (v2 < 0)
			return error_set(err, -EOPNOTSUPP,
					 "limit %s: this machine has no cgroup v2", name);
		if (!value || strchr(name, '/'))
			return error_set(err, -EINVAL, "linux.resources.unified: '%s'", name);
		*value++ = '\0';
		r = put(&cg->parts[v2], name, value, err);
	}
	return r;
}

/* "2MB=1048576" */
static int limit_hugetlb(const struct cgroup *cg, const struct strv *sizes, struct error *err)
{
	const struct cgroup_part *part = part_of(cg, "hugetlb");
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizes->n; i++) {
		autofree char *name = xstrdup(sizes->items[i]), *file = NULL;
		char *value = strchr(name, '=');

		if (!part)
			return error_set(err, -EOPNOTSUPP,
					 "limit hugetlb: this machine has no hugetlb cgroup");
		*value++ = '\0';
		file = xasprintf("hugetlb.%s.%s", name, part->v2 ? "max" : "limit_in_bytes");
		r = put(part, file, value, err);
	}
	return r;
}

int cgroup_limit(const struct cgroup *cg, const struct cgroup_limits *limits, struct error *err)
{
	int r = limit_memory(cg, limits, err);

	if (r == 0)
		r = limit_cpu(cg, limits, err);
	if (r == 0)
		r = limit_io(cg, limits, err);
	if (r == 0)
		r = limits->has_pids && limits->pids != 0 ? limit_pids(cg, limits->pids, err) : 0;
	if (r == 0)
		r = limit_hugetlb(cg, &limits->hugetlb, err);
	if (r == 0)
		r = limit_unified(cg, &limits->unified, err);
	if (r == 0)
		r = limit_devices(cg, limits, err);
	return r;
}
