/* tests/unit/disk/test_hardware.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "disk/machine/hardware.h"

static void patterns(void **state)
{
	const struct hardware h = {
		.text = "pci:v00001AF4d00001000sv00001AF4\nvirtio:d00000001v00001AF4\n",
		.known = true,
	};

	(void)state;
	assert_true(hardware_matches(&h, "pci:v00001AF4d*"));
	assert_true(hardware_matches(&h, "virtio:d00000001v*"));
	assert_false(hardware_matches(&h, "virtio:d00000002v*"));
	assert_false(hardware_matches(&h, "pci:v00001AF4"));
	assert_true(hardware_matches(&h, "pci:*d*1000sv*AF4"));
	assert_true(hardware_matches(&h, "*"));
	assert_false(hardware_matches(&h, "pci:*d*1001sv*"));
	assert_false(hardware_matches(&h, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
