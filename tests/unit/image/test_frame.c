/* tests/unit/image/test_frame.c - what a writer makes, and what a damaged or wicked frame gets */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "base/buf.h"
#include "image/frame.h"
#include "image/layer_info.h"

#define OUTPUT_MAX (1U << 20)

static int collect(void *data, const void *bytes, size_t len, struct error *err)
{
	struct buf *out = data;

	(void)err;
	buf_add(out, bytes, len);
	return buf_result(out);
}

/* The archive that DIR's frame and tree make. */
static int read_frame(const char *dir, struct buf *out, struct error *err)
{
	autofree char *tree = xasprintf("%s/tree", dir);
	autoclose int top = scratch_open(dir), tree_fd = scratch_open(tree);
	autoclose int frame = frame_open(top, ".");

	assert_true(frame >= 0);
	return frame_write(frame, tree_fd, collect, out, err);
}

static void tree_new(const char *dir)
{
	autofree char *link = xasprintf("%s/tree/link", dir), *out = xasprintf("%s/tree/out", dir);
	autofree char *up = xasprintf("%s/tree/up", dir), *pipe = xasprintf("%s/tree/pipe", dir);

	scratch_put(dir, "secret", "secret");
	scratch_put(dir, "tree/file", "content");
	scratch_put(dir, "tree/dir/inner", "inner");
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(symlink("../secret", out), 0);
	assert_int_equal(symlink("..", up), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
}

/* Pieces: "B4" and four bytes, "F7:file"; whatever else stands for itself. */
struct piece {
	char kind; /* 0: raw bytes */
	uint64_t size;
	const char *text;
	uint64_t len; /* of a path, if it is not the text's */
};

static void put_number(struct buf *b, uint64_t n)
{
	n = htole64(n);
	buf_add(b, &n, sizeof(n));
}

static void put_frame(const char *dir, const struct piece *pieces)
{
	autofree char *path = xasprintf("%s/" LAYER_FRAME, dir);
	struct buf b;

	buf_init(&b, OUTPUT_MAX);
	for (const struct piece *p = pieces; p->text; p++) {
		if (p->kind) {
			buf_add(&b, &p->kind, 1);
			put_number(&b, p->size);
		}
		if (p->kind == 'F')
			put_number(&b, p->len ? p->len : strlen(p->text));
		buf_add(&b, p->text, strlen(p->text));
	}
	assert_int_equal(file_write_at(AT_FDCWD, path, b.data, b.len, 0644, FILE_PLAIN, NULL), 0);
	buf_done(&b);
}

static void frames_give_their_archive_or_are_damaged(void **state)
{
	static const char zeros[] = "\0\0\0\0\0\0\0";
	static const struct {
		struct piece pieces[3];
		int r;
		const char *bytes; /* of the archive */
		size_t len;
	} cases[] = {
		{ { { 0, 0, "", 0 } }, 0, "", 0 },
		{ { { 'B', 2, "ab", 0 }, { 'F', 7, "file", 0 } }, 0, "abcontent", 9 },
		{ { { 'F', 5, "dir/inner", 0 } }, 0, "inner", 5 },
		{ { { 'F', 3, "file", 0 } }, 0, "con", 3 }, /* the digest tells */
		{ { { 'F', 9, "file", 0 } }, 0, "content\0\0", 9 },
		/* What is not, or is no file of the tree, is zeros. */
		{ { { 'F', 6, "nowhere", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "dir", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "pipe", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "link", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "file/x", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "../secret", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "dir/../../secret", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "/secret", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "out", 0 } }, 0, zeros, 6 },
		{ { { 'F', 6, "up/secret", 0 } }, 0, zeros, 6 },
		/* Damage. */
		{ { { 0, 0, "X", 0 } }, -EUCLEAN, "", 0 },
		{ { { 0, 0, "B", 0 } }, -EUCLEAN, "", 0 },
		{ { { 0, 0, "Babc", 0 } }, -EUCLEAN, "", 0 },
		{ { { 'B', 5, "ab", 0 } }, -EUCLEAN, "ab", 2 },
		{ { { 'B', 2, "abX", 0 } }, -EUCLEAN, "ab", 2 },
		{ { { 'B', UINT64_MAX, "ab", 0 } }, -EUCLEAN, "", 0 },
		{ { { 'B', 65ULL << 30, "ab", 0 } }, -EUCLEAN, "", 0 },
		{ { { 0, 0, "F", 0 } }, -EUCLEAN, "", 0 },
		{ { { 'F', 7, "file", 5 } }, -EUCLEAN, "", 0 },
		{ { { 'F', 7, "file", UINT64_MAX } }, -EUCLEAN, "", 0 },
		{ { { 'F', 7, "file", (64U << 10) + 1 } }, -EUCLEAN, "", 0 },
		{ { { 'F', UINT64_MAX, "file", 0 } }, -EUCLEAN, "", 0 },
		/* Each is small enough, together they are a bomb. */
		{ { { 'F', 7, "file", 0 }, { 'F', 64ULL << 30, "file", 0 } },
		  -EUCLEAN,
		  "content",
		  7 },
	};
	const char *dir = *state;

	tree_new(dir);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		struct buf out;
		int r;

		buf_init(&out, OUTPUT_MAX);
		put_frame(dir, cases[i].pieces);
		r = read_frame(dir, &out, &err);
		if (r != cases[i].r || out.len != cases[i].len ||
		    (out.len && memcmp(out.data, cases[i].bytes, out.len) != 0))
			fail_msg("case %zu: %d, %zu bytes: %s", i, r, out.len, err.text);
		if (r < 0)
			assert_string_equal(err.text, "the layer's frame is damaged");
		buf_done(&out);
	}
}

