/* src/builder/hand_mount.c */
#include "builder/hand_mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "base/walk.h"
#include "engine/engine.h"
#include "image/working.h"
#include "kernel/mount.h"
#include "kernel/mount_script.h"
#include "kernel/overlay.h"

char *hand_mount_path(const struct engine *engine, const char *id)
{
	return xasprintf("%s/" WORKING_DIR "/%s", engine->run_root, id);
}

bool hand_is_mounted(const struct engine *engine, const char *id)
{
	autofree char *path = hand_mount_path(engine, id);
	struct statx here;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &here) == 0 &&
	       here.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* Without layers an empty directory stands for them: overlayfs wants one below. */
static void list_lower(const struct engine *engine, const struct working *w, struct strv *ret)
{
	for (size_t i = w->chains.n; i > 0; i--)
		strv_addf(ret, "%s/layers/%s/diff", engine->root, w->chains.items[i - 1]);
	if (ret->n == 0)
		strv_addf(ret, "%s/" WORKING_DIR "/%s/empty", engine->root, w->id);
}

static int make_dirs(const struct working *w, struct error *err)
{
	static const char *const names[] = { "empty", "upper", "work" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (mkdirat(w->fd, names[i], 0755) < 0 && errno != EEXIST)
			return error_sys(err, -errno, "make a directory for working container %s",
					 w->name);
		if (fchmodat(w->fd, names[i], 0755, 0) < 0) /* whatever the umask */
			return error_sys(err, -errno, "make a directory for working container %s",
					 w->name);
	}
	return 0;
}

static int show(const struct engine *engine, const struct working *w, const char *path,
		struct error *err)
{
	autofree char *whole = xasprintf("%s/" WORKING_DIR "/%s", engine->root, w->id);
	autofree char *dir = overlay_escape(whole), *joined = NULL, *command = NULL;
	struct mount_options o = { .set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID };
	struct strv lower = { 0 };
	autoclose int fd = -1;
	int r = make_dirs(w, err);

	list_lower(engine, w, &lower);
	joined = overlay_join(&lower);
	strv_addf(&o.data, "lowerdir=%s", joined);
	strv_addf(&o.data, "upperdir=%s/upper", dir);
	strv_addf(&o.data, "workdir=%s/work", dir);
	command = mount_script("overlay", "overlay", &o, path);
	if (r == 0)
		r = dir_make_at(AT_FDCWD, path, 0711, err);
	if (r == 0 && !explain("the working container's layers, and one for what is written there",
			       "mkdir -p %s && %s", sq(path), command))
		r = mount_new("overlay", "strake", &o, path, &fd, err);
	if (r == 0)
		r = mount_attach_at(fd, path, err);
	if (r < 0)
		(void)rmdir(path);
	mount_options_done(&o);
	strv_done(&lower);
	return r;
}

int hand_mount(struct engine *engine, const struct working *w, char **ret_path, struct error *err)
{
	autofree char *path = hand_mount_path(engine, w->id);
	int r = engine_need_root("it mounts", err);

	if (r == 0 && !hand_is_mounted(engine, w->id))
		r = show(engine, w, path, err);
	if (r == 0)
		*ret_path = steal_ptr(&path);
	return r;
}

int hand_unmount(struct engine *engine, const struct working *w, struct error *err)
{
	autofree char *path = hand_mount_path(engine, w->id);

	if (hand_is_mounted(engine, w->id)) {
		(void)explain("what was written there stays with the working container",
			      "umount %s", sq(path));
		if (umount2(path, UMOUNT_NOFOLLOW) < 0)
			return errno == EBUSY
				       ? error_set(err, -EBUSY,
						   "%s is mounted at %s, and somebody is in there; "
						   "leave it first",
						   w->name, path)
				       : error_sys(err, -errno, "unmount %s", path);
	}
	if (rmdir(path) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s", path);
	return 0;
}

static bool is_empty(const struct working *w, const char *name)
{
	autoclose int fd = openat(w->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strv names = { 0 };
	bool is = fd < 0 || walk_names(fd, &names) < 0 || names.n == 0;

	strv_done(&names);
	return is;
}

int hand_mount_settle(struct engine *engine, const struct working *w, struct error *err)
{
	int r = hand_unmount(engine, w, err);

	if (r < 0 || faccessat(w->fd, HAND_SETTLING "/diff", F_OK, 0) == 0)
		return r < 0 ? r : 1;
	if (is_empty(w, "upper"))
		return 0;
	r = dir_make_at(w->fd, HAND_SETTLING, 0711, err);
	if (r == 0)
		r = dir_remove_at(w->fd, "work", err);
	if (r == 0 && renameat(w->fd, "upper", w->fd, HAND_SETTLING "/diff") < 0)
		r = error_sys(err, -errno, "take what was written to %s", w->name);
	return r < 0 ? r : 1;
}
