/* src/disk/network_files.h - the files that bring a machine's network up, for what it has to do so.
 *
 * netplan, NetworkManager, ifupdown (Debian's, and that of Alpine) or systemd-networkd: the one
 * that the distribution itself would use.
 */
#ifndef DISK_NETWORK_FILES_H
#define DISK_NETWORK_FILES_H

#include <stdbool.h>

#include "base/error.h"

struct filetree;
struct placing;
struct network_plan;

enum network_manager {
	MANAGER_NONE,
	MANAGER_NETPLAN,
	MANAGER_NETWORK_MANAGER,
	MANAGER_IFUPDOWN,
	MANAGER_ALPINE,
	MANAGER_NETWORKD,
};

/* dhcp: it can ask for an address, too. */
enum network_manager network_manager_find(const struct filetree *t, bool dhcp);
/* Whether some file says already how a card gets an address. */
bool network_is_configured(const struct filetree *t);

/* plan is DHCP or static.  -ENOENT: nothing in the tree can do it. */
int network_files_put(struct placing *p, const struct network_plan *plan,
		      struct error *err) must_check;

#endif
