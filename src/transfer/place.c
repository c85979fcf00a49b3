/* src/transfer/place.c - the table of transports, and what they share. */
#include "transfer/place.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"

#define COPY_STEP (1U << 20)

static const struct {
	const char *prefix;
	int (*open)(const struct place_context *c, const char *text, bool writing,
		    struct place **ret, struct error *err);
} transports[] = {
	{ "docker://", place_open_registry },
	{ "store:", place_open_store },
	{ "oci:", place_open_layout },
	{ "oci-archive:", place_open_layout_archive },
	{ "docker-archive:", place_open_docker_archive },
	{ "dir:", place_open_dir },
};

int place_open(const struct place_context *c, const char *text, bool writing, struct place **ret,
	       struct error *err)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		size_t len = strlen(transports[i].prefix);

		if (strncmp(text, transports[i].prefix, len) != 0)
			continue;
		r = transports[i].open(c, text + len, writing, ret, err);
		return r < 0 ? error_wrap(err, r, "%s", text) : 0;
	}
	return error_set(err, -EINVAL,
			 "'%.200s' says no place: docker://NAME, store:NAME, oci:DIR[:TAG], "
			 "oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] or dir:DIR",
			 text);
}

void place_close(struct place *p)
{
	if (p)
		p->ops->close(p);
}

int place_make_dir(const char *path, int *ret, bool *ret_made, struct error *err)
{
	struct stat st;
	bool fresh = stat(path, &st) < 0 && errno == ENOENT;
	int r = dir_ensure_at(AT_FDCWD, path, 0755, ret, err);

	if (r == 0)
		*ret_made = fresh;
	return r;
}

int place_tmp_file(int dir, int *ret, struct error *err)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	if (fd < 0)
		return error_sys(err, -errno, "make a temporary file");
	*ret = fd;
	return 0;
}

int blob_copy(const struct blob_file *from, int64_t size, int to, struct error *err)
{
	off_t offset = from->offset;
	int64_t left = size;

	while (left > 0) {
		size_t step = (size_t)MIN(left, (int64_t)COPY_STEP);
		ssize_t n =
			TEMP_FAILURE_RETRY(copy_file_range(from->fd, &offset, to, NULL, step, 0));

		if (n < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
			autofree char *buffer = xmalloc(step);

			n = TEMP_FAILURE_RETRY(pread(from->fd, buffer, step, offset));
			if (n > 0 && file_write_all(to, buffer, (size_t)n) < 0)
				n = -1;
			offset += n > 0 ? n : 0;
		}
		if (n <= 0)
			return error_sys(err, n < 0 ? -errno : -EIO, "copy a blob of %lld bytes",
					 (long long)size);
		left -= n;
	}
	return 0;
}

int blob_install(const struct blob_file *from, int64_t size, int dir, const char *name,
		 struct error *err)
{
	autofree char *self = xasprintf("/proc/self/fd/%d", from->fd);
	autoclose int fd = -1;
	struct stat st, there;
	int r;

	/* A nameless file on the same file system only needs a name. */
	if (from->offset == 0 && fstat(from->fd, &st) == 0 && st.st_nlink == 0 &&
	    fstat(dir, &there) == 0 && st.st_dev == there.st_dev && st.st_size == size) {
		if (linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST)
			return 0;
	}
	r = place_tmp_file(dir, &fd, err);
	if (r == 0)
		r = blob_copy(from, size, fd, err);
	if (r < 0)
		return r;
	free(steal_ptr(&self));
	self = xasprintf("/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST)
		return error_sys(err, -errno, "write %s", name);
	return 0;
}

/* The first colon parts them: a name behind it may have more. */
void place_split(const char *text, char **ret_path, char **ret_tag)
{
	const char *colon = strchr(text, ':');

	*ret_path = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	*ret_tag = colon && colon[1] ? xstrdup(colon + 1) : NULL;
}
