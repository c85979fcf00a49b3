/* src/image/digest.h - SHA-256, the digest of everything in images. */
#ifndef IMAGE_DIGEST_H
#define IMAGE_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_LEN 64

struct digest {
	struct evp_md_ctx_st *ctx; /* libcrypto's EVP_MD_CTX */
};

void digest_init(struct digest *d);
void digest_update(struct digest *d, const void *bytes, size_t len);
void digest_final(struct digest *d, char ret[DIGEST_HEX_LEN + 1]); /* ends it */
void digest_done(struct digest *d);                                /* gives up; fine after final */
void digest_bytes(const void *bytes, size_t len, char ret[DIGEST_HEX_LEN + 1]);

#endif
