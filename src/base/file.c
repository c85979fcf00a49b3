/* src/base/file.c */
#include "base/file.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/explain.h"
#include "base/id.h"

int file_read_fd(int fd, const char *what, size_t max, char **ret, size_t *ret_len,
		 struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0, room = 4096;
	ssize_t n;

	do {
		room = MIN(room * 2, max + 2);
		text = xrealloc(text, room, 1);
		do {
			n = TEMP_FAILURE_RETRY(read(fd, text + len, room - 1 - len));
			if (n < 0)
				return error_sys(err, -errno, "read %s", what);
			len += (size_t)n;
		} while (n > 0 && len < room - 1);
		if (len > max)
			return error_set(err, -EFBIG, "%s is larger than %zu bytes", what, max);
	} while (n > 0);
	text[len] = '\0';
	*ret = steal_ptr(&text);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int file_read_at(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len,
		 struct error *err)
{
	autoclose int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, -errno, "open %s", path);
	return file_read_fd(fd, path, max, ret, ret_len, err);
}

int file_read_regular_at(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len,
			 struct error *err)
{
	autoclose int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, -errno, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EBADMSG, "%s is not a regular file", path);
	return file_read_fd(fd, path, max, ret, ret_len, err);
}

int file_write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_write_all_at(int fd, const void *bytes, size_t len, int64_t offset)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(fd, p, len, offset));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

int file_read_until(int fd, int64_t until_ms, struct buf *ret)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until_ms - clock_monotonic_ms();
		char bytes[4096];
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)MIN(left, INT_MAX)) == 0)
			return -ETIMEDOUT;
		n = TEMP_FAILURE_RETRY(read(fd, bytes, sizeof(bytes)));
		if (n <= 0)
			return n < 0 ? -errno : buf_result(ret);
		buf_add(ret, bytes, (size_t)n);
	}
}

static int directory_sync(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir =
		slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	autoclose int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_write_at(int dirfd, const char *path, const void *bytes, size_t len, mode_t mode,
		  enum file_flags flags, struct error *err)
{
	autofree char *temporary = NULL;
	autoclose int fd = -1;
	uint64_t salt;
	int r;

	if (explain_dry())
		return 0;
	r = random_bytes(&salt, sizeof(salt));
	if (r < 0)
		return error_sys(err, r, "write %s", path);
	temporary = xasprintf("%s.%016llx.tmp", path, (unsigned long long)salt);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return error_sys(err, -errno, "create %s", path);
	r = file_write_all(fd, bytes, len);
	if (r == 0 && (flags & FILE_SYNC) && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, temporary, dirfd, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, temporary, 0);
		return error_sys(err, r, "write %s", path);
	}
	if (flags & FILE_SYNC)
		r = directory_sync(dirfd, path);
	return r < 0 ? error_sys(err, r, "sync directory of %s", path) : 0;
}

int file_write_named(const char *path, const void *bytes, size_t len, mode_t mode,
		     struct error *err)
{
	autoclose int fd = -1;
	struct stat st;
	int r;

	if (explain_dry())
		return 0;
	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return file_write_at(AT_FDCWD, path, bytes, len, mode, FILE_PLAIN, err);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, mode);
	if (fd < 0)
		return error_sys(err, -errno, "open %s", path);
	r = file_write_all(fd, bytes, len);
	return r < 0 ? error_sys(err, r, "write %s", path) : 0;
}

int file_put_at(int dirfd, const char *path, const char *text, struct error *err)
{
	autoclose int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return error_sys(err, -errno, "open %s", path);
	n = TEMP_FAILURE_RETRY(write(fd, text, len));
	if (n < 0)
		return error_sys(err, -errno, "write '%s' to %s", text, path);
	return (size_t)n == len ? 0 : error_set(err, -EIO, "write to %s was cut short", path);
}

int dir_make_at(int dirfd, const char *path, mode_t mode, struct error *err)
{
	autofree char *copy = NULL;

	if (explain_dry())
		return 0;
	if (mkdirat(dirfd, path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return error_sys(err, -errno, "make directory %s", path);
	copy = xstrdup(path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdirat(dirfd, copy, mode) < 0 && errno != EEXIST)
			return error_sys(err, -errno, "make directory %s", copy);
		*p = '/';
	}
	if (mkdirat(dirfd, copy, mode) < 0 && errno != EEXIST)
		return error_sys(err, -errno, "make directory %s", copy);
	return 0;
}

int dir_open_at(int dirfd, const char *path, int *ret, struct error *err)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, -errno, "open directory %s", path);
	*ret = fd;
	return 0;
}

