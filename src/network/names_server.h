/* src/network/names_server.h - when strake-dns begins, is told of changes, and ends.
 *
 * Called by attach and detach for each bridge network whose names are on (!network->dns_off):
 *	names_server_start()	after the bridge has its addresses, before the container starts; it
 *may run already, then nothing is to be done names_server_changed()	after members were added or
 *removed (the rows are committed) names_server_stop()	with the last member gone, before the bridge
 *is deleted, inside the transaction that finds that it was the last All can be called again after a
 *crash.  A dry run only narrates.
 */
#ifndef NETWORK_NAMES_SERVER_H
#define NETWORK_NAMES_SERVER_H

#include "base/error.h"

struct network;
struct network_site;

int names_server_start(const struct network_site *site, const struct network *network,
		       struct error *err) must_check;
int names_server_changed(const struct network_site *site, const struct network *network,
			 struct error *err) must_check;
int names_server_stop(const struct network_site *site, const struct network *network,
		      struct error *err) must_check;

#endif
