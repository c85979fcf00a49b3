/* tests/unit/network/test_names.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../scratch.h"
#include "base/strv.h"
#include "network/names.h"

/* One item of --dns and --add-host each, or NULL. */
static int names_write_with(const char *dir, const char *dns, const char *host, struct error *err)
{
	struct strv servers = { 0 }, hosts = { 0 };
	const struct names_request req = { .dir = dir,
					   .hostname = "box",
					   .name = "web",
					   .address = "10.120.0.2",
					   .dns = &servers,
					   .add_host = &hosts };
	int r;

	if (dns)
		strv_add(&servers, dns);
	if (host)
		strv_add(&hosts, host);
	r = names_write(&req, err);
	strv_done(&servers);
	strv_done(&hosts);
	return r;
}

static void three_files_tell_names(void **state)
{
	autofree char *hosts = NULL, *resolver = NULL, *hostname = NULL;

	assert_int_equal(names_write_with(*state, "192.0.2.53", "db:192.0.2.7", NULL), 0);
	hosts = scratch_get(*state, "hosts");
	resolver = scratch_get(*state, "resolv.conf");
	hostname = scratch_get(*state, "hostname");
	assert_non_null(strstr(hosts, "127.0.0.1\tlocalhost\n"));
	assert_non_null(strstr(hosts, "\n10.120.0.2\tbox web\n"));
	assert_non_null(strstr(hosts, "\n192.0.2.7\tdb\n"));
	assert_string_equal(resolver, "nameserver 192.0.2.53\n");
	assert_string_equal(hostname, "box\n");
}

static void addresses_of_ipv6_are_taken_too(void **state)
{
	autofree char *hosts = NULL, *resolver = NULL;

	assert_int_equal(names_write_with(*state, "2001:db8::53", "db:2001:db8::7", NULL), 0);
	hosts = scratch_get(*state, "hosts");
	resolver = scratch_get(*state, "resolv.conf");
	assert_non_null(strstr(hosts, "\n2001:db8::7\tdb\n"));
	assert_string_equal(resolver, "nameserver 2001:db8::53\n");
}

/* A newline in one item would be a line of its own in the file. */
static void refusals_name_the_option(void **state)
{
	static const struct {
		const char *dns, *host, *text;
	} cases[] = {
		{ "192.0.2", NULL, "--dns '192.0.2' is not an address" },
		{ "192.0.2.1\nsearch x", NULL, "--dns '192.0.2.1?search x' is not an address" },
		{ NULL, "db", "--add-host 'db': expected NAME:ADDRESS" },
		{ NULL, ":192.0.2.7", "--add-host ':192.0.2.7': expected NAME:ADDRESS" },
		{ NULL, "a b:192.0.2.7", "--add-host 'a b:192.0.2.7': expected NAME:ADDRESS" },
		{ NULL, "db:host", "--add-host 'db:host': expected NAME:ADDRESS" },
		{ NULL, "a\nb:192.0.2.7", "--add-host 'a?b:192.0.2.7': expected NAME:ADDRESS" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(names_write_with(*state, cases[i].dns, cases[i].host, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(three_files_tell_names, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(addresses_of_ipv6_are_taken_too, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(refusals_name_the_option, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("network/names", tests, NULL, NULL);
}
