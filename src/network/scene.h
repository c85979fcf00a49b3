/* src/network/scene.h - takes the picture of what is really there, from the kernel.
 *
 * Links, addresses and routes come from rtnetlink in each namespace, published ports and NAT from
 * our table in nf_tables, listening sockets from /proc/net.  From our state come names alone: of
 * containers with their namespaces, and of networks with their bridges.
 */
#ifndef NETWORK_SCENE_H
#define NETWORK_SCENE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct picture;

struct scene_container {
	const char *name;
	const char *netns; /* path of its namespace */
	pid_t pid;         /* of its first process; 0: unknown */
};

struct scene_network {
	const char *name;
	const char *link; /* its bridge, or its parent */
};

struct scene {
	const struct scene_container *containers;
	const struct scene_network *networks;
	size_t ncontainers, nnetworks;
	const char *table; /* ours in nf_tables; NULL: none */
};

int scene_read(const struct scene *scene, struct picture *ret, struct error *err) must_check;

#endif
