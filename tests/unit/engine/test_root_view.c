/* tests/unit/engine/test_root_view.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/file.h"
#include "engine/root_view.h"

/* Two layers, "upper" before "lower", in a directory of the test's own. */
struct layers {
	char dir[64];
	struct strv list;
};

static int setup(void **state)
{
	struct layers *l = xnew(struct layers);

	(void)snprintf(l->dir, sizeof(l->dir), "/tmp/root-view-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	strv_addf(&l->list, "%s/upper", l->dir);
	strv_addf(&l->list, "%s/lower", l->dir);
	for (size_t i = 0; i < 2; i++) {
		autofree char *etc = xasprintf("%s/etc", l->list.items[i]);

		assert_int_equal(dir_make_at(AT_FDCWD, etc, 0755, NULL), 0);
	}
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct layers *l = *state;

	assert_int_equal(dir_remove_at(AT_FDCWD, l->dir, NULL), 0);
	strv_done(&l->list);
	free(l);
	return 0;
}

static void put(const struct layers *l, size_t layer, const char *path, const char *text)
{
	autofree char *whole = xasprintf("%s/%s", l->list.items[layer], path);

	assert_int_equal(file_write_at(AT_FDCWD, whole, text, strlen(text), 0644, FILE_PLAIN, NULL),
			 0);
}

static void what_is_no_file_is_not_opened(void **state)
{
	const struct layers *l = *state;
	autofree char *path = xasprintf("%s/etc/passwd", l->list.items[0]), *text = NULL;
	autoclose int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char event[512];

	put(l, 1, "etc/passwd", "lower");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	assert_int_equal(root_view_read(&l->list, "/etc/passwd", 100, &text, NULL), -ENOENT);
	assert_true(read(watch, event, sizeof(event)) < 0);
}

static void the_upper_layer_wins(void **state)
{
	const struct layers *l = *state;
	autofree char *text = NULL;

	put(l, 1, "etc/passwd", "lower");
	put(l, 0, "etc/passwd", "upper");
	assert_int_equal(root_view_read(&l->list, "/etc/passwd", 100, &text, NULL), 0);
	assert_string_equal(text, "upper");
}

static void a_missing_file_is_looked_for_below(void **state)
{
	const struct layers *l = *state;
	autofree char *text = NULL;

	put(l, 1, "etc/passwd", "lower");
	assert_int_equal(root_view_read(&l->list, "/etc/passwd", 100, &text, NULL), 0);
	assert_string_equal(text, "lower");
}

static void a_whiteout_hides(void **state)
{
	const struct layers *l = *state;
	autofree char *whiteout = xasprintf("%s/upper/etc/passwd", l->dir), *text = NULL;

	if (getuid() != 0)
		skip();
	put(l, 1, "etc/passwd", "lower");
	assert_int_equal(mknod(whiteout, S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(root_view_read(&l->list, "/etc/passwd", 100, &text, NULL), -ENOENT);
}

/* An image cannot make us read a file of the host. */
static void a_symlink_stays_inside(void **state)
{
	const struct layers *l = *state;
	autofree char *link = xasprintf("%s/upper/etc/passwd", l->dir), *text = NULL;

	assert_int_equal(symlink("../../../../../../../../etc/passwd", link), 0);
	assert_int_equal(root_view_read(&l->list, "/etc/passwd", 1 << 20, &text, NULL), -ENOENT);
}

static void users_by_name_and_number(void **state)
{
	static const struct {
		const char *text;
		int r;
		uid_t uid;
		gid_t gid;
		size_t ngroups;
		const char *home;
	} cases[] = {
		{ NULL, 0, 0, 0, 0, "/root" },
		{ "", 0, 0, 0, 0, "/root" },
		{ "web", 0, 33, 34, 1, "/srv" },
		{ "33", 0, 33, 34, 1, "/srv" },
		{ "web:0", 0, 33, 0, 0, "/srv" },
		{ "web:staff", 0, 33, 50, 0, "/srv" },
		{ "1234", 0, 1234, 0, 0, "/" },
		{ "1234:77", 0, 1234, 77, 0, "/" },
		{ "nobody-here", -EINVAL, 0, 0, 0, NULL },
		{ "web:nogroup-here", -EINVAL, 0, 0, 0, NULL },
		{ "-1", -EINVAL, 0, 0, 0, NULL },
		{ "4294967295", -EINVAL, 0, 0, 0, NULL },
	};
	const struct layers *l = *state;

	put(l, 1, "etc/passwd",
	    "root:x:0:0:root:/root:/bin/sh\n#x\nbad line\nweb:x:33:34::/srv:/bin/sh\n");
	put(l, 1, "etc/group", "root:x:0:\nstaff:x:50:web,other\nwww:x:34:web\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(user_done) struct user user = { 0 };

		assert_int_equal(user_resolve(&l->list, cases[i].text, &user, NULL), cases[i].r);
		if (cases[i].r < 0)
			continue;
		assert_int_equal(user.uid, cases[i].uid);
		assert_int_equal(user.gid, cases[i].gid);
		assert_int_equal(user.ngroups, cases[i].ngroups);
		assert_string_equal(user.home, cases[i].home);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_no_file_is_not_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(the_upper_layer_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_file_is_looked_for_below, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_whiteout_hides, setup, teardown),
		cmocka_unit_test_setup_teardown(a_symlink_stays_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(users_by_name_and_number, setup, teardown),
	};

	return cmocka_run_group_tests_name("engine/root_view", tests, NULL, NULL);
}
