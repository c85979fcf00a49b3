/* src/disk/packed.c */
#include "disk/packed.h"

#include <isa-l/igzip_lib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"
#include "disk/region.h"

#define WINDOW_LOG 17 /* as large as what is packed: more would be memory for nothing */

struct unpacker {
	const struct packed *last; /* what bytes are; NULL: nothing yet */
	struct inflate_state zlib;
	ZSTD_DCtx *zstd; /* NULL until one is met */
	unsigned char in[PACKED_MAX];
	char bytes[PACKED_MAX];
};

struct unpacker *unpacker_new(void)
{
	struct unpacker *u = xmalloc(sizeof(*u));

	u->last = NULL;
	u->zstd = NULL;
	return u;
}

void unpacker_free(struct unpacker *u)
{
	if (u)
		(void)ZSTD_freeDCtx(u->zstd);
	free(u);
}

/* Both: how many bytes it is, at most size; what would be more is not wanted. */

static int64_t by_zlib(struct unpacker *u, const struct packed *p)
{
	struct inflate_state *s = &u->zlib;
	int r;

	isal_inflate_init(s);
	s->crc_flag = ISAL_ZLIB;
	s->next_in = u->in;
	s->avail_in = p->len;
	s->next_out = (unsigned char *)u->bytes;
	s->avail_out = p->size;
	r = isal_inflate(s);
	if (r != ISAL_DECOMP_OK || (s->block_state != ISAL_BLOCK_FINISH && s->avail_out))
		return -EUCLEAN;
	return p->size - s->avail_out;
}

static int64_t by_zstd(struct unpacker *u, const struct packed *p)
{
	ZSTD_inBuffer in = { u->in, p->len, 0 };
	ZSTD_outBuffer out = { u->bytes, p->size, 0 };
	size_t left = 1;

	if (!u->zstd)
		u->zstd = ZSTD_createDCtx();
	if (!u->zstd)
		return -ENOMEM;
	(void)ZSTD_DCtx_reset(u->zstd, ZSTD_reset_session_only);
	(void)ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
	while (left && out.pos < out.size) {
		size_t before = in.pos + out.pos;

		left = ZSTD_decompressStream(u->zstd, &out, &in);
		if (ZSTD_isError(left) || (left && in.pos + out.pos == before))
			return -EUCLEAN;
	}
	return (int64_t)out.pos;
}

int unpacker_get(struct unpacker *u, int fd, const struct packed *p, const char **ret)
{
	const struct region at = { .fd = fd, .offset = p->from, .size = p->len };
	int64_t n;

	assert(p->len <= PACKED_MAX && p->size <= PACKED_MAX);
	if (u->last != p) {
		u->last = NULL;
		n = region_get(&at, 0, u->in, p->len);
		if (n == 0)
			n = p->by == PACKED_BY_ZLIB ? by_zlib(u, p) : by_zstd(u, p);
		if (n < 0)
			return (int)n;
		memset(u->bytes + n, 0, p->size - (size_t)n);
		u->last = p;
	}
	*ret = u->bytes;
	return 0;
}
