/* tests/unit/disk/test_tree_tar.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <zlib.h>

#include "../scratch.h"
#include "base/buf.h"
#include "disk/filetree.h"
#include "disk/tree_tar.h"
#include "image/tar_write.h"

struct archive {
	struct buf bytes;
	struct tar_writer *w;
};

static int keep(void *data, const void *bytes, size_t len, struct error *err)
{
	(void)err;
	buf_add(data, bytes, len);
	return 0;
}

static void begin(struct archive *a)
{
	a->bytes = BUF_INIT(16U << 20);
	a->w = tar_writer_new(keep, &a->bytes);
}

static void add(struct archive *a, enum tar_type type, const char *name, const char *link)
{
	const struct tar_entry e = { .type = type,
				     .name = (char *)name,
				     .link = (char *)link,
				     .mode = 0750,
				     .uid = 70000,
				     .gid = 5,
				     .mtime = { .tv_sec = 9 } };

	assert_int_equal(tar_put(a->w, &e, NULL), 0);
}

static void add_file(struct archive *a, const char *name, const char *text)
{
	assert_int_equal(tar_put_file(a->w, name, text, strlen(text), NULL), 0);
}

static int open_file(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static int put_gzip(const char *dir, const void *bytes, size_t len)
{
	autofree char *path = xasprintf("%s/packed", dir);
	gzFile out = gzopen(path, "wb1");
	int fd;

	assert_non_null(out);
	assert_int_equal(gzwrite(out, bytes, (unsigned)len), (int)len);
	assert_int_equal(gzclose(out), Z_OK);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Writes the archive, without its last cut bytes, and reads it into t.  Contents of t are valid
 * until the test ends: their descriptors are in fds.
 */
static int read_back(const char *dir, struct archive *a, size_t cut, bool packed,
		     struct filetree *t, int fds[2], struct error *err)
{
	size_t len;

	assert_int_equal(tar_put_end(a->w, NULL), 0);
	tar_writer_free(a->w);
	len = a->bytes.len - cut;
	if (packed) {
		fds[0] = put_gzip(dir, a->bytes.data, len);
	} else {
		fds[0] = open_file(dir, "plain");
		assert_int_equal(file_write_all(fds[0], a->bytes.data, len), 0);
	}
	fds[1] = open_file(dir, "spool");
	buf_done(&a->bytes);
	return filetree_add_tar(t, fds[0], fds[1], "it.tar", err);
}

