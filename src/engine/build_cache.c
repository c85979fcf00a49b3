/* src/engine/build_cache.c */
#include "engine/build_cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/strv.h"
#include "base/walk.h"
#include "engine/engine.h"
#include "engine/volume_store.h"
#include "image/usage.h"

/* Its lock is held until it is gone: whoever waits for it finds another directory then, or none. */
static int prune_one(struct engine *engine, const char *name, struct build_cache_prune *prune,
		     struct error *err)
{
	autofree char *path = xasprintf("volumes/%s", name);
	autoclose int fd =
		openat(engine->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int64_t bytes = 0;
	struct stat st;
	int r;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 ||
	    clock_from_timespec(&st.st_mtim) >= prune->unused_since_ns)
		return 0;
	r = disk_usage(fd, &bytes, err);
	if (r == 0)
		r = volume_remove(engine, name, err);
	if (r == -EBUSY || r == -ENOENT) /* a container has it, or another was faster */
		return 0;
	if (r == 0) {
		prune->caches++;
		prune->bytes += bytes;
	}
	return r;
}

int build_cache_prune(struct engine *engine, struct build_cache_prune *prune, struct error *err)
{
	autoclose int fd = openat(engine->root_fd, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strv names = { 0 };
	int r = fd < 0 ? 0 : walk_names(fd, &names);

	prune->caches = prune->bytes = 0;
	if (r < 0)
		r = error_sys(err, r, "list volumes");
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (strncmp(names.items[i], BUILD_CACHE_PREFIX, strlen(BUILD_CACHE_PREFIX)) == 0)
			r = prune_one(engine, names.items[i], prune, err);
	strv_done(&names);
	return r;
}
