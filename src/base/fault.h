/* src/base/fault.h - places where a test lets the process die: STRAKE_FAULT=NAME in the environment
 * of a build with tests kills it at fault_point("NAME").  In any other build nothing is there.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef STRAKE_FAULTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static inline void fault_point(const char *name)
{
	const char *wanted = getenv("STRAKE_FAULT");

	if (wanted && strcmp(wanted, name) == 0)
		(void)raise(SIGKILL);
}
#else
static inline void fault_point(const char *name)
{
	(void)name;
}
#endif

#endif
