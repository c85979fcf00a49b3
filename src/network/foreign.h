/* src/network/foreign.h - other firewalls on this host.
 *
 * In nf_tables a drop anywhere wins: our table may accept what it likes, Docker's FORWARD policy,
 * ufw's, or an administrator's drop all the same.  So where a chain of others drops what it does
 * not know, it gets the least that lets a network work: two rules that accept by link in forward
 * chains (what may reach a container our own table decides), two for names in input chains.  They
 * are known by their comment, and go with the network.  firewalld is asked to do it itself, so that
 * its reload keeps it.  iptables-legacy, whose rules nobody can add to one by one, is only told of.
 */
#ifndef NETWORK_FOREIGN_H
#define NETWORK_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct network;
struct network_site;
struct strv;

/* Whatever is needed now and not there; what is not needed any more (another port) goes. */
int foreign_allow(const struct network_site *site, const struct network *network,
		  struct error *err) must_check;
/* Before the bridge goes. */
int foreign_forget(const struct network_site *site, const struct network *network,
		   struct error *err) must_check;

/* What is missing, as lines for people, and with repair is made; the number of them.  *ret_left of
 * those only the administrator can repair.
 */
int foreign_check(const struct network_site *site, const struct network *network, bool repair,
		  void (*report)(void *data, const char *text), void *data, int *ret_left,
		  struct error *err) must_check;
/* The same for rules of ours whose link is in none of links. */
int foreign_check_left(const struct strv *links, bool repair,
		       void (*report)(void *data, const char *text), void *data,
		       struct error *err) must_check;

#endif
