/* src/image/attributes.c */
#include "image/attributes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"

#define TRUSTED    "trusted.overlay."
#define USER       "user.overlay."
#define ESCAPE     "overlay."
#define CAPABILITY "security.capability"
#define NAMES_MAX  65536 /* XATTR_LIST_MAX */
#define VALUE_MAX  65536 /* XATTR_SIZE_MAX */

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool attribute_is_for_images(const char *name)
{
	return starts(name, "user.") || starts(name, "trusted.") ||
	       starts(name, "system.posix_acl_") || strcmp(name, CAPABILITY) == 0;
}

static char *escape(const char *name)
{
	if (starts(name, TRUSTED))
		return xasprintf(TRUSTED ESCAPE "%s", name + strlen(TRUSTED));
	if (starts(name, USER))
		return xasprintf(USER ESCAPE "%s", name + strlen(USER));
	return xstrdup(name);
}

/* NULL: overlayfs's own. */
static char *unescape(const char *name)
{
	if (starts(name, TRUSTED ESCAPE))
		return xasprintf(TRUSTED "%s", name + strlen(TRUSTED ESCAPE));
	if (starts(name, USER ESCAPE))
		return xasprintf(USER "%s", name + strlen(USER ESCAPE));
	return starts(name, TRUSTED) || starts(name, USER) ? NULL : xstrdup(name);
}

/* A file that lost its capabilities would fail later, in a way that nobody understands; others are
 * left out where the file system or the user namespace has no room for them.
 */
static int set_one(int fd, const char *name, const void *value, size_t len)
{
	if (fsetxattr(fd, name, value, len, 0) == 0)
		return 0;
	if ((errno == EOPNOTSUPP || errno == EPERM) && strcmp(name, CAPABILITY) != 0)
		return 0;
	return -errno;
}

static int set_xattrs(int fd, const struct tar_entry *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->nxattrs; i++) {
		const struct tar_xattr *x = &e->xattrs[i];
		autofree char *name = escape(x->name);

		if (attribute_is_for_images(x->name))
			r = set_one(fd, name, x->value, x->len);
	}
	return r;
}

/* The kernel says EINVAL of an owner that has no number in this user namespace. */
static int owner_failed(void)
{
	return errno == EINVAL ? -EOVERFLOW : -errno;
}

/* A change of owner clears set-id bits and capabilities, so it comes first; and what is written
 * changes the time, so that comes last.
 */
int attributes_set(int fd, const struct tar_entry *e, bool times)
{
	const struct timespec both[2] = { e->mtime, e->mtime };
	int r = fchown(fd, e->uid, e->gid) < 0 ? owner_failed() : 0;

	if (r == 0 && fchmod(fd, e->mode) < 0)
		r = -errno;
	if (r == 0 && e->nxattrs > 0)
		r = set_xattrs(fd, e);
	if (r == 0 && times && futimens(fd, both) < 0)
		r = -errno;
	return r;
}

int attributes_set_at(int dir, const char *name, const struct tar_entry *e)
{
	const struct timespec both[2] = { e->mtime, e->mtime };

	if (fchownat(dir, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return owner_failed();
	if (e->type != TAR_SYMLINK && fchmodat(dir, name, e->mode, 0) < 0)
		return -errno;
	return utimensat(dir, name, both, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int opaque_set(int fd)
{
	if (fsetxattr(fd, TRUSTED "opaque", "y", 1, 0) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	return fsetxattr(fd, USER "opaque", "y", 1, 0) < 0 ? -errno : 0;
}

/* reading */

static int list_names(int fd, char **ret, size_t *ret_len)
{
	autofree char *names = NULL;
	ssize_t n = flistxattr(fd, NULL, 0);

	if (n > 0) {
		names = xmalloc(NAMES_MAX);
		n = flistxattr(fd, names, NAMES_MAX);
	}
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	*ret = steal_ptr(&names);
	*ret_len = (size_t)n;
	return 0;
}

static int read_value(int fd, const char *name, struct tar_xattr *ret)
{
	autofree char *value = xmalloc(VALUE_MAX);
	ssize_t n = fgetxattr(fd, name, value, VALUE_MAX);

	if (n < 0)
		return -errno;
	ret->value = xrealloc(steal_ptr(&value), (size_t)n + 1, 1);
	ret->len = (size_t)n;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct tar_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void attributes_free(struct tar_xattr *xattrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(xattrs[i].name);
		free(xattrs[i].value);
	}
	free(xattrs);
}

int attributes_list(int fd, struct tar_xattr **ret, size_t *ret_n)
{
	autofree char *names = NULL;
	struct tar_xattr *list = NULL;
	size_t len = 0, n = 0, room = 0;
	int r = list_names(fd, &names, &len);

	for (const char *at = names; r == 0 && at && at < names + len; at += strlen(at) + 1) {
		autofree char *plain = attribute_is_for_images(at) ? unescape(at) : NULL;

		if (!plain || n >= TAR_XATTRS_MAX)
			continue;
		VEC_GROW(list, n, room);
		list[n] = (struct tar_xattr) { .name = NULL };
		r = read_value(fd, at, &list[n]);
		if (r == 0)
			list[n++].name = steal_ptr(&plain);
		else if (r == -ENODATA)
			r = 0;
	}
	if (r < 0) {
		attributes_free(list, n);
		return r;
	}
	if (n > 1)
		qsort(list, n, sizeof(*list), by_name);
	*ret = list;
	*ret_n = n;
	return 0;
}

int attributes_copy(int from, int to)
{
	struct tar_entry e = { .name = NULL };
	int r = attributes_list(from, &e.xattrs, &e.nxattrs);

	if (r == 0)
		r = set_xattrs(to, &e);
	attributes_free(e.xattrs, e.nxattrs);
	return r;
}