int dir_ensure_at(int dirfd, const char *path, mode_t mode, int *ret, struct error *err)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd >= 0) {
		*ret = fd;
		return 0;
	}
	r = dir_make_at(dirfd, path, mode, err);
	return r < 0 ? r : dir_open_at(dirfd, path, ret, err);
}

#define LEVELS_MAX 100 /* descriptors for one removal */

/* One level of a tree being removed.  Levels are linked, not recursive: depth comes from outside.
 */
struct level {
	struct level *up;
	DIR *dir;
	char name[NAME_LEN_MAX + 1]; /* in the level above */
};

static int level_push(struct level **top, int dirfd, const char *name, dev_t dev)
{
	struct level *level;
	struct stat st;
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_dev != dev) {
		(void)close(fd);
		return -EXDEV;
	}
	level = xnew(struct level);
	level->dir = fdopendir(fd);
	if (!level->dir) {
		int r = -errno;

		(void)close(fd);
		free(level);
		return r;
	}
	(void)snprintf(level->name, sizeof(level->name), "%s", name);
	level->up = *top;
	*top = level;
	return 0;
}

static void level_pop(struct level **top)
{
	struct level *level = *top;

	*top = level->up;
	(void)closedir(level->dir);
	free(level);
}

struct removal {
	struct level *top;
	dev_t dev;
	unsigned depth; /* levels above the first */
	bool moved;     /* something came into the first level behind the reader's back */
};

/* A container's tree may be deeper than a process may have descriptors: what lies too deep is moved
 * up into the first level, and found there.
 */
static int move_up(struct removal *rm, const char *name)
{
	const struct level *first = rm->top;
	char fresh[32];
	uint64_t bits;
	int r = random_bytes(&bits, sizeof(bits));

	if (r < 0)
		return r;
	while (first->up)
		first = first->up;
	(void)snprintf(fresh, sizeof(fresh), "%016llx", (unsigned long long)bits);
	if (renameat(dirfd(rm->top->dir), name, dirfd(first->dir), fresh) < 0)
		return -errno;
	rm->moved = true;
	return 0;
}

static int remove_entry(struct removal *rm, const struct dirent *entry)
{
	int dir = dirfd(rm->top->dir), r;

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return 0;
	if (entry->d_type != DT_DIR) {
		if (unlinkat(dir, entry->d_name, 0) == 0)
			return 0;
		if (errno != EISDIR)
			return -errno;
	}
	if (rm->depth == LEVELS_MAX)
		return move_up(rm, entry->d_name);
	r = level_push(&rm->top, dir, entry->d_name, rm->dev);
	rm->depth += r == 0;
	return r;
}

/* The uppermost level was read to its end. */
static int leave_level(struct removal *rm)
{
	char name[sizeof(rm->top->name)];

	memcpy(name, rm->top->name, sizeof(name));
	level_pop(&rm->top);
	assert(rm->top);
	rm->depth--;
	return unlinkat(dirfd(rm->top->dir), name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Empties the directory that is the only level; stops at the first failure. */
static int levels_empty(struct removal *rm)
{
	int r = 0;

	while (r == 0) {
		const struct dirent *entry;

		assert(rm->top);
		errno = 0;
		entry = readdir(rm->top->dir);
		if (entry) {
			r = remove_entry(rm, entry);
		} else if (errno) {
			r = -errno;
		} else if (rm->depth > 0) {
			r = leave_level(rm);
		} else if (rm->moved) {
			rm->moved = false;
			rewinddir(rm->top->dir);
		} else {
			return 0;
		}
	}
	return r;
}

int dir_remove_at(int dirfd, const char *path, struct error *err)
{
	struct removal rm = { .top = NULL };
	struct stat st;
	int r;

	if (explain_dry())
		return 0;
	if (unlinkat(dirfd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTDIR && unlinkat(dirfd, path, 0) == 0)
		return 0;
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "remove %s", path);
	rm.dev = st.st_dev;
	r = level_push(&rm.top, dirfd, path, rm.dev);
	if (r == 0)
		r = levels_empty(&rm);
	while (rm.top)
		level_pop(&rm.top);
	if (r == 0 && unlinkat(dirfd, path, AT_REMOVEDIR) < 0)
		r = -errno;
	return r < 0 ? error_sys(err, r, "remove %s", path) : 0;
}

char *file_path(int dirfd, const char *name)
{
	autofree char *link = xasprintf("/proc/self/fd/%d", dirfd);
	char dir[PATH_MAX];
	ssize_t n = name[0] == '/' ? -1 : readlink(link, dir, sizeof(dir));

	return n < 0 ? xstrdup(name) : xasprintf("%.*s/%s", (int)n, dir, name);
}
