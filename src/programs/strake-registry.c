/* src/programs/strake-registry.c - the only program that speaks with registries; without rights.
 *
 * Standard input is its end of a socket pair; strake-image holds the other.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "registry/serve.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/* It looks for leaks by tracing itself, for which nothing here has the right. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}
#endif
#endif

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
