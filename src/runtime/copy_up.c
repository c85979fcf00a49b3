/* src/runtime/copy_up.c */
#include "runtime/copy_up.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"

#define DEPTH_MAX 100     /* of directories: each holds two descriptors while it is copied */
#define PIECE     1048576 /* bytes of one sendfile(2) */

static int copy_data(int from, int to, const char *name)
{
	autoclose int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	autoclose int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = 1;

	if (in < 0 || out < 0)
		return -errno;
	while (n > 0) {
		n = sendfile(out, in, NULL, PIECE);
		if (n < 0 && errno == EINTR)
			n = 1;
	}
	return n < 0 ? -errno : 0;
}

static int copy_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to, name) < 0 ? -errno : 0;
}

static int copy_attributes(int to, const char *name, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };

	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* After the owner, which takes set-user-ID bits away. */
	if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_tree(int from, int to, unsigned depth);

static int copy_dir(int from, int to, const char *name, unsigned depth)
{
	autoclose int in = -1, out = -1;

	if (depth == DEPTH_MAX)
		return -ELOOP;
	if (mkdirat(to, name, 0700) < 0)
		return -errno;
	in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return in < 0 || out < 0 ? -errno : copy_tree(in, out, depth + 1);
}

static int copy_entry(int from, int to, const char *name, unsigned depth)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		r = copy_dir(from, to, name, depth);
		break;
	case S_IFREG:
		r = copy_data(from, to, name);
		break;
	case S_IFLNK:
		r = copy_link(from, to, name);
		break;
	default:
		r = mknodat(to, name, st.st_mode, st.st_rdev) < 0 ? -errno : 0;
	}
	return r < 0 ? r : copy_attributes(to, name, &st);
}

static int copy_tree(int from, int to, unsigned depth)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = copy_entry(from, to, entry->d_name, depth);
	(void)closedir(dir);
	return r;
}

int copy_up(int from, int to, const char *what, struct error *err)
{
	int r = copy_tree(from, to, 0);

	return r < 0 ? error_sys(err, r, "copy what is in %s into its tmpfs", what) : 0;
}

int copy_up_root(int from, int to, const char *what, struct error *err)
{
	struct stat st;
	int r = fstatat(from, "", &st, AT_EMPTY_PATH) < 0 ? -errno : copy_attributes(to, ".", &st);

	return r < 0 ? error_sys(err, r, "give the tmpfs on %s the mode of what it hides", what)
		     : 0;
}
