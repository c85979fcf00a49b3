/* src/cni/config.h - a network configuration as it comes on standard input: parsed once.
 *
 * The keys are those of the reference plugins where they mean the same, see docs/cni.md.  What is
 * known and not done is refused (CNI_UNSUPPORTED); what nobody here knows is left to others.
 */
#ifndef CNI_CONFIG_H
#define CNI_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"
#include "cni/failure.h"
#include "network/network.h"

#define CNI_CONFIG_MAX (1U << 20) /* bytes; a real one has a few thousand */

/* In the order of their age. */
enum cni_version { CNI_0_3_0, CNI_0_3_1, CNI_0_4_0, CNI_1_0_0, CNI_1_1_0, CNI_VERSION_COUNT };

struct cni_config {
	enum cni_version version;
	char *name;             /* of the network among CNI's */
	char *root, *run_root;  /* of our state; NULL: the usual ones */
	struct network network; /* what it should be, without ID; name is ours, bridge or parent in
				 * link
				 */
	bool own;  /* the configuration says what the network is; else it is one of strake's */
	bool ipv6; /* without subnets: choose one of each family */

	/* of this attachment */
	struct ip ip, ip6;
	bool has_mac;
	unsigned char mac[6];
	uint64_t rate_up, rate_down; /* bits a second; 0: no limit */
	struct strv publish;         /* as port.h */
	struct strv aliases;
	json_t *dns;      /* for the result; never NULL after parsing */
	json_t *previous; /* prevResult, or NULL */
	bool has_valid;
	struct strv valid; /* GC: "CONTAINER/IFNAME" */
};

int cni_config_parse(const char *bytes, size_t len, struct cni_config *ret,
		     struct cni_failure *f) must_check;
void cni_config_done(struct cni_config *c);

const char *cni_version_name(enum cni_version version);
/* CNI_VERSION_COUNT: not one of ours. */
enum cni_version cni_version_find(const char *name);

#endif
