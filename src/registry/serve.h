/* src/registry/serve.h - the life of strake-registry: prepare with rights, then answer without.
 *
 * The first message says what it is all about (hello); files are read, rights are given up, and
 * from then on each message is an operation (op.h).  {"op": "worker"} with a socket beside it
 * forks: one process for each transfer that goes on at the same time.
 */
#ifndef REGISTRY_SERVE_H
#define REGISTRY_SERVE_H

#include "base/error.h"

int serve_run(int sock, struct error *err) must_check;

#endif
