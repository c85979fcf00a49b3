/* src/network/dns_records.h - who is called what, and who may know: the memory of strake-dns.
 *
 * An endpoint is one container in one network, with its addresses there and the names that it has
 * there.  All networks of an instance are known, so that a container in two of them sees both
 * whichever resolver it asks; a view says what one client sees.
 *
 * Changes come as a text, see dns_records_apply(), and happen all or not at all.
 */
#ifndef NETWORK_DNS_RECORDS_H
#define NETWORK_DNS_RECORDS_H

#include <stdbool.h>

#include "base/error.h"

#define DNS_UPDATE_MAX    (16U << 20) /* bytes of one change: 65536 containers, 250 bytes each */
#define DNS_ENDPOINTS_MAX 65536
#define DNS_LIST_MAX      128 /* names, addresses or servers of one endpoint */

struct dns_records;

/* Lists are texts behind one another, an empty one behind the last: for (p = list; *p; p +=
 * strlen(p) + 1).
 */
struct dns_endpoint {
	const char *network, *container;
	const char *addresses; /* as inet_ntop() writes them */
	const char *names;     /* small letters; the container's own name first */
	const char *servers;   /* whom to ask for other names; empty: the network's */
};

struct dns_records *dns_records_new(void);
void dns_records_free(struct dns_records *records);

/* Lines, the last of which is "end", so that half a text changes nothing:
 *
 *	replace					forget everything first
 *	del CONTAINER				in all its networks
 *	add NETWORK CONTAINER ADDRESSES NAMES SERVERS
 *
 * with commas inside the lists, and "-" for an empty one.  -EBADMSG: refused as a whole.
 */
int dns_records_apply(struct dns_records *records, const char *text, size_t len,
		      struct error *err) must_check;

/* How many containers are in a network. */
size_t dns_records_count(const struct dns_records *records, const char *network);

/* What the client with this address, asking in this network, sees: the networks of its container;
 * who is no container (the host) sees this one.
 */
struct dns_view {
	const struct dns_records *records;
	const char *network;
	const struct dns_endpoint *client; /* NULL: none */
};
struct dns_view dns_view_of(const struct dns_records *records, const char *network,
			    const char *address);

typedef void (*dns_endpoint_fn)(void *data, const struct dns_endpoint *endpoint);
/* All that have a name; only says: in this network, NULL: in any.  Returns how many. */
size_t dns_view_name(const struct dns_view *view, const char *name, const char *only,
		     dns_endpoint_fn each, void *data);
/* The one that has an address, or NULL. */
const struct dns_endpoint *dns_view_address(const struct dns_view *view, const char *address);

#endif
