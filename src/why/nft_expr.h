/* src/why/nft_expr.h - the kernel's expressions of a rule as the statements that nft(8) prints. */
#ifndef WHY_NFT_EXPR_H
#define WHY_NFT_EXPR_H

#include <jansson.h>
#include <stdint.h>

#include "base/macros.h"

struct nftnl_rule;

/* Appends them; -EOPNOTSUPP: there is something in it that is not known here. */
int nft_expr_read(const struct nftnl_rule *rule, uint8_t nfproto, json_t *exprs) must_check;

#endif
