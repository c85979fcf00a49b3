/* src/disk/machine/first.c - the first process of a root that can grow: lets it, and becomes the
 * init.
 *
 * It is what "init=" names, so that every initrd and every init will do. A symbolic link beside it
 * says what to become.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/machine/grow.h"
#include "disk/machine/orders.h"
#include "disk/machine/say.h"

int main(int argc, char **argv)
{
	char target[4096];
	ssize_t n = readlink(FIRST_NEXT, target, sizeof(target) - 1);
	struct stat st;

	(void)argc;
	/* Without an initrd nobody has mounted them; an init finds them there or does it again. */
	if (stat("/proc/self", &st) < 0)
		(void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	if (stat("/sys/block", &st) < 0)
		(void)mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	if (stat("/dev/null", &st) < 0)
		(void)mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
	grow_mounted("/");
	target[n > 0 ? n : 0] = '\0';
	argv[0] = n > 0 ? target : (char *)"/sbin/init";
	(void)execv(argv[0], argv);
	say("%s: %s", argv[0], strerror(errno));
	return 127;
}
