/* src/image/usage.c */
#include "image/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define DEPTH_MAX 256 /* of a tree of ours; layers end at 128 */

struct walk {
	DIR *stack[DEPTH_MAX];
	size_t depth;
	/* Inodes with several names that were counted already, as an open hash table. */
	ino_t *seen;
	size_t nseen, room;
	int64_t bytes;
};

static bool add_seen(ino_t *table, size_t room, ino_t ino)
{
	size_t at = (size_t)(ino * 0x9e3779b97f4a7c15ULL) & (room - 1);

	while (table[at]) {
		if (table[at] == ino)
			return false;
		at = (at + 1) & (room - 1);
	}
	table[at] = ino;
	return true;
}

/* Returns whether it is new. */
static bool see(struct walk *w, ino_t ino)
{
	bool fresh;

	if (w->nseen * 2 >= w->room) {
		size_t room = MAX(w->room * 2, 256U);
		ino_t *bigger = xcalloc(room, sizeof(*bigger));

		for (size_t i = 0; i < w->room; i++)
			if (w->seen[i])
				(void)add_seen(bigger, room, w->seen[i]);
		free(w->seen);
		w->seen = bigger;
		w->room = room;
	}
	fresh = add_seen(w->seen, w->room, ino);
	w->nseen += fresh;
	return fresh;
}

static int push(struct walk *w, int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir) {
		int r = -errno;

		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	if (w->depth == DEPTH_MAX) {
		(void)closedir(dir);
		return -ELOOP;
	}
	w->stack[w->depth++] = dir;
	return 0;
}

static int count(struct walk *w, const char *name)
{
	int at = dirfd(w->stack[w->depth - 1]);
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode) || st.st_nlink == 1 || see(w, st.st_ino))
		w->bytes += (int64_t)st.st_blocks * 512;
	return S_ISDIR(st.st_mode) ? push(w, at, name) : 0;
}

int disk_usage(int dir, int64_t *ret, struct error *err)
{
	struct walk w = { .depth = 0 };
	struct stat st;
	int r = fstat(dir, &st) < 0 ? -errno : push(&w, dir, ".");

	w.bytes = r == 0 ? (int64_t)st.st_blocks * 512 : 0;
	while (r == 0 && w.depth > 0) {
		const struct dirent *entry = readdir(w.stack[w.depth - 1]);

		if (entry)
			r = count(&w, entry->d_name);
		else
			(void)closedir(w.stack[--w.depth]);
	}
	while (w.depth > 0)
		(void)closedir(w.stack[--w.depth]);
	free(w.seen);
	if (r < 0)
		return error_sys(err, r, "measure a layer");
	*ret = w.bytes;
	return 0;
}
