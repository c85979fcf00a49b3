/* src/engine/image_mount.c */
#include "engine/image_mount.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/id.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "image/image.h"
#include "kernel/mount.h"
#include "kernel/mount_script.h"
#include "kernel/overlay.h"

#define DIR_NAME "images"

char *image_mount_path(const struct engine *engine, const char *id)
{
	return xasprintf("%s/" DIR_NAME "/%s", engine->run_root, id);
}

bool image_is_mounted(const struct engine *engine, const char *id)
{
	autofree char *path = image_mount_path(engine, id);
	struct statx here;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &here) == 0 &&
	       here.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* Two that mount the same image at once would stack. */
static int lock(struct engine *engine, int *ret, struct error *err)
{
	int r = dir_ensure_at(engine->run_fd, DIR_NAME, 0711, ret, err);

	if (r == 0 && TEMP_FAILURE_RETRY(flock(*ret, LOCK_EX)) < 0)
		r = error_sys(err, -errno, "lock %s/" DIR_NAME, engine->run_root);
	return r;
}

static int open_stack(const struct strv *lower, const char *path, int *ret, struct error *err)
{
	struct mount_options o = { .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV |
					  MOUNT_ATTR_NOSUID };
	autofree char *joined = overlay_join(lower), *command = NULL;
	int r;

	/* Overlayfs wants two layers where nothing can be written; one is bound as it is. */
	if (lower->n == 1) {
		if (explain("the image's only layer, for looking",
			    "mkdir -p %1$s && mount -o bind,ro,nodev,nosuid %2$s %1$s", sq(path),
			    sq(lower->items[0])))
			return 0;
		r = mount_clone(AT_FDCWD, lower->items[0], false, ret, err);
		return r < 0 ? r : mount_set(*ret, &o, path, err);
	}
	strv_addf(&o.data, "lowerdir=%s", joined);
	command = mount_script("overlay", "overlay", &o, path);
	r = 0;
	if (!explain("the image's layers as one, for looking", "mkdir -p %s && %s", sq(path),
		     command))
		r = mount_new("overlay", "strake", &o, path, ret, err);
	mount_options_done(&o);
	return r;
}

static int attach(const char *path, int fd, struct error *err)
{
	int r = dir_make_at(AT_FDCWD, path, 0711, err);

	if (r == 0)
		r = mount_attach_at(fd, path, err);
	if (r < 0)
		(void)rmdir(path);
	return r;
}

int image_mount(struct engine *engine, const struct image *image, char **ret_path,
		struct error *err)
{
	autofree char *path = image_mount_path(engine, image->id);
	autoclose int locked = -1, fd = -1;
	struct strv lower = { 0 };
	int r = explain_dry() ? 0 : engine_need_root("it mounts", err);

	if (r == 0 && !explain_dry())
		r = lock(engine, &locked, err);
	if (r == 0 && !image_is_mounted(engine, image->id)) {
		image_lower_dirs(engine->root, image, &lower);
		r = open_stack(&lower, path, &fd, err);
		if (r == 0 && !explain_dry())
			r = attach(path, fd, err);
		if (r < 0)
			image_name_lost(engine->root, image, NULL, err);
		strv_done(&lower);
	}
	if (r == 0)
		*ret_path = steal_ptr(&path);
	return r;
}

int image_unmount(struct engine *engine, const char *id, struct error *err)
{
	autofree char *path = image_mount_path(engine, id);
	autoclose int locked = -1;
	int r;

	if (explain("the image is where it was, only nobody looks at it",
		    "umount %1$s && rmdir %1$s", sq(path)))
		return 0;
	r = lock(engine, &locked, err);
	if (r < 0)
		return r;
	if (image_is_mounted(engine, id) && umount2(path, UMOUNT_NOFOLLOW) < 0)
		return error_sys(err, -errno, errno == EBUSY ? "%s is in use" : "unmount %s", path);
	if (rmdir(path) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s", path);
	return 0;
}

int image_mounts(struct engine *engine, struct strv *ret, struct error *err)
{
	autoclose int locked = -1;

	return explain_dry() ? 0 : image_mounts_lock(engine, ret, &locked, err);
}

int image_mounts_lock(struct engine *engine, struct strv *ret, int *ret_lock, struct error *err)
{
	autoclose int locked = -1;
	const struct dirent *item;
	DIR *dir;
	int copy;
	int r = lock(engine, &locked, err);

	if (r < 0)
		return r;
	copy = openat(locked, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = copy >= 0 ? fdopendir(copy) : NULL;
	while (dir && (item = readdir(dir))) {
		if (strlen(item->d_name) != ID_LEN || !id_is_hex(item->d_name))
			continue;
		if (image_is_mounted(engine, item->d_name))
			strv_add(ret, item->d_name);
		else
			(void)unlinkat(locked, item->d_name, AT_REMOVEDIR);
	}
	if (dir)
		(void)closedir(dir);
	*ret_lock = steal_fd(&locked);
	return 0;
}
