/* src/runtime/spec_limits.c - linux.resources */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "kernel/cgroup.h"
#include "runtime/spec_read.h"

#define DEVICE_RULES_MAX 1000
#define THROTTLES_MAX    256

static bool read_amount(struct json_reader *rd, const json_t *obj, const char *key, int64_t *ret)
{
	if (!json_object_get(obj, key) || json_is_null(json_object_get(obj, key)))
		return false;
	*ret = json_read_int(rd, obj, key, -1, INT64_MAX, -1);
	return true;
}

static void read_memory(struct json_reader *rd, const json_t *resources, struct cgroup_limits *l)
{
	const json_t *obj = json_read_object(rd, resources, "memory");
	struct json_place place = json_enter(rd, "memory");

	l->has_memory = read_amount(rd, obj, "limit", &l->memory);
	l->has_swap = read_amount(rd, obj, "swap", &l->swap);
	l->has_reservation = read_amount(rd, obj, "reservation", &l->reservation);
	l->disable_oom_killer = json_read_bool(rd, obj, "disableOOMKiller", false);
	/* 0 is what some callers write for unset. */
	l->has_memory = l->has_memory && l->memory != 0;
	l->has_swap = l->has_swap && l->swap != 0;
	l->has_reservation = l->has_reservation && l->reservation != 0;
	json_leave(rd, place);
}

static void read_cpu(struct json_reader *rd, const json_t *resources, struct cgroup_limits *l)
{
	const json_t *obj = json_read_object(rd, resources, "cpu");
	struct json_place place = json_enter(rd, "cpu");

	l->shares = (uint64_t)json_read_int(rd, obj, "shares", 0, INT64_MAX, 0);
	l->period = (uint64_t)json_read_int(rd, obj, "period", 0, INT64_MAX, 0);
	l->quota = json_read_int(rd, obj, "quota", -1, INT64_MAX, 0);
	l->has_shares = l->shares != 0;
	l->has_period = l->period != 0;
	l->has_quota = l->quota != 0;
	l->cpus = xstrdup_or_null(json_read_string(rd, obj, "cpus", NULL));
	l->mems = xstrdup_or_null(json_read_string(rd, obj, "mems", NULL));
	json_leave(rd, place);
}

static struct cgroup_device_rule read_rule(struct json_reader *rd, const json_t *obj)
{
	const char *type = json_read_string(rd, obj, "type", "a");
	const char *access = json_read_string(rd, obj, "access", "rwm");
	struct cgroup_device_rule rule = {
		.allow = json_read_bool(rd, obj, "allow", false),
		.type = type[0],
		.major = json_read_int(rd, obj, "major", -1, UINT32_MAX, -1),
		.minor = json_read_int(rd, obj, "minor", -1, UINT32_MAX, -1),
	};

	if (strcmp(type, "u") == 0)
		rule.type = 'c';
	if (!type[0] || type[1] || !strchr("abcu", type[0]))
		json_fail(rd, "type", "'%s' is not a, b, c or u", type);
	if (strlen(access) > 3 || strspn(access, "rwm") != strlen(access))
		json_fail(rd, "access", "'%s' is not made of r, w and m", access);
	else
		memcpy(rule.access, access, strlen(access) + 1);
	return rule;
}

static void read_devices(struct json_reader *rd, const json_t *resources, struct cgroup_limits *l)
{
	const json_t *list = json_read_array(rd, resources, "devices");
	struct json_place outer = json_enter(rd, "devices");
	size_t n = json_array_size(list);

	if (n > DEVICE_RULES_MAX)
		json_fail(rd, NULL, "more than %d rules", DEVICE_RULES_MAX);
	else if (n > 0)
		l->devices = xcalloc(n, sizeof(*l->devices));
	for (size_t i = 0; l->devices && i < n; i++) {
		struct json_place place = json_enter_index(rd, i);

		l->devices[l->ndevices++] = read_rule(rd, json_array_get(list, i));
		json_leave(rd, place);
	}
	json_leave(rd, outer);
}

static void read_throttle(struct json_reader *rd, const json_t *io, const char *key,
			  const char *word, struct strv *ret)
{
	const json_t *list = json_read_array(rd, io, key);
	struct json_place outer = json_enter(rd, key);

	if (json_array_size(list) > THROTTLES_MAX)
		json_fail(rd, NULL, "more than %d entries", THROTTLES_MAX);
	for (size_t i = 0; rd->r == 0 && i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		struct json_place place = json_enter_index(rd, i);
		long long major = json_read_int(rd, item, "major", 0, UINT32_MAX, 0);
		long long minor = json_read_int(rd, item, "minor", 0, UINT32_MAX, 0);
		long long rate = json_read_int(rd, item, "rate", 0, INT64_MAX, 0);

		strv_addf(ret, "%s %lld:%lld %lld", word, major, minor, rate);
		json_leave(rd, place);
	}
	json_leave(rd, outer);
}

static void read_io(struct json_reader *rd, const json_t *resources, struct cgroup_limits *l)
{
	const json_t *obj = json_read_object(rd, resources, "blockIO");
	struct json_place place = json_enter(rd, "blockIO");

	l->blkio_weight = (uint64_t)json_read_int(rd, obj, "weight", 0, 1000, 0);
	read_throttle(rd, obj, "throttleReadBpsDevice", "rbps", &l->throttle);
	read_throttle(rd, obj, "throttleWriteBpsDevice", "wbps", &l->throttle);
	read_throttle(rd, obj, "throttleReadIOPSDevice", "riops", &l->throttle);
	read_throttle(rd, obj, "throttleWriteIOPSDevice", "wiops", &l->throttle);
	json_leave(rd, place);
}

static void read_hugetlb(struct json_reader *rd, const json_t *resources, struct cgroup_limits *l)
{
	const json_t *list = json_read_array(rd, resources, "hugepageLimits"), *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *size = json_need_string(rd, item, "pageSize");
		long long limit = json_read_int(rd, item, "limit", 0, INT64_MAX, 0);

		if (!size[0] || strspn(size, "0123456789KMGB") != strlen(size))
			json_fail(rd, "hugepageLimits", "'%s' is not a page size", size);
		strv_addf(&l->hugetlb, "%s=%lld", size, limit);
	}
}

static void read_unified(struct json_reader *rd, const json_t *resources, struct cgroup_limits *l)
{
	json_t *obj = json_read_object(rd, resources, "unified"), *value;
	const char *key;

	json_object_foreach (obj, key, value) {
		if (!json_is_string(value) || strchr(key, '/') || !key[0] || key[0] == '.')
			json_fail(rd, "unified", "'%s' is not a cgroup file with a text", key);
		else
			strv_addf(&l->unified, "%s=%s", key, json_string_value(value));
	}
}

void spec_read_limits(struct json_reader *rd, const json_t *obj, struct cgroup_limits *ret)
{
	const json_t *pids = json_read_object(rd, obj, "pids");

	read_memory(rd, obj, ret);
	read_cpu(rd, obj, ret);
	read_io(rd, obj, ret);
	read_hugetlb(rd, obj, ret);
	read_unified(rd, obj, ret);
	read_devices(rd, obj, ret);
	ret->has_pids = read_amount(rd, pids, "limit", &ret->pids);
}
