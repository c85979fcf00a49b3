/* src/engine/space.c */
#include "engine/space.h"

#include <stdbool.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/error.h"
#include "base/number.h"
#include "engine/engine.h"

/* What failed may have wanted more than is left, but what we write at a time is small. */
#define ROOM_BYTES  (1 << 20)
#define ROOM_INODES 32

static bool is_full(const char *path, const char **ret_what, char ret_left[NUMBER_SIZE_LEN])
{
	struct statvfs fs;
	uint64_t left;

	if (statvfs(path, &fs) < 0)
		return false;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	*ret_what = "";
	number_format_size(left, ret_left);
	if (left < ROOM_BYTES)
		return true;
	*ret_what = " and few inodes";
	return fs.f_files > 0 && fs.f_favail < ROOM_INODES;
}

void space_advise(struct engine *engine, struct error *err)
{
	const char *const paths[] = { engine->root, engine->run_root };
	char left[NUMBER_SIZE_LEN], text[sizeof(err->text)];
	const char *what;

	if (!err || (err->code != -ENOSPC && err->code != -EDQUOT))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!is_full(paths[i], &what, left))
			continue;
		memcpy(text, err->text, sizeof(text));
		(void)error_set(err, err->code, "%s; the file system of %s has %s%s left: %s", text,
				paths[i], left, what,
				i == 0 ? "'strake image prune' or 'strake rm' makes room"
				       : "it is in memory, --run-root DIR goes elsewhere");
		return;
	}
}
