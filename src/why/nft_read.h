/* src/why/nft_read.h - "nft -j list ruleset", libnftables-json(5), into the model.
 *
 * A file is not trusted: what has not the form of a rule set is an error that names the place.  A
 * match or statement that is well formed and not known is kept as unknown, with its text.
 */
#ifndef WHY_NFT_READ_H
#define WHY_NFT_READ_H

#include <jansson.h>

#include "base/error.h"

struct ruleset;

/* what names the document in errors.  Call ruleset_finish() when all is read. */
int nft_read(struct ruleset *rs, const json_t *doc, const char *what, struct error *err) must_check;

#endif
