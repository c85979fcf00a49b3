/* tests/unit/lab/test_relay.c - which cables are carried by a process, and what their inner ends
 * are called. */
#include "lab/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void only_what_delays_loses_or_holds_back_is_carried(void **state)
{
	static const struct {
		struct lab_link link;
		bool impaired;
	} cases[] = {
		{ { .mtu = 1400, .down = true }, false },
		{ { .impair = { .delay_us = 1 } }, true },
		{ { .impair = { .loss_ppm = 1 } }, true },
		{ { .impair = { .rate_bps = 1 } }, true },
		{ { .impair = { .jitter_us = 1 } }, false }, /* of no delay */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(link_is_impaired(&cases[i].link), cases[i].impaired);
}

/* All lie in one namespace. */
static void each_inner_end_has_its_own_name_and_index(void **state)
{
	char name[IF_NAMESIZE], before[IF_NAMESIZE] = "";
	int index, last = 0;

	(void)state;
	for (size_t link = 0; link < (size_t)LAB_NODES_MAX * 4; link++)
		for (int side = 0; side < 2; side++) {
			relay_end(link, side, name, &index);
			assert_true(index > last);
			assert_string_not_equal(name, before);
			/* Not cut to fit: the number is at its end, whole. */
			assert_true(strlen(name) < sizeof(name) - 1);
			last = index;
			memcpy(before, name, sizeof(before));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_delays_loses_or_holds_back_is_carried),
		cmocka_unit_test(each_inner_end_has_its_own_name_and_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
