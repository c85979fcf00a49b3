/* src/kernel/nft.h - nf_tables over netlink: batches of changes that happen all or not at all.
 *
 * Rules are built as lists of expressions on registers, as "nft --debug=netlink" prints them.  A
 * rule builder never fails by itself; nft_commit() reports the kernel's verdict on the whole batch.
 */
#ifndef KERNEL_NFT_H
#define KERNEL_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct nft; /* a batch being built */
struct nftnl_rule;

/* Types of set keys as nft(8) shows them; those of a concatenation are shifted together by 6 bits.
 */
enum nft_type {
	NFT_TYPE_IPADDR = 7,
	NFT_TYPE_IP6ADDR = 8,
	NFT_TYPE_PROTO = 12,
	NFT_TYPE_SERVICE = 13,
	NFT_TYPE_IFNAME = 41,
};
#define NFT_CONCAT(a, b) ((uint32_t)(a) << 6 | (uint32_t)(b))

struct nft_set {
	const char *name;
	uint32_t key_type, key_len;
	uint32_t data_type, data_len; /* of a map; else 0 */
	bool interval;
	bool counted;      /* each element counts the packets that found it */
	uint8_t fields[4]; /* lengths of a concatenation with intervals, else 0 */
};

/* A field of a concatenation begins at a register's start, every 4 bytes. */
struct nft_element {
	unsigned char key[32], key_end[32], data[32];
	bool has_end;     /* an interval: key to key_end, inclusive */
	char comment[64]; /* for people; "" is none */
};

/* All in table inet TABLE, or in one of another family, NFPROTO_*. */
struct nft *nft_new(const char *table);
struct nft *nft_new_of(uint8_t family, const char *table);
void nft_free(struct nft *nft);

void nft_add_table(struct nft *nft); /* fails if it is there already */
/* The same; it goes with the socket that makes it, whatever becomes of us: nft_commit_through(). */
void nft_own_table(struct nft *nft);
void nft_ensure_table(struct nft *nft);
void nft_del_table(struct nft *nft);
void nft_add_set(struct nft *nft, const struct nft_set *set);
/* type "filter" or "nat"; hook -1: a chain to jump to. */
void nft_add_chain(struct nft *nft, const char *name, const char *type, int hook, int priority);
void nft_add_element(struct nft *nft, const struct nft_set *set, const struct nft_element *e);
void nft_del_element(struct nft *nft, const struct nft_set *set, const struct nft_element *e);

struct nftnl_rule *nft_rule(struct nft *nft, const char *chain);
void nft_add_rule(struct nft *nft, struct nftnl_rule *rule); /* takes it */

/* Registers of 32 bits, 0 to 15. */
void nft_meta(struct nftnl_rule *r, uint32_t key, unsigned reg);
void nft_set_meta(struct nftnl_rule *r, uint32_t key, unsigned reg);
void nft_payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len, unsigned reg);
void nft_ct(struct nftnl_rule *r, uint32_t key, unsigned reg);
void nft_ct_original(struct nftnl_rule *r, uint32_t key, unsigned reg); /* as it was at first */
void nft_load(struct nftnl_rule *r, unsigned reg, const void *data, uint32_t len);
/* Writes an IPv6 address into the packet and its checksum. */
void nft_set_address6(struct nftnl_rule *r, uint32_t offset, unsigned reg);
void nft_and(struct nftnl_rule *r, unsigned reg, uint32_t mask);
void nft_fib_type(struct nftnl_rule *r, unsigned reg); /* of the destination address */
void nft_compare(struct nftnl_rule *r, bool equal, unsigned reg, const void *data, uint32_t len);
void nft_lookup(struct nftnl_rule *r, const char *set, unsigned reg);
void nft_lookup_not(struct nftnl_rule *r, const char *set, unsigned reg);
void nft_lookup_map(struct nftnl_rule *r, const char *map, unsigned reg, unsigned to);
/* family NFPROTO_IPV4 or NFPROTO_IPV6; the registers hold what the target is; port -1: the same. */
void nft_dnat(struct nftnl_rule *r, uint32_t family, unsigned address, int port);
void nft_masquerade(struct nftnl_rule *r);
void nft_counter(struct nftnl_rule *r);
void nft_verdict(struct nftnl_rule *r, int verdict, const char *chain); /* NF_DROP, NFT_JUMP, ... */

/* Whether there is such a table: 0 or -ENOENT. */
int nft_find_table(const char *table) must_check;
/* Appends the names of all tables inet. */
int nft_list_tables(struct strv *ret) must_check;
/* Calls each for every element of a set, in no order; -ENOENT: no such table or set.  Intervals are
 * put together.
 */
int nft_list_elements(const char *table, const struct nft_set *set,
		      void (*each)(void *data, const struct nft_element *e), void *data) must_check;

/* A socket that is kept: closing one waits until the kernel has freed what was deleted (RCU, 5 to
 * 20 ms), so that who deletes again and again does it once.  {0} is one not opened yet.
 */
struct nft_door {
	struct mnl_socket *sock;
};
void nft_door_close(struct nft_door *door);
/* As nft_commit(); door NULL: none is kept. */
int nft_commit_through(struct nft *nft, struct nft_door *door) must_check;
/* Sends the batch.  -EEXIST, -ENOENT as the kernel says; no text of its own. */
int nft_commit(struct nft *nft) must_check;

#endif
