/* src/network/names.h - the files in /etc that tell a container names: hosts, resolv.conf,
 * hostname. */
#ifndef NETWORK_NAMES_H
#define NETWORK_NAMES_H

#include <stdbool.h>

#include "base/error.h"

struct strv;

struct names_request {
	const char *dir; /* of the container on the host; the three files are written there */
	const char *hostname;
	const char *name;            /* the container's, a further name of its address */
	const char *address;         /* NULL: none */
	const struct strv *dns;      /* addresses; empty: the host's */
	const struct strv *add_host; /* NAME:ADDRESS */
	bool host_network; /* the host's hosts file is the start, and its loopback works */
};

int names_write(const struct names_request *req, struct error *err) must_check;

#endif
