/* tests/unit/why/test_packet.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"

static void descriptions_are_understood(void **state)
{
	static const struct {
		const char *text, *formatted;
		enum way way;
	} cases[] = {
		{ "in eth0 from 10.0.0.1 to 10.0.0.2 tcp dport 80 state new",
		  "10.0.0.1 > 10.0.0.2:80 tcp", WAY_IN },
		{ "tcp 10.0.0.1:1234 -> 10.0.0.2:80 iif eth0 oif br0",
		  "10.0.0.1:1234 > 10.0.0.2:80 tcp", WAY_THROUGH },
		{ "out lo udp from [fd00::1]:5 to [fd00::2]:53", "[fd00::1]:5 > [fd00::2]:53 udp",
		  WAY_OUT },
		{ "in eth0 icmp from 10.0.0.1", "10.0.0.1 > ? icmp", WAY_IN },
		{ "bridged in p0 out p1 tcp to 10.0.0.2:80", "? > 10.0.0.2:80 tcp", WAY_THROUGH },
		{ "in eth0 proto 200 saddr 1.2.3.4 daddr 5.6.7.8 mark 0x5 ttl 3",
		  "1.2.3.4 > 5.6.7.8 200", WAY_IN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_done) struct buf text = BUF_INIT(200);
		struct packet p;

		rules_packet(cases[i].text, &p);
		packet_format(&p, &text);
		assert_string_equal(buf_text(&text), cases[i].formatted);
		assert_int_equal(p.way, cases[i].way);
	}
}

static void mistakes_name_the_word(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "tcp from 10.0.0.1", "packet: say where it comes in ('in eth0'), where it leaves "
				       "('out eth0'), or both" },
		{ "in eth0 from 10.0.0.1 to fd00::1",
		  "packet: 'fd00::1': the addresses are of two families" },
		{ "in eth0 to 10.0.0.1:x",
		  "packet: '10.0.0.1:x': behind the colon there is no port" },
		{ "in eth0 dport 70000",
		  "packet: '70000': this is no value for what is before it" },
		{ "bridged in p0", "packet: bridged is from one port ('in') to another ('out')" },
		{ "in eth0 state fresh",
		  "packet: 'fresh': this is no value for what is before it" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv words = { 0 };
		struct error err = { 0 };
		struct packet p;

		strv_add(&words, cases[i].text);
		assert_int_equal(packet_parse(&words, &p, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].error);
		strv_done(&words);
	}
}

static void the_longest_prefix_is_the_route(void **state)
{
	struct error err = { 0 };
	struct world w = { 0 };
	u128 address;

	(void)state;
	assert_int_equal(world_add_route(&w, "default=wan0", &err), 0);
	assert_int_equal(world_add_route(&w, "10.0.0.0/8=a", &err), 0);
	assert_int_equal(world_add_route(&w, "10.1.0.0/16=b", &err), 0);
	assert_int_equal(world_add_local(&w, "10.1.0.1=b", &err), 0);
	assert_string_equal(world_route(&w, false, 0x0a010005), "b");
	assert_string_equal(world_route(&w, false, 0x0a020005), "a");
	assert_string_equal(world_route(&w, false, 0x01020304), "wan0");
	assert_true(world_is_local(&w, false, 0x0a010001));
	assert_true(world_is_local(NULL, false, 0x7f000001));
	assert_false(world_is_local(&w, false, 0x0a010002));
	assert_true(world_address_of(&w, false, value_of_name("b"), &address));
	assert_true(address == 0x0a010001);
	assert_int_equal(world_add_route(&w, "10.0.0.0/8", &err), -EINVAL);
	assert_int_equal(world_add_local(&w, "eth0", &err), -EINVAL);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptions_are_understood),
		cmocka_unit_test(mistakes_name_the_word),
		cmocka_unit_test(the_longest_prefix_is_the_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
