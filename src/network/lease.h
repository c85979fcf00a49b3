/* src/network/lease.h - rows of a container's place in one network, and reading them again.
 *
 * Addresses go round: the next one is given before one that was given back, because the cable that
 * had it is removed by the kernel a moment after its namespace.  Such cables are noted as
 * leftovers, so that whoever gets the address makes sure.
 */
#ifndef NETWORK_LEASE_H
#define NETWORK_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct db;
struct endpoint;
struct endpoint_request;
struct network_lease;
struct network_request;

/* Inside a transaction.  Makes the default network if it is asked for; chooses addresses, link and
 * interface name.  ret is written on success and is the caller's to endpoint_done().
 */
int lease_add(struct db *db, const struct network_request *req,
	      const struct endpoint_request *endpoint, struct endpoint *ret,
	      struct error *err) must_check;
void endpoint_done(struct endpoint *endpoint);

/* Inside a transaction: the rows go, what its cable was is a leftover. */
int lease_drop(struct db *db, const char *id, int64_t network, struct error *err) must_check;
/* Cables that may still have one of these addresses; they are no leftovers any more. */
int lease_take_leftovers(struct db *db, const struct endpoint *endpoint, struct strv *ret,
			 struct error *err) must_check;

/* 15 letters, digits, "_", "." and "-" at most, and none that the kernel uses. */
bool interface_name_is_valid(const char *name);
/* "02:53:0a:78:00:02"; -EINVAL also for a group's address. */
int mac_parse(const char *text, unsigned char ret[6]) must_check;

#endif
