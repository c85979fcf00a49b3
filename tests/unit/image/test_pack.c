/* tests/unit/image/test_pack.c - what is packed unpacks to the same, and is the same each time */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "image/pack.h"
#include "image/stream.h"

#define BYTES_MAX (64U << 20)

static int sink(void *data, const void *bytes, size_t len, struct error *err)
{
	(void)err;
	buf_add(data, bytes, len);
	return 0;
}

static void pack(enum packing packing, const char *bytes, size_t len, size_t piece, struct buf *ret)
{
	cleanup(packer_cleanup) struct packer *p = packer_new(packing, sink, ret);

	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(packer_put(p, bytes + at, MIN(piece, len - at), NULL), 0);
	assert_int_equal(packer_end(p, NULL), 0);
}

static void assert_unpacks(const struct buf *packed, const char *bytes, size_t len)
{
	autoclose int fd = memfd_create("packed", MFD_CLOEXEC);
	const struct stream_request sr = { .fd = fd, .size = -1, .keep_fd = -1, .stop_fd = -1 };
	cleanup(stream_cleanup) struct stream *s = NULL;
	const void *got;
	size_t at = 0;
	ssize_t n;

	assert_int_equal(file_write_all(fd, packed->data, packed->len), 0);
	assert_int_equal(stream_open(&sr, &s, NULL), 0);
	while ((n = stream_next(s, &got, NULL)) > 0) {
		assert_true((size_t)n <= len - at);
		assert_memory_equal(got, bytes + at, (size_t)n);
		at += (size_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, len);
}

static void it_unpacks_to_the_same(void **state)
{
	static const size_t sizes[] = { 0, 1, 1 << 20, (1 << 20) + 1, 5 << 20 };
	autofree char *bytes = xmalloc(5 << 20);
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 5 << 20; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (char)(i % 3 ? 'a' + (seed >> 30) : seed >> 24);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (enum packing kind = PACKING_GZIP; kind <= PACKING_ZSTD; kind++) {
			struct buf one = BUF_INIT(BYTES_MAX), two = BUF_INIT(BYTES_MAX);

			pack(kind, bytes, sizes[i], 1 << 20, &one);
			pack(kind, bytes, sizes[i], 77777, &two);
			assert_int_equal(packing_detect(one.data, one.len), kind);
			assert_unpacks(&one, bytes, sizes[i]);
			assert_int_equal(one.len, two.len);
			assert_memory_equal(one.data, two.data, one.len);
			/* gzip says neither time nor system. */
			if (kind == PACKING_GZIP)
				assert_memory_equal(one.data + 3, "\0\0\0\0\0", 5);
			buf_done(&one);
			buf_done(&two);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_unpacks_to_the_same) };

	return cmocka_run_group_tests_name("image/pack", tests, NULL, NULL);
}
