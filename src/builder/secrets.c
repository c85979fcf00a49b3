/* src/builder/secrets.c */
#include "builder/secrets.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "base/strv.h"
#include "base/walk.h"
#include "engine/engine.h"

#define DIR_NAME "build"

int secrets_open(const struct engine *engine, char **ret_path, int *ret_fd, struct error *err)
{
	autoclose int parent = -1, fd = -1;
	char id[ID_LEN + 1];
	int r = id_new(id);

	if (r < 0)
		return error_sys(err, r, "choose a name");
	r = dir_ensure_at(engine->run_fd, DIR_NAME, 0700, &parent, err);
	/* Made and locked in one step, as a sweep sees it. */
	if (r == 0 && TEMP_FAILURE_RETRY(flock(parent, LOCK_SH)) < 0)
		r = error_sys(err, -errno, "lock %s/" DIR_NAME, engine->run_root);
	if (r == 0)
		r = dir_ensure_at(parent, id, 0700, &fd, err);
	if (r == 0 && flock(fd, LOCK_EX) < 0)
		r = error_sys(err, -errno, "lock %s/" DIR_NAME, engine->run_root);
	if (r < 0)
		return r;
	*ret_path = xasprintf("%s/" DIR_NAME "/%s", engine->run_root, id);
	*ret_fd = steal_fd(&fd);
	return 0;
}

void secrets_close(char *path, int fd)
{
	if (path)
		ignore_result(dir_remove_at(AT_FDCWD, path, NULL));
	free(path);
	if (fd >= 0)
		(void)close(fd);
}

void secrets_sweep(const struct engine *engine)
{
	autoclose int parent = openat(engine->run_fd, DIR_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strv names = { 0 };

	/* Somebody makes one: a later build will look. */
	if (parent < 0 || flock(parent, LOCK_EX | LOCK_NB) < 0 || walk_names(parent, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		autoclose int fd =
			openat(parent, names.items[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			ignore_result(dir_remove_at(parent, names.items[i], NULL));
	}
	strv_done(&names);
}
