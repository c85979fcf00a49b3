/* tests/unit/image/test_tar.c - what is written is read again; what is damaged is refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "image/tar_pax.h"
#include "image/tar_read.h"
#include "image/tar_write.h"

#define OUT_MAX (1U << 20)

static int sink(void *data, const void *bytes, size_t len, struct error *err)
{
	(void)err;
	buf_add(data, bytes, len);
	return 0;
}

struct feed {
	const struct buf *buf;
	size_t at, chunk;
};

static ssize_t feed(void *data, const void **ret, struct error *err)
{
	struct feed *f = data;
	size_t n = MIN(f->chunk, f->buf->len - f->at);

	(void)err;
	*ret = f->buf->data + f->at;
	f->at += n;
	return (ssize_t)n;
}

static char *repeat(char c, size_t n)
{
	char *text = xmalloc(n + 1);

	memset(text, c, n);
	text[n] = '\0';
	return text;
}

static void put(struct buf *out, const struct tar_entry *e)
{
	cleanup(tar_writer_cleanup) struct tar_writer *w = tar_writer_new(sink, out);
	autofree char *data = repeat('x', (size_t)e->size);

	assert_int_equal(tar_put(w, e, NULL), 0);
	if (e->type == TAR_FILE && e->size)
		assert_int_equal(tar_put_data(w, data, (size_t)e->size, NULL), 0);
	assert_int_equal(tar_put_end(w, NULL), 0);
}

/* The only entry, with its data passed over; chunks of any size make no difference. */
static void assert_reads(const struct buf *in, size_t chunk, const struct tar_entry *want)
{
	struct feed f = { .buf = in, .chunk = chunk };
	cleanup(tar_reader_cleanup) struct tar_reader *t = tar_reader_new(feed, &f);
	const struct tar_entry *e;

	assert_int_equal(tar_next(t, &e, NULL), 1);
	assert_int_equal(e->type, want->type);
	assert_string_equal(e->name, want->name);
	assert_string_equal(e->link, want->link);
	assert_int_equal(e->mode, want->mode);
	assert_int_equal(e->uid, want->uid);
	assert_int_equal(e->gid, want->gid);
	assert_int_equal(e->size, want->size);
	assert_int_equal(e->mtime.tv_sec, want->mtime.tv_sec);
	assert_int_equal(e->major, want->major);
	assert_int_equal(e->minor, want->minor);
	assert_int_equal(e->nxattrs, want->nxattrs);
	for (size_t i = 0; i < want->nxattrs; i++) {
		assert_string_equal(e->xattrs[i].name, want->xattrs[i].name);
		assert_int_equal(e->xattrs[i].len, want->xattrs[i].len);
		assert_memory_equal(e->xattrs[i].value, want->xattrs[i].value, want->xattrs[i].len);
	}
	assert_int_equal(tar_next(t, &e, NULL), 0);
}

static void entries_come_back(void **state)
{
	autofree char *name100 = repeat('a', 100), *name101 = repeat('b', 101);
	autofree char *dir = repeat('d', 140), *split = xasprintf("%s/%s", dir, name100);
	autofree char *long_link = repeat('l', 300);
	struct tar_xattr xattrs[] = { { (char *)"security.capability", (void *)"\1\0=\n", 4 },
				      { (char *)"user.a", (void *)"", 0 } };
	const struct tar_entry entries[] = {
		{ .type = TAR_FILE,
		  .name = (char *)"f",
		  .link = (char *)"",
		  .mode = 04755,
		  .size = 1000 },
		{ .type = TAR_FILE, .name = name100, .link = (char *)"", .size = 512 },
		{ .type = TAR_FILE, .name = name101, .link = (char *)"" },
		{ .type = TAR_FILE, .name = split, .link = (char *)"", .uid = 2097151 },
		{ .type = TAR_DIR,
		  .name = (char *)"d/",
		  .link = (char *)"",
		  .uid = 2097152,
		  .gid = UINT32_MAX - 1 },
		{ .type = TAR_SYMLINK, .name = (char *)"l", .link = long_link, .mode = 0777 },
		{ .type = TAR_HARD_LINK, .name = (char *)"h", .link = (char *)"f", .mode = 0644 },
		{ .type = TAR_CHAR,
		  .name = (char *)"c",
		  .link = (char *)"",
		  .major = 5,
		  .minor = 300 },
		{ .type = TAR_FIFO, .name = (char *)"p", .link = (char *)"", .mtime.tv_sec = -5 },
		{ .type = TAR_FILE,
		  .name = (char *)"x",
		  .link = (char *)"",
		  .mtime.tv_sec = 1LL << 40,
		  .xattrs = xattrs,
		  .nxattrs = 2 },
		{ .type = TAR_FILE, .name = (char *)"\xff\xfe raw", .link = (char *)"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		struct buf out = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);

		put(&out, &entries[i]);
		put(&again, &entries[i]);
		assert_int_equal(out.len % TAR_BLOCK, 0);
		assert_int_equal(out.len, again.len);
		assert_memory_equal(out.data, again.data, out.len);
		assert_reads(&out, 1, &entries[i]);
		assert_reads(&out, 511, &entries[i]);
		assert_reads(&out, OUT_MAX, &entries[i]);
		buf_done(&out);
		buf_done(&again);
	}
}

/* A header in which one byte is another is refused, wherever that is but behind the checksum. */
static void a_damaged_header_is_refused(void **state)
{
	const struct tar_entry e = { .type = TAR_FILE, .name = (char *)"file", .link = (char *)"" };
	struct buf out = BUF_INIT(OUT_MAX);

	(void)state;
	put(&out, &e);
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		struct feed f = { .buf = &out, .chunk = OUT_MAX };
		cleanup(tar_reader_cleanup) struct tar_reader *t = tar_reader_new(feed, &f);
		const struct tar_entry *got;
		int r;

		out.data[i] ^= 1;
		r = tar_next(t, &got, NULL);
		out.data[i] ^= 1;
		if (r != -EBADMSG && i != 155)
			fail_msg("byte %zu: %d", i, r);
	}
	buf_done(&out);
}

