/* src/network/member.h - who is in which network, under which names and addresses.
 *
 * What strake-dns answers from: it opens state.db read-only and lists members again whenever it is
 * told that something has changed.
 */
#ifndef NETWORK_MEMBER_H
#define NETWORK_MEMBER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/strv.h"

struct db;

/* One container in one network.  It is found as its name, the first 12 digits of its ID, its host
 * name and its aliases; several members may share an alias.
 */
struct member {
	char id[65];
	char *name;          /* NULL: none */
	struct strv aliases; /* of this network */
	struct ip ip, ip6;   /* family 0: none */
	char mac[18];
	char link[16]; /* the host's end of its cable */
};

struct members {
	struct member *items;
	size_t n, room;
};
void members_done(struct members *members);

int members_list(struct db *db, int64_t network, struct members *ret, struct error *err) must_check;

#endif
