/* src/image/stream.c */
#include "image/stream.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"

#define IN_SIZE  (256U << 10)
#define OUT_SIZE (1U << 20)

enum kind { KIND_PLAIN, KIND_GZIP, KIND_ZSTD };

struct stream {
	int fd;
	int64_t offset, size;
	enum kind kind;
	struct digest stored, unpacked;
	uint64_t total;
	unsigned char *in, *out;
	size_t in_len, in_used;
	bool in_end;  /* nothing more to read */
	bool between; /* gzip, zstd: a member or frame ended */
	z_stream z;
	ZSTD_DCtx *zstd;
};

static ssize_t fill(struct stream *s, struct error *err)
{
	size_t want = IN_SIZE;
	ssize_t n;

	if (s->in_used < s->in_len || s->in_end)
		return 0;
	if (s->size >= 0)
		want = (size_t)MIN((int64_t)want, s->size - s->offset);
	n = want ? TEMP_FAILURE_RETRY(pread(s->fd, s->in, want, s->offset)) : 0;
	if (n < 0)
		return error_sys(err, -errno, "read the layer");
	if (n == 0 && s->size >= 0 && s->offset < s->size)
		return error_set(err, -EBADMSG, "the layer ends after %lld of %lld bytes",
				 (long long)s->offset, (long long)s->size);
	s->in_end = n == 0;
	s->in_len = (size_t)n;
	s->in_used = 0;
	s->offset += n;
	digest_update(&s->stored, s->in, (size_t)n);
	return n;
}

static enum kind detect(const unsigned char *bytes, size_t len)
{
	static const unsigned char zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
		return KIND_GZIP;
	if (len >= 4 && memcmp(bytes, zstd_magic, 4) == 0)
		return KIND_ZSTD;
	/* A skippable frame (zstd:chunked puts its table there). */
	if (len >= 4 && (bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a && bytes[2] == 0x4d &&
	    bytes[3] == 0x18)
		return KIND_ZSTD;
	return KIND_PLAIN;
}

int stream_open(int fd, int64_t size, struct stream **ret, struct error *err)
{
	cleanup(stream_cleanup) struct stream *s = xnew(struct stream);
	ssize_t n;

	s->fd = fd;
	s->size = size;
	s->in = xmalloc(IN_SIZE);
	s->out = xmalloc(OUT_SIZE);
	digest_init(&s->stored);
	digest_init(&s->unpacked);
	n = fill(s, err);
	if (n < 0)
		return (int)n;
	s->kind = detect(s->in, s->in_len);
	if (s->kind == KIND_GZIP && inflateInit2(&s->z, 15 + 16) != Z_OK)
		return error_set(err, -ENOMEM, "start zlib");
	if (s->kind == KIND_ZSTD)
		s->zstd = ZSTD_createDCtx();
	*ret = steal_ptr(&s);
	return 0;
}

static ssize_t next_plain(struct stream *s, const void **ret, struct error *err)
{
	ssize_t r = fill(s, err);
	size_t n = s->in_len - s->in_used;

	if (r < 0)
		return r;
	*ret = s->in + s->in_used;
	s->in_used = s->in_len;
	return (ssize_t)n;
}

/* One step of zlib; *ret_made is what it put into out. */
static int step_gzip(struct stream *s, size_t *ret_made, struct error *err)
{
	int r;

	if (s->between && inflateReset(&s->z) != Z_OK)
		return error_set(err, -EBADMSG, "gzip: bad stream");
	s->between = false;
	s->z.next_in = s->in + s->in_used;
	s->z.avail_in = (unsigned)(s->in_len - s->in_used);
	s->z.next_out = s->out;
	s->z.avail_out = OUT_SIZE;
	r = inflate(&s->z, Z_NO_FLUSH);
	s->in_used = s->in_len - s->z.avail_in;
	*ret_made = OUT_SIZE - s->z.avail_out;
	if (r == Z_STREAM_END)
		s->between = true;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return error_set(err, -EBADMSG, "gzip: %s", s->z.msg ? s->z.msg : "damaged data");
	return 0;
}

static int step_zstd(struct stream *s, size_t *ret_made, struct error *err)
{
	ZSTD_inBuffer in = { s->in, s->in_len, s->in_used };
	ZSTD_outBuffer out = { s->out, OUT_SIZE, 0 };
	size_t r = ZSTD_decompressStream(s->zstd, &out, &in);

	if (ZSTD_isError(r))
		return error_set(err, -EBADMSG, "zstd: %s", ZSTD_getErrorName(r));
	s->between = r == 0;
	s->in_used = in.pos;
	*ret_made = out.pos;
	return 0;
}

static ssize_t next_packed(struct stream *s, const void **ret, struct error *err)
{
	size_t made = 0;

	while (made == 0) {
		ssize_t n = fill(s, err);
		int r;

		if (n < 0)
			return n;
		if (s->in_end && s->between)
			return 0;
		if (s->in_end && s->in_used == s->in_len && s->kind == KIND_GZIP)
			return error_set(err, -EBADMSG, "gzip: the data ends too early");
		r = s->kind == KIND_GZIP ? step_gzip(s, &made, err) : step_zstd(s, &made, err);
		if (r < 0)
			return r;
		if (made == 0 && s->in_end && !s->between)
			return error_set(err, -EBADMSG, "the compressed data ends too early");
	}
	*ret = s->out;
	return (ssize_t)made;
}

ssize_t stream_next(struct stream *s, const void **ret_bytes, struct error *err)
{
	ssize_t n = s->kind == KIND_PLAIN ? next_plain(s, ret_bytes, err)
					  : next_packed(s, ret_bytes, err);

	if (n <= 0)
		return n;
	s->total += (uint64_t)n;
	if (s->total > STREAM_BYTES_MAX)
		return error_set(err, -EFBIG, "the layer unpacks to more than %llu GiB",
				 (unsigned long long)(STREAM_BYTES_MAX >> 30));
	digest_update(&s->unpacked, *ret_bytes, (size_t)n);
	return n;
}

int stream_finish(struct stream *s, char ret_stored[DIGEST_HEX_LEN + 1],
		  char ret_unpacked[DIGEST_HEX_LEN + 1], struct error *err)
{
	const void *bytes = NULL;
	ssize_t n;

	do
		n = stream_next(s, &bytes, err);
	while (n > 0);
	if (n < 0)
		return (int)n;
	digest_final(&s->stored, ret_stored);
	digest_final(&s->unpacked, ret_unpacked);
	return 0;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->kind == KIND_GZIP)
		(void)inflateEnd(&s->z);
	ZSTD_freeDCtx(s->zstd);
	digest_done(&s->stored);
	digest_done(&s->unpacked);
	free(s->in);
	free(s->out);
	free(s);
}
