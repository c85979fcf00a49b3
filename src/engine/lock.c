/* src/engine/lock.c */
#include "engine/lock.h"

#include <sys/file.h>

#include "base/alloc.h"
#include "base/file.h"
#include "engine/engine.h"

int container_lock(const struct engine *engine, const char *id, bool wait, int *ret_fd,
		   struct error *err)
{
	autofree char *path = xasprintf("containers/%s", id);
	autoclose int fd = -1;
	int r = dir_open_at(engine->root_fd, path, &fd, err);

	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) < 0)
		return error_sys(err, errno == EWOULDBLOCK ? -EBUSY : -errno,
				 "lock container %.12s", id);
	*ret_fd = steal_fd(&fd);
	return 0;
}
