/* src/kernel/xtables.h - the tables of iptables-legacy, read only: ip_tables(4)'s getsockopt(2). */
#ifndef KERNEL_XTABLES_H
#define KERNEL_XTABLES_H

#include <stdbool.h>

/* AF_INET or AF_INET6.  Whether its FORWARD chain has policy DROP, and no rule that names link.
 * Without its filter table (nothing is loaded to look) or the right to see it: false.
 */
bool xtables_forward_drops(int family, const char *link);

#endif
