/* src/transfer/checksum.h - bytes against the digest that they were promised by: sha256 or sha512.
 */
#ifndef TRANSFER_CHECKSUM_H
#define TRANSFER_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CHECKSUM_DIGEST_MAX 136 /* "sha512:" and 128 hex digits, and the NUL */

/* Lower-case hex of the right length behind a name that we know. */
bool checksum_is_digest(const char *text);

struct checksum {
	struct evp_md_ctx_st *ctx;
	char want[CHECKSUM_DIGEST_MAX];
};

void checksum_init(struct checksum *v, const char *digest); /* a valid one */
void checksum_update(struct checksum *v, const void *bytes, size_t len);
/* Ends it.  -EBADMSG with both digests in the text; what names the thing. */
int checksum_final(struct checksum *v, const char *what, struct error *err) must_check;
/* Ends it, and gives what it is instead of judging. */
void checksum_text(struct checksum *v, char ret[CHECKSUM_DIGEST_MAX]);
void checksum_done(struct checksum *v);

int checksum_bytes(const void *bytes, size_t len, const char *digest, const char *what,
		   struct error *err) must_check;
/* size bytes of a file from its start, without moving its position. */
int checksum_file(int fd, int64_t size, const char *digest, const char *what,
		  struct error *err) must_check;
void checksum_digest_of(const void *bytes, size_t len, char ret[CHECKSUM_DIGEST_MAX]); /* sha256 */

#endif
