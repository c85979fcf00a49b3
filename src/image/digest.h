/* src/image/digest.h - SHA-256, the digest of everything in images; and SHA-512, which a descriptor
 * of somebody else's may have in its place.
 */
#ifndef IMAGE_DIGEST_H
#define IMAGE_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_LEN    64
#define DIGEST512_HEX_LEN 128

struct digest {
	struct evp_md_ctx_st *ctx; /* libcrypto's EVP_MD_CTX */
};

void digest_init(struct digest *d);
void digest_update(struct digest *d, const void *bytes, size_t len);
void digest_final(struct digest *d, char ret[DIGEST_HEX_LEN + 1]); /* ends it */
void digest_done(struct digest *d);                                /* gives up; fine after final */
void digest_bytes(const void *bytes, size_t len, char ret[DIGEST_HEX_LEN + 1]);

/* The same of SHA-512; update and done serve both. */
void digest512_init(struct digest *d);
void digest512_final(struct digest *d, char ret[DIGEST512_HEX_LEN + 1]);
/* Of a file from its start, whatever its position; -errno. */
int digest_file(int fd, char ret[DIGEST_HEX_LEN + 1]);
int digest512_file(int fd, char ret[DIGEST512_HEX_LEN + 1]);
void digest512_bytes(const void *bytes, size_t len, char ret[DIGEST512_HEX_LEN + 1]);

#endif
