/* tests/unit/disk/test_drivers.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "disk/machine/drivers.h"
#include "disk/machine/module.h"

/* Stands in for the kernel, whose hardware is gone through again after each module. */
static char loaded[256];
static struct drivers drivers;

void module_load(const char *path)
{
	(void)strcat(loaded, path);
	(void)strcat(loaded, " ");
}

static void begin(const char *orders, size_t len)
{
	*loaded = '\0';
	drivers = (struct drivers) { .orders = orders, .len = len };
}

/* No machine that a test runs on has such. */
#define NOWHERE "ipci:vNOWHERE*\0"

static void conditions(void **state)
{
	static const char orders[] =
		"m/first\0" NOWHERE "m/other\0m/needs-other\0I\0m/last\0k/disk\0"
		"M/late\0hname";

	(void)state;
	begin(orders, sizeof(orders));
	drivers_load(&drivers, ORDER_MODULE);
	assert_string_equal(loaded, "/first /last ");
	drivers_load(&drivers, ORDER_LATE_MODULE);
	assert_string_equal(loaded, "/first /last /late ");
}

static void any_condition_is_enough(void **state)
{
	static const char orders[] =
		NOWHERE "ipci:v1*\0" NOWHERE "m/one\0m/two\0I\0" NOWHERE "m/no\0I\0";

	(void)state;
	begin(orders, sizeof(orders) - 1);
	drivers.hardware = (struct hardware) { .text = "pci:v1d2\n", .len = 9, .known = true };
	/* What is known is forgotten with the first module: the second condition is another's. */
	drivers_load(&drivers, ORDER_MODULE);
	assert_string_equal(loaded, "/one /two ");
}

static void disks_come_one_by_one(void **state)
{
	static const char orders[] = "m/fs\0k/one\0" NOWHERE "k/two\0I\0k/three\0m/net\0ruuid\0";

	(void)state;
	begin(orders, sizeof(orders) - 1);
	drivers_load(&drivers, ORDER_MODULE);
	assert_string_equal(loaded, "/fs /net ");
	assert_true(drivers_load_disk(&drivers));
	assert_string_equal(loaded, "/fs /net /one ");
	assert_true(drivers_load_disk(&drivers));
	assert_string_equal(loaded, "/fs /net /one /three ");
	assert_false(drivers_load_disk(&drivers));
	assert_false(drivers_load_disk(&drivers));
}

static void no_orders(void **state)
{
	(void)state;
	begin("", 0);
	drivers_load(&drivers, ORDER_MODULE);
	assert_false(drivers_load_disk(&drivers));
	assert_string_equal(loaded, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(any_condition_is_enough),
		cmocka_unit_test(disks_come_one_by_one),
		cmocka_unit_test(no_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
