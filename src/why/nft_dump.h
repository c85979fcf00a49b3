/* src/why/nft_dump.h - a table of nftables as 'nft -j list table' prints it, out of the kernel.
 *
 * nft(8) takes three quarters of the time that ten thousand rules cost: it makes its own tree of
 * them, one of JSON, a text, and frees all.  What large rule sets are made of (addresses, ports,
 * links, states, marks, counters, verdicts) is read here; a table with anything else in it is left
 * to nft(8) as a whole.  That both say the same is a test.
 */
#ifndef WHY_NFT_DUMP_H
#define WHY_NFT_DUMP_H

#include <jansson.h>

#include "why/ruleset.h"

/* -EOPNOTSUPP: nft(8) must be asked.  The caller owns *ret_doc. */
int nft_dump(enum family family, const char *name, json_t **ret_doc) must_check;

#endif
