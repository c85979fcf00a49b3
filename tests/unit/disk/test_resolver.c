/* tests/unit/disk/test_resolver.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include <sys/socket.h>

#include "../scratch.h"
#include "disk/machine/resolver.h"

static void each_source_has_its_servers(void **state)
{
	static const unsigned char options[] = {
		3,  1, 0, 0, 0,    0, 0, 0, /* another option */
		25, 5, 0, 0, 0,    0, 1, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0,  0, 0, 1, 0xfd, 0, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	};
	static const unsigned char none[] = { 25, 3, 0, 0, 0, 0, 0, 0, 0xfd, 0, 0, 0,
					      0,  0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 1 };
	autofree char *path = xasprintf("%s/resolv.conf", (const char *)*state), *text = NULL,
		      *after = NULL;
	struct resolver r = { .domain = "lan" };

	resolver_write(&r, path); /* nothing is known: no file */
	resolver_add(&r, FROM_DHCP, AF_INET, "\x0a\x00\x02\x03");
	resolver_add(&r, FROM_DHCP, AF_INET, "\x0a\x00\x02\x03");
	resolver_add(&r, FROM_ORDERS, AF_INET, "\xc0\x00\x02\x35");
	resolver_read_router(&r, options, sizeof(options));
	resolver_write(&r, path);
	text = scratch_get(*state, "resolv.conf");
	assert_string_equal(
		text,
		"search lan\nnameserver 192.0.2.53\nnameserver 10.0.2.3\nnameserver fd00::1\nnameserver fd00::2\n");
	resolver_read_router(&r, none, sizeof(none));
	resolver_clear(&r, FROM_DHCP);
	resolver_write(&r, path);
	after = scratch_get(*state, "resolv.conf");
	assert_string_equal(after, "nameserver 192.0.2.53\n");
}

static void damaged_options(void **state)
{
	static const unsigned char cases[][8] = {
		{ 25, 0 }, { 25, 2 }, { 25, 255 }, { 25, 1, 0, 0, 0, 0, 0, 1 }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct resolver r = { .domain = "" };

		resolver_read_router(&r, cases[i], sizeof(cases[i]));
		assert_int_equal(r.n[FROM_ROUTER], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_source_has_its_servers, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(damaged_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
