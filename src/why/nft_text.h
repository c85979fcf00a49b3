/* src/why/nft_text.h - JSON of libnftables(5) written in the language of nft(8) again, so that a
 * rule out of a file stands there as whoever wrote it knows it.
 */
#ifndef WHY_NFT_TEXT_H
#define WHY_NFT_TEXT_H

#include <jansson.h>

struct buf;

/* {"match": ...}, {"drop": null}; what is not known is written as the JSON that it is. */
void nft_text_statement(const json_t *statement, struct buf *to);
void nft_text_expression(const json_t *expression, struct buf *to);

#endif
