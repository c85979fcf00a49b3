/* src/builder/strip.c */
#include "builder/strip.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "image/lower.h"
#include "kernel/rootdir.h"

static int open_parent(int upper, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	*ret_name = slash ? slash + 1 : path;
	return rootdir_open_at(upper, dir, O_RDONLY | O_DIRECTORY,
			       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static bool same_looks(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

/* May an empty directory go: is nothing of its name below, or the same but for its time?  One that
 * hides what is below says something.
 */
static bool says_nothing(const struct strv *lower, const char *path, int dir, const char *name,
			 const struct stat *st)
{
	autoclose int below = -1, fd = -1;
	struct stat was;

	if (lower_open(lower, path, &below, &was) < 0)
		return true;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return S_ISDIR(was.st_mode) && same_looks(st, &was) && fd >= 0 && !is_opaque(fd);
}

/* 1: it is gone. */
static int strip_one(int upper, const struct strv *lower, const char *path, bool is_point)
{
	const char *name;
	autoclose int dir = open_parent(upper, path, &name), below = -1;
	struct stat st, was;

	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (is_point && S_ISREG(st.st_mode) && st.st_size == 0 &&
	    lower_open(lower, path, &below, &was) < 0)
		return unlinkat(dir, name, 0) < 0 ? -errno : 1;
	if (!S_ISDIR(st.st_mode) || !says_nothing(lower, path, dir, name, &st))
		return 0;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return errno == ENOTEMPTY || errno == EEXIST ? 0 : -errno;
	return 1;
}

static int strip_path(int upper, const struct strv *lower, const char *point)
{
	autofree char *path = xstrdup(point);
	int r = strip_one(upper, lower, path, true);

	for (char *slash; r > 0 && (slash = strrchr(path, '/'));) {
		*slash = '\0';
		r = strip_one(upper, lower, path, false);
	}
	return r < 0 ? r : 0;
}

int strip_mount_points(int upper, const struct strv *lower, const struct strv *points,
		       struct error *err)
{
	int r = 0;

	/* The inner ones were mounted last. */
	for (size_t i = points->n; r == 0 && i > 0; i--) {
		r = strip_path(upper, lower, points->items[i - 1]);
		if (r < 0)
			r = error_sys(err, r, "remove /%s from the layer", points->items[i - 1]);
	}
	return r;
}
