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

	if (explain_dry() || path[0] != '/' || access(reserve, F_OK) == 0)
		return;
	fd = open(reserve, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, DB_RESERVE_BYTES) < 0)
		(void)unlink(reserve);
}

bool db_has_log(const char *path)
{
	autofree char *wal = xasprintf("%s-wal", path);
	struct stat st;

	return stat(wal, &st) == 0 && st.st_size > 0;
}

void db_reserve_use(const char *path)
{
	autofree char *reserve = xasprintf("%s-reserve", path);
	autofree char *wal = xasprintf("%s-wal", path);

	if (!db_has_log(path))
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
