/* tests/unit/why/test_value.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/ip.h"
#include "why/value.h"

static void what_is_parsed_is_written_the_same(void **state)
{
	static const struct {
		enum kind kind;
		const char *text, *again; /* NULL: the same */
	} cases[] = {
		{ KIND_IP, "10.0.0.1", NULL },
		{ KIND_IP, "10.0.0.0/8", NULL },
		{ KIND_IP, "10.1.2.3/8", "10.0.0.0/8" },
		{ KIND_IP, "0.0.0.0/0", NULL },
		{ KIND_IP, "10.0.0.1-10.0.0.9", NULL },
		{ KIND_IP6, "fd00::1", NULL },
		{ KIND_IP6, "fe80::/10", NULL },
		{ KIND_IP6, "::/0", NULL },
		{ KIND_NAME, "eth0", NULL },
		{ KIND_NAME, "eth*", NULL },
		{ KIND_NAME, "veth+", "veth*" },
		{ KIND_MAC, "00:11:22:33:44:55", NULL },
		{ KIND_PORT, "80", NULL },
		{ KIND_PORT, "http", "80" },
		{ KIND_PORT, "80-90", NULL },
		{ KIND_PROTOCOL, "tcp", NULL },
		{ KIND_PROTOCOL, "6", "tcp" },
		{ KIND_PROTOCOL, "ipv6-icmp", "icmpv6" },
		{ KIND_STATE, "new", NULL },
		{ KIND_HEX, "0x10", NULL },
		{ KIND_HEX, "16", "0x10" },
		{ KIND_ICMP, "echo-request", NULL },
		{ KIND_ICMP, "8", "echo-request" },
		{ KIND_DSCP, "cs1", NULL },
		{ KIND_EXISTS, "1", "exists" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_done) struct buf text = BUF_INIT(100);
		struct range range;

		assert_int_equal(value_parse(cases[i].kind, cases[i].text, &range), 0);
		value_format(cases[i].kind, &range, &text);
		assert_string_equal(buf_text(&text),
				    cases[i].again ? cases[i].again : cases[i].text);
	}
}

static void what_is_no_value_is_refused(void **state)
{
	static const struct {
		enum kind kind;
		const char *text;
	} cases[] = {
		{ KIND_IP, "10.0.0" },
		{ KIND_IP, "10.0.0.0/33" },
		{ KIND_IP, "fd00::1" },
		{ KIND_IP, "" },
		{ KIND_IP, "10.0.0.9-10.0.0.1" },
		{ KIND_IP6, "10.0.0.1" },
		{ KIND_PORT, "65536" },
		{ KIND_PORT, "-1" },
		{ KIND_PORT, "90-80" },
		{ KIND_PROTOCOL, "256" },
		{ KIND_PROTOCOL, "tcpp" },
		{ KIND_NAME, "" },
		{ KIND_NAME, "sixteen-letters!" },
		{ KIND_MAC, "00:11:22:33:44" },
		{ KIND_HEX, "0x" },
		{ KIND_HEX, "0xg" },
		{ KIND_STATE, "newer" },
	};
	struct range range;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(value_parse(cases[i].kind, cases[i].text, &range), -EINVAL);
}

static void bits_are_put_together(void **state)
{
	cleanup(buf_done) struct buf text = BUF_INIT(100);
	struct range range;

	(void)state;
	assert_int_equal(value_parse_list(KIND_TCP_FLAGS, "SYN,ACK", &range.lo), 0);
	range.hi = range.lo;
	assert_true(range.lo == 18);
	value_format(KIND_TCP_FLAGS, &range, &text);
	assert_string_equal(buf_text(&text), "syn,ack");
	assert_int_equal(value_parse_list(KIND_TCP_FLAGS, "NONE", &range.lo), 0);
	assert_true(range.lo == 0);
	assert_int_equal(value_parse_list(KIND_TCP_FLAGS, "SYN,NO", &range.lo), -EINVAL);
}

static void addresses_keep_their_bytes(void **state)
{
	static const char *const texts[] = { "10.1.2.3", "fd00::1:2", "255.255.255.255" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct ip ip, again;

		assert_int_equal(ip_parse(texts[i], &ip), 0);
		value_to_ip(value_of_ip(&ip), ip.family == AF_INET6, &again);
		assert_true(ip_equal(&ip, &again));
	}
	assert_true(value_of_prefix(0x0a010203, 32, 0).hi == 0xffffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_parsed_is_written_the_same),
		cmocka_unit_test(what_is_no_value_is_refused),
		cmocka_unit_test(bits_are_put_together),
		cmocka_unit_test(addresses_keep_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
