/* tests/unit/disk/test_packed.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "../scratch.h"
#include "disk/content.h"
#include "disk/packed.h"

#define PLACE 5000

/* 100000 bytes of text. */
static char *make_text(size_t len)
{
	char *text = xmalloc(len + 16);

	for (size_t at = 0; at < len;)
		at += (size_t)snprintf(text + at, 16, "%zu ", at);
	return text;
}

/* Packed at PLACE of a file, with 300 bytes of something behind it. */
static struct packed pack(enum packed_by by, int fd, const char *text, size_t len)
{
	struct packed p = { .by = by, .size = (uint32_t)len, .from = PLACE };
	autofree char *bytes = xcalloc(1, PACKED_MAX);
	uLongf n = PACKED_MAX;

	if (by == PACKED_BY_ZLIB)
		assert_int_equal(compress((Bytef *)bytes, &n, (const Bytef *)text, len), Z_OK);
	else
		n = ZSTD_compress(bytes, PACKED_MAX, text, len, 3);
	assert_true(n > 0 && n + 300 < PACKED_MAX);
	memset(bytes + n, 'x', 300);
	p.len = (uint32_t)n + 300;
	assert_int_equal(pwrite(fd, bytes, p.len, PLACE), p.len);
	return p;
}

static void either_way(void **state)
{
	for (enum packed_by by = PACKED_BY_ZLIB; by <= PACKED_BY_ZSTD; by++) {
		autofree char *path = xasprintf("%s/file-%d", (char *)*state, (int)by);
		autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		struct unpacker *u = unpacker_new();
		autofree char *text = make_text(100000);
		struct packed p = pack(by, fd, text, 100000), less = p, more = p, cut = p;
		const char *bytes;

		assert_int_equal(unpacker_get(u, fd, &p, &bytes), 0);
		assert_memory_equal(bytes, text, 100000);
		less.size = 70000; /* the rest of it is another's */
		assert_int_equal(unpacker_get(u, fd, &less, &bytes), 0);
		assert_memory_equal(bytes, text, 70000);
		more.size = PACKED_MAX;
		assert_int_equal(unpacker_get(u, fd, &more, &bytes), 0);
		assert_memory_equal(bytes, text, 100000);
		assert_int_equal(bytes[100000], 0);
		assert_int_equal(bytes[PACKED_MAX - 1], 0);
		cut.len = 1000;
		assert_int_equal(unpacker_get(u, fd, &cut, &bytes), -EUCLEAN);
		assert_int_equal(unpacker_get(u, fd, &p, &bytes), 0);
		assert_memory_equal(bytes, text, 100000);
		cut = p;
		assert_int_equal(pwrite(fd, "\377\377\377\377", 4, PLACE), 4);
		assert_int_equal(unpacker_get(u, fd, &cut, &bytes), -EUCLEAN);
		unpacker_free(u);
	}
}

/* A window that is larger than anything packed here asks for memory alone. */
static void large_windows_are_refused(void **state)
{
	autofree char *path = xasprintf("%s/file", (char *)*state);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	const unsigned char frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x09, 0, 0, 'a' };
	const struct packed p = { .by = PACKED_BY_ZSTD, .len = sizeof(frame), .size = 100 };
	struct unpacker *u = unpacker_new();
	const char *bytes;

	assert_int_equal(pwrite(fd, frame, sizeof(frame), 0), sizeof(frame));
	assert_int_equal(unpacker_get(u, fd, &p, &bytes), -EUCLEAN);
	unpacker_free(u);
}

/* A file of parts of one, beside what is not packed. */
static void pieces_of_one(void **state)
{
	autofree char *path = xasprintf("%s/file", (char *)*state), *text = make_text(100000);
	autofree char *to_path = xasprintf("%s/to", (char *)*state), *bytes = NULL;
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	autoclose int to = open(to_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	const struct packed p = pack(PACKED_BY_ZSTD, fd, text, 100000);
	struct content c = { .kind = CONTENT_PIECES, .fd = fd, .size = 100000 }, clone;
	char some[4096];
	int64_t at, len;
	size_t n;

	assert_int_equal(pwrite(fd, "plain", 5, 0), 5);
	content_add_packed(&c, 0, 8192, 4096, &p);
	content_add_piece(&c, 4096, 0, 5);
	content_add_packed(&c, 8192, 40000, 60000, &p);
	clone = content_clone(&c);
	content_done(&c);
	assert_int_equal(content_read(&clone, 100000, 100000, &bytes, &n, NULL), 0);
	assert_memory_equal(bytes, text + 8192, 4096);
	assert_memory_equal(bytes + 4096, "plain\0", 6);
	assert_memory_equal(bytes + 8192, text + 40000, 60000);
	assert_int_equal(bytes[68192], 0);
	assert_int_equal(content_open(&clone, &rd, NULL), 0);
	assert_int_equal(content_next(&rd, 9000, &at, &len), 1);
	assert_true(at == 9000 && len == 59192);
	assert_int_equal(content_copy(&rd, at, 4096, to, 0), 0);
	assert_int_equal(pread(to, some, 4096, 0), 4096);
	assert_memory_equal(some, text + 40808, 4096);
	content_done(&clone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(either_way, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(large_windows_are_refused, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(pieces_of_one, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
