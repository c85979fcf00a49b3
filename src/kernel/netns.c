/* src/kernel/netns.c */
#include "kernel/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
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

/* What belongs to the namespace from birth is opened in it. */
static int open_inside(struct netns *ns, struct error *err)
{
	ns->fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (ns->fd < 0)
		return error_sys(err, -errno, "open the network namespace");
	ns->nl = xnew(struct nl);
	return nl_open(ns->nl, err);
}

/* A neighbour that sends router advertisements must not become anyone's gateway (CVE-2020-10749);
 * and a link-local address would be tried out on the wire for a second.  Links are born with these.
 */
#define BELOW_PROC "sys/net/ipv6/conf/default/"
#define DEFAULTS   "/proc/" BELOW_PROC

/* Each namespace has names of its own below /proc/sys/net, and within one mount of proc they are
 * all in one chain of the kernel's cache: beside a thousand namespaces a look-up cost a quarter of
 * the whole attach.  So proc is opened anew, without being mounted anywhere.
 */
int netns_open_proc(void)
{
	autoclose int fs = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, 0);
}

static int open_defaults(int proc)
{
	int dir = -1;

	if (proc >= 0)
		dir = openat(proc, BELOW_PROC, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 ? dir : open(DEFAULTS, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void set_defaults(int proc)
{
	autoclose int dir = open_defaults(proc);

	if (dir < 0)
		return; /* no IPv6 */
	ignore_result(file_put_at(dir, "accept_ra", "0", NULL));
	ignore_result(file_put_at(dir, "addr_gen_mode", "1", NULL));
}

static int populate(const char *path, struct netns *ns, struct error *err)
{
	autoclose int proc = netns_open_proc();
	int r = open_inside(ns, err);

	if (r < 0)
		return r;
	set_defaults(proc);
	if (mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) < 0)
		return error_sys(err, -errno, "bind the network namespace to %s", path);
	return 0;
}

static void go_home(int home)
{
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* going on in the wrong network would be worse */
}

int netns_create(const char *path, struct netns *ret, struct error *err)
{
	autoclose int home = -1, file = -1;
	struct netns ns = NETNS_INIT;
	int r;

	if (explain("a network stack of its own, kept by a file; no neighbour can become its router",
		    "touch %1$s && unshare --net=%1$s sh -c 'cd " DEFAULTS
		    " && echo 0 > accept_ra && echo 1 > addr_gen_mode || :'",
		    sq(path)))
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
	go_home(home);
	if (r < 0) {
		netns_close(&ns);
		(void)unlink(path);
		return r;
	}
	*ret = ns;
	return 0;
}

int netns_create_held(const char *name, int proc, struct netns *ret, struct error *err)
{
	autoclose int home = -1;
	struct netns ns = NETNS_INIT;
	int r;

	if (explain("a network stack of its own; no neighbour can become its router",
		    "ip netns add %1$s && ip netns exec %1$s sh -c 'cd " DEFAULTS
		    " && echo 0 > accept_ra && echo 1 > addr_gen_mode || :'",
		    sq(name)))
		return 0;
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || unshare(CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "make a network namespace for %s", name);
	r = open_inside(&ns, err);
	if (r == 0)
		set_defaults(proc);
	go_home(home);
	if (r < 0) {
		netns_close(&ns);
		return r;
	}
	*ret = ns;
	return 0;
}

int netns_open(const char *path, struct netns *ret, struct error *err)
{
	autoclose int home = -1, there = -1;
	struct netns ns = NETNS_INIT;
	int r;

	if (explain_dry())
		return 0;
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (there < 0)
		return error_sys(err, -errno, "open network namespace %s", path);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || setns(there, CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "enter network namespace %s", path);
	r = open_inside(&ns, err);
	go_home(home);
	if (r < 0) {
		netns_close(&ns);
		return r;
	}
	*ret = ns;
	return 0;
}

int netns_put(const struct netns *ns, const char *where, const char *path, const char *value,
	      struct error *err)
{
	autoclose int home = -1;
	int r;

	if (explain("a parameter of that network stack", "%ssh -c 'echo %s > %s'", where, value,
		    path))
		return 0;
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || setns(ns->fd, CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "enter a network namespace");
	r = file_put_at(AT_FDCWD, path, value, err);
	go_home(home);
	return r;
}

int netns_remove(const char *path, struct error *err)
{
	if (explain("its network stack goes with the last process in it",
		    "umount -l %s 2> /dev/null || :; rm -f %s", sq(path), sq(path)))
		return 0;
	/* EPERM: unlink() refuses with EBUSY if there really is something mounted. */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT &&
	    errno != EPERM)
		return error_sys(err, -errno, "unmount %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s", path);
	return 0;
}
