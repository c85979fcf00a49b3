/* src/programs/strake-registry.c - the only program that speaks with registries; without rights.
 *
 * Standard input is its end of a socket pair; strake-image holds the other.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "registry/serve.h"

int main(void)
{
	int type = 0;
	socklen_t len = sizeof(type);
	struct error err = { 0 };

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
		(void)fputs("strake-registry: called by strake; there is nothing here to type\n",
			    stderr);
		return 2;
	}
	return serve_run(STDIN_FILENO, &err) < 0;
}
