/* src/network/choose.h - what is free on this host: subnets, names of bridges and of the table. */
#ifndef NETWORK_CHOOSE_H
#define NETWORK_CHOOSE_H

#include <net/if.h>

#include "base/error.h"
#include "base/ip.h"

struct db;
struct network;
struct network_subnet;

/* A subnet that overlaps no route of the host and no network of ours, whole, with its first address
 * as gateway: a /20 from 10.120.0.0 on, or a random /64 of fd00::/8.
 */
int choose_subnet(struct db *db, uint8_t family, struct network_subnet *ret,
		  struct error *err) must_check;
/* -EEXIST with the name of what overlaps.  except: the index of a link whose routes may. */
int choose_check_subnet(struct db *db, const struct ip_net *net, int except,
			struct error *err) must_check;
/* The same against networks of ours alone.  parent: the link that the network's containers hang on,
 * whose wire has nothing to do with that of another parent; NULL for a bridge.
 */
int choose_check_networks(struct db *db, const struct ip_net *net, const char *parent,
			  struct error *err) must_check;
/* Before the first container of a managed bridge network: its bridge has a name that no link of
 * another has, and the instance has a table.  The row and network->link are changed.
 */
int choose_names(struct db *db, struct network *network, struct error *err) must_check;

#endif
