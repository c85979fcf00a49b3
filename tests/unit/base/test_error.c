/* tests/unit/base/test_error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>

#include "base/error.h"

static void each_layer_adds_what_it_knows(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_sys(&err, -ENOENT, "open %s", "x"), -ENOENT);
	assert_string_equal(err.text, "open x: No such file or directory");
	assert_int_equal(error_wrap(&err, -ENOENT, "load %d", 1), -ENOENT);
	assert_string_equal(err.text, "load 1: open x: No such file or directory");
	assert_int_equal(err.code, -ENOENT);
	assert_int_equal(error_set(&err, -EINVAL, "a\nb\033c"), -EINVAL);
	assert_string_equal(err.text, "a?b?c");
	assert_int_equal(error_set(NULL, -EINVAL, "nobody listens"), -EINVAL);
	err = (struct error) { 0 };
	assert_int_equal(error_wrap(&err, -EPERM, "step"), -EPERM);
	assert_string_equal(err.text, "step: Operation not permitted");
}

static void a_long_text_is_cut(void **state)
{
	struct error err = { 0 };
	char text[2000] = "";

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(error_sys(&err, -EIO, "%s", text), -EIO);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(error_wrap(&err, -EIO, "before"), -EIO);
	assert_memory_equal(err.text, "before: xx", 10);
}

static void it_travels_between_processes(void **state)
{
	struct error sent = { 0 }, got = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	(void)error_set(&sent, -EACCES, "no");
	sent.status = 126;
	assert_int_equal(error_send(fds[1], &sent), 0);
	assert_int_equal(error_receive(fds[0], &got), 1);
	assert_int_equal(got.code, -EACCES);
	assert_int_equal(got.status, 126);
	assert_string_equal(got.text, "no");
	(void)close(fds[1]);
	assert_int_equal(error_receive(fds[0], &got), 0);
	(void)close(fds[0]);
}

/* The other end may be a container's process. */
static void what_is_no_error_is_refused(void **state)
{
	static const struct {
		int code, status;
		size_t len;
	} cases[] = {
		{ 1, 0, sizeof(struct error) },
		{ -1, -1, sizeof(struct error) },
		{ -1, 256, sizeof(struct error) },
		{ -1, 0, 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error sent = { .code = cases[i].code, .status = cases[i].status }, got;
		int fds[2];

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		assert_int_equal(write(fds[1], &sent, cases[i].len), cases[i].len);
		(void)close(fds[1]);
		assert_int_equal(error_receive(fds[0], &got), -EPROTO);
		(void)close(fds[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_layer_adds_what_it_knows),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test(it_travels_between_processes),
		cmocka_unit_test(what_is_no_error_is_refused),
	};

	return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
