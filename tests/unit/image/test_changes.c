/* tests/unit/image/test_changes.c - an upper directory over a lower one, as a list in its fixed
 * order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../scratch.h"
#include "base/buf.h"
#include "base/strv.h"
#include "image/changes.h"

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

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_done_is_listed),
		CASE(places_for_mounts_say_nothing),
	};

	return cmocka_run_group_tests_name("image/changes", tests, NULL, NULL);
}
