/* src/engine/root.c */
#include "engine/root.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/engine.h"
#include "engine/options.h"

static int plan_directory(const char *dir, struct root *root, struct error *err)
{
	char *path = realpath(dir, NULL);
	struct stat st;

	if (!path)
		return error_sys(err, -errno, "--rootfs %s", dir);
	strv_take(&root->layers, path);
	if (stat(path, &st) < 0)
		return error_sys(err, -errno, "--rootfs %s", dir);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, -ENOTDIR,
				 "--rootfs %s is not a directory; --bare runs one executable file", dir);
	if (strcmp(path, "/") == 0)
		return error_set(err, -EINVAL, "--rootfs / would show the whole host to the container");
	root->kind = ROOT_DIRECTORY;
	root->source = xstrdup(path);
	return 0;
}

static int plan_bare(const struct container_options *options, struct root *root, struct error *err)
{
	int r = bare_plan(options->bare, options->with_libs, &root->bare, err);

	if (r < 0)
		return r;
	root->kind = ROOT_BARE;
	root->source = xstrdup(root->bare.host_path);
	return 0;
}
