/* tests/unit/image/test_stream.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "image/stream.h"

#define BYTES_MAX (4U << 20)

static int memory_file(const void *bytes, size_t len)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	return fd;
}

static void add_gzip(struct buf *to, const char *text)
{
	unsigned char packed[4096];
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)text;
	z.avail_in = (unsigned)strlen(text);
	z.next_out = packed;
	z.avail_out = sizeof(packed);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_add(to, packed, sizeof(packed) - z.avail_out);
	(void)deflateEnd(&z);
}

static void add_zstd(struct buf *to, const char *text)
{
	char packed[4096];
	size_t n = ZSTD_compress(packed, sizeof(packed), text, strlen(text), 3);

	assert_false(ZSTD_isError(n));
	buf_add(to, packed, n);
}

static void add_plain(struct buf *to, const char *text)
{
	buf_add_str(to, text);
}

typedef void (*add_fn)(struct buf *to, const char *text);
static const add_fn kinds[] = { add_plain, add_gzip, add_zstd };

/* What unpacks, or a negative errno. */
static int unpack_by(bool threaded, const struct buf *packed, int64_t size, struct buf *ret)
{
	autoclose int fd = memory_file(packed->data, packed->len);
	cleanup(stream_cleanup) struct stream *s = NULL;
	const void *bytes = NULL;
	const struct stream_request sr = {
		.fd = fd, .size = size, .keep_fd = -1, .stop_fd = -1, .threaded = threaded
	};
	ssize_t n = stream_open(&sr, &s, NULL);

	if (n < 0)
		return (int)n;
	while ((n = stream_next(s, &bytes, NULL)) > 0)
		buf_add(ret, bytes, (size_t)n);
	return (int)n;
}

/* With a thread and without. */
static int unpack(const struct buf *packed, int64_t size, struct buf *ret)
{
	struct buf again = BUF_INIT(BYTES_MAX);
	int r = unpack_by(false, packed, size, ret);

	assert_int_equal(unpack_by(true, packed, size, &again), r);
	assert_int_equal(again.len, ret->len);
	if (ret->len)
		assert_memory_equal(again.data, ret->data, ret->len);
	buf_done(&again);
	return r;
}

static void every_part_of_a_stream_is_unpacked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct buf packed = BUF_INIT(BYTES_MAX), out = BUF_INIT(BYTES_MAX);

		kinds[i](&packed, "first ");
		kinds[i](&packed, "second");
		assert_int_equal(unpack(&packed, -1, &out), 0);
		assert_string_equal(buf_text(&out), "first second");
		buf_reset(&out);
		assert_int_equal(unpack(&packed, (int64_t)packed.len, &out), 0);
		assert_string_equal(buf_text(&out), "first second");
		buf_done(&packed);
		buf_done(&out);
	}
}

static void both_digests_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char stored[DIGEST_HEX_LEN + 1], unpacked[DIGEST_HEX_LEN + 1];
		char want_stored[DIGEST_HEX_LEN + 1], want_unpacked[DIGEST_HEX_LEN + 1];
		cleanup(stream_cleanup) struct stream *s = NULL;
		struct buf packed = BUF_INIT(BYTES_MAX);
		struct stream_request sr = { .size = -1, .keep_fd = -1, .stop_fd = -1 };
		autoclose int fd = -1;

		kinds[i](&packed, "some text");
		fd = memory_file(packed.data, packed.len);
		sr.fd = fd;
		digest_bytes(packed.data, packed.len, want_stored);
		digest_bytes("some text", 9, want_unpacked);
		assert_int_equal(stream_open(&sr, &s, NULL), 0);
		assert_int_equal(stream_finish(s, stored, unpacked, NULL), 0);
		assert_string_equal(stored, want_stored);
		assert_string_equal(unpacked, want_unpacked);
		buf_done(&packed);
	}
}

/* Each cut of a packed stream is an error, but that between two parts. */
static void a_stream_that_ends_early_is_refused(void **state)
{
	(void)state;
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		struct buf packed = BUF_INIT(BYTES_MAX);
		size_t len;

		kinds[i](&packed, "a text that is long enough to be packed packed packed packed");
		len = packed.len;
		for (packed.len = 4; packed.len < len; packed.len++) {
			struct buf out = BUF_INIT(BYTES_MAX);

			if (unpack(&packed, -1, &out) != -EBADMSG)
				fail_msg("kind %zu, cut at %zu of %zu", i, packed.len, len);
			buf_done(&out);
		}
		buf_done(&packed);
	}
}

static void a_file_shorter_than_promised_is_refused(void **state)
{
	struct buf packed = BUF_INIT(100), out = BUF_INIT(100);

	(void)state;
	buf_add_str(&packed, "12345");
	assert_int_equal(unpack(&packed, 6, &out), -EBADMSG);
	buf_reset(&out);
	assert_int_equal(unpack(&packed, 4, &out), 0);
	assert_string_equal(buf_text(&out), "1234");
	buf_done(&packed);
	buf_done(&out);
}

static void damage_is_noticed(void **state)
{
	(void)state;
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		struct buf packed = BUF_INIT(BYTES_MAX), out = BUF_INIT(BYTES_MAX);

		kinds[i](&packed, "first");
		buf_add_str(&packed, "no such magic");
		assert_int_equal(unpack(&packed, -1, &out), -EBADMSG);
		buf_done(&packed);
		buf_done(&out);
	}
}

static void nothing_unpacks_to_nothing(void **state)
{
	struct buf packed = BUF_INIT(100), out = BUF_INIT(100);

	(void)state;
	assert_int_equal(unpack(&packed, -1, &out), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(unpack(&packed, 0, &out), 0);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_of_a_stream_is_unpacked),
		cmocka_unit_test(both_digests_are_told),
		cmocka_unit_test(a_stream_that_ends_early_is_refused),
		cmocka_unit_test(a_file_shorter_than_promised_is_refused),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(nothing_unpacks_to_nothing),
	};

	return cmocka_run_group_tests_name("image/stream", tests, NULL, NULL);
}
