/* src/lab/read.h - between the files that read a lab: nodes, interfaces, links. */
#ifndef LAB_READ_H
#define LAB_READ_H

#include "lab/topology.h"
#include "lab/yaml.h"

struct reading {
	struct yaml_reader rd;
	struct topology *t;
};

/* One more element, zeroed, at the end of a vector whose room is always a power of two. */
void *vec_add(void *items, size_t *n, size_t size) must_check;
#define VEC_ADD(items, n) (&((items) = vec_add((items), &(n), sizeof(*(items))))[(n)-1])

/* The interface of that name, made if it is not there; NULL after a failure. */
struct interface *read_interface_named(struct reading *g, struct node *node, const char *name,
				       const struct yaml *at);
/* "interfaces:" of a node; shift is how many addresses on, for the shift'th name of a range. */
void read_interfaces(struct reading *g, struct node *node, const struct yaml *map, size_t shift);
void read_addresses(struct reading *g, struct interface *in, const struct yaml *list, size_t shift);
/* Keys that a port may have beside its interface and its link: vlan, trunk, native, isolated. */
void read_port(struct reading *g, struct interface *in, const struct yaml *map);
void read_mac(struct reading *g, const struct yaml *y, unsigned char ret[6]);

/* "links:", after all nodes are known. */
void read_links(struct reading *g, const struct yaml *list);

/* Everything about a node that names its interfaces, after these have got their names. */
void read_node_rest(struct reading *g, struct node *node, const struct yaml *map);
void read_ip(struct reading *g, const struct yaml *y, const char *name, struct ip *ret);

/* An entry of "checks:", after all that it may name. */
void read_check(struct reading *g, const struct yaml *y);

#endif
