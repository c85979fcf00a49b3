/* tests/unit/disk/test_module_aliases.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/module_aliases.h"

static void the_patterns_of_one_module(void **state)
{
	struct strv got = { 0 };

	assert_int_equal(module_aliases(*state, "virtio_net", &got, NULL), 0);
	assert_int_equal(got.n, 0);
	scratch_put(
		*state, "modules.alias",
		"# Aliases\nalias pci:v00008086d* e1000\nalias virtio:d00000001v* virtio-net\nalias usb:v1 virtio_net\n"
		"alias virtio:d00000001v* virtio_net\nalias pci:v1 virtio_net2\nalias\nalias x\n");
	assert_int_equal(module_aliases(*state, "virtio_net", &got, NULL), 0);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.items[0], "virtio:d00000001v*");
	strv_done(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_patterns_of_one_module, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
