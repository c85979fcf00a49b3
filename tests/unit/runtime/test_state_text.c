/* tests/unit/runtime/test_state_text.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "runtime/spec.h"
#include "runtime/state_text.h"

static json_t *state_of(const struct spec *spec, const char *status, pid_t pid)
{
	autofree char *text = state_text(spec, "web", "/bundle", status, pid);
	json_t *doc = NULL;

	assert_int_equal(json_load_bytes(text, strlen(text), "state", &doc, NULL), 0);
	return doc;
}

static void a_pid_is_said_while_there_is_one(void **state)
{
	cleanup(json_cleanup) json_t *running = state_of(NULL, "running", 42);
	cleanup(json_cleanup) json_t *stopped = state_of(NULL, "stopped", 0);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(running, "pid")), 42);
	assert_null(json_object_get(stopped, "pid"));
	assert_string_equal(json_string_value(json_object_get(stopped, "status")), "stopped");
	assert_string_equal(json_string_value(json_object_get(stopped, "id")), "web");
	assert_string_equal(json_string_value(json_object_get(stopped, "bundle")), "/bundle");
	assert_true(json_is_object(json_object_get(stopped, "annotations")));
}

static void annotations_are_those_of_the_spec(void **state)
{
	cleanup(json_cleanup) json_t *annotations = json_pack("{s:s}", "key", "value");
	const struct spec spec = { .annotations = annotations };
	cleanup(json_cleanup) json_t *doc = state_of(&spec, "created", 1);

	(void)state;
	assert_true(json_equal(json_object_get(doc, "annotations"), annotations));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pid_is_said_while_there_is_one),
		cmocka_unit_test(annotations_are_those_of_the_spec),
	};

	return cmocka_run_group_tests_name("runtime/state_text", tests, NULL, NULL);
}
