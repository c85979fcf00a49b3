/* src/cmd/moment.h - a time as people give it. */
#ifndef CMD_MOMENT_H
#define CMD_MOMENT_H

#include <stdint.h>

#include "base/error.h"

/* RFC 3339, a day or a minute of this place's time, seconds since 1970, or how long ago: "90s",
 * "10m", "2h", "1d".  option names it in the error.
 */
int moment_parse(const char *option, const char *text, int64_t *ret_ns,
		 struct error *err) must_check;

#endif
