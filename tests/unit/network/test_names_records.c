/* tests/unit/network/test_names_records.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/db.h"
#include "base/macros.h"
#include "network/names_records.h"
#include "network/schema.h"

/* The engine's, as far as network/ looks at it. */
static const char *const containers_steps[] = {
	"CREATE TABLE containers (id TEXT PRIMARY KEY, name TEXT)",
	NULL,
};
static const struct db_schema containers_schema = { .module = "engine", .steps = containers_steps };
static const struct db_schema *const schemas[] = { &containers_schema, &network_schema, NULL };

#define A "aaaaaaaaaaaa1111"
#define B "bbbbbbbbbbbb2222"
#define C "cccccccccccc3333"

static struct db *open_filled(void)
{
	static const char *const rows[] = {
		"INSERT INTO containers VALUES ('" A "', 'web'), ('" B "', 'db')",
		"INSERT INTO networks VALUES (1, 'front', 0, 'strake0', 1, 0, 0, '{}'),"
		" (2, 'back', 0, 'strake1', 1, 0, 0, '{}'), (3, 'far', 0, 'strake2', 1, 0, 0, '{}')",
		"INSERT INTO leases VALUES ('" A "', 1, 'sk-a-0', 'eth0', '', 0, 0),"
		" ('" A "', 2, 'sk-a-1', 'eth1', '', 0, 0), ('" B
		"', 2, 'sk-b-0', 'eth0', '', 0, 0),"
		" ('" C "', 3, 'sk-c-0', 'eth0', '', 0, 0)",
		"INSERT INTO addresses VALUES (1, '10.1.0.2', 1, 1, '" A "'),"
		" (2, '10.2.0.2', 2, 1, '" A "'), (2, '10.2.0.3', 2, 2, '" B "'),"
		" (2, 'fd00::3', 3, 2, '" B "')",
		"INSERT INTO aliases VALUES (2, 'store', '" B "')",
		"INSERT INTO name_servers VALUES ('" A "', '192.0.2.1,192.0.2.2')",
	};
	struct db *db = NULL;

	assert_int_equal(db_open(":memory:", schemas, &db, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(db_run(db, NULL, rows[i], ""), 0);
	return db;
}

#define A_FRONT "add front " A " 10.1.0.2 web,aaaaaaaaaaaa 192.0.2.1,192.0.2.2\n"
#define A_BACK  "add back " A " 10.2.0.2 web,aaaaaaaaaaaa 192.0.2.1,192.0.2.2\n"
#define B_BACK  "add back " B " 10.2.0.3,fd00::3 db,bbbbbbbbbbbb,store -\n"
#define C_FAR   "add far " C " - cccccccccccc -\n" /* of a CNI runtime: no name, no address yet */

static void a_line_for_each_place_of_each_container(void **state)
{
	static const struct {
		enum names_scope scope;
		const char *id;
		bool is_change;
		const char *text;
	} cases[] = {
		{ NAMES_OF_ALL, NULL, false, A_FRONT A_BACK B_BACK C_FAR },
		{ NAMES_OF_CONTAINER, A, false, A_FRONT A_BACK },
		{ NAMES_OF_CONTAINER, B, true, "del " B "\n" B_BACK },
		{ NAMES_OF_NEIGHBOURS, B, false, A_FRONT A_BACK B_BACK },
		{ NAMES_OF_NEIGHBOURS, C, false, C_FAR },
		{ NAMES_OF_CONTAINER, "nobody", true, "" },
	};
	cleanup(db_cleanup) struct db *db = open_filled();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf text = BUF_INIT(NAMES_RECORDS_MAX);

		assert_int_equal(names_records_add(db, cases[i].scope, cases[i].id,
						   cases[i].is_change, &text, NULL),
				 0);
		assert_string_equal(buf_text(&text), cases[i].text);
		buf_done(&text);
	}
}

static void a_change_that_is_too_long_is_none(void **state)
{
	cleanup(db_cleanup) struct db *db = open_filled();
	struct buf text = BUF_INIT(64);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(names_records_add(db, NAMES_OF_ALL, NULL, false, &text, NULL), 0);
	assert_true(names_records_end(&text, &err) < 0);
	assert_string_equal(err.text, "more names of containers than strake-dns takes");
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_for_each_place_of_each_container),
		cmocka_unit_test(a_change_that_is_too_long_is_none),
	};

	return cmocka_run_group_tests_name("network/names_records", tests, NULL, NULL);
}
