/* src/builder/turn.c - a locked file, which goes with its holder.  Of a killed one it stays until
 * the next of that name.
 */
#include "builder/turn.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "builder/halt.h"
#include "engine/engine.h"

#define DIR_NAME "build-turns"

/* 1: it is the file of that name; 0: its holder removed it, and another one may be there. */
static int wait_for(int fd)
{
	sigset_t before;
	struct stat st;
	int r;

	halt_allow(&before);
	r = TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)) < 0 ? -errno : 0;
	halt_forbid(&before);
	if (r < 0)
		return r;
	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

int turn_take(const struct engine *engine, const char *what, struct turn *ret, struct error *err)
{
	struct turn turn = TURN_INIT;
	int r = dir_ensure_at(engine->run_fd, DIR_NAME, 0700, &turn.dir, err);

	digest_bytes(what, strlen(what), turn.name);
	while (r == 0) {
		autoclose int fd = openat(turn.dir, turn.name,
					  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		r = fd < 0 ? -errno : wait_for(fd);
		if (r > 0)
			turn.fd = steal_fd(&fd);
		else if (r < 0)
			r = error_sys(err, r, "lock %s/" DIR_NAME "/%s", engine->run_root,
				      turn.name);
	}
	if (r < 0) {
		turn_leave(&turn);
		return r;
	}
	*ret = turn;
	return 0;
}

void turn_leave(struct turn *turn)
{
	if (turn->fd >= 0) {
		(void)unlinkat(turn->dir, turn->name, 0);
		/* Processes that began meanwhile have it, too (ahead.h). */
		(void)flock(turn->fd, LOCK_UN);
		(void)close(turn->fd);
	}
	if (turn->dir >= 0)
		(void)close(turn->dir);
	*turn = TURN_INIT;
}
