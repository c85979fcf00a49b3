#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/turn.h"
#include "engine/engine.h"

#include "../scratch.h"

/* Two processes that both count in a file, and would lose one if they did so at once. */
static void count(const struct engine *engine, const char *path)
{
	struct turn turn = TURN_INIT;
	char byte = 0;
	int fd;

	assert_int_equal(turn_take(engine, "the same", &turn, NULL), 0);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)pread(fd, &byte, 1, 0);
	byte++;
	assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
	(void)close(fd);
	turn_leave(&turn);
}

static void one_at_a_time(void **state)
{
	autofree char *path = xasprintf("%s/count", (char *)*state);
	char run_root[] = "run", byte = 0;
	struct engine engine = { .run_root = run_root, .run_fd = scratch_open(*state) };
	int fd, status;
	pid_t pid = fork();

	for (int i = 0; i < 100; i++)
		count(&engine, path);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal((unsigned char)byte, 200);
	(void)close(fd);
	(void)close(engine.run_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_at_a_time, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/turn", tests, NULL, NULL);
}
