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
	struct strv servers = { 0 }, hosts = { 0 }, addresses = { 0 }, none = { 0 };
	const struct names_request req = { .dir = dir,
					   .hostname = "box",
					   .name = "web",
					   .addresses = &addresses,
					   .resolvers = &none,
					   .dns = &servers,
					   .dns_search = &none,
					   .dns_option = &none,
					   .add_host = &hosts };
	int r;

	strv_add(&addresses, "10.120.0.2");

	if (dns)
		strv_add(&servers, dns);
	if (host)
		strv_add(&hosts, host);
	r = names_write(&req, err);
	strv_done(&servers);
	strv_done(&hosts);
	strv_done(&addresses);
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
	assert_ptr_equal(strstr(resolver, "nameserver 192.0.2.53\n"), resolver);
	assert_null(strstr(resolver + 1, "nameserver"));
	assert_string_equal(hostname, "box\n");
}

static void addresses_of_ipv6_are_taken_too(void **state)
{
	autofree char *hosts = NULL, *resolver = NULL;

	assert_int_equal(names_write_with(*state, "2001:db8::53", "db=[2001:db8::7]", NULL), 0);
	hosts = scratch_get(*state, "hosts");
	resolver = scratch_get(*state, "resolv.conf");
	assert_non_null(strstr(hosts, "\n2001:db8::7\tdb\n"));
	assert_ptr_equal(strstr(resolver, "nameserver 2001:db8::53\n"), resolver);
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
		{ NULL, "db:host-gateway",
		  "--add-host 'db:host-gateway': the host has no address in this container's "
		  "network" },
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

/* Where strake-dns answers, it is the only server; the user's search and options count, and a name
 * without dots is asked for as it is.
 */
static void a_resolver_of_ours_is_the_only_server(void **state)
{
	static const struct {
		const char *search, *option, *tail;
	} cases[] = {
		{ "a.example", "timeout:1", "\nsearch a.example\noptions timeout:1 ndots:0\n" },
		{ "a.example", "ndots:2", "\nsearch a.example\noptions ndots:2\n" },
		{ ".", "timeout:1", "nameserver 10.120.0.1\noptions timeout:1 ndots:0\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv ours = { 0 }, dns = { 0 }, search = { 0 }, option = { 0 }, none = { 0 };
		const struct names_request req = { .dir = *state,
						   .hostname = "web.example.org",
						   .name = "n",
						   .addresses = &ours,
						   .resolvers = &ours,
						   .dns = &dns,
						   .dns_search = &search,
						   .dns_option = &option,
						   .add_host = &none };
		autofree char *resolver = NULL, *hosts = NULL;

		strv_add(&ours, "10.120.0.1");
		strv_add(&dns, "192.0.2.53");
		strv_add(&search, cases[i].search);
		strv_add(&option, cases[i].option);
		assert_int_equal(names_write(&req, NULL), 0);
		resolver = scratch_get(*state, "resolv.conf");
		hosts = scratch_get(*state, "hosts");
		assert_ptr_equal(strstr(resolver, "nameserver 10.120.0.1\n"), resolver);
		assert_null(strstr(resolver, "192.0.2.53"));
		assert_non_null(strstr(resolver, cases[i].tail));
		assert_non_null(strstr(hosts, "\n10.120.0.1\tweb.example.org web n\n"));
		strv_done(&ours);
		strv_done(&dns);
		strv_done(&search);
		strv_done(&option);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(three_files_tell_names, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(addresses_of_ipv6_are_taken_too, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_resolver_of_ours_is_the_only_server,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(refusals_name_the_option, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("network/names", tests, NULL, NULL);
}
