/* tests/unit/network/test_name_servers.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/db.h"
#include "base/strv.h"
#include "network/name_servers.h"
#include "network/schema.h"

static const struct db_schema *const schemas[] = { &network_schema, NULL };

static int note(struct db *db, const char *id, const char *one, const char *two, struct error *err)
{
	cleanup(strv_done) struct strv list = { 0 };

	if (one)
		strv_add(&list, one);
	if (two)
		strv_add(&list, two);
	return name_servers_note(db, id, &list, err);
}

static void assert_servers(struct db *db, const char *id, const char *one, const char *two)
{
	cleanup(strv_done) struct strv list = { 0 };

	assert_int_equal(name_servers_read(db, id, &list, NULL), 0);
	assert_int_equal(list.n, (one != NULL) + (two != NULL));
	if (one)
		assert_string_equal(list.items[0], one);
	if (two)
		assert_string_equal(list.items[1], two);
}

static void servers_are_kept_in_order_until_forgotten(void **state)
{
	cleanup(db_cleanup) struct db *db = NULL;

	(void)state;
	assert_int_equal(db_open(":memory:", schemas, &db, NULL), 0);
	assert_servers(db, "c1", NULL, NULL);
	assert_int_equal(note(db, "c1", "192.0.2.2", "2001:db8::1", NULL), 0);
	assert_int_equal(note(db, "c2", "192.0.2.1", NULL, NULL), 0);
	assert_servers(db, "c1", "192.0.2.2", "2001:db8::1");
	/* None given: those of before stay. */
	assert_int_equal(note(db, "c1", NULL, NULL, NULL), 0);
	assert_int_equal(name_servers_note(db, "c1", NULL, NULL), 0);
	assert_servers(db, "c1", "192.0.2.2", "2001:db8::1");
	assert_int_equal(note(db, "c1", "192.0.2.3", NULL, NULL), 0);
	assert_servers(db, "c1", "192.0.2.3", NULL);
	assert_int_equal(name_servers_forget(db, "c1", NULL), 0);
	assert_servers(db, "c1", NULL, NULL);
	assert_servers(db, "c2", "192.0.2.1", NULL);
}

/* Commas part servers in the row, and lines what strake-dns is told. */
static void what_is_no_address_is_refused(void **state)
{
	static const char *const cases[] = { "",          "192.0.2", "192.0.2.1,192.0.2.2",
					     "a.host",    "::1%lo",  "192.0.2.1\nend",
					     "192.0.2.1 " };
	cleanup(db_cleanup) struct db *db = NULL;

	(void)state;
	assert_int_equal(db_open(":memory:", schemas, &db, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(note(db, "c1", "192.0.2.1", cases[i], &err), -EINVAL);
		assert_true(err.text[0]);
		assert_servers(db, "c1", NULL, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_kept_in_order_until_forgotten),
		cmocka_unit_test(what_is_no_address_is_refused),
	};

	return cmocka_run_group_tests_name("network/name_servers", tests, NULL, NULL);
}
