/* src/runtime/copy_up.h - what a tmpfs hides is in it: the option tmpcopyup of runc and podman. */
#ifndef RUNTIME_COPY_UP_H
#define RUNTIME_COPY_UP_H

#include "base/error.h"

/* Copies the tree below from into to, owners, modes, times and devices included; extended
 * attributes not.  Both are directories, O_PATH will do.  No link is followed.  -ENOSPC: the file
 * system is too small for it.  what names it in errors.
 */
int copy_up(int from, int to, const char *what, struct error *err) must_check;
/* Owner, mode and times of the directory itself. */
int copy_up_root(int from, int to, const char *what, struct error *err) must_check;

#endif
