/* src/kernel/netns.h - network namespaces that live as long as a file: network_namespaces(7).
 *
 * The file is a bind mount of the namespace, what "ip netns add" makes under /run/netns.
 */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include "base/error.h"

struct nl;

struct netns {
	int fd;        /* of the namespace; -1 in a dry run */
	struct nl *nl; /* a netlink socket inside; NULL in a dry run */
};
#define NETNS_INIT ((struct netns) { .fd = -1 })
void netns_close(struct netns *ns);

/* Makes one and opens it.  The calling process has one thread and is where it was afterwards. */
int netns_create(const char *path, struct netns *ret, struct error *err) must_check;
/* The same without a file: it lives as long as a descriptor or a process has it.  name is what it
 * is called in narration, where "ip netns" keeps it.  proc is netns_open_proc()'s, for many.
 */
int netns_create_held(const char *name, int proc, struct netns *ret, struct error *err) must_check;
/* A mount of proc of the caller's own, that is nowhere in the file system; or -1, which is fine. */
int netns_open_proc(void);
/* One that there is, by its file. */
int netns_open(const char *path, struct netns *ret, struct error *err) must_check;
/* Writes a sysctl of it; path below /proc/sys/net, where as in link.h. */
int netns_put(const struct netns *ns, const char *where, const char *path, const char *value,
	      struct error *err) must_check;
/* Unmounts and removes the file; the namespace goes with its last process.  Nothing there is fine.
 */
int netns_remove(const char *path, struct error *err) must_check;

#endif
