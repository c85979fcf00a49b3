/* src/disk/region.c */
#include "disk/region.h"

int region_get(const struct region *r, int64_t at, void *to, size_t len)
{
	unsigned char *p = to;

	if (at < 0 || at > r->size || (uint64_t)(r->size - at) < len)
		return -EBADMSG;
	at += r->offset;
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pread(r->fd, p, len, at));

		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

uint64_t get_le(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

uint64_t get_be(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

void put_le(unsigned char *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}
