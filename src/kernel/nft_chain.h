/* src/kernel/nft_chain.h - chains of any table, and the one kind of rule that we put into those of
 * others: accept, by link, at the first position.
 *
 * Such a rule is one that iptables-nft(8) can show, too: registers and their order are its own.  A
 * rule of ours is known by its comment.
 */
#ifndef KERNEL_NFT_CHAIN_H
#define KERNEL_NFT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define NFT_NAME_LEN    64 /* of tables and chains that we look at; others have longer ones */
#define NFT_COMMENT_LEN 128

struct nft_chain {
	uint8_t family; /* NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET */
	char table[NFT_NAME_LEN], name[NFT_NAME_LEN];
	int hook; /* NF_INET_FORWARD...; -1: a chain to jump to */
	int32_t priority;
	bool drops; /* by its policy */
};

/* Chains of all tables; a kernel without nf_tables has none. */
int nft_chain_list(void (*each)(void *data, const struct nft_chain *chain), void *data) must_check;

struct nft_seen_rule {
	uint64_t handle;
	char comment[NFT_COMMENT_LEN];
	bool drops; /* whatever comes: drop or reject, without a condition */
};
int nft_chain_rules(const struct nft_chain *chain,
		    void (*each)(void *data, const struct nft_seen_rule *rule),
		    void *data) must_check;

struct nft_accept {
	const char *link;
	bool out;         /* leaves by link; else it comes in there */
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP with a destination port; 0: all */
	uint16_t port;
	const char *comment;
};
int nft_chain_accept(const struct nft_chain *chain, const struct nft_accept *accept,
		     struct error *err) must_check;
/* Gone already is fine. */
int nft_chain_delete(const struct nft_chain *chain, uint64_t handle, struct error *err) must_check;

const char *nft_family_name(uint8_t family);

#endif
