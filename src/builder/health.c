/* src/builder/health.c */
#include "builder/health.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/number.h"
#include "builder/instruction.h"

#define SHORTEST_NS 1000000 /* Docker's: a millisecond */
#define RETRIES_MAX 1000000

/* The longer name first: "ms" is no minute. */
static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 },           { "us", 1000 },         { "ms", 1000000 },
	{ "s", 1000000000LL }, { "m", 60000000000LL }, { "h", 3600000000000LL },
};

static size_t find_unit(const char *text, int64_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n = strlen(units[i].name);

		if (strncmp(text, units[i].name, n) != 0)
			continue;
		*ret = units[i].ns;
		return n;
	}
	return 0;
}

int duration_parse(const char *text, int64_t *ret_ns)
{
	int64_t total = 0;

	if (!*text)
		return -EINVAL;
	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	while (*text) {
		size_t n = strspn(text, "0123456789."), unit_len;
		autofree char *number = xstrndup(text, n);
		int64_t unit = 0, part;
		uint64_t milli;

		unit_len = find_unit(text + n, &unit);
		if (n == 0 || unit_len == 0 || number_parse_fixed(number, 3, &milli) < 0)
			return -EINVAL;
		if (milli > INT64_MAX || __builtin_mul_overflow((int64_t)milli, unit, &part) ||
		    __builtin_add_overflow(total, part / 1000, &total))
			return -ERANGE;
		text += n + unit_len;
	}
	*ret_ns = total;
	return 0;
}

static int add_duration(const struct instruction *ins, const char *flag, const char *key,
			json_t *check, struct error *err)
{
	const char *text = instruction_flag(ins, flag);
	int64_t ns;

	if (!text)
		return 0;
	if (duration_parse(text, &ns) < 0 || (ns != 0 && ns < SHORTEST_NS))
		return error_set(
			err, -EINVAL,
			"--%s wants a duration of 1ms or more, like 30s or 1m30s, not '%.40s'",
			flag, text);
	if (ns)
		(void)json_object_set_new(check, key, json_integer(ns));
	return 0;
}

static json_t *test_of(const struct instruction *ins)
{
	json_t *test = json_array();

	if (ins->words.n == 0) {
		(void)json_array_append_new(test, json_string("NONE"));
		return test;
	}
	(void)json_array_append_new(test, json_string(ins->is_exec ? "CMD" : "CMD-SHELL"));
	for (size_t i = 0; i < ins->words.n; i++)
		(void)json_array_append_new(test, json_string(ins->words.items[i]));
	return test;
}

int health_make(const struct instruction *ins, json_t **ret, struct error *err)
{
	static const char *const times[][2] = {
		{ "interval", "Interval" },
		{ "timeout", "Timeout" },
		{ "start-period", "StartPeriod" },
		{ "start-interval", "StartInterval" },
	};
	cleanup(json_cleanup) json_t *check = json_pack("{s:o}", "Test", test_of(ins));
	const char *retries = instruction_flag(ins, "retries");
	uint64_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(times); i++)
		r = add_duration(ins, times[i][0], times[i][1], check, err);
	if (r == 0 && retries && number_parse(retries, RETRIES_MAX, &n) < 0)
		r = error_set(err, -EINVAL, "--retries wants a number, not '%.40s'", retries);
	if (r < 0)
		return r;
	if (n > 0)
		(void)json_object_set_new(check, "Retries", json_integer((json_int_t)n));
	*ret = steal_ptr(&check);
	return 0;
}
