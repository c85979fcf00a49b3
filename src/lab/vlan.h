/* src/lab/vlan.h - VLANs of switches and of routers on a stick.
 *
 * MEANS_KERNEL: BRIDGE_NAME filters VLANs, eth0.10 is an 802.1Q link.
 * MEANS_BUILT:  each VLAN of a switch has a bridge of its own, BRIDGE_NAME.10 for VLAN 10
 *               and BRIDGE_NAME for VLAN 1. An access port is plugged into its VLAN's bridge.  A
 *               trunk is in none: its frames go through a leg for each VLAN (kernel/tag.h), whose
 *               end NAME.10 is plugged in and whose end NAME+10 has the program.  A router's
 * eth0.10 is one end of such a leg.
 */
#ifndef LAB_VLAN_H
#define LAB_VLAN_H

#include "lab/raise.h"

/* The first part of an index: legs and VLAN bridges have indices that no interface has. */
#define VLAN_BRIDGE_INDEX 20000
#define VLAN_LEG_INDEX    30000

/* What a lab with VLANs needs on this kernel; MEANS_NOT_NEEDED if it has none. */
enum lab_means vlan_means(const struct topology *t);

/* Which bridge of its node a port is plugged into: "" if none. */
void vlan_master(const struct raised *raised, size_t node, const struct interface *in,
		 char ret_name[IF_NAMESIZE], int *ret_index);
/* BRIDGE_NAME and, built, the others. */
int vlan_make_bridges(const struct raised *raised, size_t node, struct error *err) must_check;
/* After all cables of the node are there. */
int vlan_set_ports(const struct raised *raised, size_t node, struct error *err) must_check;
int vlan_make_link(const struct raised *raised, size_t node, size_t interface,
		   struct error *err) must_check;

/* Of a switch whose VLANs are built: whose leg this is, and which VLAN a bridge is for. */
size_t vlan_leg_port(const struct node *node, int index);
uint16_t vlan_of_bridge(const struct node *node, int index);

#endif
