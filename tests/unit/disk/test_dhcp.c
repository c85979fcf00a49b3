/* tests/unit/disk/test_dhcp.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/macros.h"
#include "disk/machine/dhcp.h"

static const unsigned char mac[6] = { 2, 0, 0, 0, 0, 1 };
#define XID 0x12345678U

/* An answer of a server to what the client asked: an offer with these options. */
static size_t answer(unsigned char *bytes, const void *options, size_t len)
{
	size_t n = dhcp_build(bytes, DHCP_DISCOVER, XID, mac, NULL);

	bytes[0] = 2;
	memcpy(bytes + 16, "\x0a\x00\x02\x0f", 4);
	memset(bytes + 240, 0, n - 240);
	memcpy(bytes + 240, options, len);
	return 240 + len;
}

static void an_offer_is_read(void **state)
{
	static const unsigned char options[] = {
		53, 1,   DHCP_OFFER, 0,   1,    4,    255,  255, 255, 0,   3, 4, 10,
		0,  2,   2,          6,   8,    10,   0,    2,   3,   10,  0, 2, 4,
		51, 4,   0,          1,   0x51, 0x80, 54,   4,   10,  0,   2, 2, 15,
		8,  'l', 'a',        'n', '.',  'x',  '\n', 'e', 'v', 255,
	};
	unsigned char bytes[DHCP_MESSAGE_MAX];
	struct dhcp_lease lease;
	size_t len = answer(bytes, options, sizeof(options));

	(void)state;
	assert_int_equal(dhcp_parse(bytes, len, XID, mac, &lease), DHCP_OFFER);
	assert_memory_equal(&lease.address, "\x0a\x00\x02\x0f", 4);
	assert_memory_equal(&lease.mask, "\xff\xff\xff\x00", 4);
	assert_memory_equal(&lease.router, "\x0a\x00\x02\x02", 4);
	assert_memory_equal(&lease.server, "\x0a\x00\x02\x02", 4);
	assert_int_equal(lease.ndns, 2);
	assert_int_equal(lease.seconds, 86400);
	assert_string_equal(lease.domain, "lan.x"); /* no line of its own in resolv.conf */
}

static void what_is_not_for_us_or_damaged(void **state)
{
	static const unsigned char whole[] = { 53, 1, DHCP_ACK, 255 };
	static const unsigned char cut[] = { 53, 1, DHCP_ACK, 6, 200, 1 };
	unsigned char bytes[DHCP_MESSAGE_MAX], other[6] = { 2, 0, 0, 0, 0, 2 };
	struct dhcp_lease lease;
	size_t len = answer(bytes, whole, sizeof(whole));

	(void)state;
	assert_int_equal(dhcp_parse(bytes, len, XID, mac, &lease), DHCP_ACK);
	assert_int_equal(dhcp_parse(bytes, len, XID + 1, mac, &lease), 0);
	assert_int_equal(dhcp_parse(bytes, len, XID, other, &lease), 0);
	assert_int_equal(dhcp_parse(bytes, 239, XID, mac, &lease), 0);
	bytes[0] = 1;
	assert_int_equal(dhcp_parse(bytes, len, XID, mac, &lease), 0);
	len = answer(bytes, cut, sizeof(cut));
	assert_int_equal(dhcp_parse(bytes, len, XID, mac, &lease), 0);
}

static void a_request_names_what_was_offered(void **state)
{
	struct dhcp_lease lease = { .address = 0x01020304, .server = 0x05060708 };
	unsigned char bytes[DHCP_MESSAGE_MAX];
	size_t len = dhcp_build(bytes, DHCP_REQUEST, XID, mac, &lease);

	(void)state;
	assert_true(len >= 300);
	assert_memory_equal(bytes + 240, "\x35\x01\x03\x32\x04", 5);
	assert_memory_equal(bytes + 245, &lease.address, 4);
	assert_memory_equal(bytes + 249, "\x36\x04", 2);
	assert_memory_equal(bytes + 251, &lease.server, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_is_read),
		cmocka_unit_test(what_is_not_for_us_or_damaged),
		cmocka_unit_test(a_request_names_what_was_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
