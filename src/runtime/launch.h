/* src/runtime/launch.h - from a process of ours to the container's program; for this folder only.
 *
 * See launcher.c for why there is something in between.
 */
#ifndef RUNTIME_LAUNCH_H
#define RUNTIME_LAUNCH_H

#include <stdbool.h>

#include "base/error.h"

/* What execve(2) may say that has a text of its own; the last one stands for all others. */
#define LAUNCH_ERRNOS                                                                              \
	{                                                                                          \
		ENOENT, ENOTDIR, EACCES, ENOEXEC, E2BIG, ENOMEM, EPERM, ELOOP, ETXTBSY, ELIBBAD,   \
			EISDIR, EAGAIN, EIO,                                                       \
	}
#define LAUNCH_N_ERRNOS       13
#define LAUNCH_CANDIDATES_MAX 1000 /* directories in PATH */
#define LAUNCH_STATUS(r)      ((r) == -ENOENT || (r) == -ENOTDIR ? 127 : 126)

struct spec_process;
struct seccomp_program;

/* Whether it is there at all, for an answer at "create", with the errors of below.  A name that is
 * relative to the working directory, which is not ours yet, is let through.
 */
int launch_check(const struct spec_process *p, struct error *err) must_check;
/* Executes the program: the last call, all else of the identity is taken.  sync stays open for the
 * reason why it could not be.  Returns only on failure, with err->status 126 or 127.
 */
int launch_program(const struct spec_process *p, const struct seccomp_program *seccomp, int sync,
		   struct error *err);

/* "exec": a child of our parent's becomes the program, in a session of its own, and its pid is
 * written to pid_fd, which must not block.  Neither it nor anything that the container can see is a
 * program of ours or has more rights than it.  This process is gone then: it returns on failure.
 * launch_can_bear says whether that is possible: the filter may forbid it, or the machine that a
 * file in memory is executed.
 */
bool launch_can_bear(const struct spec_process *p, const struct seccomp_program *seccomp);
int launch_bear(const struct spec_process *p, const struct seccomp_program *seccomp, int sync,
		int pid_fd, struct error *err);

#endif
