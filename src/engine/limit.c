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
#define CPU_DIGITS       5    /* a quota is whole microseconds of the period */
#define CPU_QUOTA_MIN    1000 /* the kernel's smallest, one millisecond */
#define CPU_PERIOD_MAX   1000000
#define CPU_SHARES_MAX   262144
#define MEMORY_MIN       (512U << 10)         /* below this not even the runtime's child fits */
#define RLIMIT_UNLIMITED (uint64_t) INT64_MAX /* what JSON can hold and the runtime clamps */

/* As Docker counts: memory and swap together. */
static int add_swap(const struct container_options *o, json_t *memory, struct error *err)
{
	uint64_t bytes = 0;
	bool endless = o->memory_swap && strcmp(o->memory_swap, "-1") == 0;

	if (!o->memory_swap)
		return 0;
	if (!endless && number_parse_size(o->memory_swap, &bytes) < 0)
		return error_set(err, -EINVAL,
				 "--memory-swap '%s': expected a size such as 1g, or -1 for no "
				 "limit of swap",
				 o->memory_swap);
	if (o->memory == 0)
		return error_set(err, -EINVAL,
				 "--memory-swap counts memory and swap together; it wants --memory "
				 "beside it");
	if (!endless && bytes < o->memory)
		return error_set(err, -EINVAL,
				 "--memory-swap %s: memory and swap together cannot be less than "
				 "--memory",
				 o->memory_swap);
	(void)json_object_set_new(memory, "swap", json_integer(endless ? -1 : (json_int_t)bytes));
	return 0;
}

static int add_memory(const struct container_options *o, json_t *resources, struct error *err)
{
	json_t *memory;

	if (o->memory == 0)
		return add_swap(o, NULL, err);
	if (o->memory < MEMORY_MIN)
		return error_set(err, -EINVAL,
				 "--memory: at least 512k are needed to start a process");
	memory = json_pack("{s:I}", "limit", (json_int_t)o->memory);
	(void)json_object_set_new(resources, "memory", memory);
	return add_swap(o, memory, err);
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

/* "0-3,5": what the kernel reads; a wrong one would only fail when the container starts. */
static int check_set(const char *option, const char *text, struct error *err)
{
	if (text && (!*text || text[strspn(text, "0123456789,-")]))
		return error_set(err, -EINVAL, "%s '%s': expected numbers such as 0-3 or 0,2",
				 option, text);
	return 0;
}

static void add_number(json_t *cpu, const char *name, int number)
{
	if (number)
		(void)json_object_set_new(cpu, name, json_integer(number));
}

/* The kernel's own numbers, for those who think in them. */
static int add_cpu_details(const struct container_options *o, json_t *resources, struct error *err)
{
	json_t *cpu = json_object_get(resources, "cpu");
	int r = check_set("--cpuset-cpus", o->cpuset_cpus, err);

	if (r == 0)
		r = check_set("--cpuset-mems", o->cpuset_mems, err);
	if (r < 0)
		return r;
	if (o->cpus && (o->cpu_period || o->cpu_quota))
		return error_set(err, -EINVAL,
				 "--cpus says it all; leave --cpu-period and --cpu-quota away");
	if (o->cpu_period && (o->cpu_period < CPU_QUOTA_MIN || o->cpu_period > CPU_PERIOD_MAX))
		return error_set(err, -EINVAL,
				 "--cpu-period %d: the kernel takes %d to %d microseconds",
				 o->cpu_period, CPU_QUOTA_MIN, CPU_PERIOD_MAX);
	if (o->cpu_quota && o->cpu_quota != -1 && o->cpu_quota < CPU_QUOTA_MIN)
		return error_set(err, -EINVAL,
				 "--cpu-quota %d: the kernel takes %d microseconds and more, or -1",
				 o->cpu_quota, CPU_QUOTA_MIN);
	if (o->cpu_shares < 0 || o->cpu_shares == 1 || o->cpu_shares > CPU_SHARES_MAX)
		return error_set(err, -EINVAL, "--cpu-shares %d: it is a weight from 2 to %d",
				 o->cpu_shares, CPU_SHARES_MAX);
	if (!cpu) {
		cpu = json_object();
		(void)json_object_set_new(resources, "cpu", cpu);
	}
	add_number(cpu, "period", o->cpu_period);
	add_number(cpu, "quota", o->cpu_quota);
	add_number(cpu, "shares", o->cpu_shares);
	if (o->cpuset_cpus)
		(void)json_object_set_new(cpu, "cpus", json_string(o->cpuset_cpus));
	if (o->cpuset_mems)
		(void)json_object_set_new(cpu, "mems", json_string(o->cpuset_mems));
	if (json_object_size(cpu) == 0)
		(void)json_object_del(resources, "cpu");
	return 0;
}

int limit_add_resources(const struct container_options *options, json_t *resources,
			struct error *err)
{
	int r = add_memory(options, resources, err);

	if (r == 0)
		r = add_cpu(options->cpus, resources, err);
	if (r == 0)
		r = add_cpu_details(options, resources, err);
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
