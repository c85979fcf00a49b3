/* bench/inflate.c - standard input, gzip, zstd or neither, to standard output with the quickest
 * libraries that there are, and nothing else: the floor of bench/image pipes it into tar.
 */
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define ROOM (512U << 10)

static unsigned char in[ROOM], out[ROOM];

static void put(size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(STDOUT_FILENO, out + done, len - done);

		if (n <= 0)
			_exit(1);
		done += (size_t)n;
	}
}

static size_t take(void)
{
	ssize_t n = read(STDIN_FILENO, in, ROOM);

	if (n < 0)
		_exit(1);
	return (size_t)n;
}

static void gunzip(size_t have)
{
	static struct inflate_state z;

	isal_inflate_init(&z);
	z.crc_flag = ISAL_GZIP;
	z.next_in = in;
	z.avail_in = (uint32_t)have;
	for (;;) {
		z.next_out = out;
		z.avail_out = ROOM;
		if (isal_inflate(&z) != ISAL_DECOMP_OK)
			_exit(1);
		put(ROOM - z.avail_out);
		if (z.block_state == ISAL_BLOCK_FINISH) {
			uint32_t left = z.avail_in;

			memmove(in, z.next_in, left);
			have = left > 0 ? left : take();
			if (have == 0)
				return;
			isal_inflate_reset(&z); /* another member */
			z.crc_flag = ISAL_GZIP;
			z.next_in = in;
			z.avail_in = (uint32_t)have;
		} else if (z.avail_in == 0) {
			z.avail_in = (uint32_t)take();
			z.next_in = in;
			if (z.avail_in == 0)
				_exit(1);
		}
	}
}

static void unzstd(size_t have)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();

	for (; have > 0; have = take()) {
		ZSTD_inBuffer from = { in, have, 0 };

		while (from.pos < from.size) {
			ZSTD_outBuffer to = { out, ROOM, 0 };

			if (ZSTD_isError(ZSTD_decompressStream(z, &to, &from)))
				_exit(1);
			put(to.pos);
		}
	}
	(void)ZSTD_freeDCtx(z);
}

int main(void)
{
	size_t have = take();

	if (have > 2 && in[0] == 0x1f && in[1] == 0x8b)
		gunzip(have);
	else if (have > 4 && memcmp(in, "\x28\xb5\x2f\xfd", 4) == 0)
		unzstd(have);
	else
		for (; have > 0; have = take()) {
			memcpy(out, in, have);
			put(have);
		}
	return 0;
}
