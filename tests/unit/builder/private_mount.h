/* tests/unit/builder/private_mount.h - as scratch.h, on a tmpfs that this process alone sees:
 * whether an overlay can write to /tmp is not known.  Include it behind scratch.h.
 */
#ifndef TESTS_UNIT_BUILDER_PRIVATE_MOUNT_H
#define TESTS_UNIT_BUILDER_PRIVATE_MOUNT_H

#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <unistd.h>

static bool may_mount; /* a test skips itself without */

static inline int private_setup(void **state)
{
	if (scratch_setup(state) < 0)
		return -1;
	may_mount = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		    mount("none", *state, "tmpfs", 0, "size=8m") == 0;
	return 0;
}

static inline int private_teardown(void **state)
{
	if (may_mount)
		(void)umount2(*state, MNT_DETACH);
	return scratch_teardown(state);
}

#endif
