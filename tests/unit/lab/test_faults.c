/* The library of faults, and the names of causes: what every row must have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "lab/faults.h"
#include "lab/verdict.h"

static void every_fault_is_whole(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct fault *f = faults; f->id; f++, n++) {
		assert_in_range(f->level, 1, 3);
		assert_non_null(f->subject);
		assert_true(f->command && f->command[0]);
		assert_int_not_equal(f->cause, CAUSE_NONE);
		assert_int_not_equal(f->cause, CAUSE_UNKNOWN);
		for (size_t i = 0; i < FAULT_HINTS; i++)
			assert_non_null(f->hints[i]);
		for (const struct fault *other = f + 1; other->id; other++)
			assert_string_not_equal(f->id, other->id);
	}
	assert_true(n >= 60);
}

/* {h} and its kin are names that are put in; what else is in braces would be printed. */
static void hints_name_parts_that_there_are(void **state)
{
	(void)state;
	for (const struct fault *f = faults; f->id; f++)
		for (size_t i = 0; i < FAULT_HINTS; i++)
			for (const char *at = f->hints[i]; (at = strchr(at, '{')); at++) {
				assert_true(at[1] && strchr("htxrfsdl", at[1]) != NULL);
				assert_int_equal(at[2], '}');
			}
}

/* A part that a command or hint needs is one that the lab was asked for. */
static void commands_use_parts_that_are_cast(void **state)
{
	static const struct {
		const char *variable;
		unsigned needs;
	} parts[] = {
		{ "$X_", NEEDS_THIRD },
		{ "$S_VX", NEEDS_VXLAN },
		{ "$S_UPLINK", NEEDS_UPLINK | NEEDS_TRUNK | NEEDS_NATIVE },
		{ "$F_BACK", NEEDS_FAR },
		{ "$R_OUT", NEEDS_ROUTER | NEEDS_FAR },
	};

	(void)state;
	for (const struct fault *f = faults; f->id; f++)
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (strstr(f->command, parts[i].variable))
				assert_true(f->needs & parts[i].needs);
}

static void every_cause_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = CAUSE_NONE; i <= CAUSE_UNKNOWN; i++) {
		const char *name = cause_name((enum cause)i);

		assert_non_null(name);
		for (const char *c = name; *c; c++)
			assert_true(islower((unsigned char)*c) || *c == '-');
		for (int k = i + 1; k <= CAUSE_UNKNOWN; k++)
			assert_string_not_equal(name, cause_name((enum cause)k));
	}
}

static void the_first_cause_stays(void **state)
{
	struct verdict v = { .cause = CAUSE_NONE };

	(void)state;
	assert_true(verdict_set(&v, CAUSE_MTU, 3, "one of %d", 2));
	assert_true(verdict_set(&v, CAUSE_TTL, 4, "another"));
	assert_int_equal(v.cause, CAUSE_MTU);
	assert_int_equal(v.node, 3);
	assert_string_equal(v.text, "one of 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_is_whole),
		cmocka_unit_test(hints_name_parts_that_there_are),
		cmocka_unit_test(commands_use_parts_that_are_cast),
		cmocka_unit_test(every_cause_has_a_name_of_its_own),
		cmocka_unit_test(the_first_cause_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
