#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/alloc.h"
#include "builder/mode.h"

static void modes_are_those_of_chmod(void **state)
{
	static const struct {
		const char *text;
		mode_t old;
		int expected; /* -1: refused */
	} cases[] = {
		{ "0755", S_IFREG | 0600, 0755 },
		{ "755", S_IFREG | 0600, 0755 },
		{ "4711", S_IFREG | 0600, 04711 },
		{ "u=rwX,go=rX", S_IFREG | 0600, 0644 },
		{ "u=rwX,go=rX", S_IFREG | 0700, 0755 },
		{ "u=rwX,go=rX", S_IFDIR | 0700, 0755 },
		{ "a+x", S_IFREG | 0644, 0755 },
		{ "+x", S_IFREG | 0644, 0755 },
		{ "go-w", S_IFREG | 0666, 0644 },
		{ "u+s", S_IFREG | 0755, 04755 },
		{ "g+s", S_IFDIR | 0755, 02755 },
		{ "+t", S_IFDIR | 0777, 01777 },
		{ "o=", S_IFREG | 0777, 0770 },
		{ "g=u", S_IFREG | 0740, 0770 },
		{ "u=rw-w+x", S_IFREG | 0, 0500 },
		{ "", 0, -1 },
		{ "8", 0, -1 },
		{ "10000", 0, -1 },
		{ "rwx", 0, -1 },
		{ "u=q", 0, -1 },
		{ "u=r,", 0, -1 },
		{ "u", 0, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct draft_mode mode;
		struct error err = { 0 };
		int r = mode_parse(cases[i].text, &mode, &err);
		int got = r < 0 ? -1 : (int)mode_apply(&mode, cases[i].old);

		if (got != cases[i].expected)
			fail_msg("%s on %o: %o", cases[i].text, cases[i].old, (unsigned)got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(modes_are_those_of_chmod) };

	return cmocka_run_group_tests_name("builder/mode", tests, NULL, NULL);
}
