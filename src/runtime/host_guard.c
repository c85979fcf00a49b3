/* src/runtime/host_guard.c - what the specification sets must not be the host's. */
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "runtime/setup.h"

/* A namespace that is named by a path may be the one that we are in.  One that is not there (yet,
 * in a dry run) is not.
 */
static bool is_ours(const char *path, const char *type)
{
	autofree char *own = xasprintf("/proc/self/ns/%s", type);
	struct stat a, b;

	return stat(path, &a) == 0 && stat(own, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static bool has_own(const struct spec *spec, int flag)
{
	const char *path, *type = flag == CLONE_NEWNET   ? "net"
				  : flag == CLONE_NEWIPC ? "ipc"
							 : "uts";

	return spec_namespace_find(spec, flag, &path) && (!path || !is_ours(path, type));
}

/* The namespace that a parameter belongs to; 0: none, it is the kernel's. */
static int sysctl_flag(const char *name)
{
	static const struct {
		const char *prefix;
		int flag;
	} known[] = {
		{ "net.", CLONE_NEWNET },
		{ "fs.mqueue.", CLONE_NEWIPC },
		{ "kernel.msg", CLONE_NEWIPC },
		{ "kernel.sem", CLONE_NEWIPC },
		{ "kernel.shm", CLONE_NEWIPC },
		{ "kernel.hostname", CLONE_NEWUTS },
		{ "kernel.domainname", CLONE_NEWUTS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strncmp(name, known[i].prefix, strlen(known[i].prefix)) == 0)
			return known[i].flag;
	return 0;
}

int host_guard(const struct spec *spec, struct error *err)
{
	if ((spec->hostname || spec->domainname) && !has_own(spec, CLONE_NEWUTS))
		return error_set(err, -EINVAL, "hostname: its uts namespace is this host's");
	for (size_t i = 0; i < spec->sysctls.n; i++) {
		const char *name = spec->sysctls.items[i];
		int flag = sysctl_flag(name);

		if (!flag || !has_own(spec, flag))
			return error_set(
				err, -EINVAL,
				"kernel parameter %.*s would change the host, not the container",
				(int)strcspn(name, "="), name);
	}
	return 0;
}
