/* src/programs/strake-registry.c - the only program that speaks HTTP with strangers; without
 * rights.
 *
 * Standard input is its end of a socket pair; strake-image holds the other.  As "strake-registry
 * fetch" it brings one file to strake-build (registry/fetch.h).
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registry/fetch.h"
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

static int fetch_main(void)
{
	struct error err = { 0 };
	int r = fetch_run(STDIN_FILENO, STDOUT_FILENO, &err);

	/* strake-build reads it, and says it in its own words. */
	if (r < 0)
		(void)fputs(err.text, stderr);
	return r < 0;
}

int main(int argc, char **argv)
{
	int type = 0;
	socklen_t len = sizeof(type);
	struct error err = { 0 };

	if (argc == 2 && strcmp(argv[1], "fetch") == 0)
		return fetch_main();
	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
		(void)fputs("strake-registry: called by strake; there is nothing here to type\n",
			    stderr);
		return 2;
	}
	return serve_run(STDIN_FILENO, &err) < 0;
}
