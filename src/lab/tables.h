/* src/lab/tables.h - what the devices of a lab know: interfaces, forwarding databases, neighbours,
 * routes, connections, as rows of cells for all nodes together.
 */
#ifndef LAB_TABLES_H
#define LAB_TABLES_H

#include <jansson.h>
#include <stdio.h>

#include "base/strv.h"
#include "lab/lab.h"

enum table_kind {
	TABLE_INTERFACES,
	TABLE_FDB,
	TABLE_NEIGHBOURS,
	TABLE_ROUTES,
	TABLE_CONNECTIONS, /* of nodes that translate addresses */
	TABLE_KINDS
};

struct table_row {
	enum table_kind kind;
	struct strv cells; /* the first is the node's name */
};

struct tables {
	struct table_row *rows;
	size_t n;
};

/* Of the nodes named, or of all if there are none. */
int tables_read(struct lab *lab, char *const *nodes, size_t n, struct tables *ret,
		struct error *err) must_check;
void tables_done(struct tables *tables);
void tables_print(const struct tables *tables, FILE *to);
json_t *tables_json(const struct tables *tables); /* the caller owns it */
/* Rows that went with "-", rows that came with "+". */
void tables_print_change(const struct tables *before, const struct tables *after, FILE *to);

/* One entry of a switch's database, in terms of the topology: with VLANs that are built of several
 * bridges, too.
 */
struct fdb_entry {
	unsigned char mac[6];
	size_t interface; /* the port; of an own address, the interface that has it */
	uint16_t vlan;    /* 0: the switch knows no VLANs */
	bool own;         /* the switch's own address; else it was learned or put there */
	struct ip remote; /* behind a tunnel: its other end; family 0 */
	unsigned age_ms;
};
/* The caller frees ret. */
int fdb_read(struct lab *lab, size_t node, struct fdb_entry **ret, size_t *ret_n,
	     struct error *err) must_check;

/* Who has this address: false if no interface of the lab.  Of those that share one (a tag and what
 * it is on), the first.
 */
bool topology_find_mac(const struct topology *t, const unsigned char mac[6], struct link_end *ret);

#endif
