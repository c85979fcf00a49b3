/* src/base/clock.h - times as the OCI documents write them, without reading the zone file. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/macros.h"

struct timespec;

#define CLOCK_TEXT_LEN 31 /* 2026-11-23T19:05:00.123456789Z and its NUL */

int64_t clock_now_ns(void); /* since 1970, UTC */
int64_t clock_from_timespec(const struct timespec *ts);
int64_t clock_monotonic_ms(void);                              /* for deadlines */
void clock_format(int64_t ns, char ret[CLOCK_TEXT_LEN]);       /* RFC 3339, UTC, nanoseconds */
int clock_parse(const char *text, int64_t *ret_ns) must_check; /* RFC 3339; -EINVAL */
/* "3 seconds", "2 minutes", "5 days": how people say a duration.  ret holds 32 bytes. */
void clock_format_age(int64_t ns, char ret[32]);

#endif