static void what_is_cut_off_is_refused(void **state)
{
	const struct tar_entry e = {
		.type = TAR_FILE, .name = (char *)"f", .link = (char *)"", .size = 600
	};
	struct buf out = BUF_INIT(OUT_MAX);

	(void)state;
	put(&out, &e);
	for (out.len = 1; out.len < 3 * TAR_BLOCK; out.len++) {
		struct feed f = { .buf = &out, .chunk = 100 };
		cleanup(tar_reader_cleanup) struct tar_reader *t = tar_reader_new(feed, &f);
		const struct tar_entry *got;
		int r = tar_next(t, &got, NULL);

		if (r == 1)
			r = tar_next(t, &got, NULL);
		if (r != -EBADMSG)
			fail_msg("cut at %zu: %d", out.len, r);
	}
	buf_done(&out);
}

static void pax_records_are_taken_or_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: of the text */
		int r;
		long s, ns;
	} cases[] = {
		{ "20 mtime=1.123456789\n", 0, -EBADMSG, 0, 0 },
		{ "21 mtime=1.123456789\n", 0, 0, 1, 123456789 },
		{ "14 mtime=-1.5\n", 0, 0, -2, 500000000 },
		{ "12 mtime=-1\n", 0, 0, -1, 0 },
		{ "12 mtime=1x\n", 0, -EBADMSG, 0, 0 },
		{ "10 mtime=\n", 0, -EBADMSG, 0, 0 },
		{ "11 size=-5\n", 0, -EBADMSG, 0, 0 },
		{ "29 size=999999999999999999999\n", 0, -EBADMSG, 0, 0 },
		{ "12 path=a\0b\n", 12, -EBADMSG, 0, 0 },
		{ "x path=a\n", 0, -EBADMSG, 0, 0 },
		{ "7 path=\n", 0, -EBADMSG, 0, 0 },
		{ "99999999 path=a\n", 0, -EBADMSG, 0, 0 },
		{ "0 a=b\n", 0, -EBADMSG, 0, 0 },
		{ "7 noeq\n", 0, -EBADMSG, 0, 0 },
		{ "11 path=ab\n12 unknown=1\n", 0, -EBADMSG, 0, 0 },
		{ "11 path=ab\n13 unknown=1\n", 0, 0, 0, 0 },
		{ "27 GNU.sparse.map=5,1,0,100\n", 0, -EBADMSG, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
		struct pax pax = { .any = false };
		int r = pax_parse(cases[i].text, len, &pax, NULL);

		if (r != cases[i].r)
			fail_msg("case %zu: %d", i, r);
		if (r == 0 && pax.has_mtime) {
			assert_int_equal(pax.mtime.tv_sec, cases[i].s);
			assert_int_equal(pax.mtime.tv_nsec, cases[i].ns);
		}
		pax_done(&pax);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_back),
		cmocka_unit_test(a_damaged_header_is_refused),
		cmocka_unit_test(what_is_cut_off_is_refused),
		cmocka_unit_test(pax_records_are_taken_or_refused),
	};

	return cmocka_run_group_tests_name("image/tar", tests, NULL, NULL);
}