static void a_packed_frame_that_is_cut_off_is_refused(void **state)
{
	const char *dir = *state;
	cleanup(frame_writer_cleanup) struct frame_writer *w = NULL;
	autofree char *path = xasprintf("%s/" LAYER_FRAME, dir);
	autoclose int top = scratch_open(dir);
	struct stat st;
	struct buf out;

	tree_new(dir);
	assert_int_equal(frame_writer_new(top, &w, NULL), 0);
	frame_take(w, "header", 6);
	assert_int_equal(frame_end(w, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = st.st_size - 1; size > 3; size--) {
		struct error err = { 0 };

		assert_int_equal(truncate(path, size), 0);
		buf_init(&out, OUTPUT_MAX);
		assert_true(read_frame(dir, &out, &err) < 0);
		assert_true(err.text[0]);
		buf_done(&out);
	}
}

/* One archive in pieces that end anywhere: before, in and behind a file's data. */
static const char archive[] = "head1contentpad.head2innerpad.end";

static void take_in_pieces(struct frame_writer *w, size_t piece, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += piece)
		frame_take(w, archive + at, MIN(piece, to - at));
}

static void what_was_taken_comes_back_byte_by_byte(void **state)
{
	const char *dir = *state;
	autoclose int top = scratch_open(dir);

	tree_new(dir);
	for (size_t piece = 1; piece <= strlen(archive); piece++) {
		cleanup(frame_writer_cleanup) struct frame_writer *w = NULL;
		struct buf out;

		buf_init(&out, OUTPUT_MAX);
		assert_int_equal(frame_writer_new(top, &w, NULL), 0);
		take_in_pieces(w, piece, 0, 5);
		frame_put_file(w, 5, 7, "file");
		take_in_pieces(w, piece, 5, 21);
		frame_put_file(w, 21, 5, "dir/inner");
		take_in_pieces(w, piece, 21, strlen(archive));
		assert_int_equal(frame_end(w, NULL), 0);
		assert_false(frame_is_spoilt(w));
		assert_int_equal(read_frame(dir, &out, NULL), 0);
		assert_int_equal(out.len, strlen(archive));
		assert_memory_equal(out.data, archive, out.len);
		buf_done(&out);
	}
}

static void what_the_tree_loses_is_in_a_blob(void **state)
{
	const char *dir = *state;
	autoclose int top = scratch_open(dir);

	for (size_t piece = 1; piece <= strlen(archive); piece++) {
		cleanup(frame_writer_cleanup) struct frame_writer *w = NULL;
		autofree char *tree = xasprintf("%s/tree", dir);
		char got[sizeof(archive)] = "";
		autoclose int tree_fd = -1, blob = -1;

		scratch_put(dir, "tree/file", "content");
		tree_fd = scratch_open(tree);
		assert_int_equal(frame_writer_new(top, &w, NULL), 0);
		take_in_pieces(w, piece, 0, 5);
		frame_put_file(w, 5, 7, "file");
		take_in_pieces(w, piece, 5, 21);
		assert_int_equal(frame_spoil(w, tree_fd, NULL), 0);
		assert_int_equal(frame_spoil(w, tree_fd, NULL), 0); /* again */
		assert_true(frame_is_spoilt(w));
		assert_int_equal(unlinkat(tree_fd, "file", 0), 0);
		frame_put_file(w, 21, 5, "file");
		take_in_pieces(w, piece, 21, strlen(archive));
		assert_int_equal(frame_end(w, NULL), -ESTALE);
		blob = frame_steal_blob(w);
		assert_int_equal(pread(blob, got, sizeof(got), 0), strlen(archive));
		assert_string_equal(got, archive);
		assert_int_equal(frame_open(top, "."), -ENOENT);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(frames_give_their_archive_or_are_damaged),
		CASE(a_packed_frame_that_is_cut_off_is_refused),
		CASE(what_was_taken_comes_back_byte_by_byte),
		CASE(what_the_tree_loses_is_in_a_blob),
	};

	return cmocka_run_group_tests_name("image/frame", tests, NULL, NULL);
}
