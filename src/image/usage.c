/* src/image/usage.c */
#include "image/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strv.h"

/* A directory on the way down: only the lowest is open, so that no depth is too much. */
struct level {
	dev_t dev;
	ino_t ino;
	struct strv names; /* its directories */
	size_t next;
};

struct walk {
	int fd; /* the lowest level's */
	struct level *levels;
	size_t depth, levels_room;
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

/* What goes away meanwhile is none of it any more. */
static bool is_gone(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ELOOP || code == ESTALE;
}

/* All that is in the directory; those that it has are noted in its level. */
static int read_dir(struct walk *w, int fd, struct level *level)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = is_gone(errno) ? 0 : -errno;
		if (copy >= 0)
			(void)close(copy);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(copy, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			r = is_gone(errno) ? 0 : -errno;
			continue;
		}
		if (S_ISDIR(st.st_mode))
			strv_add(&level->names, entry->d_name);
		if (S_ISDIR(st.st_mode) || st.st_nlink == 1 || see(w, st.st_ino))
			w->bytes += (int64_t)st.st_blocks * 512;
	}
	(void)closedir(dir);
	return r;
}

/* Takes fd over if all goes well. */
static int enter(struct walk *w, int fd)
{
	struct level *level;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	VEC_GROW(w->levels, w->depth, w->levels_room);
	level = &w->levels[w->depth++];
	*level = (struct level) { .dev = st.st_dev, .ino = st.st_ino };
	if (w->fd >= 0 && w->fd != fd)
		(void)close(w->fd);
	w->fd = fd;
	return read_dir(w, fd, level);
}

/* A directory that somebody moved has another parent: there the walk ends, with what was seen. */
static int leave(struct walk *w)
{
	const struct level *up;
	struct stat st;
	int fd;

	strv_done(&w->levels[--w->depth].names);
	if (w->depth == 0)
		return 0;
	up = &w->levels[w->depth - 1];
	fd = openat(w->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return is_gone(errno) ? 1 : -errno;
	(void)close(w->fd);
	w->fd = fd;
	return fstat(fd, &st) < 0 || st.st_dev != up->dev || st.st_ino != up->ino;
}

static int step(struct walk *w)
{
	struct level *level = &w->levels[w->depth - 1];
	const char *name;
	int fd, r;

	if (level->next == level->names.n)
		return leave(w);
	name = level->names.items[level->next++];
	fd = openat(w->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return is_gone(errno) ? 0 : -errno;
	r = enter(w, fd);
	if (r < 0 && w->fd != fd)
		(void)close(fd);
	return r;
}

int disk_usage(int dir, int64_t *ret, struct error *err)
{
	struct walk w = { .fd = -1 };
	struct stat st = { .st_blocks = 0 };
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0) {
		w.bytes = (int64_t)st.st_blocks * 512;
		w.fd = fd;
		r = enter(&w, fd);
	}
	while (r == 0 && w.depth > 0)
		r = step(&w);
	while (w.depth > 0)
		strv_done(&w.levels[--w.depth].names);
	free(w.levels);
	free(w.seen);
	if (w.fd >= 0)
		(void)close(w.fd);
	else if (fd >= 0)
		(void)close(fd);
	if (r < 0)
		return error_sys(err, r, "measure a layer");
	*ret = w.bytes;
	return 0;
}
