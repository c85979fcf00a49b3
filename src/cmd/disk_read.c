/* src/cmd/disk_read.c - strake-disk ls, cat and cp: files out of a disk. */
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cmd/cmd.h"
#include "cmd/disk_options.h"
#include "disk/reading.h"

/* ls */

/* "-rwsr-xr-x", as ls has it. */
static void mode_text(mode_t mode, char ret[11])
{
	static const char letters[] = "rwxrwxrwx";
	static const struct {
		mode_t bit;
		size_t at;
		char with, without; /* x below it, or none */
	} special[] = { { S_ISUID, 3, 's', 'S' },
			{ S_ISGID, 6, 's', 'S' },
			{ S_ISVTX, 9, 't', 'T' } };

	ret[0] = S_ISDIR(mode)    ? 'd'
		 : S_ISLNK(mode)  ? 'l'
		 : S_ISCHR(mode)  ? 'c'
		 : S_ISBLK(mode)  ? 'b'
		 : S_ISFIFO(mode) ? 'p'
				  : '-';
	for (size_t i = 0; i < 9; i++)
		ret[i + 1] = (char)(mode & (0400U >> i) ? letters[i] : '-');
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		if (mode & special[i].bit)
			ret[special[i].at] =
				ret[special[i].at] == 'x' ? special[i].with : special[i].without;
	ret[10] = '\0';
}

