/* src/why/load.h - rule sets out of files, or out of the kernel. */
#ifndef WHY_LOAD_H
#define WHY_LOAD_H

#include "base/error.h"

struct ruleset;

#define LOAD_SIZE_MAX (16U << 20) /* of one file, as JSON_SIZE_MAX */

/* What "nft -j list ruleset", iptables-save, ip6tables-save and ebtables-save printed, several
 * files as one; "-" is standard input.  Privileges are not needed.
 */
int load_files(struct ruleset *ret, char *const *paths, size_t n, struct error *err) must_check;

/* The whole of a namespace (netns_fd -1: our own), by the programs of these names.  A program that
 * is not there is fine where nothing is missed without it: nft cannot be done without. ret_warning,
 * if not "", is one for the user: both back ends of iptables are in use.
 */
#define LOAD_WARNING_LEN 256
int load_live(struct ruleset *ret, int netns_fd, char ret_warning[LOAD_WARNING_LEN],
	      struct error *err) must_check;

#endif
