/* tests/unit/image/test_changes.c - an upper directory over a lower one, as a list in its fixed
 * order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../scratch.h"
#include "base/buf.h"
#include "base/strv.h"
#include "image/changes.h"
#include "image/tar_write.h"

static int note(void *data, const struct change *item, struct error *err)
{
	(void)err;
	if (*item->path)
		buf_addf(data, "%c %s%s\n", "ACD"[item->kind], item -> path,
			 item -> opaque ? " opaque" : "");
	return 0;
}

static char *list(const char *dir, bool with_lower, const struct strv *mount_points)
{
	autofree char *upper = xasprintf("%s/upper", dir);
	autoclose int fd = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf text = BUF_INIT(65536);
	struct strv lower = { 0 };
	struct changes_request req = {
		.fd = fd, .visit = note, .data = &text, .mount_points = mount_points
	};

	strv_addf(&lower, "%s/lower", dir);
	req.lower = with_lower ? &lower : NULL;
	assert_int_equal(changes_walk(&req, NULL), 0);
	strv_done(&lower);
	return buf_steal(&text);
}

static void make_whiteout(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/upper/%s", dir, name);

	assert_int_equal(mknod(path, S_IFCHR, makedev(0, 0)), 0);
}

static void what_was_done_is_listed(void **state)
{
	const char *dir = *state;
	autofree char *opaque = xasprintf("%s/upper/opaque", dir), *all = NULL, *text = NULL;
	autofree char *fresh = xasprintf("%s/upper/fresh", dir);

	if (getuid() != 0)
		skip();
	scratch_put(dir, "lower/changed", "1");
	scratch_put(dir, "lower/gone", "1");
	scratch_put(dir, "lower/dir/in", "1");
	scratch_put(dir, "lower/dir/z-gone", "1");
	scratch_put(dir, "lower/opaque/hidden", "1");
	scratch_put(dir, "upper/changed", "2");
	scratch_put(dir, "upper/b", "2");
	scratch_put(dir, "upper/a", "2");
	scratch_put(dir, "upper/dir/new", "2");
	scratch_put(dir, "upper/opaque/hidden", "2");
	scratch_put(dir, "upper/fresh/in", "2");
	make_whiteout(dir, "gone");
	make_whiteout(dir, "dir/z-gone");
	make_whiteout(dir, "never");
	assert_int_equal(setxattr(opaque, "trusted.overlay.opaque", "y", 1, 0), 0);
	/* The kernel marks new directories, too; nothing is below that one. */
	assert_int_equal(setxattr(fresh, "trusted.overlay.opaque", "y", 1, 0), 0);
	text = list(dir, true, NULL);
	assert_string_equal(text,
			    "D gone\nA a\nA b\nC changed\nC dir\nD dir/z-gone\nA dir/new\nA fresh\n"
			    "A fresh/in\nC opaque opaque\nA opaque/hidden\n");
	all = list(dir, false, NULL);
	assert_string_equal(all,
			    "A a\nA b\nA changed\nA dir\nA dir/new\nA fresh\nA fresh/in\nA opaque\n"
			    "A opaque/hidden\n");
}

static void places_for_mounts_say_nothing(void **state)
{
	const char *dir = *state;
	autofree char *text = NULL, *proc = xasprintf("%s/upper/proc", dir);
	struct strv points = { 0 };

	scratch_put(dir, "lower/etc/passwd", "");
	scratch_put(dir, "lower/run/x", "");
	scratch_put(dir, "upper/etc/hosts", "");
	scratch_put(dir, "upper/run/hosts", "");
	scratch_put(dir, "upper/run/mine", "");
	scratch_put(dir, "upper/full", "it has something in it");
	assert_int_equal(mkdir(proc, 0755), 0);
	strv_add(&points, "proc");
	strv_add(&points, "etc/hosts");
	strv_add(&points, "run/hosts");
	strv_add(&points, "full");
	text = list(dir, true, &points);
	assert_string_equal(text, "A full\nC run\nA run/mine\n");
	strv_done(&points);
}

/* changes_tar.c opens a file only here: between the look at it and this call something else can
 * take its place.  The test is linked with --wrap=openat64.
 */
static const char *swapped; /* the directory in which "victim" and "other" change places, once; or
			     * "victim" goes, if there is no other */

int __real_openat64(int at, const char *path, int flags, ...);
int __wrap_openat64(int at, const char *path, int flags, ...);
int __wrap_openat64(int at, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (swapped && strcmp(path, "victim") == 0) {
		autofree char *victim = xasprintf("%s/upper/victim", swapped);
		autofree char *other = xasprintf("%s/other", swapped);

		swapped = NULL;
		if (access(other, F_OK) < 0)
			assert_int_equal(unlink(victim), 0);
		else
			assert_int_equal(
				renameat2(AT_FDCWD, victim, AT_FDCWD, other, RENAME_EXCHANGE), 0);
		/* A pipe opens as a device does. */
		assert_true(flags & O_PATH);
	}
	return __real_openat64(at, path, flags, mode);
}

static int collect(void *data, const void *bytes, size_t len, struct error *err)
{
	(void)err;
	buf_add(data, bytes, len);
	return 0;
}

static int archive(const char *dir, struct buf *ret, struct error *err)
{
	autofree char *upper = xasprintf("%s/upper", dir);
	autoclose int fd = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct changes_request req = { .fd = fd };
	const struct changes_tar options = { .newest_s = -1 };
	struct tar_writer *tar = tar_writer_new(collect, ret);
	int r;

	swapped = dir;
	r = changes_write(&req, &options, tar, err);
	swapped = NULL;
	if (r == 0)
		r = tar_put_end(tar, err);
	tar_writer_free(tar);
	return r;
}

static void what_took_a_files_place_is_not_opened(void **state)
{
	const char *dir = *state;
	autofree char *other = xasprintf("%s/other", dir);
	struct buf out = BUF_INIT(1 << 20);
	struct error err = { 0 };

	scratch_put(dir, "upper/victim", "1");
	assert_int_equal(mkfifo(other, 0600), 0);
	assert_int_equal(archive(dir, &out, &err), -ESTALE);
	assert_non_null(strstr(err.text, "/victim: something else took its place"));
	buf_done(&out);
}

static void a_newer_file_goes_in_as_it_is(void **state)
{
	const char *dir = *state;
	struct buf out = BUF_INIT(1 << 20);

	scratch_put(dir, "upper/victim", "1");
	scratch_put(dir, "other", "newer and longer");
	assert_int_equal(archive(dir, &out, NULL), 0);
	assert_non_null(memmem(out.data, out.len, "newer and longer", 16));
	buf_done(&out);
}

static void a_file_that_went_is_left_out(void **state)
{
	const char *dir = *state;
	struct buf out = BUF_INIT(1 << 20);
	struct error err = { 0 };

	scratch_put(dir, "upper/victim", "1");
	scratch_put(dir, "upper/witness", "2");
	assert_int_equal(archive(dir, &out, &err), 0);
	assert_int_equal(err.code, 0);
	assert_null(memmem(out.data, out.len, "victim", 6));
	assert_non_null(memmem(out.data, out.len, "witness", 7));
	buf_done(&out);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_done_is_listed),
		CASE(places_for_mounts_say_nothing),
		CASE(what_took_a_files_place_is_not_opened),
		CASE(a_file_that_went_is_left_out),
		CASE(a_newer_file_goes_in_as_it_is),
	};

	return cmocka_run_group_tests_name("image/changes", tests, NULL, NULL);
}
