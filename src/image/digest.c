/* src/image/digest.c */
#include "image/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macros.h"

#define PIECE 65536

/* The calls below fail only for want of memory or of the algorithm, without which nothing here
 * makes sense. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

static void init(struct digest *d, const EVP_MD *kind)
{
	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, kind, NULL));
}

void digest_init(struct digest *d)
{
	init(d, EVP_sha256());
}

void digest512_init(struct digest *d)
{
	init(d, EVP_sha512());
}

void digest_update(struct digest *d, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(d->ctx, bytes, len));
}

static void final(struct digest *d, size_t hex_len, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	must(EVP_DigestFinal_ex(d->ctx, raw, &len));
	assert(len * 2 == hex_len);
	for (unsigned i = 0; i < len; i++) {
		ret[2 * i] = digits[raw[i] >> 4];
		ret[2 * i + 1] = digits[raw[i] & 15];
	}
	ret[hex_len] = '\0';
	digest_done(d);
}

void digest_final(struct digest *d, char ret[DIGEST_HEX_LEN + 1])
{
	final(d, DIGEST_HEX_LEN, ret);
}

void digest512_final(struct digest *d, char ret[DIGEST512_HEX_LEN + 1])
{
	final(d, DIGEST512_HEX_LEN, ret);
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

void digest512_bytes(const void *bytes, size_t len, char ret[DIGEST512_HEX_LEN + 1])
{
	struct digest d;

	digest512_init(&d);
	digest_update(&d, bytes, len);
	digest512_final(&d, ret);
}

static int update_of_file(struct digest *d, int fd)
{
	autofree char *bytes = xmalloc(PIECE);
	off_t at = 0;
	ssize_t n;

	while ((n = TEMP_FAILURE_RETRY(pread(fd, bytes, PIECE, at))) > 0) {
		digest_update(d, bytes, (size_t)n);
		at += n;
	}
	return n < 0 ? -errno : 0;
}

int digest_file(int fd, char ret[DIGEST_HEX_LEN + 1])
{
	struct digest d;
	int r;

	digest_init(&d);
	r = update_of_file(&d, fd);
	if (r == 0)
		digest_final(&d, ret);
	digest_done(&d);
	return r;
}

int digest512_file(int fd, char ret[DIGEST512_HEX_LEN + 1])
{
	struct digest d;
	int r;

	digest512_init(&d);
	r = update_of_file(&d, fd);
	if (r == 0)
		digest512_final(&d, ret);
	digest_done(&d);
	return r;
}
