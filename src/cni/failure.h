/* src/cni/failure.h - what goes wrong in a plugin, with the number that CNI runtimes act on.
 *
 * The specification reserves 1 to 99; 100 and above are ours, see docs/cni.md.
 */
#ifndef CNI_FAILURE_H
#define CNI_FAILURE_H

#include "base/error.h"

enum cni_code {
	CNI_OK = 0,
	CNI_VERSION = 1,     /* a version that we do not speak */
	CNI_UNSUPPORTED = 2, /* a field that we know and do not do; the text has key and value */
	CNI_CONTAINER = 3,   /* no such container: its namespace is not there */
	CNI_ENVIRONMENT = 4, /* CNI_... variables */
	CNI_IO = 5,
	CNI_DECODE = 6, /* not JSON */
	CNI_CONFIG = 7, /* JSON that makes no network */
	CNI_AGAIN = 11, /* later it may work */
	CNI_UNAVAILABLE = 50,
	CNI_LIMITED = 51, /* nor do the containers that are there have all of their network */
	CNI_FAILED = 100,
	CNI_NO_ADDRESS = 101,
	CNI_TAKEN = 102,   /* an address or a port */
	CNI_DIFFERS = 103, /* CHECK: the kernel has not what ADD made */
};

struct cni_failure {
	enum cni_code code;
	struct error err;
};

/* All return r.  set: the text says it all; from: the text is there, the code follows from r. */
int cni_fail(struct cni_failure *f, enum cni_code code, int r, const char *fmt, ...)
	printf_like(4, 5);
int cni_fail_from(struct cni_failure *f, int r);

#endif
