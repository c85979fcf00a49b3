/* src/image/partial.c */
#include "image/partial.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/explain.h"
#include "base/file.h"

/* Its writer holds its lock. */
static int64_t remove_one(int dir, const char *name, int64_t before_s)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	autofree char *path = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_mtime > before_s ||
	    flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	path = file_path(dir, name);
	if (explain("what came of a layer whose pull did not end", "rm -f %s", sq(path)) ||
	    unlinkat(dir, name, 0) < 0)
		return 0;
	return (int64_t)st.st_blocks * 512;
}

int64_t partial_prune(int root_fd, int64_t older_s)
{
	int fd = openat(root_fd, "partial", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	int64_t before = (int64_t)time(NULL) - older_s, bytes = 0;
	const struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			bytes += remove_one(fd, entry->d_name, before);
	if (d)
		(void)closedir(d);
	return bytes;
}
