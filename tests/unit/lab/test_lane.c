/* tests/unit/lab/test_lane.c */
#include "lab/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MS 1000000

static char take(struct lane *lane, int64_t now)
{
	struct lane_frame frame;
	char c;

	if (!lane_take(lane, now, &frame))
		return '-';
	c = (char)frame.bytes[0];
	free(frame.bytes);
	return c;
}

static void frames_come_when_they_are_due_and_in_order(void **state)
{
	const struct impairment im = { .delay_us = 5000 };
	struct lane lane;

	(void)state;
	lane_init(&lane, &im, 1);
	assert_true(lane_due(&lane) == INT64_MAX);
	for (char c = 'a'; c < 'z'; c++)
		lane_put(&lane, &c, 1, 100, 10 * MS);
	assert_true(lane_due(&lane) == 15 * MS);
	assert_int_equal(take(&lane, 15 * MS - 1), '-');
	for (char c = 'a'; c < 'z'; c++)
		assert_int_equal(take(&lane, 15 * MS), c);
	assert_int_equal(take(&lane, 15 * MS), '-');
	lane_done(&lane);
}

static void a_rate_sends_one_after_the_other(void **state)
{
	const struct impairment im = { .rate_bps = 8000000 }; /* 1000 bytes a millisecond */
	struct lane lane;

	(void)state;
	lane_init(&lane, &im, 1);
	lane_put(&lane, "a", 1, 1000, 0);
	lane_put(&lane, "b", 1, 2000, 0);
	assert_true(lane_due(&lane) == MS);
	assert_int_equal(take(&lane, MS), 'a');
	assert_true(lane_due(&lane) == (int64_t)3 * MS);
	lane_done(&lane);
}

static void all_some_or_none_are_lost(void **state)
{
	struct impairment im = { .loss_ppm = 1000000 };
	struct lane lane;

	(void)state;
	lane_init(&lane, &im, 7);
	for (int i = 0; i < 100; i++)
		lane_put(&lane, "x", 1, 1, 0);
	assert_int_equal(lane.lost, 100);
	lane_done(&lane);
	im.loss_ppm = 250000;
	lane_init(&lane, &im, 7);
	for (int i = 0; i < 1000; i++)
		lane_put(&lane, "x", 1, 1, 0);
	assert_in_range(lane.lost, 150, 350);
	lane_done(&lane);
	im.loss_ppm = 0;
	lane_init(&lane, &im, 7);
	for (int i = 0; i < LANE_FRAMES_MAX + 5; i++)
		lane_put(&lane, "x", 1, 1, 0);
	assert_int_equal(lane.lost, 5);
	lane_done(&lane);
}

static void jitter_stays_within_its_span(void **state)
{
	const struct impairment im = { .delay_us = 10000, .jitter_us = 3000 };
	struct lane_frame frame;
	struct lane lane;
	int64_t last = 0;

	(void)state;
	lane_init(&lane, &im, 3);
	for (int i = 0; i < 500; i++)
		lane_put(&lane, "x", 1, 1, 0);
	while (lane_take(&lane, INT64_MAX - 1, &frame)) {
		assert_in_range(frame.due_ns, 7 * MS, 13 * MS);
		assert_true(frame.due_ns >= last);
		last = frame.due_ns;
		free(frame.bytes);
	}
	lane_done(&lane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_when_they_are_due_and_in_order),
		cmocka_unit_test(a_rate_sends_one_after_the_other),
		cmocka_unit_test(all_some_or_none_are_lost),
		cmocka_unit_test(jitter_stays_within_its_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
