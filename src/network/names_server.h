/* src/network/names_server.h - when strake-dns begins, is told of changes, and ends.
 *
 * Called by attach and detach for each bridge network whose names are on (!network->dns_off):
 * names_server_start() after the bridge has its addresses and before the container starts, one that
 * runs is left alone; names_server_added() when the transaction that gave a container a lease is
 * over; names_server_changed() after any other change: with the last container of a network its
 * resolver ends.  All can be called again after a crash.  A dry run only narrates.
 *
 * It answers on a port that is free, and an element of the table leads port 53 of the network's
 * gateways there: so port 53 of the host stays everybody's, to publish or to listen on.
 *
 * run_root/networks/NAME/names is the socket on which it hears of changes, and "port" beside it
 * says where it answers.  What it knows comes from the database alone, read and sent under one
 * lock, so that it is never older than what a later command sends.  Whoever holds that lock begins
 * no transaction.
 */
#ifndef NETWORK_NAMES_SERVER_H
#define NETWORK_NAMES_SERVER_H

#include <stdbool.h>

#include "base/error.h"

struct network;
struct network_site;

int names_server_start(const struct network_site *site, const struct network *network,
		       struct error *err) must_check;
/* Inside the transaction that takes its bridge away. */
int names_server_stop(const struct network_site *site, const struct network *network,
		      struct error *err) must_check;
/* id: of a container that has just got a lease, and kept all that it had. */
int names_server_added(const struct network_site *site, const char *id,
		       struct error *err) must_check;
/* id: of a container that may have lost a lease, or has other names. */
int names_server_changed(const struct network_site *site, const char *id,
			 struct error *err) must_check;

/* Those that should run and do not, and the other way round; with repair that is put right.  report
 * may be NULL.
 */
int names_server_check(const struct network_site *site, bool repair,
		       void (*report)(void *data, const char *text), void *data,
		       struct error *err) must_check;

#endif
