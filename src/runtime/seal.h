/* src/runtime/seal.h - this program, executed again out of a sealed file in memory. */
#ifndef RUNTIME_SEAL_H
#define RUNTIME_SEAL_H

#include "base/error.h"

/* For a container that joins the pid namespace of others: with CAP_SYS_PTRACE they open what our
 * process there was executed from, and write to it later (CVE-2019-5736).  Executes the whole
 * command line again, so it is called before anything was made; there, and where that is done
 * already, it returns 0.
 */
int seal_self(struct error *err) must_check;

#endif
