/* src/image/space.c */
#include "image/space.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"

#define MOUNTS_MAX (1U << 20)

/* "ext4 at /var", of the mount whose device it is; "" if the kernel does not tell (btrfs). */
static char *mount_name(int root_fd)
{
	autofree char *table = NULL, *device = NULL;
	struct stat st;
	size_t len;

	if (fstat(root_fd, &st) < 0 ||
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

int space_explain(int root_fd, const char *root, int r, struct error *err)
{
	autofree char *name = NULL;
	char size[NUMBER_SIZE_LEN], room[NUMBER_SIZE_LEN];
	struct statvfs st;

	if ((r != -ENOSPC && r != -EDQUOT) || !err || fstatvfs(root_fd, &st) < 0)
		return r;
	name = mount_name(root_fd);
	number_format_size((uint64_t)st.f_blocks * st.f_frsize, size);
	number_format_size((uint64_t)st.f_bavail * st.f_frsize, room);
	return error_set(
		err, r,
		"%.250s; the file system of %.80s%s has %s free of %s%s: 'strake image prune "
		"--all' removes unused images, --root names another place",
		err->text, root, name, room, size,
		st.f_files > 0 && st.f_favail == 0 ? ", and room for no more files" : "");
}
