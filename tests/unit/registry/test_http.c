/* tests/unit/registry/test_http.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "registry/http.h"

static void only_addresses_are_loopback(void **state)
{
	static const struct {
		const char *host;
		bool loopback;
	} cases[] = {
		{ "localhost", true },
		{ "localhost:5000", true },
		{ "127.0.0.1", true },
		{ "127.0.0.1:5000", true },
		{ "127.9.8.7:80", true },
		{ "[::1]", true },
		{ "[::1]:5000", true },
		{ "127.evil.test", false },
		{ "127.evil.test:5000", false },
		{ "127.0.0.1.evil.test", false },
		{ "127.1", false },
		{ "0127.0.0.1", false },
		{ "127.0.0.1@evil.test", false },
		{ "localhost.evil.test", false },
		{ "localhostx:80", false },
		{ "[::1].evil.test", false },
		{ "[::1]evil.test:80", false },
		{ "[::2]:80", false },
		{ "[::1", false },
		{ "::1", false },
		{ "128.0.0.1", false },
		{ "registry.example", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (host_is_loopback(cases[i].host) != cases[i].loopback)
			fail_msg("%s", cases[i].host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_addresses_are_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
