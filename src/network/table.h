/* src/network/table.h - the table in nftables: rules that never change, and sets and maps that do.
 *
 * What a network or a published port adds is an element, so that neither attaching nor a packet
 * costs more when there are many; a container that publishes nothing adds none.  Who wants
 * something in the table collects elements and hands them over as one transaction.
 */
#ifndef NETWORK_TABLE_H
#define NETWORK_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/ip.h"
#include "kernel/nft.h"

struct network;
struct port;

struct table_element {
	const struct nft_set *set;
	struct nft_element e;
};

struct table_elements {
	struct table_element *items; /* owned */
	size_t n, room;
};
void table_elements_done(struct table_elements *v);

/* A bridge's place: as its switches say, with its subnets.  peer_links: bridges of its peers. */
void table_collect_network(struct table_elements *v, const struct network *network,
			   char *const *peer_links, size_t npeers);
/* One port to a container's addresses; a family that it has not (family 0) gets no element.
 * gateway6: whom a client at ::1 appears as; family 0: it cannot be reached from there.
 */
struct table_target {
	struct ip to4, to6, gateway6;
};
void table_collect_port(struct table_elements *v, const struct port *port,
			const struct table_target *to, const char *comment);

/* Makes the table if it is not there; what is there already is fine, except a map's element that
 * leads elsewhere (-EEXIST).
 */
int table_add(const char *table, const struct table_elements *v, struct error *err) must_check;
/* The same if the table is known to be there: one try. */
int table_extend(const char *table, const struct table_elements *v, struct error *err) must_check;
/* What is not there is fine. */
int table_remove(const char *table, const struct table_elements *v, struct error *err) must_check;
/* The same through a socket that is kept; NULL: none. */
int table_remove_through(struct nft_door *door, const char *table, const struct table_elements *v,
			 struct error *err) must_check;
/* The table with just these, in one step whether it was there or not. */
int table_replace(const char *table, const struct table_elements *v, struct error *err) must_check;
int table_delete(const char *table, struct error *err) must_check;
/* All elements of all sets; -ENOENT: there is no such table. */
int table_list(const char *table, struct table_elements *ret) must_check;
bool table_element_equal(const struct table_element *a, const struct table_element *b);
/* What table_collect_port() made it of; false if it is no published port. */
bool table_element_port(const struct table_element *element, struct port *ret, struct ip *ret_to);
/* "pub4 { tcp . 8080 : 10.120.0.2 . 80 }"; the caller frees. */
char *table_element_format(const struct table_element *element);

/* For table_rules.c: builds the table with all sets and rules; and its text for nft(8). */
void table_rules_build(struct nft *nft);
extern const char table_rules_text[];

/* Sets and maps, in the order of table_rules_text. */
enum table_set {
	SET_BRIDGES,
	SET_SELF,
	SET_PEERS,
	SET_INTERNAL,
	SET_STRICT,
	SET_OPEN,
	SET_ROUTED,
	SET_CLOSED4,
	SET_CLOSED6,
	SET_MASQ4,
	SET_MASQ6,
	SET_SAME4,
	SET_SAME6,
	SET_LOOP6,
	SET_LOOP6RANGE,
	SET_PUB4,
	SET_PUB4IP,
	SET_PUB4RANGE,
	SET_PUB4IPRANGE,
	SET_PUB6,
	SET_PUB6IP,
	SET_PUB6RANGE,
	SET_PUB6IPRANGE,
	SETS
};
extern const struct nft_set table_sets[SETS];

#endif
