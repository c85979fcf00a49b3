/* src/transfer/verify.h - bytes against the digest that they were promised by: sha256 or sha512. */
#ifndef TRANSFER_VERIFY_H
#define TRANSFER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define VERIFY_DIGEST_MAX 136 /* "sha512:" and 128 hex digits, and the NUL */

/* Lower-case hex of the right length behind a name that we know. */
bool verify_is_digest(const char *text);

struct verify {
	struct evp_md_ctx_st *ctx;
	char want[VERIFY_DIGEST_MAX];
};

void verify_init(struct verify *v, const char *digest); /* a valid one */
void verify_update(struct verify *v, const void *bytes, size_t len);
/* Ends it.  -EBADMSG with both digests in the text; what names the thing. */
int verify_final(struct verify *v, const char *what, struct error *err) must_check;
/* Ends it, and gives what it is instead of judging. */
void verify_text(struct verify *v, char ret[VERIFY_DIGEST_MAX]);
void verify_done(struct verify *v);

int verify_bytes(const void *bytes, size_t len, const char *digest, const char *what,
		 struct error *err) must_check;
/* size bytes of a file from its start, without moving its position. */
int verify_file(int fd, int64_t size, const char *digest, const char *what,
		struct error *err) must_check;
void verify_digest_of(const void *bytes, size_t len, char ret[VERIFY_DIGEST_MAX]); /* sha256 */

#endif
