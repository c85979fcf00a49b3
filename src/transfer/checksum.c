/* src/transfer/checksum.c */
#include "transfer/checksum.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/alloc.h"

#define BUFFER_SIZE (256U << 10)

static const struct {
	const char *prefix;
	size_t hex;
} kinds[] = { { "sha256:", 64 }, { "sha512:", 128 } };

bool checksum_is_digest(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, len) == 0)
			return strlen(text + len) == kinds[i].hex &&
			       strspn(text + len, "0123456789abcdef") == kinds[i].hex;
	}
	return false;
}

/* They fail for want of memory only. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

void checksum_init(struct checksum *v, const char *digest)
{
	assert(checksum_is_digest(digest));
	v->ctx = EVP_MD_CTX_new();
	must(v->ctx != NULL);
	must(EVP_DigestInit_ex(
		v->ctx, strncmp(digest, "sha512:", 7) == 0 ? EVP_sha512() : EVP_sha256(), NULL));
	(void)snprintf(v->want, sizeof(v->want), "%s", digest);
}

void checksum_update(struct checksum *v, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(v->ctx, bytes, len));
}

void checksum_done(struct checksum *v)
{
	EVP_MD_CTX_free(v->ctx);
	v->ctx = NULL;
}

void checksum_text(struct checksum *v, char ret[CHECKSUM_DIGEST_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char *p = ret + 7;

	must(EVP_DigestFinal_ex(v->ctx, raw, &len));
	memcpy(ret, v->want, 7);
	for (unsigned i = 0; i < len; i++) {
		*p++ = digits[raw[i] >> 4];
		*p++ = digits[raw[i] & 15];
	}
	*p = '\0';
	checksum_done(v);
}

int checksum_final(struct checksum *v, const char *what, struct error *err)
{
	char got[CHECKSUM_DIGEST_MAX];

	checksum_text(v, got);
	if (strcmp(got, v->want) == 0)
		return 0;
	return error_set(err, -EBADMSG, "%s: its digest is %.19s..., it should be %.19s...", what,
			 got, v->want);
}

int checksum_bytes(const void *bytes, size_t len, const char *digest, const char *what,
		   struct error *err)
{
	struct checksum v;

	checksum_init(&v, digest);
	checksum_update(&v, bytes, len);
	return checksum_final(&v, what, err);
}

int checksum_file(int fd, int64_t size, const char *digest, const char *what, struct error *err)
{
	autofree char *buffer = xmalloc(BUFFER_SIZE);
	int64_t offset = 0;
	struct checksum v;

	checksum_init(&v, digest);
	while (offset < size) {
		size_t want = (size_t)MIN((int64_t)BUFFER_SIZE, size - offset);
		ssize_t n = TEMP_FAILURE_RETRY(pread(fd, buffer, want, offset));

		if (n <= 0) {
			checksum_done(&v);
			return n < 0 ? error_sys(err, -errno, "read %s", what)
				     : error_set(err, -EBADMSG, "%s ends after %lld of %lld bytes",
						 what, (long long)offset, (long long)size);
		}
		checksum_update(&v, buffer, (size_t)n);
		offset += n;
	}
	return checksum_final(&v, what, err);
}

void checksum_digest_of(const void *bytes, size_t len, char ret[CHECKSUM_DIGEST_MAX])
{
	struct checksum v;

	checksum_init(&v,
		      "sha256:0000000000000000000000000000000000000000000000000000000000000000");
	checksum_update(&v, bytes, len);
	checksum_text(&v, ret);
}
