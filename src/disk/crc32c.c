/* src/disk/crc32c.c */
#include "disk/crc32c.h"

#include <ext2fs/ext2fs.h>
#include <string.h>

#ifdef __x86_64__
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse(uint32_t crc, const unsigned char *p,
							     size_t len)
{
	uint64_t sum = crc, eight;

	for (; len >= sizeof(eight); p += sizeof(eight), len -= sizeof(eight)) {
		memcpy(&eight, p, sizeof(eight));
		sum = _mm_crc32_u64(sum, eight);
	}
	for (; len > 0; p++, len--)
		sum = _mm_crc32_u8((uint32_t)sum, *p);
	return (uint32_t)sum;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_sse(crc, bytes, len)
						: ext2fs_crc32c_le(crc, bytes, len);
}

#else

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
	return ext2fs_crc32c_le(crc, bytes, len);
}

#endif
