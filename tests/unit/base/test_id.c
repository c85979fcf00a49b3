/* tests/unit/base/test_id.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/id.h"

static void names_have_a_grammar(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{ "web", true },  { "_web", true }, { "9", true },         { "a.b-c+d_e", true },
		{ "A", true },    { "", false },    { ".", false },        { "..", false },
		{ ".a", false },  { "-a", false },  { "+a", false },       { "a/b", false },
		{ "a b", false }, { "a\n", false }, { "\xc3\xa4", false }, { "a:b", false },
	};
	char name[NAME_LEN_MAX + 2] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (name_is_valid(cases[i].name) != cases[i].valid)
			fail_msg("'%s'", cases[i].name);
	memset(name, 'a', NAME_LEN_MAX);
	assert_true(name_is_valid(name));
	name[NAME_LEN_MAX] = 'a';
	assert_false(name_is_valid(name));
}

static void ids_are_hex(void **state)
{
	char id[ID_LEN + 1], other[ID_LEN + 1], name[64];

	(void)state;
	assert_int_equal(id_new(id), 0);
	assert_int_equal(id_new(other), 0);
	assert_int_equal(strlen(id), ID_LEN);
	assert_true(id_is_hex(id));
	assert_string_not_equal(id, other);
	assert_true(id_is_hex("0"));
	assert_false(id_is_hex(""));
	assert_false(id_is_hex("0g"));
	assert_false(id_is_hex("A"));
	assert_int_equal(name_new(name), 0);
	assert_true(name_is_valid(name) && strchr(name, '_'));
}

static void a_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(hash_bytes("", 0) == 0xcbf29ce484222325ULL);
	assert_true(hash_bytes("a", 1) == 0xaf63dc4c8601ec8cULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_a_grammar),
		cmocka_unit_test(ids_are_hex),
		cmocka_unit_test(a_hash_is_fnv_1a),
	};

	return cmocka_run_group_tests_name("base/id", tests, NULL, NULL);
}
