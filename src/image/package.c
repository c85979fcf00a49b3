/* src/image/package.c */
#include "image/package.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "base/strv.h"
#include "image/tar_write.h"

struct package {
	char *path, *temporary; /* temporary NULL: standard output, or published */
	bool directory;
	int fd; /* of the archive, the directory */
	struct tar_writer *tar;
	struct strv names;
	int file; /* the one being written in a directory; -1 */
	int64_t left;
};

static int to_file(void *data, const void *bytes, size_t len, struct error *err)
{
	const struct package *p = data;
	int r = file_write_all(p->fd, bytes, len);

	return r < 0 ? error_sys(err, r, "write %s", p->path) : 0;
}

/* An existing file is replaced, as by any program; a directory with something in it is not. */
static int check_place(const struct package *p, struct error *err)
{
	struct stat st;

	if (stat(p->path, &st) < 0)
		return errno == ENOENT ? 0 : error_sys(err, -errno, "write %s", p->path);
	if (!p->directory)
		return S_ISDIR(st.st_mode) ? error_set(err, -EISDIR, "%s is a directory", p->path)
					   : 0;
	if (!S_ISDIR(st.st_mode))
		return error_set(err, -ENOTDIR, "%s is no directory", p->path);
	if (rmdir(p->path) < 0)
		return error_set(err, -EEXIST, "%s is not empty; name a new directory", p->path);
	return 0;
}

/* What is no plain file (a pipe, /dev/null) is written as it stands. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int open_place(struct package *p, struct error *err)
{
	uint64_t salt;
	int r;

	if (strcmp(p->path, "-") == 0 || (!p->directory && is_special(p->path))) {
		p->fd = strcmp(p->path, "-") == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
						  : open(p->path, O_WRONLY | O_CLOEXEC);
		return p->fd < 0 ? error_sys(err, -errno, "write %s", p->path) : 0;
	}
	r = check_place(p, err);
	if (r < 0)
		return r;
	r = random_bytes(&salt, sizeof(salt));
	if (r < 0)
		return error_sys(err, r, "choose a name");
	p->temporary = xasprintf("%s.%08llx.tmp", p->path, (unsigned long long)salt);
	if (p->directory) {
		r = dir_ensure_at(AT_FDCWD, p->temporary, 0755, &p->fd, NULL);
		return r < 0 ? error_sys(err, r, "create %s", p->path) : 0;
	}
	p->fd = open(p->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return p->fd < 0 ? error_sys(err, -errno, "create %s", p->path) : 0;
}

int package_open(const char *path, bool directory, struct package **ret, struct error *err)
{
	cleanup(package_cleanup) struct package *p = xnew(struct package);
	size_t len = strlen(path);
	int r;

	while (len > 1 && path[len - 1] == '/')
		len--;
	p->path = xstrndup(path, len);
	p->directory = directory;
	p->fd = p->file = -1;
	r = open_place(p, err);
	if (r < 0)
		return r;
	if (!directory)
		p->tar = tar_writer_new(to_file, p);
	*ret = steal_ptr(&p);
	return 0;
}

int package_publish(struct package *p, struct error *err)
{
	int r = p->tar ? tar_put_end(p->tar, err) : 0;

	if (r < 0 || !p->temporary)
		return r;
	if (rename(p->temporary, p->path) < 0)
		return error_sys(err, -errno, "put %s in place", p->path);
	free(p->temporary);
	p->temporary = NULL;
	return 0;
}

void package_close(struct package *p)
{
	if (!p)
		return;
	if (p->temporary)
		ignore_result(dir_remove_at(AT_FDCWD, p->temporary, NULL));
	tar_writer_free(p->tar);
	strv_done(&p->names);
	if (p->file >= 0)
		(void)close(p->file);
	if (p->fd >= 0)
		(void)close(p->fd);
	free(p->path);
	free(p->temporary);
	free(p);
}

bool package_has(const struct package *p, const char *name)
{
	return strv_has(&p->names, name);
}

static int begin_file(struct package *p, const char *name, struct error *err)
{
	autofree char *dir = xstrdup(name);
	char *slash = strrchr(dir, '/');
	int r = 0;

	*(slash ? slash : dir) = '\0';
	if (slash)
		r = dir_make_at(p->fd, dir, 0755, err);
	if (r < 0)
		return r;
	p->file = openat(p->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return p->file < 0 ? error_sys(err, -errno, "create %s/%s", p->path, name) : 0;
}

int package_begin(struct package *p, const char *name, int64_t size, struct error *err)
{
	struct tar_entry e = { .name = (char *)name, .link = "", .mode = 0644, .size = size };

	strv_add(&p->names, name);
	p->left = size;
	return p->directory ? begin_file(p, name, err) : tar_put(p->tar, &e, err);
}

int package_data(void *package, const void *bytes, size_t len, struct error *err)
{
	struct package *p = package;
	int r;

	if ((int64_t)len > p->left)
		return error_set(err, -EUCLEAN, "write %s: there is more of %s than its size says",
				 p->path, p->names.items[p->names.n - 1]);
	p->left -= (int64_t)len;
	if (!p->directory)
		return len ? tar_put_data(p->tar, bytes, len, err) : 0;
	r = file_write_all(p->file, bytes, len);
	return r < 0 ? error_sys(err, r, "write %s", p->path) : 0;
}

int package_end(struct package *p, struct error *err)
{
	if (p->file >= 0)
		(void)close(p->file);
	p->file = -1;
	if (p->left > 0)
		return error_set(err, -EUCLEAN, "write %s: there is less of %s than its size says",
				 p->path, p->names.items[p->names.n - 1]);
	return 0;
}

int package_add(struct package *p, const char *name, const void *bytes, size_t len,
		struct error *err)
{
	int r = package_begin(p, name, (int64_t)len, err);

	if (r == 0)
		r = package_data(p, bytes, len, err);
	return r < 0 ? r : package_end(p, err);
}

struct tar_writer *package_tar(struct package *p)
{
	return p->tar;
}
