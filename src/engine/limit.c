/* src/engine/limit.c */
#include "engine/limit.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/number.h"
#include "engine/options.h"

#define CPU_PERIOD_US    100000
#define CPU_DIGITS       5                    /* a quota is whole microseconds of the period */
#define CPU_QUOTA_MIN    1000                 /* the kernel's smallest, one millisecond */
#define MEMORY_MIN       (512U << 10)         /* below this not even the runtime's child fits */
#define RLIMIT_UNLIMITED (uint64_t) INT64_MAX /* what JSON can hold and the runtime clamps */

static int add_memory(uint64_t bytes, json_t *resources, struct error *err)
{
	if (bytes == 0)
		return 0;
	if (bytes < MEMORY_MIN)
		return error_set(err, -EINVAL,
				 "--memory: at least 512k are needed to start a process");
	(void)json_object_set_new(resources, "memory",
				  json_pack("{s:I}", "limit", (json_int_t)bytes));
	return 0;
}

static int add_cpu(const char *cpus, json_t *resources, struct error *err)
{
	uint64_t quota;
	int r;

	if (!cpus)
		return 0;
	r = number_parse_fixed(cpus, CPU_DIGITS, &quota);
	if (r < 0 || quota < CPU_QUOTA_MIN || quota > INT32_MAX)
		return error_set(err, -EINVAL, "--cpus '%s': expected a number such as 0.5 or 2",
				 cpus);
	if (quota > (uint64_t)get_nprocs() * CPU_PERIOD_US)
		return error_set(err, -EINVAL, "--cpus %s: this machine has %d", cpus,
				 get_nprocs());
	(void)json_object_set_new(resources, "cpu",
				  json_pack("{s:I, s:I}", "quota", (json_int_t)quota, "period",
					    (json_int_t)CPU_PERIOD_US));
	return 0;
}

int limit_add_resources(const struct container_options *options, json_t *resources,
			struct error *err)
{
	int r = add_memory(options->memory, resources, err);

	if (r == 0)
		r = add_cpu(options->cpus, resources, err);
	if (r < 0)
		return r;
	if (options->pids_limit < -1)
		return error_set(err, -EINVAL,
				 "--pids-limit: expected a number, or -1 for no limit");
	if (options->pids_limit > 0)
		(void)json_object_set_new(resources, "pids",
					  json_pack("{s:i}", "limit", options->pids_limit));
	return 0;
}

static const struct rlimit_name {
	const char *name;
	int resource;
} rlimit_names[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static const struct rlimit_name *rlimit_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimit_names); i++)
		if (strcmp(rlimit_names[i].name, name) == 0)
			return &rlimit_names[i];
	return NULL;
}

/* What the kernel would refuse is refused here: the runtime gives what it can.  "Unlimited" is not
 * a number, and means just that.
 */
static int check_rlimit(const char *text, const struct rlimit_name *l, uint64_t hard,
			struct error *err)
{
	struct rlimit have, want;

	if (explain_dry() || hard == RLIMIT_UNLIMITED ||
	    getrlimit((__rlimit_resource_t)l->resource, &have) < 0 || hard <= have.rlim_max)
		return 0;
	want = (struct rlimit) { .rlim_cur = have.rlim_cur, .rlim_max = hard };
	if (setrlimit((__rlimit_resource_t)l->resource, &want) == 0) {
		(void)setrlimit((__rlimit_resource_t)l->resource, &have);
		return 0;
	}
	return error_set(err, -EPERM,
			 "--ulimit '%s': at most %llu may be given here; see ulimit -H", text,
			 (unsigned long long)have.rlim_max);
}

static int parse_amount(const char *text, uint64_t *ret)
{
	if (strcmp(text, "-1") == 0 || strcmp(text, "unlimited") == 0) {
		*ret = RLIMIT_UNLIMITED;
		return 0;
	}
	return number_parse(text, RLIMIT_UNLIMITED, ret);
}

static int add_rlimit(const char *text, json_t *rlimits, struct error *err)
{
	autofree char *name = xstrdup(text), *type = NULL;
	char *value = strchr(name, '='), *second;
	const struct rlimit_name *limit;
	uint64_t soft, hard;
	int r;

	if (value)
		*value++ = '\0';
	limit = rlimit_find(name);
	if (!value || !limit)
		return error_set(
			err, -EINVAL,
			"--ulimit '%s': expected NAME=SOFT[:HARD], such as nofile=1024:4096", text);
	second = strchr(value, ':');
	if (second)
		*second++ = '\0';
	if (parse_amount(value, &soft) < 0 || parse_amount(second ? second : value, &hard) < 0)
		return error_set(err, -EINVAL, "--ulimit '%s': not a number", text);
	if (soft > hard)
		return error_set(err, -EINVAL,
				 "--ulimit '%s': the soft limit is above the hard one", text);
	r = check_rlimit(text, limit, hard, err);
	if (r < 0)
		return r;
	type = xasprintf("RLIMIT_%s", name);
	for (char *p = type; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	(void)json_array_append_new(rlimits, json_pack("{s:s, s:I, s:I}", "type", type, "soft",
						       (json_int_t)soft, "hard", (json_int_t)hard));
	return 0;
}

int limit_add_rlimits(const struct container_options *options, json_t *rlimits, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < options->ulimits.n; i++)
		r = add_rlimit(options->ulimits.items[i], rlimits, err);
	return r;
}
