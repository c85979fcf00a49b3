/* src/why/owner.h - whose rules these are, told by the names that each program gives its own. */
#ifndef WHY_OWNER_H
#define WHY_OWNER_H

enum owner {
	OWNER_UNKNOWN, /* nobody signs it: an administrator's */
	OWNER_STRAKE,
	OWNER_DOCKER,
	OWNER_PODMAN,
	OWNER_CNI,
	OWNER_KUBERNETES,
	OWNER_CALICO,
	OWNER_CILIUM,
	OWNER_FLANNEL,
	OWNER_FIREWALLD,
	OWNER_UFW,
	OWNER_LIBVIRT,
	OWNER_LXC,
	OWNER_FAIL2BAN,
	OWNER_TAILSCALE,
	OWNER_COUNT,
};

enum owner owner_of_table(const char *name);
enum owner owner_of_chain(const char *name);
enum owner owner_of_comment(const char *comment);
const char *owner_name(enum owner owner); /* "Docker"; "an administrator" */

#endif
