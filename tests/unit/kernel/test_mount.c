/* tests/unit/kernel/test_mount.c - words of options; the calls need a kernel: tests/system */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "kernel/mount.h"

static void parse(const char *list, struct mount_options *ret)
{
	autofree char *copy = xstrdup(list);
	char *rest = copy, *word;
	struct strv words = { 0 };

	while ((word = strsep(&rest, ",")))
		strv_add(&words, word);
	*ret = (struct mount_options) { .set = 0 };
	mount_options_parse(&words, ret);
	strv_done(&words);
}

static void words_become_attributes(void **state)
{
	static const struct {
		const char *list;
		uint64_t set, clear, recursive_set, propagation;
		bool bind, recursive;
	} cases[] = {
		{ "ro", MOUNT_ATTR_RDONLY, 0, 0, 0, false, false },
		{ "ro,rw", 0, MOUNT_ATTR_RDONLY, 0, 0, false, false },
		{ "rw,ro", MOUNT_ATTR_RDONLY, 0, 0, 0, false, false },
		{ "nosuid,nodev,noexec", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		  0, 0, 0, false, false },
		{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, 0, false, false },
		{ "noatime,strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0, 0, false,
		  false },
		{ "noatime,relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, 0, 0, false, false },
		{ "rro", 0, 0, MOUNT_ATTR_RDONLY, 0, false, false },
		{ "rbind,rslave", 0, 0, 0, MS_SLAVE, true, true },
		{ "bind,private", 0, 0, 0, MS_PRIVATE, true, false },
		{ "defaults,async", 0, 0, 0, 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_options o;

		parse(cases[i].list, &o);
		assert_int_equal(o.set, cases[i].set);
		assert_int_equal(o.clear, cases[i].clear);
		assert_int_equal(o.recursive_set, cases[i].recursive_set);
		assert_int_equal(o.propagation, cases[i].propagation);
		assert_int_equal(o.bind, cases[i].bind);
		assert_int_equal(o.recursive, cases[i].recursive);
		assert_int_equal(o.data.n, 0);
		mount_options_done(&o);
	}
}

static void the_rest_is_the_file_systems(void **state)
{
	static const struct {
		const char *list, *formatted;
	} cases[] = {
		{ "ro,size=64m,mode=755", "ro,size=64m,mode=755" },
		{ "size=64m,nosuid", "nosuid,size=64m" },
		{ "RO", "RO" },
		{ "tmpcopyup,rw", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *formatted = NULL;
		struct mount_options o;

		parse(cases[i].list, &o);
		formatted = mount_options_format(&o);
		assert_string_equal(formatted, cases[i].formatted);
		mount_options_done(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_attributes),
		cmocka_unit_test(the_rest_is_the_file_systems),
	};

	return cmocka_run_group_tests_name("kernel/mount", tests, NULL, NULL);
}
