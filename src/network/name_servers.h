/* src/network/name_servers.h - whom strake-dns asks what it does not know itself, for one
 * container; none: those of its network.
 */
#ifndef NETWORK_NAME_SERVERS_H
#define NETWORK_NAME_SERVERS_H

#include "base/error.h"

struct db;
struct strv;

/* Inside a transaction.  NULL or an empty list leaves what is there. */
int name_servers_note(struct db *db, const char *id, const struct strv *dns,
		      struct error *err) must_check;
/* Appends them. */
int name_servers_read(struct db *db, const char *id, struct strv *ret,
		      struct error *err) must_check;
int name_servers_forget(struct db *db, const char *id, struct error *err) must_check;

#endif
