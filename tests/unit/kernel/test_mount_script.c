/* tests/unit/kernel/test_mount_script.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "kernel/mount.h"
#include "kernel/mount_script.h"

/* A word for mount(8) is quoted once for the shell; what mount(8) or overlayfs would take apart has
 * a link for a name.
 */
static void commands_say_what_the_kernel_is_told(void **state)
{
	static const struct {
		const char *type, *source, *data, *target, *text;
	} cases[] = {
		{ "tmpfs", "tmpfs", "size=64m", "/a", "mount -t tmpfs -o ro,size=64m tmpfs /a" },
		{ "tmpfs", "tmpfs", NULL, "/a b", "mount -t tmpfs -o ro tmpfs '/a b'" },
		{ "tmpfs", "tmpfs", "lowerdir=/x:/y,z", "/a",
		  "mount -t tmpfs -o ro,lowerdir=/x:/y,z tmpfs /a" },
		{ "overlay", "overlay", "lowerdir=/x:/y", "/a",
		  "mount -t overlay -o ro,lowerdir=/x:/y overlay /a" },
		{ "overlay", "overlay", "lowerdir=/x\\:1:/y", "/a",
		  "(odd=$(mktemp -d /tmp/strake.XXXXXX); trap 'rm -r $odd' EXIT; cd $odd; "
		  "ln -s /x:1 0; mount -t overlay -o ro,lowerdir=0:/y overlay /a)" },
		{ "overlay", "overlay", "upperdir=up", "/a",
		  "(odd=$(mktemp -d /tmp/strake.XXXXXX); trap 'rm -r $odd' EXIT; cd $odd; "
		  "ln -s \"$OLDPWD\"/up 0; mount -t overlay -o ro,upperdir=0 overlay /a)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_options o = { .set = MOUNT_ATTR_RDONLY };
		autofree char *text = NULL;

		if (cases[i].data)
			strv_add(&o.data, cases[i].data);
		text = mount_script(cases[i].type, cases[i].source, &o, cases[i].target);
		assert_string_equal(text, cases[i].text);
		mount_options_done(&o);
	}
}

/* Words are quoted only for somebody who reads them. */
static int narrate(void **state)
{
	(void)state;
	explain_init(EXPLAIN_NARRATE, open("/dev/null", O_WRONLY | O_CLOEXEC));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_say_what_the_kernel_is_told),
	};

	return cmocka_run_group_tests_name("kernel/mount_script", tests, narrate, NULL);
}
