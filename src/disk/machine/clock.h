/* src/disk/machine/clock.h - the machine's own time, which nobody sets. */
#ifndef DISK_MACHINE_CLOCK_H
#define DISK_MACHINE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
