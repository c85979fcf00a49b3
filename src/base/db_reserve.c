/* src/base/db_reserve.c */
#include "base/db_reserve.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"

#define ROOM_BYTES (1 << 20) /* with less left, the log gets blocks before it is written to */

void db_reserve_make(const char *path)
{
	autofree char *reserve = xasprintf("%s-reserve", path);
	autoclose int fd = -1;
	struct stat st;

	if (explain_dry() || path[0] != '/' ||
	    (stat(reserve, &st) == 0 && st.st_blocks * 512 >= DB_RESERVE_BYTES))
		return;
	/* A copy of a root brings a hollow one. */
	fd = open(reserve, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, DB_RESERVE_BYTES) < 0)
		(void)unlink(reserve);
}

bool db_has_log(const char *path)
{
	autofree char *wal = xasprintf("%s-wal", path);
	struct stat st;

	return stat(wal, &st) == 0 && st.st_size > 0;
}

/* The bytes that each user of a database locks, all of them: https://sqlite.org/fileformat.html has
 * where, and that nothing else is there.  Held until the descriptor is closed.
 */
static int lock_out(const char *path)
{
	struct flock users = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510
	};
	autoclose int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && fcntl(fd, F_OFD_SETLK, &users) == 0 ? steal_fd(&fd) : -1;
}

void db_reserve_use(const char *path)
{
	autofree char *reserve = xasprintf("%s-reserve", path);
	autofree char *wal = xasprintf("%s-wal", path);
	autoclose int lock = lock_out(path);

	if (lock >= 0 && !db_has_log(path))
		(void)rename(reserve, wal);
}

void db_make_room(const char *path)
{
	autofree char *reserve = xasprintf("%s-reserve", path);
	autofree char *wal = xasprintf("%s-wal", path);
	autoclose int fd = -1;
	struct statvfs fs;
	struct stat st;

	if (path[0] != '/' || statvfs(path, &fs) < 0 ||
	    (uint64_t)fs.f_bavail * fs.f_frsize >= ROOM_BYTES)
		return;
	fd = open(wal, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, st.st_size + DB_RESERVE_BYTES / 2) == 0)
		return;
	(void)unlink(reserve);
	for (off_t more = DB_RESERVE_BYTES; more >= DB_RESERVE_BYTES / 16; more /= 2)
		if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, st.st_size + more) == 0)
			return;
}
