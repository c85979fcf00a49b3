/* src/base/root.c */
#include "base/root.h"

#include "base/alloc.h"

static char *choose(const char *given, const char *variable, const char *home_tail,
		    const char *fallback)
{
	const char *dir = getuid() == 0 ? NULL : getenv(variable);
	const char *home = getuid() == 0 ? NULL : getenv("HOME");

	if (given)
		return xstrdup(given);
	if (dir && dir[0] == '/')
		return xasprintf("%s/strake", dir);
	if (home && home[0] == '/')
		return xasprintf("%s/%s", home, home_tail);
	return xstrdup(fallback);
}

char *root_choose_lasting(const char *given)
{
	return choose(given, "XDG_DATA_HOME", ".local/share/strake", "/var/lib/strake");
}

char *root_choose_run(const char *given)
{
	return choose(given, "XDG_RUNTIME_DIR", ".cache/strake/run", "/run/strake");
}
