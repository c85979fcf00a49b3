/* src/cni/result.h - what a plugin answers, in the form of the version that was asked for. */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/ip.h"
#include "cni/config.h"

struct cni_result_link {
	const char *name, *mac;
	const char *sandbox; /* namespace's path; NULL: on the host */
	unsigned mtu;
};

struct cni_result {
	struct cni_result_link links[3]; /* the last one is the container's */
	size_t nlinks;
	struct ip_net ip, ip6; /* family 0: none */
	struct ip gateway, gateway6;
	bool no_default;               /* no default route was made */
	const struct network *network; /* its further routes */
};

/* prevResult of the configuration comes first, as it is.  The caller owns the document. */
json_t *cni_result_format(const struct cni_result *result, const struct cni_config *config);
json_t *cni_result_failure(enum cni_version version, const struct cni_failure *f);
json_t *cni_result_versions(enum cni_version version);

#endif
