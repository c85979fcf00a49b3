/* tests/unit/disk/test_source.c - of paths; images and containers are the system tests' */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "base/buf.h"
#include "disk/filetree.h"
#include "disk/output.h"
#include "disk/source.h"
#include "image/tar_write.h"

struct bed {
	struct output out;
	struct disk_source source;
	struct error err;
};

static int read_it(struct bed *bed, const char *dir, const char *name)
{
	autofree char *what = xasprintf("%s/%s", dir, name), *disk = xasprintf("%s/disk", dir);
	const struct source_request req = { .what = what, .out = &bed->out, .now_s = 77 };

	*bed = (struct bed) { .out = OUTPUT_INIT };
	assert_int_equal(output_open(disk, OUTPUT_PLAIN, &bed->out, NULL), 0);
	return source_read(&req, &bed->source, &bed->err);
}

static void bed_done(struct bed *bed)
{
	if (bed->source.tree)
		disk_source_done(&bed->source);
	output_done(&bed->out);
}

static int keep(void *data, const void *bytes, size_t len, struct error *err)
{
	(void)err;
	buf_add(data, bytes, len);
	return 0;
}

static void put_archive(const char *dir, const char *name, const char *const *files)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	struct buf b = BUF_INIT(1U << 20);
	struct tar_writer *w = tar_writer_new(keep, &b);

	for (; *files; files++)
		assert_int_equal(tar_put_file(w, *files, "x", 1, NULL), 0);
	assert_int_equal(tar_put_end(w, NULL), 0);
	assert_int_equal(file_write_at(AT_FDCWD, path, b.data, b.len, 0644, FILE_PLAIN, NULL), 0);
	tar_writer_free(w);
	buf_done(&b);
}

static void a_path_is_what_lies_there(void **state)
{
	static const char *const files[] = { "etc/x", "manifest.json", NULL };
	struct bed bed;

	scratch_put(*state, "dir/etc/x", "x");
	assert_int_equal(read_it(&bed, *state, "dir"), 0);
	assert_int_equal(bed.source.kind, SOURCE_DIRECTORY);
	assert_int_equal(bed.source.dirs.n, 1);
	assert_non_null(filetree_resolve(bed.source.tree, "etc/x", NULL));
	bed_done(&bed);
	/* With an /etc it is a root, whatever else is in it. */
	put_archive(*state, "it.tar", files);
	assert_int_equal(read_it(&bed, *state, "it.tar"), 0);
	assert_int_equal(bed.source.kind, SOURCE_ARCHIVE);
	assert_int_equal(bed.source.dirs.n, 0);
	assert_non_null(filetree_resolve(bed.source.tree, "etc/x", NULL));
	assert_null(bed.source.image);
	bed_done(&bed);
}

static void an_image_as_an_archive_is_no_root(void **state)
{
	static const char *const docker[] = { "manifest.json", "abc/layer.tar", NULL };
	static const char *const oci[] = { "oci-layout", "blobs/sha256/abc", NULL };
	struct bed bed;

	put_archive(*state, "docker.tar", docker);
	put_archive(*state, "oci.tar", oci);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(read_it(&bed, *state, i ? "oci.tar" : "docker.tar"), -EINVAL);
		assert_non_null(strstr(bed.err.text, "is an archive of an image: 'strake load"));
		assert_null(bed.source.tree);
		bed_done(&bed);
	}
}

static void what_is_no_source_is_told(void **state)
{
	static const char *const names[] = { "gone", "short", "text", "elf" };
	struct bed bed;

	scratch_put(*state, "short", "\177EL");
	scratch_put(*state, "text", "neither an archive nor a program");
	scratch_put(*state, "elf", "\177ELF, and nothing of one");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_true(read_it(&bed, *state, names[i]) < 0);
		assert_non_null(strstr(bed.err.text, names[i]));
		bed_done(&bed);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_path_is_what_lies_there),
		CASE(an_image_as_an_archive_is_no_root),
		CASE(what_is_no_source_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
