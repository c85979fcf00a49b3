/* src/why/owner.c */
#include "why/owner.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/macros.h"

enum place { TABLE, CHAIN, COMMENT };

/* The first that fits counts.  What ends in "*" is a prefix. */
static const struct mark {
	enum place place;
	const char *text;
	enum owner owner;
} marks[] = {
	{ TABLE, "strake*", OWNER_STRAKE },
	{ COMMENT, "strake*", OWNER_STRAKE },
	{ CHAIN, "strake*", OWNER_STRAKE },
	/* Docker makes it and leaves what is in it to the administrator. */
	{ CHAIN, "DOCKER-USER", OWNER_UNKNOWN },
	{ TABLE, "docker*", OWNER_DOCKER },
	{ CHAIN, "DOCKER*", OWNER_DOCKER },
	{ COMMENT, "docker*", OWNER_DOCKER },
	{ TABLE, "netavark*", OWNER_PODMAN },
	{ CHAIN, "NETAVARK*", OWNER_PODMAN },
	{ COMMENT, "netavark*", OWNER_PODMAN },
	{ CHAIN, "CNI-*", OWNER_CNI },
	{ TABLE, "cni_*", OWNER_CNI },
	{ COMMENT, "CNI *", OWNER_CNI },
	{ TABLE, "kube-proxy*", OWNER_KUBERNETES },
	{ CHAIN, "KUBE-*", OWNER_KUBERNETES },
	{ COMMENT, "kubernetes *", OWNER_KUBERNETES },
	{ CHAIN, "cali-*", OWNER_CALICO },
	{ TABLE, "calico*", OWNER_CALICO },
	{ COMMENT, "cali:*", OWNER_CALICO },
	{ CHAIN, "CILIUM_*", OWNER_CILIUM },
	{ COMMENT, "cilium*", OWNER_CILIUM },
	{ CHAIN, "FLANNEL-*", OWNER_FLANNEL },
	{ COMMENT, "flanneld*", OWNER_FLANNEL },
	{ TABLE, "firewalld", OWNER_FIREWALLD },
	{ CHAIN, "INPUT_direct", OWNER_FIREWALLD },
	{ CHAIN, "OUTPUT_direct", OWNER_FIREWALLD },
	{ CHAIN, "FORWARD_direct", OWNER_FIREWALLD },
	{ CHAIN, "INPUT_ZONES*", OWNER_FIREWALLD },
	{ CHAIN, "FORWARD_IN_ZONES*", OWNER_FIREWALLD },
	{ CHAIN, "FORWARD_OUT_ZONES*", OWNER_FIREWALLD },
	{ CHAIN, "PREROUTING_ZONES*", OWNER_FIREWALLD },
	{ CHAIN, "POSTROUTING_ZONES*", OWNER_FIREWALLD },
	{ CHAIN, "IN_*", OWNER_FIREWALLD },
	{ CHAIN, "FWDI_*", OWNER_FIREWALLD },
	{ CHAIN, "FWDO_*", OWNER_FIREWALLD },
	{ CHAIN, "ufw-*", OWNER_UFW },
	{ CHAIN, "ufw6-*", OWNER_UFW },
	{ TABLE, "libvirt*", OWNER_LIBVIRT },
	{ CHAIN, "LIBVIRT_*", OWNER_LIBVIRT },
	{ CHAIN, "libvirt-*", OWNER_LIBVIRT },
	{ TABLE, "lxc*", OWNER_LXC },
	{ TABLE, "lxd", OWNER_LXC },
	{ TABLE, "incus", OWNER_LXC },
	{ COMMENT, "generated for LXD*", OWNER_LXC },
	{ COMMENT, "generated for Incus*", OWNER_LXC },
	{ TABLE, "f2b-*", OWNER_FAIL2BAN },
	{ CHAIN, "f2b-*", OWNER_FAIL2BAN },
	{ CHAIN, "ts-*", OWNER_TAILSCALE },
};

static const char *const names[OWNER_COUNT] = {
	[OWNER_UNKNOWN] = "an administrator",
	[OWNER_STRAKE] = "strake",
	[OWNER_DOCKER] = "Docker",
	[OWNER_PODMAN] = "Podman",
	[OWNER_CNI] = "a CNI plugin",
	[OWNER_KUBERNETES] = "Kubernetes",
	[OWNER_CALICO] = "Calico",
	[OWNER_CILIUM] = "Cilium",
	[OWNER_FLANNEL] = "flannel",
	[OWNER_FIREWALLD] = "firewalld",
	[OWNER_UFW] = "ufw",
	[OWNER_LIBVIRT] = "libvirt",
	[OWNER_LXC] = "LXC",
	[OWNER_FAIL2BAN] = "fail2ban",
	[OWNER_TAILSCALE] = "Tailscale",
};

static bool fits(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, text, len - 1) == 0;
	return strcmp(pattern, text) == 0;
}

static enum owner find(enum place place, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (marks[i].place == place && fits(marks[i].text, text))
			return marks[i].owner;
	return OWNER_UNKNOWN;
}

enum owner owner_of_table(const char *name)
{
	return find(TABLE, name);
}

enum owner owner_of_chain(const char *name)
{
	return find(CHAIN, name);
}

enum owner owner_of_comment(const char *comment)
{
	return comment ? find(COMMENT, comment) : OWNER_UNKNOWN;
}

const char *owner_name(enum owner owner)
{
	return names[owner];
}
