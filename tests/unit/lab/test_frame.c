/* tests/unit/lab/test_frame.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lab/frame.h"

#define BYTES(...) (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ })
#define TO_ALL     0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define MAC(n)     2, 0, 0, 0, 0, (n)
#define ARP_HEAD   0, 1, 8, 0, 6, 4
#define IP4(proto, len)                                                                            \
	0x45, 0, 0, (len), 0, 0, 0x40, 0, 64, (proto), 0, 0, 10, 9, 0, 1, 10, 9, 0, 2
#define IP6(proto, len)                                                                            \
	0x60, 0, 0, 0, 0, (len), (proto), 255, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,  \
		0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2

static const struct {
	const char *text, *nesting;
	const uint8_t *bytes;
	size_t len;
} cases[] = {
	{ "3 bytes, no Ethernet header", "frame()", BYTES(1, 2, 3) },
	{ "type 0x7a05, 5 bytes \"hello\"", "frame(data)",
	  BYTES(TO_ALL, MAC(1), 0x7a, 0x05, 'h', 'e', 'l', 'l', 'o', 0, 0) },
	{ "[VLAN 10] type 0x7a05, 1 bytes \"x\"", "frame(VLAN data)",
	  BYTES(TO_ALL, MAC(1), 0x81, 0, 0, 10, 0x7a, 0x05, 'x') },
	{ "ARP: who has 10.9.0.2? tell 10.9.0.1", "frame(ARP)",
	  BYTES(TO_ALL, MAC(1), 8, 6, ARP_HEAD, 0, 1, MAC(1), 10, 9, 0, 1, 0, 0, 0, 0, 0, 0, 10, 9,
		0, 2) },
	{ "ARP: 10.9.0.2 is at 02:00:00:00:00:02", "frame(ARP)",
	  BYTES(MAC(1), MAC(2), 8, 6, ARP_HEAD, 0, 2, MAC(2), 10, 9, 0, 2, MAC(1), 10, 9, 0, 1) },
	{ "10.9.0.1 > 10.9.0.2: echo request 7, TTL 64", "frame(IP(ICMP))",
	  BYTES(MAC(2), MAC(1), 8, 0, IP4(1, 28), 8, 0, 0, 0, 1, 2, 0, 7) },
	{ "10.9.0.1 > 10.9.0.2: too big, MTU 1400: for 10.9.0.2, TTL 64", "frame(IP(ICMP))",
	  BYTES(MAC(2), MAC(1), 8, 0, IP4(1, 48), 3, 4, 0, 0, 0, 0, 5, 120, IP4(1, 28)) },
	{ "10.9.0.1 > 10.9.0.2: TTL expired: on the way to 10.9.0.2, TTL 64", "frame(IP(ICMP))",
	  BYTES(MAC(2), MAC(1), 8, 0, IP4(1, 48), 11, 0, 0, 0, 0, 0, 0, 0, IP4(1, 28)) },
	{ "10.9.0.1 > 10.9.0.2: UDP 53 > 1000, 2 bytes, TTL 64", "frame(IP(UDP))",
	  BYTES(MAC(2), MAC(1), 8, 0, IP4(17, 30), 0, 53, 3, 232, 0, 10, 0, 0, 1, 2) },
	{ "10.9.0.1 > 10.9.0.2: TCP 80 > 1000 SYN ACK, 0 bytes, TTL 64", "frame(IP(TCP))",
	  BYTES(MAC(2), MAC(1), 8, 0, IP4(6, 40), 0, 80, 3, 232, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x12,
		0, 0, 0, 0, 0, 0) },
	{ "fd00::1 > fd00::2: neighbour: who has fd00::2?, TTL 255", "frame(IP(ICMP))",
	  BYTES(MAC(2), MAC(1), 0x86, 0xdd, IP6(58, 24), 135, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2) },
	{ "10.9.0.1 > 10.9.0.2: VXLAN 42 { type 0x7a05, 1 bytes \"x\" }",
	  "frame(IP(UDP(VXLAN(frame(data)))))",
	  BYTES(MAC(2), MAC(1), 8, 0, IP4(17, 51), 0, 1, 0x12, 0xb5, 0, 31, 0, 0, 8, 0, 0, 0, 0, 0,
		42, 0, TO_ALL, MAC(3), 0x7a, 0x05, 'x') },
	/* longer than they are */
	{ "type 0x0800, 1 bytes \"E\"", "frame(data)", BYTES(MAC(2), MAC(1), 8, 0, 0x45) },
	{ "10.9.0.1 > 10.9.0.2: IP, 200 bytes, TTL 64", "frame(IP(data))",
	  BYTES(MAC(2), MAC(1), 8, 0, IP4(1, 200), 8, 0) },
};

