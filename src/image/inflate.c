/* src/image/inflate.c
 *
 * gzip by ISA-L: three to four times as fast as zlib, and it checks the trailer of each member.
 */
#include "image/inflate.h"

#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zstd.h>

#include "base/alloc.h"

#define WINDOW_LOG_MAX 27         /* 128 MiB, what zstd takes by itself */
#define LARGE          (16 << 20) /* zstd -19 and Go's common levels have windows of 8 MiB */

struct inflate {
	enum packing packing;
	bool ended; /* a member or frame did, and nothing of the next was read */
	struct inflate_state *gzip;
	ZSTD_DCtx *zstd;
};

enum packing packing_detect(const void *data, size_t len)
{
	static const unsigned char zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
	const unsigned char *bytes = data;

	if (len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
		return PACKING_GZIP;
	if (len >= 4 && memcmp(bytes, zstd_magic, 4) == 0)
		return PACKING_ZSTD;
	/* A skippable frame (zstd:chunked puts its table there). */
	if (len >= 4 && (bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a && bytes[2] == 0x4d &&
	    bytes[3] == 0x18)
		return PACKING_ZSTD;
	return PACKING_NONE;
}

const char *packing_name(enum packing packing)
{
	static const char *const names[] = {
		[PACKING_NONE] = "none", [PACKING_GZIP] = "gzip", [PACKING_ZSTD] = "zstd"
	};

	return names[packing];
}

struct inflate *inflate_new(enum packing packing)
{
	struct inflate *f = xnew(struct inflate);

	f->packing = packing;
	if (packing == PACKING_GZIP) {
		f->gzip = xnew(struct inflate_state);
		isal_inflate_init(f->gzip);
		f->gzip->crc_flag = ISAL_GZIP;
	} else {
		f->zstd = ZSTD_createDCtx();
		(void)ZSTD_DCtx_setParameter(f->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	}
	return f;
}

void inflate_free(struct inflate *f)
{
	if (!f)
		return;
	free(f->gzip);
	ZSTD_freeDCtx(f->zstd);
	free(f);
}

static const char *gzip_problem(int code)
{
	switch (code) {
	case ISAL_INVALID_WRAPPER:
		return "bad header";
	case ISAL_INCORRECT_CHECKSUM:
		return "the checksum differs";
	case ISAL_UNSUPPORTED_METHOD:
		return "unknown method";
	default:
		return "damaged data";
	}
}

static int step_gzip(struct inflate *f, const unsigned char *in, size_t in_len, size_t *in_used,
		     unsigned char *out, size_t out_len, size_t *out_used, struct error *err)
{
	struct inflate_state *z = f->gzip;
	int r;

	if (f->ended && *in_used < in_len) {
		isal_inflate_reset(z);
		z->crc_flag = ISAL_GZIP;
		f->ended = false;
	}
	z->next_in = (unsigned char *)in + *in_used;
	z->avail_in = (uint32_t)(in_len - *in_used);
	z->next_out = out + *out_used;
	z->avail_out = (uint32_t)(out_len - *out_used);
	r = isal_inflate(z);
	*in_used = in_len - z->avail_in;
	*out_used = out_len - z->avail_out;
	if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT)
		return error_set(err, -EBADMSG, "gzip: %s", gzip_problem(r));
	f->ended = z->block_state == ISAL_BLOCK_FINISH;
	return 0;
}

static int step_zstd(struct inflate *f, const unsigned char *in, size_t in_len, size_t *in_used,
		     unsigned char *out, size_t out_len, size_t *out_used, struct error *err)
{
	ZSTD_inBuffer from = { in, in_len, *in_used };
	ZSTD_outBuffer to = { out, out_len, *out_used };
	size_t r = ZSTD_decompressStream(f->zstd, &to, &from);

	if (ZSTD_isError(r))
		return error_set(err, -EBADMSG, "zstd: %s", ZSTD_getErrorName(r));
	f->ended = r == 0;
	*in_used = from.pos;
	*out_used = to.pos;
	return 0;
}

int inflate_step(struct inflate *f, const unsigned char *in, size_t in_len, size_t *in_used,
		 unsigned char *out, size_t out_len, size_t *out_used, struct error *err)
{
	return f->packing == PACKING_GZIP
		       ? step_gzip(f, in, in_len, in_used, out, out_len, out_used, err)
		       : step_zstd(f, in, in_len, in_used, out, out_len, out_used, err);
}

bool inflate_at_end(const struct inflate *f)
{
	return f->ended;
}

bool inflate_is_large(const struct inflate *f)
{
	return f->zstd && ZSTD_sizeof_DCtx(f->zstd) > LARGE;
}
