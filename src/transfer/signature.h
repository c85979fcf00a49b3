/* src/transfer/signature.h - simple signing: a signed text that says which digest a name has.
 *
 * Two ways to sign the same text: GnuPG (a message, in a directory beside the registry, the
 * "lookaside") and sigstore (a public key; kept in the registry under the tag sha256-HEX.sig).
 */
#ifndef TRANSFER_SIGNATURE_H
#define TRANSFER_SIGNATURE_H

#include <stddef.h>

#include "base/error.h"

struct policy_question;
struct requirement;

/* Whether one signature is by one of the keys and names digest and identity.  -EINVAL: a key cannot
 * be read.
 */
int signature_check(const struct requirement *r, const struct policy_question *q,
		    struct error *err) must_check;

/* What a signed text says, against what was asked for; hostile only until its signature is good. */
int signature_payload_check(const char *bytes, size_t len, const struct requirement *r,
			    const struct policy_question *q, struct error *err) must_check;

/* A GnuPG message by one of the keys (armoured or not); *ret is what it says. */
int gpg_verify(const char *const *keys, const size_t *key_lens, size_t nkeys, const char *message,
	       size_t len, char **ret, size_t *ret_len, struct error *err) must_check;

#endif
