/* src/image/digest.c */
#include "image/digest.h"

#include <assert.h>
#include <openssl/evp.h>

#include "base/macros.h"

/* The calls below fail only for want of memory or of SHA-256, without which nothing here makes
 * sense. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

void digest_init(struct digest *d)
{
	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
}

void digest_update(struct digest *d, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(d->ctx, bytes, len));
}

void digest_final(struct digest *d, char ret[DIGEST_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	must(EVP_DigestFinal_ex(d->ctx, raw, &len));
	assert(len * 2 == DIGEST_HEX_LEN);
	for (unsigned i = 0; i < len; i++) {
		ret[2 * i] = digits[raw[i] >> 4];
		ret[2 * i + 1] = digits[raw[i] & 15];
	}
	ret[DIGEST_HEX_LEN] = '\0';
	digest_done(d);
}

void digest_done(struct digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}

void digest_bytes(const void *bytes, size_t len, char ret[DIGEST_HEX_LEN + 1])
{
	struct digest d;

	digest_init(&d);
	digest_update(&d, bytes, len);
	digest_final(&d, ret);
}