static void frames_are_told_in_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = BUF_INIT(1000), nesting = BUF_INIT(1000);
		struct frame f;

		frame_decode(cases[i].bytes, cases[i].len, &f);
		frame_describe(&f, &text);
		frame_nesting(&f, &nesting);
		assert_string_equal(buf_text(&text), cases[i].text);
		assert_string_equal(buf_text(&nesting), cases[i].nesting);
		buf_done(&text);
		buf_done(&nesting);
	}
}

static void every_beginning_of_a_frame_is_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t len = 0; len <= cases[i].len; len++) {
			struct buf text = BUF_INIT(1000);
			uint8_t *copy = malloc(len + 1); /* so that a sanitizer sees its end */
			struct frame f;

			memcpy(copy, cases[i].bytes, len);
			frame_decode(copy, len, &f);
			frame_describe(&f, &text);
			assert_true(text.len > 0);
			buf_done(&text);
			free(copy);
		}
}

static void what_is_put_together_is_read_again(void **state)
{
	static const unsigned char a[MAC_LEN] = { MAC(1) }, b[MAC_LEN] = { MAC(2) };
	struct frame_head head = { .vlan = 7, .type = 0x0806 };
	struct buf bytes = BUF_INIT(1000);
	struct ip from, to;
	struct frame f;

	(void)state;
	assert_int_equal(ip_parse("10.0.0.1", &from), 0);
	assert_int_equal(ip_parse("10.0.0.2", &to), 0);
	memcpy(head.src, a, MAC_LEN);
	memcpy(head.dst, b, MAC_LEN);
	frame_put_head(&bytes, &head);
	frame_put_arp(&bytes, 2, a, &from, b, &to);
	frame_decode((const uint8_t *)bytes.data, bytes.len, &f);
	assert_int_equal(f.what, FRAME_ARP);
	assert_int_equal(f.n_tags, 1);
	assert_int_equal(f.tags[0], 7);
	assert_true(ip_equal(&f.ip_src, &from) && ip_equal(&f.ip_dst, &to));
	assert_memory_equal(f.arp_mac, a, MAC_LEN);
	buf_done(&bytes);
}

static void addresses_of_hardware(void **state)
{
	static const char *const bad[] = { "",
					   "02",
					   "02:00:00:00:00:0",
					   "02:00:00:00:00:0g",
					   "02:00:00:00:00:01:",
					   "02-00-00-00-00-01" };
	unsigned char mac[MAC_LEN];
	char text[MAC_TEXT_LEN];

	(void)state;
	assert_int_equal(mac_parse("02:aB:00:00:00:fF", mac), 0);
	mac_format(mac, text);
	assert_string_equal(text, "02:ab:00:00:00:ff");
	assert_true(!mac_is_broadcast(mac) && !mac_is_multicast(mac));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mac_parse(bad[i], mac), -EINVAL);
}

static void a_checksum_sums_to_zero(void **state)
{
	uint8_t bytes[] = { 8, 0, 0, 0, 1, 2, 3, 4, 5 };
	uint16_t sum = inet_sum(bytes, sizeof(bytes), 0);

	(void)state;
	bytes[2] = (uint8_t)(sum >> 8);
	bytes[3] = (uint8_t)sum;
	assert_int_equal(inet_sum(bytes, sizeof(bytes), 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_told_in_words),
		cmocka_unit_test(every_beginning_of_a_frame_is_safe),
		cmocka_unit_test(what_is_put_together_is_read_again),
		cmocka_unit_test(addresses_of_hardware),
		cmocka_unit_test(a_checksum_sums_to_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
