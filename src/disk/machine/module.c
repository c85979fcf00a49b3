/* src/disk/machine/module.c */
#include "disk/machine/module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk/machine/say.h"

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), failure = fd < 0 ? errno : 0;
	int missing =
		fd < 0 ? 0 : ENOENT; /* what a driver needs is not there: nor is its hardware */

	/* MODULE_INIT_COMPRESSED_FILE is 4. */
	if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0) < 0)
		failure = errno == ENOEXEC && syscall(SYS_finit_module, fd, "", 4) == 0 ? 0 : errno;
	/* Hardware that is not there, or a module that is. */
	if (failure && failure != missing && failure != ENODEV && failure != EOPNOTSUPP &&
	    failure != EEXIST)
		say("module %s: %s", path, strerror(failure));
	if (fd >= 0)
		(void)close(fd);
}

/* "/.strake/modules/virtio-ring.ko.xz" is "/sys/module/virtio_ring", once it is there. */
static bool is_loaded(const char *path)
{
	const char *name = strrchr(path, '/');
	char at[128];
	size_t len, i;

	name = name ? name + 1 : path;
	len = strcspn(name, ".");
	i = (size_t)snprintf(at, sizeof(at), "/sys/module/%.*s", (int)(len < 100 ? len : 100),
			     name);
	while (i-- > 0)
		if (at[i] == '-')
			at[i] = '_';
	return access(at, F_OK) == 0;
}

void module_load(const char *path)
{
	/* The kernel would read all of it again before it says so. */
	if (is_loaded(path))
		return;
	load(path);
}
