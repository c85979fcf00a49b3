/* src/network/names_records.h - what strake-dns is told of containers, out of the database, in the
 * lines of dns_records.h.
 */
#ifndef NETWORK_NAMES_RECORDS_H
#define NETWORK_NAMES_RECORDS_H

#include <stdbool.h>

#include "base/error.h"

#define NAMES_RECORDS_MAX (16U << 20) /* as dns_records.h */

struct buf;
struct db;

enum names_scope {
	NAMES_OF_ALL,
	NAMES_OF_CONTAINER,
	NAMES_OF_NEIGHBOURS, /* it and all that are in its networks */
};

/* is_change: in the place of what is known of these containers. */
int names_records_add(struct db *db, enum names_scope scope, const char *id, bool is_change,
		      struct buf *text, struct error *err) must_check;
/* The end of a change. */
int names_records_end(struct buf *text, struct error *err) must_check;

#endif
