/* src/network/orphan.h - bridges and tables of this root that no row of its database knows. */
#ifndef NETWORK_ORPHAN_H
#define NETWORK_ORPHAN_H

#include <stdbool.h>

#include "base/error.h"
#include "network/check.h"

struct network_site;
struct nl;

/* What the script of a dry run left, or a database that was lost.  A bridge is ours if its note
 * says so, a cable if it hangs in one of those, a table if it has those bridges and no other: what
 * another root has is never touched.  own_table is the one that the database knows.  Returns the
 * number of findings.
 */
int orphan_check(const struct network_site *site, struct nl *nl, const char *own_table, bool repair,
		 network_report_fn report, void *data, struct error *err) must_check;

#endif
