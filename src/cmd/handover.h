/* src/cmd/handover.h - a command whose work another program does: strake-image, which links what
 * the front command does without.  Its row is here for --help and the manual.
 */
#ifndef CMD_HANDOVER_H
#define CMD_HANDOVER_H

#include "base/error.h"

struct opt;

/* Becomes PROGRAM COMMAND with the same options and operands; returns only if it cannot.
 * globals may be NULL. */
int handover(const char *program, const char *command, const void *globals, const struct opt *opts,
	     const void *args, char **operands, struct error *err) must_check;

/* Defines FUNCTION_run(), the run_alone of a row whose work is PROGRAM COMMAND. */
#define HANDOVER(program, function, command, opts)                                                 \
	static int function##_run(const void *globals, const void *args, int argc, char **argv,    \
				  struct error *err)                                               \
	{                                                                                          \
		(void)argc;                                                                        \
		return handover(program, command, globals, opts, args, argv, err);                 \
	}

#endif