static void close_both(const int fds[2])
{
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void has_text(const struct filetree *t, const char *path, const char *want)
{
	const struct file *f = filetree_resolve(t, path, NULL);
	autofree char *text = NULL;
	size_t len;

	assert_non_null(f);
	assert_int_equal(content_read(&f->content, 1U << 20, 1U << 20, &text, &len, NULL), 0);
	assert_string_equal(text, want);
}

static void a_plain_and_a_packed_archive_are_the_same(void **state)
{
	for (int packed = 0; packed < 2; packed++) {
		cleanup(filetree_cleanup) struct filetree *t = filetree_new();
		struct archive a;
		const struct file *f;
		int fds[2];

		begin(&a);
		add(&a, TAR_DIR, "./", "");
		add(&a, TAR_DIR, "./etc/", "");
		add_file(&a, "./etc/name", "one");
		add_file(&a, "no/dirs/./for//it", "two");
		add(&a, TAR_HARD_LINK, "again", "./etc/name");
		add(&a, TAR_SYMLINK, "lib", "usr/lib");
		add_file(&a, "lib/x", "three");
		add_file(&a, "etc/empty", "");
		add_file(&a, "etc/name", "new");
		assert_int_equal(read_back(*state, &a, 0, packed, t, fds, NULL), 0);
		assert_int_equal(t->root->mode, S_IFDIR | 0750);
		assert_int_equal(t->root->uid, 70000);
		f = dir_find(t->root, "etc");
		assert_int_equal(f->mode, S_IFDIR | 0750);
		assert_int_equal(f->mtime.tv_sec, 9);
		has_text(t, "etc/name", "new");
		has_text(t, "again", "one");
		has_text(t, "no/dirs/for/it", "two");
		has_text(t, "etc/empty", "");
		/* The link stays, and leads to what was put through it. */
		assert_true(S_ISLNK(dir_find(t->root, "lib")->mode));
		has_text(t, "usr/lib/x", "three");
		close_both(fds);
	}
}

static void what_cannot_be_is_refused_by_its_name(void **state)
{
	char longest[300], target[TAR_NAME_MAX + 1];
	const struct {
		enum tar_type type;
		const char *name, *link, *text;
	} cases[] = {
		{ TAR_DIR, "a/..", "", "it.tar: a/..: a name that ends in '..'" },
		{ TAR_DIR, "..", "", "it.tar: ..: a name that ends in '..'" },
		{ TAR_SYMLINK, "./", "x", "it.tar: ./: the root is no directory" },
		{ TAR_HARD_LINK, "h", "gone", "it.tar: h: a hard link to what is not there" },
		{ TAR_HARD_LINK, "h", "dir", "it.tar: h: a hard link to what is not there" },
		{ TAR_HARD_LINK, "h", "file/x", "it.tar: h: a hard link to what is not there" },
		{ TAR_HARD_LINK, "h", "loop/x", "it.tar: h: a hard link to what is not there" },
		{ TAR_DIR, "file/x", "", "it.tar: file/x: its directory is a file, or too deep" },
		{ TAR_DIR, "loop/x", "", "it.tar: loop/x: its directory is a file, or too deep" },
		{ TAR_FIFO, longest, "", NULL },
		{ TAR_SYMLINK, "l", "", "it.tar: l: no file system holds its target" },
		{ TAR_SYMLINK, "l", target, "it.tar: l: no file system holds its target" },
	};

	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(filetree_cleanup) struct filetree *t = filetree_new();
		struct error err = { 0 };
		struct archive a;
		int fds[2];

		begin(&a);
		add(&a, TAR_DIR, "dir", "");
		add_file(&a, "file", "x");
		add(&a, TAR_SYMLINK, "loop", "loop");
		add(&a, cases[i].type, cases[i].name, cases[i].link);
		assert_int_equal(read_back(*state, &a, 0, false, t, fds, &err), -EBADMSG);
		if (cases[i].text)
			assert_string_equal(err.text, cases[i].text);
		else
			assert_non_null(strstr(err.text, "longer than 255 bytes"));
		close_both(fds);
	}
}

/* A name may go up again, and never further than the root. */
static void nothing_leads_outside(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct archive a;
	int fds[2];

	begin(&a);
	add(&a, TAR_SYMLINK, "out", "../../../..");
	add_file(&a, "../../etc/passwd", "a");
	add_file(&a, "out/etc/group", "b");
	add_file(&a, "/etc/shadow", "c");
	add_file(&a, "new/../beside/f", "d");
	assert_int_equal(read_back(*state, &a, 0, false, t, fds, NULL), 0);
	has_text(t, "etc/passwd", "a");
	has_text(t, "etc/group", "b");
	has_text(t, "etc/shadow", "c");
	has_text(t, "beside/f", "d");
	assert_int_equal(dir_find(t->root, "new")->nnames, 0);
	close_both(fds);
}

/* A hole in the file would be taken for the bytes that are missing. */
static void a_cut_archive_is_refused(void **state)
{
	static const size_t cuts[] = { 1024 + 512, 1024 + 2048, 1024 + 3000 };

	for (int packed = 0; packed < 2; packed++)
		for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
			cleanup(filetree_cleanup) struct filetree *t = filetree_new();
			autofree char *text = xcalloc(1, 4001);
			struct error err = { 0 };
			struct archive a;
			int fds[2];

			memset(text, 'x', 4000);
			begin(&a);
			add_file(&a, "large", text);
			assert_int_equal(read_back(*state, &a, cuts[i], packed, t, fds, &err),
					 -EBADMSG);
			assert_non_null(strstr(err.text, "it.tar"));
			close_both(fds);
		}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_plain_and_a_packed_archive_are_the_same),
		CASE(what_cannot_be_is_refused_by_its_name),
		CASE(nothing_leads_outside),
		CASE(a_cut_archive_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
