/* src/network/network.h - networks as the database knows them. */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>

#include "base/error.h"
#include "base/strv.h"

struct db;

#define NETWORK_DEFAULT    "bridge"
#define NETWORK_PREFIX_LEN 20 /* of those that we choose: 4093 containers */

struct network {
	int64_t id;
	char name[64];
	char bridge[IF_NAMESIZE];
	struct in_addr net; /* its address, all host bits 0 */
	unsigned prefix_len;
	int64_t users; /* containers in it now */
};

int network_find(struct db *db, const char *name, struct network *ret,
		 struct error *err) must_check;
/* The default network, made at first use with a subnet that no route of the host overlaps. */
int network_find_default(struct db *db, struct network *ret, struct error *err) must_check;
/* Those that the database knows, and those that there are for the user. */
int network_names(struct db *db, struct strv *ret, struct error *err) must_check;
int network_list(struct db *db, struct strv *ret, struct error *err) must_check;
int network_delete(struct db *db, int64_t id, struct error *err) must_check;
struct in_addr network_gateway(const struct network *network); /* the first address */
/* Everything known, for people and programs; the caller owns *ret. */
int network_inspect(struct db *db, const char *name, json_t **ret, struct error *err) must_check;

#endif
