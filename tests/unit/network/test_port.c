/* tests/unit/network/test_port.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "network/port.h"

static void what_is_said_is_what_is_published(void **state)
{
	static const struct {
		const char *text, *formatted;
	} cases[] = {
		{ "80", "0.0.0.0:0->80/tcp" },
		{ "8080:80", "0.0.0.0:8080->80/tcp" },
		{ ":80", "0.0.0.0:0->80/tcp" },
		{ "0:80", "0.0.0.0:0->80/tcp" },
		{ "53:53/udp", "0.0.0.0:53->53/udp" },
		{ "9:9/sctp", "0.0.0.0:9->9/sctp" },
		{ "127.0.0.1:8080:80", "127.0.0.1:8080->80/tcp" },
		{ "127.0.0.1::80", "127.0.0.1:0->80/tcp" },
		{ "127.0.0.1:80", "127.0.0.1:0->80/tcp" },
		{ "8000-8009:80-89/udp", "0.0.0.0:8000-8009->80-89/udp" },
		{ "1-1024:1-1024", "0.0.0.0:1-1024->1-1024/tcp" },
		{ "1-65535:1-65535", "0.0.0.0:1-65535->1-65535/tcp" },
		{ "[::1]:8080:80", "[::1]:8080->80/tcp" },
		{ "[::]:8080:80", "[::]:8080->80/tcp" },
		{ "[fd00::1]:80", "[fd00::1]:0->80/tcp" },
		{ "::1:8080:80", "[::1]:8080->80/tcp" },
		{ "65535:65535", "0.0.0.0:65535->65535/tcp" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *formatted = NULL;
		struct port port;

		assert_int_equal(port_parse(cases[i].text, &port, NULL), 0);
		formatted = port_format(&port);
		assert_string_equal(formatted, cases[i].formatted);
	}
}

static void refusals_say_which_part(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "expected [IP:]" },
		{ "0", "ports 1 to 65535" },
		{ "65536", "ports 1 to 65535" },
		{ "99999999999999999999", "ports 1 to 65535" },
		{ "-80", "expected [IP:]" },
		{ "+80", "expected [IP:]" },
		{ " 80", "expected [IP:]" },
		{ "80 ", "expected [IP:]" },
		{ "8080:", "expected [IP:]" },
		{ "89-80", "expected [IP:]" },
		{ "1001-3000:1-2000", "a range of more than 1024 ports" },
		{ "65535-65536:1-2", "is not a port" },
		{ "80-", "expected [IP:]" },
		{ "80/", "'' is not tcp, udp or sctp" },
		{ "80/TCP", "'TCP' is not tcp, udp or sctp" },
		{ "80/tcp:90", "'tcp:90' is not tcp, udp or sctp" },
		{ "x:80", "'x' is not a port" },
		{ "65536:80", "'65536' is not a port" },
		{ "1.2.3:8080:80", "'1.2.3' is not an IP address" },
		{ "::80", "'' is not an IP address" },
		{ "[::1:8080:80", "'[::1' is not an IP address" },
		{ "[1.2.3.4.5]:80:80", "is not an IP address" },
		{ "1-3:1-4", "the two ranges differ in length" },
		{ "8080:80-81", "the two ranges differ in length" },
		{ "0-3:80", "the two ranges differ in length" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		struct port port;

		if (port_parse(cases[i].text, &port, &err) != -EINVAL)
			fail_msg("%s is taken", cases[i].text);
		if (!strstr(err.text, cases[i].part))
			fail_msg("'%s': %s", cases[i].text, err.text);
	}
}

static void protocols_have_names(void **state)
{
	(void)state;
	assert_string_equal(port_protocol_name(IPPROTO_UDP), "udp");
	assert_string_equal(port_protocol_name(IPPROTO_ICMP), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_what_is_published),
		cmocka_unit_test(refusals_say_which_part),
		cmocka_unit_test(protocols_have_names),
	};

	return cmocka_run_group_tests_name("network/port", tests, NULL, NULL);
}
