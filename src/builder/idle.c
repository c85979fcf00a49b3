/* src/builder/idle.c */
#include "builder/idle.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define STAT_MAX  (1U << 20)
#define AT_IDLE   3 /* fields: user nice system idle iowait irq softirq steal */
#define AT_IOWAIT 4
#define N_FIELDS  8

size_t idle_processors(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (size_t)MAX(CPU_COUNT(&set), 1);
}

bool idle_parse(const char *text, struct idle *ret)
{
	struct idle sum = { 0, 0 };

	if (strncmp(text, "cpu ", 4) != 0)
		return false;
	text += 4;
	for (int field = 0; field < N_FIELDS; field++) {
		char *end;
		uint64_t ticks = strtoull(text, &end, 10);

		if (end == text)
			return false;
		text = end;
		sum.all += ticks;
		if (field == AT_IDLE || field == AT_IOWAIT)
			sum.idle += ticks;
	}
	*ret = sum;
	return true;
}

static bool look(struct idle *ret)
{
	autofree char *text = NULL;

	return file_read_at(AT_FDCWD, "/proc/stat", STAT_MAX, &text, NULL, NULL) == 0 &&
	       idle_parse(text, ret);
}

void idle_init(struct idle *idle)
{
	*idle = (struct idle) { 0, 0 };
	(void)look(idle);
}

bool idle_look(struct idle *idle)
{
	struct idle now = *idle;
	uint64_t all, free_ticks;

	if (!look(&now) || now.all <= idle->all)
		return false;
	all = now.all - idle->all;
	free_ticks = now.idle > idle->idle ? now.idle - idle->idle : 0;
	*idle = now;
	/* Of n processors all ticks are n shares; two thirds of one share lay idle. */
	return free_ticks * 3 * idle_processors() > all * 2;
}
