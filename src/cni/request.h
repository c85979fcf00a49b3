/* src/cni/request.h - what a runtime says in the environment of a plugin. */
#ifndef CNI_REQUEST_H
#define CNI_REQUEST_H

#include <net/if.h>
#include <stdbool.h>

#include "base/ip.h"
#include "cni/failure.h"

enum cni_command { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS, CNI_VERSIONS };

#define CNI_CONTAINER_MAX 255 /* bytes of a container's ID */

struct cni_request {
	enum cni_command command;
	char container[CNI_CONTAINER_MAX + 1];
	char ifname[IF_NAMESIZE];
	const char *netns; /* NULL: none, as DEL has it after a reboot; borrowed */
	struct ip ip, ip6; /* CNI_ARGS: IP=...; family 0: none */
	bool has_mac;
	unsigned char mac[6]; /* MAC=... */
	char pod[256];        /* K8S_POD_NAME=...; "" */
};

/* get as getenv(3). */
int cni_request_read(const char *(*get)(const char *name), struct cni_request *ret,
		     struct cni_failure *f) must_check;
/* Letters, digits, "_", "." and "-", the first a letter or digit. */
bool cni_name_is_valid(const char *name);
bool cni_ifname_is_valid(const char *name);

#endif
