/* src/network/names_edit.h - a running container's hosts and resolv.conf after it has come into a
 * network, or left one.
 *
 * Only what follows from its addresses is touched; what the user or the container itself has
 * written there stays.  The files are mounted into the container one by one, so they are written in
 * place: a new file under the old name would not be seen inside.
 */
#ifndef NETWORK_NAMES_EDIT_H
#define NETWORK_NAMES_EDIT_H

#include "base/error.h"

struct network_lease;

struct names_change {
	const char *dir;  /* with the three files; one without them has none to change */
	const char *name; /* the container's */
	const struct network_lease *before, *after;
};

int names_edit(const struct names_change *change, struct error *err) must_check;

#endif
