/* src/network/network.h - networks as the database knows them.
 *
 * A network of driver bridge is a switch in the kernel while it has containers, and a row always;
 * the network "bridge" alone has its row, too, only while it has containers.  macvlan and ipvlan
 * have no link of their own: each container's hangs on the parent.
 */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/strv.h"

struct db;

#define NETWORK_DEFAULT  "bridge"
#define NETWORK_NAME_LEN 64

enum network_driver { NETWORK_BRIDGE, NETWORK_MACVLAN, NETWORK_IPVLAN };

/* What containers of other bridges reach here, beside what they may as peers. */
enum network_isolation {
	ISOLATE_PUBLISHED, /* published ports (default) */
	ISOLATE_STRICT,    /* nothing */
	ISOLATE_OPEN,      /* everything, in both directions, with others that are open */
};

struct network_subnet {
	int64_t id;
	struct ip_net net;
	struct ip gateway;     /* family 0: none */
	struct ip first, last; /* what containers are given without asking, inclusive */
};

struct network_route {
	struct ip_net to;
	struct ip via;
	unsigned metric; /* 0: the kernel's */
};

struct network {
	int64_t id;
	char name[NETWORK_NAME_LEN];
	enum network_driver driver;
	char link[IF_NAMESIZE]; /* the bridge, or the parent; "" until a bridge's first container */
	bool managed;           /* the bridge is ours to make and delete */
	bool kept;              /* made by a user: stays without containers */
	int64_t created_ns;
	struct network_subnet *subnets; /* owned */
	size_t nsubnets;

	bool internal; /* no way out */
	bool icc_off;  /* its containers do not reach one another */
	bool routed;   /* no masquerade; its addresses are reached from outside */
	bool masquerade_off;
	bool dns_off;     /* no names_server for it */
	bool default_off; /* no default route by its gateway */
	enum network_isolation isolation;
	unsigned mtu;                 /* 0: as the uplink */
	unsigned mode;                /* of macvlan and ipvlan: the kernel's number */
	char interface[IF_NAMESIZE];  /* prefix of names inside; "" is "eth" */
	struct strv peers;            /* networks that it reaches, and that reach it */
	struct strv dns;              /* servers to forward to in place of the host's */
	struct strv labels, opts;     /* NAME=VALUE, as given */
	struct network_route *routes; /* for its containers; owned */
	size_t nroutes;

	int64_t users; /* containers in it now */
};
void network_done(struct network *network); /* leaves it empty */
#define network_cleanup_value network_done  /* cleanup(network_cleanup_value) struct network n */

/* ret is the caller's to network_done() on success. */
int network_find(struct db *db, const char *name, struct network *ret,
		 struct error *err) must_check;
int network_find_id(struct db *db, int64_t id, struct network *ret, struct error *err) must_check;
/* The default network, made at first use with a subnet that no route of the host overlaps. */
int network_find_default(struct db *db, struct network *ret, struct error *err) must_check;
/* Names of those that the database knows; with builtin those that there always are as well. */
int network_names(struct db *db, bool builtin, struct strv *ret, struct error *err) must_check;
/* Is it "none", "host", "container:..." or a path: no network, but a way to have none of ours? */
bool network_is_mode(const char *name);

/* The first subnet of a family, or NULL. */
const struct network_subnet *network_subnet(const struct network *network, uint8_t family);
/* New rows, inside a transaction; n->id and those of its subnets do not matter. */
int network_insert(struct db *db, const struct network *n, struct error *err) must_check;
int network_set_link(struct db *db, int64_t id, const char *link, struct error *err) must_check;
/* One that is not kept and has no container goes; db_changes() tells. */
int network_forget(struct db *db, int64_t id, struct error *err) must_check;

/* The table in nftables of this instance: "strake", or "strake-1" beside another instance; "" while
 * none was needed.
 */
#define NETWORK_TABLE_LEN 32
int network_table(struct db *db, char ret[NETWORK_TABLE_LEN], struct error *err) must_check;

#endif
