/* src/programs/strake-cni.c - the CNI plugin: executed by container runtimes, not by people. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cni/cni.h"

static const char *get(const char *name)
{
	return getenv(name);
}

int main(void)
{
	if (!getenv("CNI_COMMAND")) {
		(void)fputs("strake-cni " STRAKE_VERSION
			    ": a CNI plugin for the protocol's versions "
			    "0.3.0 to 1.1.0, run by container runtimes; see docs/cni.md\n",
			    stderr);
		return 1;
	}
	return cni_main(get, STDIN_FILENO, stdout);
}
