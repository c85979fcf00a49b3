/* tests/unit/disk/test_appliance_disk.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "disk/appliance_disk.h"
#include "disk/identity.h"
#include "disk/partition.h"

static const struct timespec when = { .tv_sec = 1 };

static struct disk_source source_of(void)
{
	struct disk_source s = { .tree = filetree_new(), .kind = SOURCE_PROGRAM };

	assert_int_equal(
		filetree_put_bytes(s.tree, "data/deep/file", 0644, xstrdup("x"), 1, when, NULL), 0);
	assert_int_equal(filetree_put_bytes(s.tree, "data/file", 0644, xstrdup("x"), 1, when, NULL),
			 0);
	return s;
}

static void volumes_leave_the_tree(void **state)
{
	cleanup(disk_source_done) struct disk_source s = source_of();
	const struct identity id = { .seed = "seed" };
	struct appliance_disk d = { .has_root = false };
	struct strv volumes = { 0 };
	const struct appliance_disk_request req = { .volumes = &volumes, .now_s = 1 };

	(void)state;
	strv_add(&volumes, "/data/");
	strv_add(&volumes, "/data/deep");
	strv_add(&volumes, "//data");
	strv_add(&volumes, "/new");
	assert_int_equal(appliance_disk_choose(&s, &req, &id, &d, NULL), 0);
	assert_false(d.has_root);
	assert_int_equal(d.volumes.n, 3);
	assert_string_equal(d.volumes.items[1], "/data/deep");
	assert_non_null(filetree_resolve(d.contents, "0/file", NULL));
	assert_non_null(filetree_resolve(d.contents, "1/file", NULL));
	assert_null(filetree_resolve(d.contents, "0/deep/file", NULL));
	assert_non_null(filetree_resolve(d.contents, "2", NULL));
	assert_non_null(filetree_resolve(s.tree, "data", NULL));
	assert_null(filetree_resolve(s.tree, "data/file", NULL));
	appliance_disk_done(&d);
	strv_done(&volumes);
}

static void where_the_files_are(void **state)
{
	static const struct {
		enum appliance_root root;
		int64_t size;
		bool volume;
		int r;
		bool on_disk;
	} cases[] = {
		{ APPLIANCE_ROOT_UNSAID, 0, false, 0, false },
		{ APPLIANCE_ROOT_UNSAID, 1 << 30, false, 0, true },
		{ APPLIANCE_ROOT_UNSAID, 1 << 30, true, 0, false },
		{ APPLIANCE_ROOT_DISK, 0, true, 0, true },
		{ APPLIANCE_ROOT_MEMORY, 1 << 30, false, -EINVAL, false },
	};
	const struct identity id = { .seed = "seed" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(disk_source_done) struct disk_source s = source_of();
		struct appliance_disk d = { .has_root = false };
		struct strv volumes = { 0 };
		const struct appliance_disk_request req = { .root = cases[i].root,
							    .volumes = &volumes,
							    .size = cases[i].size,
							    .now_s = 1 };

		if (cases[i].volume)
			strv_add(&volumes, "/data");
		assert_int_equal(appliance_disk_choose(&s, &req, &id, &d, NULL), cases[i].r);
		assert_int_equal(d.has_root, cases[i].on_disk);
		appliance_disk_done(&d);
		strv_done(&volumes);
	}
}

static void what_is_no_volume(void **state)
{
	static const struct {
		const char *path;
		int r;
	} cases[] = { { "data", -EINVAL },
		      { "/", -EINVAL },
		      { "/a/../b", -EINVAL },
		      { "", -EINVAL },
		      { "/data/file", -ENOTDIR } };
	const struct identity id = { .seed = "seed" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(disk_source_done) struct disk_source s = source_of();
		struct appliance_disk d = { .has_root = false };
		struct strv volumes = { 0 };
		const struct appliance_disk_request req = { .volumes = &volumes, .now_s = 1 };

		strv_add(&volumes, cases[i].path);
		assert_int_equal(appliance_disk_choose(&s, &req, &id, &d, NULL), cases[i].r);
		strv_done(&volumes);
	}
}

static void each_gets_its_partition_and_the_last_one_the_rest(void **state)
{
	cleanup(disk_source_done) struct disk_source s = source_of();
	const struct identity id = { .seed = "seed" };
	struct appliance_disk d = { .has_root = false };
	struct layout to;
	const struct partition *list = to.parts;
	struct strv volumes = { 0 };
	struct appliance_disk_request req = {
		.root = APPLIANCE_ROOT_DISK, .volumes = &volumes, .size = 512 << 20, .now_s = 1
	};
	autoclose int fd = memfd_create("disk", MFD_CLOEXEC);
	struct appliance_layout l = { .req = &req, .fd = fd, .layout = &to };

	(void)state;
	strv_add(&volumes, "/data");
	layout_begin(&to, TABLE_GPT, &id);
	assert_int_equal(appliance_disk_choose(&s, &req, &id, &d, NULL), 0);
	assert_int_equal(appliance_disk_lay_out(&d, &s, &l, NULL), 0);
	assert_int_equal(to.n, 2);
	assert_int_equal(list[0].kind, PARTITION_ROOT);
	assert_int_equal(list[1].kind, PARTITION_DATA);
	assert_int_equal(list[1].offset, list[0].offset + list[0].size);
	assert_int_equal(partition_disk_size(list[1].offset + list[1].size), req.size);
	layout_begin(&to, TABLE_GPT, &id);
	req.size = 64 << 20;
	assert_int_equal(appliance_disk_lay_out(&d, &s, &l, NULL), -ENOSPC);
	appliance_disk_done(&d);
	strv_done(&volumes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volumes_leave_the_tree),
		cmocka_unit_test(where_the_files_are),
		cmocka_unit_test(what_is_no_volume),
		cmocka_unit_test(each_gets_its_partition_and_the_last_one_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
