/* tests/unit/monitor/test_protocol.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "monitor/protocol.h"

static void what_is_added_is_parsed(void **state)
{
	static const struct {
		enum frame_type type;
		size_t len;
	} cases[] = {
		{ FRAME_STDIN, 1 },    { FRAME_STDOUT, FRAME_BYTES_MAX },
		{ FRAME_STDERR, 255 }, { FRAME_STDIN_EOF, 0 },
		{ FRAME_RESIZE, 4 },   { FRAME_EXIT, 1 },
	};
	static const unsigned char content[FRAME_BYTES_MAX] = { 1, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b = BUF_INIT(FRAME_BYTES_MAX * 2);
		size_t whole = FRAME_HEADER_LEN + cases[i].len;
		struct frame frame;

		frame_add(&b, cases[i].type, content, cases[i].len);
		frame_add(&b, FRAME_STDIN_EOF, NULL, 0);
		assert_int_equal(frame_parse((unsigned char *)b.data, b.len, &frame), whole);
		assert_int_equal(frame.type, cases[i].type);
		assert_int_equal(frame.len, cases[i].len);
		assert_memory_equal(frame.bytes, content, frame.len);
		buf_done(&b);
	}
}

static void a_part_is_waited_for(void **state)
{
	struct buf b = BUF_INIT(100);
	struct frame frame;

	(void)state;
	frame_add(&b, FRAME_STDOUT, "text", 4);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(frame_parse((unsigned char *)b.data, len, &frame), 0);
	assert_int_equal(frame_parse((unsigned char *)b.data, b.len, &frame), b.len);
	buf_done(&b);
}

/* At once, before a length is waited for that never comes. */
static void another_protocol_is_refused(void **state)
{
	static const unsigned char cases[][FRAME_HEADER_LEN] = {
		{ N_FRAME_TYPES, 0, 0, 0, 0, 0, 0, 0 },
		{ 255, 0, 0, 0, 0, 0, 0, 0 },
		{ 1, 1, 0, 0, 0, 0, 0, 1 },
		{ 1, 0, 1, 0, 0, 0, 0, 1 },
		{ 1, 0, 0, 1, 0, 0, 0, 1 },
		{ 1, 0, 0, 0, 0, 1, 0, 1 },
		{ 1, 0, 0, 0, 255, 255, 255, 255 },
		{ 'G', 'E', 'T', ' ', '/', ' ', 'H', 'T' },
	};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(frame_parse(cases[i], sizeof(cases[i]), &frame), -EBADMSG);
}

static void the_length_is_in_network_order(void **state)
{
	unsigned char header[FRAME_HEADER_LEN];

	(void)state;
	frame_header(FRAME_STDERR, 0x1234, header);
	assert_memory_equal(header, "\2\0\0\0\0\0\x12\x34", FRAME_HEADER_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_parsed),
		cmocka_unit_test(a_part_is_waited_for),
		cmocka_unit_test(another_protocol_is_refused),
		cmocka_unit_test(the_length_is_in_network_order),
	};

	return cmocka_run_group_tests_name("monitor/protocol", tests, NULL, NULL);
}
