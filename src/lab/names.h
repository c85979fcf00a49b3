/* src/lab/names.h - how the nodes of a lab know each other by name: files in the lab's directory
 * that stand in /etc of its nodes.
 *
 *	hosts		/etc/hosts with all nodes, of a node that asks nobody
 *	hosts.NODE	of a name server ("dns:"): all nodes and its records, and what it answers
 *			from; of a node that asks one ("resolver:"): itself alone
 *	resolv.NODE	/etc/resolv.conf of a node that asks one
 *
 * What is written into them inside a node is written here, and heeded from then on.
 */
#ifndef LAB_NAMES_H
#define LAB_NAMES_H

#include "base/error.h"
#include "lab/topology.h"

#define NAMES_MAX (1U << 22) /* bytes of a hosts file: 4096 nodes with many addresses */

int lab_names_write(const char *dir, const struct topology *t, struct error *err) must_check;
/* Of one node; the caller frees.  The second is NULL if it has none of its own. */
char *lab_names_hosts(const char *dir, const struct node *node);
char *lab_names_resolv(const char *dir, const struct node *node);

/* What one node's files hold; of resolv.conf nothing if it asks nobody. */
struct buf;
void lab_names_put_hosts(const struct topology *t, const struct node *node, struct buf *to);
void lab_names_put_resolv(const struct node *node, struct buf *to);

#endif
