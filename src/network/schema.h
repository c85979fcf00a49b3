/* src/network/schema.h - the network tables of state.db.
 *
 * networks: one row a network, with its subnets.  leases: one row a container and network, written
 * before anything is made and deleted after all of it is gone, with its addresses and aliases.
 * ports: one row a published port or range.
 */
#ifndef NETWORK_SCHEMA_H
#define NETWORK_SCHEMA_H

struct db_schema;

extern const struct db_schema network_schema;

#endif
