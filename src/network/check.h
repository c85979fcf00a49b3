/* src/network/check.h - whether the kernel has what the database says, and the other way round. */
#ifndef NETWORK_CHECK_H
#define NETWORK_CHECK_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct db;

/* Links and published ports that belong to no container, and ports that should be published and are
 * not: somebody flushed the rules.  report is called for each; with repair the kernel then has what
 * the database says.  Returns the number of findings.
 */
int network_check(struct db *db, bool repair, void (*report)(void *data, const char *text),
		  void *data, struct error *err) must_check;

/* The rows of a container that runs, when the database was lost: from its cable and from what its
 * definition notes.  Inside a transaction.  ports are as port_format() writes them.
 */
int network_restore(struct db *db, const char *id, const char *network, const char *address,
		    const struct strv *ports, struct error *err) must_check;

#endif
