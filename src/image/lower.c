/* src/image/lower.c */
#include "image/lower.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"

bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool is_opaque(int fd)
{
	char value;

	return (fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y') ||
	       (fgetxattr(fd, "user.overlay.opaque", &value, 1) == 1 && value == 'y');
}

enum found { FOUND, FOUND_NOTHING, FOUND_HIDDEN };

/* In one layer. */
static enum found look(const char *layer, const char *path, int *ret_fd, struct stat *ret)
{
	autofree char *copy = xstrdup(path);
	autoclose int dir = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *rest = copy, *name = strsep(&rest, "/");
	bool opaque = false;

	while (dir >= 0) {
		int next;

		opaque = opaque || is_opaque(dir);
		if (fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW) < 0)
			return opaque ? FOUND_HIDDEN : FOUND_NOTHING;
		if (is_whiteout(ret))
			return FOUND_HIDDEN;
		if (!rest) {
			*ret_fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			return *ret_fd >= 0 ? FOUND : FOUND_HIDDEN;
		}
		if (!S_ISDIR(ret->st_mode))
			return FOUND_HIDDEN;
		next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(dir);
		dir = next;
		name = strsep(&rest, "/");
	}
	return FOUND_NOTHING;
}

int lower_open(const struct strv *dirs, const char *path, int *ret_fd, struct stat *ret)
{
	for (size_t i = 0; i < dirs->n; i++) {
		enum found found = look(dirs->items[i], path, ret_fd, ret);

		if (found == FOUND)
			return 0;
		if (found == FOUND_HIDDEN)
			return -ENOENT;
	}
	return -ENOENT;
}
