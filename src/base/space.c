/* src/base/space.c */
#include "base/space.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/number.h"

#define MOUNTS_MAX (1U << 20)
/* What failed may have wanted more than is left, but what we write at a time is small. */
#define ROOM_BYTES  (1 << 20)
#define ROOM_INODES 32

static const char root_advice[] =
	"'strake image prune --all' or 'strake rm' makes room, --root DIR "
	"names another place";
static const char run_advice[] = "it is in memory, --run-root DIR names another place";

/* " (ext4 at /var)", of the mount whose device it is; "" if the kernel does not tell (btrfs). */
static char *mount_name(const char *path)
{
	autofree char *table = NULL, *device = NULL;
	struct stat st;
	size_t len;

	if (stat(path, &st) < 0 ||
	    file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_MAX, &table, &len, NULL) < 0)
		return xstrdup("");
	device = xasprintf("%u:%u", major(st.st_dev), minor(st.st_dev));
	for (char *save = NULL, *line = strtok_r(table, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char dev[32], at[256], type[64];
		const char *dash = strstr(line, " - ");

		if (dash && sscanf(line, "%*d %*d %31s %*s %255s", dev, at) == 2 &&
		    strcmp(dev, device) == 0 && sscanf(dash, " - %63s", type) == 1)
			return xasprintf(" (%s at %s)", type, at);
	}
	return xstrdup("");
}

static bool wanted_room(const struct error *err)
{
	return err && (err->code == -ENOSPC || err->code == -EDQUOT);
}

static bool lacks_inodes(const struct statvfs *fs)
{
	return fs->f_files > 0 && fs->f_favail < ROOM_INODES;
}

static void explain_one(const char *path, const struct statvfs *fs, const char *advice,
			struct error *err)
{
	autofree char *name = mount_name(path), *text = xstrdup(err->text), *tail = NULL;
	char size[NUMBER_SIZE_LEN], room[NUMBER_SIZE_LEN];
	size_t len;

	number_format_size((uint64_t)fs->f_blocks * fs->f_frsize, size);
	number_format_size((uint64_t)fs->f_bavail * fs->f_frsize, room);
	tail = xasprintf("; the file system of %.100s%.120s has %s free of %s%s: %s", path, name,
			 room, size, lacks_inodes(fs) ? ", and room for hardly a file" : "",
			 advice);
	len = strlen(tail) + 1;
	(void)error_set(err, err->code, "%.*s%s", (int)(sizeof(err->text) - len), text, tail);
}

void space_explain(const char *root, struct error *err)
{
	struct statvfs fs;

	if (wanted_room(err) && statvfs(root, &fs) == 0)
		explain_one(root, &fs, root_advice, err);
}

static bool is_full(const struct statvfs *fs)
{
	return (uint64_t)fs->f_bavail * fs->f_frsize < ROOM_BYTES || lacks_inodes(fs);
}

void space_advise(const char *root, const char *run_root, struct error *err)
{
	struct statvfs fs;

	if (!wanted_room(err))
		return;
	if (root && statvfs(root, &fs) == 0 && is_full(&fs))
		explain_one(root, &fs, root_advice, err);
	else if (run_root && statvfs(run_root, &fs) == 0 && is_full(&fs))
		explain_one(run_root, &fs, run_advice, err);
}
