/* src/image/platform.c */
#include "image/platform.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/macros.h"
#include "image/document.h"

void platform_own(char ret[PLATFORM_LEN])
{
	static const struct {
		const char *machine, *name;
	} machines[] = { { "x86_64", "amd64" },
			 { "aarch64", "arm64" },
			 { "armv7l", "arm" },
			 { "i686", "386" },
			 { "ppc64le", "ppc64le" } };
	struct utsname uts;

	(void)uname(&uts);
	(void)snprintf(ret, PLATFORM_LEN, "linux/%.40s", uts.machine);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (strcmp(machines[i].machine, uts.machine) == 0)
			(void)snprintf(ret, PLATFORM_LEN, "linux/%s", machines[i].name);
}

bool platform_fits(const char *platform, const char *wish)
{
	size_t len = strlen(wish);

	return strncmp(platform, wish, len) == 0 && (!platform[len] || platform[len] == '/');
}

/* The exact one; else the one without a variant; else the first. */
int platform_choose(const struct document *index, const char *wish)
{
	int best = -1;

	for (size_t i = 0; i < index->n; i++) {
		const char *platform = index->parts[i].platform;

		if (strcmp(platform, wish) == 0)
			return (int)i;
		if (best < 0 && *platform && platform_fits(platform, wish))
			best = (int)i;
	}
	return best;
}
