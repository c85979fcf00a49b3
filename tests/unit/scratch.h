/* tests/unit/scratch.h - a directory of the test's own below /tmp, as cmocka's setup and teardown.
 *
 * *state is the path.  Include it behind cmocka.h.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

static inline int scratch_setup(void **state)
{
	char *dir = xstrdup("/tmp/strake-unit-XXXXXX");

	*state = mkdtemp(dir);
	return *state ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
	int r = dir_remove_at(AT_FDCWD, *state, NULL);

	free(*state);
	return r;
}

static inline int scratch_open(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Missing directories are made. */
static inline void scratch_put(const char *dir, const char *name, const char *text)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	char *slash = strrchr(path, '/');

	*slash = '\0';
	assert_int_equal(dir_make_at(AT_FDCWD, path, 0755, NULL), 0);
	*slash = '/';
	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0644, FILE_PLAIN, NULL),
			 0);
}

/* The file's text, which the caller frees. */
static inline char *scratch_get(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	char *text = NULL;

	assert_int_equal(file_read_at(AT_FDCWD, path, 1U << 20, &text, NULL, NULL), 0);
	return text;
}

#endif
