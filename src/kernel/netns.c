/* src/kernel/netns.c */
#include "kernel/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "kernel/netlink.h"

void netns_close(struct netns *ns)
{
	if (ns->nl)
		nl_close(ns->nl);
	free(ns->nl);
	if (ns->fd >= 0)
		(void)close(ns->fd);
	*ns = NETNS_INIT;
}

/* Inside the new namespace: everything that belongs to it from birth is opened here. */
static int populate(const char *path, struct netns *ns, struct error *err)
{
	int r;

	ns->fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (ns->fd < 0)
		return error_sys(err, -errno, "open the new network namespace");
	ns->nl = xnew(struct nl);
	r = nl_open(ns->nl, err);
	if (r < 0)
		return r;
	if (mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) < 0)
		return error_sys(err, -errno, "bind the network namespace to %s", path);
	return 0;
}

int netns_create(const char *path, struct netns *ret, struct error *err)
{
	autoclose int home = -1, file = -1;
	struct netns ns = NETNS_INIT;
	int r;

	if (explain("a network stack of its own, kept by a file",
		    "touch %s && unshare --net=%s true", sq(path), sq(path)))
		return 0;
	file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (file < 0)
		return error_sys(err, -errno, "make %s", path);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || unshare(CLONE_NEWNET) < 0) {
		r = error_sys(err, -errno, "make a network namespace");
		(void)unlink(path);
		return r;
	}
	r = populate(path, &ns, err);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* going on in the wrong network would be worse */
	if (r < 0) {
		netns_close(&ns);
		(void)unlink(path);
		return r;
	}
	*ret = ns;
	return 0;
}

int netns_remove(const char *path, struct error *err)
{
	if (explain("its network stack goes with the last process in it",
		    "umount -l %s 2> /dev/null || :; rm -f %s", sq(path), sq(path)))
		return 0;
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return error_sys(err, -errno, "unmount %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s", path);
	return 0;
}
