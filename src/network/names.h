/* src/network/names.h - the files in /etc that tell a container names: hosts, resolv.conf,
 * hostname; as Docker's users expect them.
 */
#ifndef NETWORK_NAMES_H
#define NETWORK_NAMES_H

#include <stdbool.h>

#include "base/error.h"

struct strv;

struct names_request {
	const char *dir; /* of the container on the host; the three files are written there */
	const char *hostname;
	const char *name;              /* the container's, a further name of its addresses */
	const struct strv *addresses;  /* its own, of all its networks; may be empty */
	const struct strv *resolvers;  /* where strake-dns answers it; empty: nowhere */
	const struct strv *dns;        /* --dns; strake-dns asks them, if it is there */
	const struct strv *dns_search; /* --dns-search; "." alone: none */
	const struct strv *dns_option; /* --dns-option */
	const struct strv *add_host; /* NAME:ADDRESS or NAME=ADDRESS; ADDRESS may be host-gateway */
	const char *host_gateway;    /* what that is; NULL: nothing */
	bool host_network; /* the host's hosts file is the start, and its loopback works */
};

int names_write(const struct names_request *req, struct error *err) must_check;

/* For names_edit.c: a container's own line of hosts; and the host's name servers that a container
 * with a namespace of its own can reach.
 */
struct buf;
void names_add_own(const char *hostname, const char *name, const char *address, struct buf *hosts);
void names_host_servers(struct strv *ret);

#endif
