/* src/engine/root_view.c - passwd(5) and group(5) of a stack of layers. */
#include "engine/root_view.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "kernel/rootdir.h"

#define ACCOUNTS_BYTES_MAX                                                                         \
	(4U << 20) /* passwd or group; larger ones are no accounts of an image                     \
		    */
#define ID_MAX (UINT32_MAX - 1)

static int open_inside(int root, const char *path, int flags)
{
	return rootdir_open_at(root, path, flags, RESOLVE_IN_ROOT);
}

/* For reading what was looked at first: to open a device or a pipe is to act on the host. */
static int open_again(int look)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", look);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* Does this layer hide the directory's lower versions? */
static bool is_opaque(int root, const char *path)
{
	autofree char *dir = xstrdup(path);
	char *slash;

	while ((slash = strrchr(dir, '/')) && slash > dir) {
		autoclose int fd = -1;
		char value;

		*slash = '\0';
		fd = open_inside(root, dir, O_RDONLY | O_DIRECTORY);
		if (fd >= 0 && fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 &&
		    value == 'y')
			return true;
	}
	return false;
}

int root_view_read(const struct strv *layers, const char *path, size_t max, char **ret,
		   struct error *err)
{
	for (size_t i = 0; i < layers->n; i++) {
		autoclose int root = open(layers->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		autoclose int look = -1, fd = -1;
		struct stat st;

		if (root < 0)
			return error_sys(err, -errno, "open %s", layers->items[i]);
		look = open_inside(root, path, O_PATH);
		if (look >= 0 && fstat(look, &st) == 0 && S_ISREG(st.st_mode))
			fd = open_again(look);
		if (fd >= 0)
			return file_read_fd(fd, path, max, ret, NULL, err);
		/* Whatever it is, a whiteout (a device 0:0) too, it hides what lies below. */
		if (look >= 0 || errno == ENOTDIR || is_opaque(root, path))
			break;
	}
	return error_sys(err, -ENOENT, "%s in the container", path);
}

/* Splits the next "a:b:c" line at its colons in place; returns the number of fields, 0 at the end.
 */
static size_t record_next(char **rest, char **fields, size_t max)
{
	char *line;

	while ((line = strsep(rest, "\n"))) {
		size_t n = 0;

		if (!*line || *line == '#')
			continue;
		while (n < max && line)
			fields[n++] = strsep(&line, ":");
		return n;
	}
	return 0;
}

static bool id_parse(const char *text, uint32_t *ret)
{
	uint64_t value;

	if (number_parse(text, ID_MAX, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* Fills user from the passwd record of that name or number.  Returns whether there is one. */
static bool passwd_find(char *text, const char *wanted, struct user *user, char **ret_name)
{
	uint32_t number = 0, uid, gid;
	bool numeric = id_parse(wanted, &number);
	char *fields[7];
	size_t n;

	while ((n = record_next(&text, fields, ARRAY_SIZE(fields)))) {
		if (n < 6 || !id_parse(fields[2], &uid) || !id_parse(fields[3], &gid))
			continue;
		if (strcmp(fields[0], wanted) != 0 && !(numeric && uid == number))
			continue;
		user->uid = uid;
		user->gid = gid;
		free(user->home);
		user->home = xstrdup(fields[5][0] == '/' ? fields[5] : "/");
		*ret_name = xstrdup(fields[0]);
		return true;
	}
	return false;
}

static bool is_member(char *members, const char *name)
{
	char *member;

	while ((member = strsep(&members, ",")))
		if (strcmp(member, name) == 0)
			return true;
	return false;
}

static void groups_of(char *text, const char *name, struct user *user)
{
	char *fields[4];
	uint32_t gid;
	size_t n;

	while ((n = record_next(&text, fields, ARRAY_SIZE(fields))))
		if (n == 4 && id_parse(fields[2], &gid) && gid != user->gid &&
		    user->ngroups < USER_GROUPS_MAX && is_member(fields[3], name))
			user->groups[user->ngroups++] = gid;
}

static bool group_find(char *text, const char *wanted, uint32_t *ret)
{
	char *fields[4];
	size_t n;

	while ((n = record_next(&text, fields, ARRAY_SIZE(fields))))
		if (n >= 3 && strcmp(fields[0], wanted) == 0)
			return id_parse(fields[2], ret);
	return false;
}

static int accounts_read(const struct strv *layers, const char *path, char **ret, struct error *err)
{
	int r = root_view_read(layers, path, ACCOUNTS_BYTES_MAX, ret, err);

	if (r != -ENOENT)
		return r;
	*ret = xstrdup("");
	return 0;
}

static int account_unknown(const char *kind, const char *wanted, const char *file,
			   struct error *err)
{
	bool number = wanted[strspn(wanted, "-0123456789")] == '\0';

	if (number)
		return error_set(err, -EINVAL, "%s '%s': a number is 0 to %u", kind, wanted,
				 (unsigned)ID_MAX);
	return error_set(err, -EINVAL,
			 "%s '%s' is not in the container's %s; a number always works", kind,
			 wanted, file);
}

static int user_part(const struct strv *layers, const char *wanted, bool want_groups,
		     struct user *user, struct error *err)
{
	autofree char *passwd = NULL, *group = NULL, *name = NULL;
	uint32_t number;
	bool numeric = id_parse(wanted, &number);
	int r = accounts_read(layers, "/etc/passwd", &passwd, numeric ? NULL : err);

	/* A number always works: what the container made of the file costs it home and groups. */
	if (r < 0 && !numeric)
		return r;
	if (r < 0 || !passwd_find(passwd, wanted, user, &name)) {
		if (!numeric)
			return account_unknown("user", wanted, "/etc/passwd", err);
		user->uid = number;
		return 0;
	}
	r = want_groups ? accounts_read(layers, "/etc/group", &group, numeric ? NULL : err) : 0;
	if (r == 0 && group)
		groups_of(group, name, user);
	return numeric ? 0 : r;
}

static int group_part(const struct strv *layers, const char *wanted, struct user *user,
		      struct error *err)
{
	autofree char *group = NULL;
	int r;

	if (id_parse(wanted, &user->gid))
		return 0;
	r = accounts_read(layers, "/etc/group", &group, err);
	if (r < 0)
		return r;
	if (!group_find(group, wanted, &user->gid))
		return account_unknown("group", wanted, "/etc/group", err);
	return 0;
}

int user_resolve(const struct strv *layers, const char *text, struct user *ret, struct error *err)
{
	autofree char *copy = xstrdup(text && *text ? text : "0");
	char *group = strchr(copy, ':');
	struct user user = { .home = xstrdup("/") };
	int r;

	if (group)
		*group++ = '\0';
	r = user_part(layers, *copy ? copy : "0", !group, &user, err);
	if (r == 0 && group)
		r = group_part(layers, group, &user, err);
	if (r < 0) {
		user_done(&user);
		return r;
	}
	*ret = user;
	return 0;
}

int user_add_group(const struct strv *layers, const char *text, struct user *user,
		   struct error *err)
{
	struct user found = { .gid = 0 };
	int r = group_part(layers, text, &found, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < user->ngroups; i++)
		if (user->groups[i] == found.gid)
			return 0;
	if (user->ngroups == USER_GROUPS_MAX)
		return error_set(err, -E2BIG, "group '%s': more than %d groups", text,
				 USER_GROUPS_MAX);
	user->groups[user->ngroups++] = found.gid;
	return 0;
}

void user_done(struct user *user)
{
	free(user->home);
	user->home = NULL;
}
