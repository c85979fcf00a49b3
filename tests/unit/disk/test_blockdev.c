/* tests/unit/disk/test_blockdev.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/sysmacros.h>

#include "../scratch.h"
#include "disk/blockdev.h"

/* A stick 8:16 with two partitions, as sysfs shows it. */
static void stick(const char *dir, const char *bus)
{
	autofree char *base = xasprintf("devices/%s/block/sdy", bus);
	autofree char *path = xasprintf("%s/dev/block", dir);
	autofree char *link = xasprintf("%s/8:16", path);
	autofree char *target = xasprintf("../../%s", base);
	static const struct {
		const char *name, *text;
	} files[] = {
		{ "size", "15728640\n" },
		{ "ro", "0\n" },
		{ "removable", "0\n" },
		{ "dev", "8:16\n" },
		{ "queue/logical_block_size", "512\n" },
		{ "device/model", "Data Traveller  \n" },
		{ "sdy1/partition", "1\n" },
		{ "sdy1/dev", "8:17\n" },
		{ "sdy1/size", "2048\n" },
		{ "sdy10/partition", "10\n" },
		{ "sdy10/dev", "8:26\n" },
		{ "sdy10/size", "4096\n" },
		{ "sdy2/partition", "2\n" },
		{ "sdy2/dev", "8:18\n" },
		{ "sdy2/size", "1024\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		autofree char *name = xasprintf("%s/%s", base, files[i].name);

		scratch_put(dir, name, files[i].text);
	}
	assert_int_equal(dir_make_at(AT_FDCWD, path, 0755, NULL), 0);
	assert_int_equal(symlink(target, link), 0);
	scratch_put(dir, "self/mountinfo", "21 1 254:0 / / rw - ext4 /dev/root rw\n");
}

static void look(const char *dir, struct blockdev *ret)
{
	const struct blockdev_view view = { dir, dir };

	assert_int_equal(blockdev_look(makedev(8, 16), &view, ret, NULL), 0);
}

static void a_stick_nobody_uses(void **state)
{
	struct blockdev b;

	stick(*state, "pci0/usb1/1-1");
	look(*state, &b);
	assert_string_equal(b.name, "sdy");
	assert_string_equal(b.model, "Data Traveller");
	assert_int_equal(b.size, 15728640LL * 512);
	assert_int_equal(b.sector, 512);
	assert_true(b.removable);
	assert_false(b.readonly);
	assert_false(b.is_partition);
	assert_null(b.use);
	assert_int_equal(b.nparts, 3);
	assert_string_equal(b.parts[0].name, "sdy1");
	assert_string_equal(b.parts[1].name, "sdy2");
	assert_string_equal(b.parts[2].name, "sdy10");
	assert_int_equal(b.parts[2].size, 4096 * 512);
	blockdev_done(&b);
}

static void what_is_built_in(void **state)
{
	struct blockdev b;

	stick(*state, "pci0/ata1");
	look(*state, &b);
	assert_false(b.removable);
	blockdev_done(&b);
}

static void who_uses_it(void **state)
{
	static const struct {
		const char *file, *text, *use;
	} cases[] = {
		{ "self/mountinfo",
		  "21 1 254:0 / / rw - ext4 x rw\n30 21 8:16 / /mnt rw - ext4 x rw\n",
		  "sdy is mounted on /mnt" },
		{ "self/mountinfo", "30 21 8:18 / /media/a\\040b rw shared:1 - vfat x rw\n",
		  "sdy2 is mounted on /media/a\\040b" },
		{ "devices/usb1/block/sdy/sdy10/holders/dm-3", "",
		  "sdy10 is a part of dm-3 (RAID, LVM or encryption)" },
		{ "devices/usb1/block/sdy/holders/md0", "",
		  "sdy is a part of md0 (RAID, LVM or encryption)" },
		{ "block/loop3/loop/backing_file", "/dev/sdy2\n",
		  "sdy2 is shown by loop3 (losetup -d)" },
	};

	stick(*state, "usb1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *path = xasprintf("%s/%s", (const char *)*state, cases[i].file);
		struct blockdev b;

		scratch_put(*state, cases[i].file, cases[i].text);
		look(*state, &b);
		assert_string_equal(b.use, cases[i].use);
		blockdev_done(&b);
		scratch_put(*state, "self/mountinfo", "");
		if (strstr(path, "holders"))
			assert_int_equal(unlink(path), 0);
	}
}

static void what_is_not_there(void **state)
{
	const struct blockdev_view view = { *state, *state };
	struct blockdev b;

	assert_int_equal(blockdev_look(makedev(8, 32), &view, &b, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_stick_nobody_uses, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_built_in, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(who_uses_it, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_there, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
