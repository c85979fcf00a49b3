/* src/disk/machine/module.c */
#include "disk/machine/module.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk/machine/say.h"

void module_load(const char *path)
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
