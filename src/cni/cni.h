/* src/cni/cni.h - a CNI plugin: bridge, addresses, ports, isolation and limits in one exec.
 *
 * What the specification (1.1) calls a plugin: one command in the environment, a configuration on
 * standard input, a result or a failure as JSON on standard output.
 */
#ifndef CNI_CNI_H
#define CNI_CNI_H

#include <stdio.h>

/* The whole of a main(): returns the exit status.  get as getenv(3). */
int cni_main(const char *(*get)(const char *name), int in, FILE *out);

#endif
