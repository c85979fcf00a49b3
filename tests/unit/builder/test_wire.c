#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "builder/build.h"
#include "builder/wire.h"

static void what_is_told_comes_as_it_was(void **state)
{
	const struct build_told told = { .event = BUILD_OUTPUT,
					 .id = 7,
					 .platform = "linux/arm64",
					 .stage = "tools",
					 .number = 2,
					 .total = 5,
					 .text = "a\0b\n",
					 .len = 4,
					 .is_error = true,
					 .size = -3 };
	struct wire wire = WIRE_INIT;
	struct build_told got;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(wire_send_told(pair[0], &told), 0);
	assert_int_equal(wire_receive(pair[1], &wire), 1);
	assert_int_equal(wire.kind, WIRE_TOLD);
	assert_int_equal(wire_told(&wire, &got), 0);
	assert_int_equal(got.event, BUILD_OUTPUT);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.number, 2);
	assert_int_equal(got.total, 5);
	assert_int_equal(got.size, -3);
	assert_true(got.is_error);
	assert_string_equal(got.platform, "linux/arm64");
	assert_string_equal(got.stage, "tools");
	assert_null(got.chain);
	assert_int_equal(got.len, 4);
	assert_memory_equal(got.text, "a\0b\n", 5);
	(void)close(pair[0]);
	assert_int_equal(wire_receive(pair[1], &wire), 0);
	(void)close(pair[1]);
	wire_done(&wire);
}

static void half_a_message_is_none(void **state)
{
	struct build_told got;
	struct wire wire = WIRE_INIT;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(wire_send(pair[0], WIRE_TOLD, "short", 5), 0);
	assert_int_equal(wire_receive(pair[1], &wire), 1);
	assert_int_equal(wire_told(&wire, &got), -EBADMSG);
	assert_int_equal(write(pair[0], "\0\0\0\0\xff\0\0\0x", 9), 9);
	(void)close(pair[0]);
	assert_int_equal(wire_receive(pair[1], &wire), 0);
	(void)close(pair[1]);
	wire_done(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_comes_as_it_was),
		cmocka_unit_test(half_a_message_is_none),
	};

	return cmocka_run_group_tests_name("builder/wire", tests, NULL, NULL);
}
