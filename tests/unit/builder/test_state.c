#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/state.h"

static void a_state_survives_being_a_text(void **state)
{
	const struct scope_given given = { .args = { 0 } };
	struct state from, to;
	struct error err = { 0 };
	autofree char *text = NULL, *again = NULL;

	(void)state;
	state_init_scratch(&from, &given, '\\', "linux/arm64");
	state_add_label(&from, "a", "b c");
	state_add_history(&from, "COPY x y", "d1", "c1", 5000000000);
	strv_add(&from.scope.args, "A=1");
	strv_add(&from.scope.env, "E=2");
	strv_add(&from.triggers, "RUN true");
	from.has_cmd = true;
	text = state_dump(&from);
	assert_non_null(text);
	assert_int_equal(state_parse(text, strlen(text), &given, '`', &to, &err), 0);
	again = state_dump(&to);
	assert_string_equal(again, text);
	assert_string_equal(state_top(&to), "c1");
	assert_int_equal(to.created_ns, 5000000000);
	assert_true(to.has_cmd);
	assert_int_equal(to.scope.escape, '`');
	assert_ptr_equal(to.scope.given, &given);
	assert_string_equal(to.shell.items[0], "/bin/sh");
	state_done(&from);
	state_done(&to);
	assert_true(state_parse("{}", 2, &given, '`', &to, &err) < 0);
	assert_true(state_parse("nonsense", 8, &given, '`', &to, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_survives_being_a_text),
	};

	return cmocka_run_group_tests_name("builder/state", tests, NULL, NULL);
}
