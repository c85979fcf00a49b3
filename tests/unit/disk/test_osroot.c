/* tests/unit/disk/test_osroot.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "disk/osroot.h"
#include "disk/rootfs.h"

static const struct identity id = { .seed = "5eed" };

static void what_excludes_each_other_is_refused(void **state)
{
	static const struct {
		struct osroot_request req;
		const char *said; /* NULL: it goes */
	} cases[] = {
		{ { .options = { .verity = true } }, NULL },
		{ { .options = { .encrypt = true } }, NULL },
		{ { .options = { .verity = true, .encrypt = true } },
		  "--verity and --encrypt exclude one another" },
		{ { .options = { .encrypt = true }, .optical = true },
		  "an ISO cannot be encrypted" },
		{ { .options = { .fs = ROOTFS_EROFS }, .size = 1 }, "erofs is as large as its" },
		{ { .options = { .fs = ROOTFS_SQUASHFS }, .size = 1 }, "squashfs is as large as" },
		{ { .options = { .fs = ROOTFS_XFS }, .size = 1 }, NULL },
		{ { .options = { .read_only = true }, .arm64 = true }, "is for amd64 alone" },
		{ { .options = { .read_only = true }, .arm64 = true, .named_initrd = true }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct osroot s = OSROOT_INIT;
		struct error err = { 0 };
		int r = osroot_choose(&cases[i].req, &s, &err);

		assert_int_equal(r == 0, cases[i].said == NULL);
		if (r < 0)
			assert_non_null(strstr(err.text, cases[i].said));
		osroot_done(&s);
	}
}

/* What cannot be written to has an overlay over it, which the source's own initrd knows not of. */
static void who_starts_it_follows_from_what_it_is(void **state)
{
	static const struct {
		struct osroot_request req;
		bool own_initrd, overlay;
	} cases[] = {
		{ { .initrd = true }, false, false },
		{ { .initrd = false }, false, false },
		{ { .initrd = false, .modules = true }, true, false },
		{ { .initrd = false, .modules = true, .arm64 = true }, false, false },
		{ { .initrd = true, .modules = true }, false, false },
		{ { .options = { .fs = ROOTFS_XFS } }, true, false },
		{ { .options = { .fs = ROOTFS_XFS }, .initrd = true }, false, false },
		{ { .options = { .fs = ROOTFS_EROFS }, .initrd = true }, true, true },
		{ { .options = { .read_only = true }, .initrd = true }, true, true },
		{ { .options = { .verity = true }, .initrd = true }, true, true },
		{ { .initrd = true, .optical = true }, true, true },
		{ { .options = { .encrypt = true }, .initrd = true }, true, false },
		{ { .options = { .verity = true }, .initrd = true, .named_initrd = true },
		  false,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct osroot s = OSROOT_INIT;

		assert_int_equal(osroot_choose(&cases[i].req, &s, NULL), 0);
		assert_int_equal(s.own_initrd, cases[i].own_initrd);
		assert_int_equal(s.overlay, cases[i].overlay);
	}
}

static void the_kernel_is_told_what_it_needs(void **state)
{
	char uuid[UUID_TEXT_LEN + 1];
	autofree char *by_uuid = NULL;
	struct {
		struct osroot_request req;
		const char *words;
	} cases[] = {
		{ { .initrd = true }, NULL },
		{ { .more = "quiet  x" },
		  "root=PARTUUID=part rootfstype=ext4 rw console=tty0 console=ttyS0,115200 "
		  "init=/.strake/first quiet  x" },
		{ { .initrd = true, .options = { .fs = ROOTFS_SQUASHFS } },
		  "root=PARTUUID=part rootfstype=squashfs ro systemd.volatile=overlay "
		  "console=tty0 console=ttyS0,115200" },
		{ { .initrd = true, .options = { .encrypt = true }, .init = "/init" },
		  "root=/dev/mapper/root rd.luks.name=luks=root strake.crypt=PARTUUID=part "
		  "rootfstype=ext4 rw console=tty0 console=ttyS0,115200 init=/init" },
		{ { .initrd = true, .options = { .verity = true } },
		  "root=/dev/mapper/root roothash=hash systemd.verity_root_data=PARTUUID=part "
		  "systemd.verity_root_hash=PARTUUID=hashes rootfstype=ext4 ro "
		  "systemd.volatile=overlay console=tty0 console=ttyS0,115200" },
		{ { .arm64 = true },
		  "root=PARTUUID=part rootfstype=ext4 rw console=tty0 console=ttyAMA0,115200" },
	};

	(void)state;
	identity_text(&id, "root", uuid);
	by_uuid = xasprintf("root=UUID=%s rootfstype=ext4 rw console=tty0 console=ttyS0,115200 "
			    "init=/.strake/first",
			    uuid);
	cases[0].words = by_uuid;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *words = NULL;
		struct osroot s = OSROOT_INIT;

		cases[i].req.id = &id;
		if (!cases[i].req.init)
			cases[i].req.init = "/sbin/init";
		assert_int_equal(osroot_choose(&cases[i].req, &s, NULL), 0);
		(void)snprintf(s.root_part, sizeof(s.root_part), "part");
		(void)snprintf(s.hash_part, sizeof(s.hash_part), "hashes");
		(void)snprintf(s.root_hash, sizeof(s.root_hash), "hash");
		(void)snprintf(s.luks, sizeof(s.luks), "luks");
		words = osroot_words(&s);
		assert_string_equal(words, cases[i].words);
	}
}

static void a_file_system_is_known_by_its_name(void **state)
{
	static const char *const names[] = { "ext4", "xfs", "btrfs", "squashfs", "erofs" };
	struct error err = { 0 };
	enum rootfs fs;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(rootfs_choose(names[i], &fs, NULL), 0);
		assert_string_equal(rootfs_name(fs), names[i]);
		assert_int_equal(rootfs_is_readonly(fs), i >= 3);
	}
	assert_int_equal(rootfs_choose(NULL, &fs, NULL), 0);
	assert_int_equal(fs, ROOTFS_EXT4);
	assert_int_equal(rootfs_choose("ext", &fs, &err), -EINVAL);
	assert_string_equal(err.text, "--fs wants ext4, xfs, btrfs, squashfs or erofs, not 'ext'");
	assert_int_equal(rootfs_choose("", &fs, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_excludes_each_other_is_refused),
		cmocka_unit_test(who_starts_it_follows_from_what_it_is),
		cmocka_unit_test(the_kernel_is_told_what_it_needs),
		cmocka_unit_test(a_file_system_is_known_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
