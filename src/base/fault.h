/* src/base/fault.h - places where a test lets the process die: STRAKE_FAULT=NAME in the environment
 * of a build with tests kills it at fault_point("NAME"), and NAME:STOP stops it there.  In any
 * other build nothing is there.
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
	size_t len = strlen(name);

	if (!wanted || strncmp(wanted, name, len) != 0)
		return;
	if (!wanted[len])
		(void)raise(SIGKILL);
	else if (strcmp(wanted + len, ":STOP") == 0)
		(void)raise(SIGSTOP);
}
#else
static inline void fault_point(const char *name)
{
	(void)name;
}
#endif

#endif
