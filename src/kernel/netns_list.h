/* src/kernel/netns_list.h - the network namespaces of this host that can be named. */
#ifndef KERNEL_NETNS_LIST_H
#define KERNEL_NETNS_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define NETNS_LIST_MAX 1024 /* of a host with more, the rest stays unnamed */

struct netns_item {
	ino_t ino;
	pid_t pid;  /* a process in it; 0: none is known */
	char *path; /* to open it by */
	char *name; /* "netns blue" as ip netns has it, "process 4711 (dhcpd)" */
};

struct netns_list {
	struct netns_item *items;
	size_t n, room;
};

/* Those that "ip netns" knows, then those of processes that we may look at; each once. */
void netns_list_read(struct netns_list *ret);
void netns_list_done(struct netns_list *list);

#endif