/* Names come from the disk: what would move a terminal's cursor is '?'. */
static void put_name(const char *name)
{
	for (; *name; name++)
		(void)putchar((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name);
}

static int show(void *data, const struct disk_entry *e, struct error *err)
{
	const struct disk_read_args *args = data;
	time_t when = (time_t)e->mtime_s;
	char mode[11], date[32] = "";
	struct tm tm;

	(void)err;
	if (args->along) {
		mode_text(e->mode, mode);
		if (gmtime_r(&when, &tm))
			(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
		(void)printf("%s %5u %5u %10lld %s ", mode, e->uid, e->gid, (long long)e->size,
			     date);
	}
	put_name(e->name);
	if (args->along && e->target) {
		(void)printf(" -> ");
		put_name(e->target);
	}
	(void)putchar('\n');
	return 0;
}

static int ls_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct disk_read_args *args = data;
	cleanup(disk_cleanup) struct disk *d = NULL;
	struct disk_entry e = { .target = NULL };
	int r = disk_open(argv[0], args->partition, &d, err);

	if (r == 0)
		r = disk_read(d, err);

	(void)globals;
	if (r == 0)
		r = disk_find(d, argc > 1 ? argv[1] : "/", &e, err);
	if (r == 0)
		r = S_ISDIR(e.mode) ? disk_list(d, e.number, show, (void *)args, err)
				    : show((void *)args, &e, err);
	disk_entry_done(&e);
	return r;
}

const struct cmd cmd_disk_ls = {
	.name = "ls",
	.operands = "FILE [PATH]",
	.help = "List a directory of a disk",
	.opts = disk_ls_opts,
	.args_size = sizeof(struct disk_read_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = ls_run,
};

/* cat */

static int need_file(const struct disk *d, const char *path, struct disk_entry *ret,
		     struct error *err)
{
	int r = disk_find(d, path, ret, err);

	if (r == 0 && !S_ISREG(ret->mode) && !S_ISDIR(ret->mode))
		r = error_set(err, -EINVAL, "%s is no regular file", path);
	return r;
}

static int cat_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct disk_read_args *args = data;
	cleanup(disk_cleanup) struct disk *d = NULL;
	struct disk_entry e = { .target = NULL };
	int r = disk_open(argv[0], args->partition, &d, err);

	if (r == 0)
		r = disk_read(d, err);

	(void)globals;
	for (int i = 1; r == 0 && i < argc; i++) {
		r = need_file(d, argv[i], &e, err);
		if (r == 0 && S_ISDIR(e.mode))
			r = error_set(err, -EISDIR, "%s is a directory", argv[i]);
		if (r == 0)
			r = disk_copy_out(d, e.number, STDOUT_FILENO, err);
		disk_entry_done(&e);
	}
	return r;
}

const struct cmd cmd_disk_cat = {
	.name = "cat",
	.operands = "FILE PATH...",
	.help = "Print files of a disk",
	.opts = disk_read_opts,
	.args_size = sizeof(struct disk_read_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run_alone = cat_run,
};

/* cp */

struct copying {
	const struct disk *disk;
	int to; /* directory */
	unsigned depth;
	void **seen; /* tsearch() tree of numbers: directories, each of which has one name */
};
#define DEPTH_MAX 256

static int copy_into(void *data, const struct disk_entry *e, struct error *err);

static int copy_file(const struct copying *c, const struct disk_entry *e, const char *name,
		     struct error *err)
{
	autoclose int fd = openat(c->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				  e->mode & 0777);
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "make %s", name);
	r = disk_copy_out(c->disk, e->number, fd, err);
	if (r < 0)
		(void)unlinkat(c->to, name, 0); /* half of it is of no use */
	return r < 0 ? error_wrap(err, r, "%s", name) : 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* A damaged disk may lead back to what is above, or to the same in two to the hundredth ways. */
static bool is_seen(const struct copying *c, uint32_t number)
{
	uint32_t *key = xmalloc(sizeof(*key));
	void *const *found;

	*key = number;
	found = tsearch(key, c->seen, by_number);
	if (found && *found == key)
		return false;
	free(key);
	return true;
}

static int copy_dir(const struct copying *c, const struct disk_entry *e, const char *name,
		    struct error *err)
{
	autoclose int fd = -1;
	struct copying below = { .disk = c->disk, .depth = c->depth + 1, .seen = c->seen };

	if (c->depth >= DEPTH_MAX)
		return error_set(err, -ELOOP, "%s: too many directories deep", name);
	if (is_seen(c, e->number))
		return error_set(err, -EBADMSG,
				 "its file system is damaged (the directory %s has two names)",
				 name);
	if (mkdirat(c->to, name, (e->mode & 0777) | 0700) < 0)
		return error_sys(err, -errno, "make %s", name);
	fd = openat(c->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, -errno, "open %s", name);
	below.to = fd;
	return disk_list(c->disk, e->number, copy_into, &below, err);
}

/* Into a directory that was made a moment ago: there is nothing in the way but a race. */
static int copy_as(const struct copying *c, const struct disk_entry *e, const char *name,
		   struct error *err)
{
	if (S_ISREG(e->mode))
		return copy_file(c, e, name, err);
	if (S_ISDIR(e->mode))
		return copy_dir(c, e, name, err);
	if (S_ISLNK(e->mode) && symlinkat(e->target, c->to, name) < 0)
		return error_sys(err, -errno, "make %s", name);
	/* Devices and the like have no meaning outside of the machine. */
	return 0;
}

static int copy_into(void *data, const struct disk_entry *e, struct error *err)
{
	return copy_as(data, e, e->name, err);
}

/* "." and ".." have no name of their own: what is in them. */
static int copy_below(struct copying *c, const struct disk_entry *e, int to, struct error *err)
{
	c->to = to;
	if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
		return disk_list(c->disk, e->number, copy_into, c, err);
	return copy_as(c, e, *e->name ? e->name : "root", err);
}

static int copy_beside(struct copying *c, const struct disk_entry *e, const char *target,
		       struct error *err)
{
	autofree char *dir = xstrdup(target);
	size_t n = strlen(dir);
	autoclose int to = -1;
	char *slash;
	int r;

	while (S_ISDIR(e->mode) && n > 1 && dir[n - 1] == '/')
		dir[--n] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	r = dir_open_at(AT_FDCWD, !slash ? "." : *dir ? dir : "/", &to, err);
	if (r < 0)
		return r;
	c->to = to;
	return copy_as(c, e, slash ? slash + 1 : dir, err);
}

/* As cp: into TARGET if it is a directory, else as TARGET. */
static int cp_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct disk_read_args *args = data;
	cleanup(disk_cleanup) struct disk *d = NULL;
	struct disk_entry e = { .target = NULL };
	void *seen = NULL;
	autoclose int to = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copying c;
	int r = disk_open(argv[0], args->partition, &d, err);

	(void)globals;
	(void)argc;
	if (r == 0)
		r = disk_read(d, err);
	if (r == 0)
		r = need_file(d, argv[1], &e, err);
	c = (struct copying) { .disk = d, .seen = &seen };
	if (r == 0)
		r = to >= 0 ? copy_below(&c, &e, to, err) : copy_beside(&c, &e, argv[2], err);
	tdestroy(seen, free);
	disk_entry_done(&e);
	return r;
}

const struct cmd cmd_disk_cp = {
	.name = "cp",
	.operands = "FILE PATH TARGET",
	.help = "Copy a file or a directory out of a disk",
	.opts = disk_read_opts,
	.args_size = sizeof(struct disk_read_args),
	.min_operands = 3,
	.max_operands = 3,
	.run_alone = cp_run,
};
