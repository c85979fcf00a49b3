/* tests/unit/disk/test_modules.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/modules.h"
#include "disk/source.h"

static const struct timespec when = { .tv_sec = 1 };
static const char *const wanted[] = { "virtio_net", "not_there", "ext4" };

static void what_is_needed_comes_first_and_once(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
	struct strv got = { 0 };

	assert_int_equal(dir_make_at(AT_FDCWD, *state, 0755, NULL), 0);
	scratch_put(
		*state, "modules.dep",
		"virtio-net.ko.xz: failover.ko virtio.ko\nfailover.ko:\nvirtio.ko:\next4.ko: jbd2.ko virtio.ko\njbd2.ko:\n");
	scratch_put(*state, "virtio-net.ko.xz", "net");
	scratch_put(*state, "failover.ko", "failover");
	scratch_put(*state, "virtio.ko", "virtio");
	scratch_put(*state, "ext4.ko", "ext4");
	scratch_put(*state, "jbd2.ko", "jbd2");
	assert_int_equal(modules_add(&s, *state, wanted, ARRAY_SIZE(wanted), when, &got, NULL), 0);
	assert_int_equal(got.n, 5);
	assert_string_equal(got.items[0], "/.strake/modules/virtio.ko");
	assert_string_equal(got.items[1], "/.strake/modules/failover.ko");
	assert_string_equal(got.items[2], "/.strake/modules/virtio-net.ko.xz");
	assert_string_equal(got.items[3], "/.strake/modules/jbd2.ko");
	assert_string_equal(got.items[4], "/.strake/modules/ext4.ko");
	assert_non_null(filetree_resolve(s.tree, ".strake/modules/ext4.ko", NULL));
	strv_done(&got);
}

static void a_folder_that_is_none(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
	struct strv got = { 0 };

	assert_int_equal(modules_add(&s, *state, wanted, ARRAY_SIZE(wanted), when, &got, NULL),
			 -ENOENT);
	scratch_put(*state, "modules.dep", "ext4.ko:\n");
	assert_int_equal(modules_add(&s, *state, wanted, ARRAY_SIZE(wanted), when, &got, NULL),
			 -ENOENT);
	strv_done(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_needed_comes_first_and_once, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_folder_that_is_none, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
