/* tests/unit/disk/test_install.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/install.h"

static struct filetree *tree_of(const char *path, const char *release)
{
	struct filetree *t = filetree_new();

	assert_int_equal(filetree_put_bytes(t, path, 0644, xstrdup(release), strlen(release),
					    (struct timespec) { .tv_sec = 1 }, NULL),
			 0);
	return t;
}

static void each_family_in_its_words(void **state)
{
	static const struct {
		const char *release, *package;
		bool has_init;
		const char *says, *says_not;
	} cases[] = {
		{ "NAME=x\nID=debian\n", NULL, false,
		  "install linux-image-amd64 initramfs-tools zstd e2fsprogs systemd-sysv udev login\n",
		  "generic" },
		{ "ID=debian\n", NULL, true,
		  "install linux-image-amd64 initramfs-tools zstd e2fsprogs\n", "systemd-sysv" },
		{ "ID=debian", "linux-image-cloud-amd64", true, "install linux-image-cloud-amd64 ",
		  "linux-image-amd64" },
		{ "ID=ubuntu\nID_LIKE=debian\n", NULL, false, "install linux-image-generic ",
		  "amd64" },
		{ "ID=\"linuxmint\"\nID_LIKE='ubuntu debian'\n", NULL, false,
		  "install linux-image-generic ", NULL },
		{ "ID=alpine\n", NULL, false,
		  "apk add --no-cache linux-lts linux-firmware-none mkinitfs e2fsprogs alpine-base\n",
		  "apt-get" },
		{ "ID=fedora\n", NULL, false,
		  "install kernel-core dracut e2fsprogs systemd util-linux\n", "apk" },
		{ "ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\n", NULL, true,
		  "install kernel-core dracut e2fsprogs\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(filetree_cleanup) struct filetree *t =
			tree_of(i % 2 ? "usr/lib/os-release" : "etc/os-release", cases[i].release);
		autofree char *script = NULL;

		assert_int_equal(
			install_script(t, cases[i].package, cases[i].has_init, &script, NULL), 0);
		assert_non_null(strstr(script, cases[i].says));
		assert_true(!cases[i].says_not || !strstr(script, cases[i].says_not));
	}
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *release, *package;
		int r;
	} cases[] = { { "ID=nixos\n", NULL, -ENOTSUP },   { "", NULL, -ENOTSUP },
		      { "ID=debianx\n", NULL, -ENOTSUP }, { "ID=debian\n", "a;b", -EINVAL },
		      { "ID=debian\n", "-o=x", -EINVAL }, { "ID=debian\n", "", -EINVAL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(filetree_cleanup) struct filetree *t =
			tree_of("etc/os-release", cases[i].release);
		autofree char *script = NULL;

		assert_int_equal(install_script(t, cases[i].package, false, &script, NULL),
				 cases[i].r);
		assert_null(script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_family_in_its_words),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
