/* src/image/layer.c */
#include "image/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/stream.h"

#define ENTRIES_MAX   8000000 /* an inode each */
#define NAME_MAX_LEN  4096
#define DEPTH_MAX     128 /* of a path */
#define WHITEOUT      ".wh."
#define WHITEOUT_META ".wh..wh."
#define OPAQUE        ".wh..wh..opq"

/* What a directory gets when all is in it. */
struct pending {
	char *path;
	mode_t mode;
	struct timespec times[2];
};

struct applier {
	const struct layer_request *req;
	struct stream *stream;
	struct error *err;
	int stream_r; /* why the reader stopped, if it did */
	struct strv lower;
	bool has_lower;
	int lower_r; /* why there is none */
	struct archive *archive;
	char *parent_path; /* the directory that was worked in last */
	int parent_fd;
	struct pending *dirs;
	size_t ndirs, room;
	uint64_t entries;
	int64_t size;
};

/* paths */

/* "./a//b/" to "a/b", "" for the root itself; NULL for one with "..". */
static char *clean(const char *name)
{
	autofree char *copy = xstrdup(name);
	char *out = xmalloc(strlen(name) + 1), *rest = copy, *word;
	size_t len = 0, depth = 0;

	while ((word = strsep(&rest, "/"))) {
		size_t n = strlen(word);

		if (!*word || strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0 || ++depth > DEPTH_MAX) {
			free(out);
			return NULL;
		}
		if (len)
			out[len++] = '/';
		memcpy(out + len, word, n);
		len += n;
	}
	out[len] = '\0';
	return out;
}

static int open_in(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static void add_pending(struct applier *a, const char *path, mode_t mode,
			const struct timespec times[2])
{
	VEC_GROW(a->dirs, a->ndirs, a->room);
	a->dirs[a->ndirs++] = (struct pending) { .path = xstrdup(path),
						 .mode = mode & 07777,
						 .times = { times[0], times[1] } };
}

static int need_lower(struct applier *a)
{
	if (!a->has_lower && a->lower_r == 0)
		a->lower_r = a->req->lower(a->req->data, &a->lower, a->err);
	a->has_lower = a->lower_r == 0;
	return a->lower_r;
}

/* In the overlay the uppermost directory's owner and mode are what is seen: one that the archive
 * does not name must look as it does below.
 */
static int inherit(struct applier *a, const char *path, int dir, const char *name)
{
	int r = need_lower(a);

	if (r < 0)
		return r;
	for (size_t i = 0; i < a->lower.n; i++) {
		autoclose int root = open(a->lower.items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		autoclose int from = root < 0 ? -1 : open_in(root, path, O_PATH | O_DIRECTORY);
		struct stat st;

		if (from < 0 || fstat(from, &st) < 0)
			continue;
		if (fchownat(dir, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		add_pending(a, path, st.st_mode,
			    (const struct timespec[]) { st.st_atim, st.st_mtim });
		return 0;
	}
	return 0;
}

/* Directories that the archive does not name but needs. */
static int make_parents(struct applier *a, const char *path)
{
	autofree char *copy = xstrdup(path);

	for (char *p = copy; *p; p++) {
		autoclose int dir = -1;
		char *slash;

		p += strcspn(p, "/");
		if (*p != '/')
			return 0;
		*p = '\0';
		slash = strrchr(copy, '/');
		if (slash)
			*slash = '\0';
		dir = open_in(a->req->dir_fd, slash ? copy : "", O_PATH | O_DIRECTORY);
		if (slash)
			*slash = '/';
		if (dir < 0)
			return dir;
		if (mkdirat(dir, slash ? slash + 1 : copy, 0755) == 0) {
			int r = inherit(a, copy, dir, slash ? slash + 1 : copy);

			if (r < 0)
				return r;
		} else if (errno != EEXIST) {
			return -errno;
		}
		*p = '/';
	}
	return 0;
}

/* The directory of path, and its last component.  Kept from the entry before: archives come sorted.
 */
static int parent_of(struct applier *a, const char *path, const char **ret_name, int *ret_fd)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
	int fd;

	*ret_name = slash ? slash + 1 : path;
	if (a->parent_fd >= 0 && strcmp(a->parent_path, dir) == 0) {
		*ret_fd = a->parent_fd;
		return 0;
	}
	fd = open_in(a->req->dir_fd, dir, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT) {
		int r = make_parents(a, path);

		fd = r < 0 ? r : open_in(a->req->dir_fd, dir, O_PATH | O_DIRECTORY);
	}
	if (fd < 0)
		return fd;
	if (a->parent_fd >= 0)
		(void)close(a->parent_fd);
	free(a->parent_path);
	a->parent_fd = *ret_fd = fd;
	a->parent_path = steal_ptr(&dir);
	return 0;
}

/* A later entry of the same name replaces an earlier one.  Returns 1 if a whiteout was there. */
static int make_room(struct applier *a, int dir, const char *name)
{
	struct stat st;
	bool whiteout;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	whiteout = S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
	if (S_ISDIR(st.st_mode)) {
		int r = dir_remove_at(dir, name, a->err);

		return r < 0 ? r : 0;
	}
	return unlinkat(dir, name, 0) < 0 ? -errno : whiteout;
}

/* attributes */

static bool xattr_is_taken(const char *name)
{
	/* overlayfs's own would change what the layer means: they are no part of an image. */
	if (strncmp(name, "user.overlay.", 13) == 0)
		return false;
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 ||
	       strncmp(name, "system.posix_acl_", 17) == 0;
}

static int set_xattrs(struct archive_entry *entry, int fd)
{
	const char *name;
	const void *value;
	size_t len;

	(void)archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK)
		if (xattr_is_taken(name) && fsetxattr(fd, name, value, len, 0) < 0 &&
		    errno != EOPNOTSUPP && errno != EPERM)
			return -errno;
	return 0;
}

static void times_of(struct archive_entry *entry, struct timespec ret[2])
{
	ret[1].tv_sec = archive_entry_mtime(entry);
	ret[1].tv_nsec = archive_entry_mtime_nsec(entry);
	ret[0] = ret[1];
}

static int set_owner_and_times(struct archive_entry *entry, int dir, const char *name)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	struct timespec times[2];

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return -EBADMSG;
	if (fchownat(dir, name, (uid_t)uid, (gid_t)gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (archive_entry_filetype(entry) != AE_IFLNK &&
	    fchmodat(dir, name, archive_entry_perm(entry) & 07777, 0) < 0)
		return -errno;
	times_of(entry, times);
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* kinds */

static int make_file(struct applier *a, struct archive_entry *entry, int dir, const char *name)
{
	autoclose int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const void *bytes;
	la_int64_t offset, end = 0;
	size_t len;
	int r;

	if (fd < 0)
		return -errno;
	while ((r = archive_read_data_block(a->archive, &bytes, &len, &offset)) == ARCHIVE_OK) {
		while (len > 0) {
			ssize_t n = pwrite(fd, bytes, len, offset);

			if (n < 0)
				return -errno;
			bytes = (const char *)bytes + n;
			len -= (size_t)n;
			offset += n;
		}
		end = MAX(end, offset);
	}
	if (r != ARCHIVE_EOF)
		return -EBADMSG;
	if (archive_entry_size(entry) > end && ftruncate(fd, archive_entry_size(entry)) < 0)
		return -errno;
	a->size += archive_entry_size(entry);
	r = set_owner_and_times(entry, dir, name);
	return r < 0 ? r : set_xattrs(entry, fd);
}

/* Its mode and times come last: what is put into it would change them. */
static int make_dir(struct applier *a, struct archive_entry *entry, const char *path, int dir,
		    const char *name)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	struct timespec times[2];
	autoclose int fd = -1;
	struct stat st;
	int r = 0;

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return -EBADMSG;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
		r = make_room(a, dir, name);
		if (r < 0)
			return r;
		if (mkdirat(dir, name, 0700) < 0)
			return -errno;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, (uid_t)uid, (gid_t)gid) < 0)
		return -errno;
	/* What was hidden below stays hidden. */
	if (r > 0 && fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return -errno;
	times_of(entry, times);
	add_pending(a, path, archive_entry_perm(entry), times);
	return set_xattrs(entry, fd);
}

/* Looked at before it is opened: to open a device would do something to the machine. */
static int open_file(int root, const char *path)
{
	autoclose int fd = open_in(root, path, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	return open_in(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

/* The file of a layer below that a hard link names is copied up, as overlayfs would. */
static int copy_up(struct applier *a, const char *target, int dir, const char *name)
{
	int r = need_lower(a);

	if (r < 0)
		return r;
	for (size_t i = 0; i < a->lower.n; i++) {
		autoclose int root = open(a->lower.items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		autoclose int from = root < 0 ? -1 : open_file(root, target);
		autoclose int to = -1;
		struct stat st;
		ssize_t n = 1;

		if (from == -EBADMSG)
			return from;
		if (from < 0)
			continue;
		if (fstat(from, &st) < 0 || !S_ISREG(st.st_mode))
			return -EBADMSG;
		to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (to < 0)
			return -errno;
		while (n > 0)
			n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
		if (n < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
		    fchmod(to, st.st_mode & 07777) < 0 ||
		    futimens(to, (const struct timespec[]) { st.st_mtim, st.st_mtim }) < 0)
			return -errno;
		return 0;
	}
	return -ENOENT;
}

static int make_hard_link(struct applier *a, const char *link, int dir, const char *name)
{
	autofree char *target = clean(link), *parent = NULL;
	autoclose int from = -1;
	char *slash;
	struct stat st;

	if (!target || !*target)
		return -EBADMSG;
	parent = xstrdup(target);
	slash = strrchr(parent, '/');
	*(slash ? slash : parent) = '\0';
	from = open_in(a->req->dir_fd, parent, O_PATH | O_DIRECTORY);
	if (from == -ENOENT)
		return copy_up(a, target, dir, name);
	if (from < 0)
		return from;
	slash = strrchr(target, '/');
	if (fstatat(from, slash ? slash + 1 : target, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? copy_up(a, target, dir, name) : -errno;
	if (S_ISDIR(st.st_mode))
		return -EBADMSG;
	return linkat(from, slash ? slash + 1 : target, dir, name, 0) < 0 ? -errno : 0;
}

static int make_node(struct archive_entry *entry, int dir, const char *name)
{
	dev_t dev = makedev((unsigned)archive_entry_rdevmajor(entry),
			    (unsigned)archive_entry_rdevminor(entry));
	mode_t kind = archive_entry_filetype(entry);

	if (mknodat(dir, name, kind | 0600, kind == AE_IFIFO ? 0 : dev) < 0)
		return -errno;
	return set_owner_and_times(entry, dir, name);
}

static int make_symlink(struct archive_entry *entry, int dir, const char *name)
{
	const char *target = archive_entry_symlink(entry);

	if (!target || !*target)
		return -EBADMSG;
	if (symlinkat(target, dir, name) < 0)
		return -errno;
	return set_owner_and_times(entry, dir, name);
}

/* whiteouts */

static int apply_whiteout(struct applier *a, int dir, const char *name)
{
	autoclose int fd = -1;
	const char *hidden = name + strlen(WHITEOUT);
	struct stat st;

	if (strcmp(name, OPAQUE) == 0) {
		fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
			return -errno;
		return 0;
	}
	/* Other marks of aufs say nothing to us. */
	if (strncmp(name, WHITEOUT_META, strlen(WHITEOUT_META)) == 0)
		return 0;
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return -EBADMSG;
	/* It is about the layers below: what this layer itself brings stays. */
	if (fstatat(dir, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	(void)a;
	return mknodat(dir, hidden, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

/* one entry */

static int make_other(struct applier *a, struct archive_entry *entry, int dir, const char *name)
{
	const char *link = archive_entry_hardlink(entry);
	int r = make_room(a, dir, name);

	if (r < 0)
		return r;
	if (link)
		return make_hard_link(a, link, dir, name);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return make_file(a, entry, dir, name);
	case AE_IFLNK:
		return make_symlink(entry, dir, name);
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		return make_node(entry, dir, name);
	default:
		return -EBADMSG;
	}
}

/* The root entry only says what the root directory is like. */
static int root_entry(struct applier *a, struct archive_entry *entry)
{
	struct timespec times[2];

	if (archive_entry_filetype(entry) != AE_IFDIR)
		return -EBADMSG;
	times_of(entry, times);
	add_pending(a, "", archive_entry_perm(entry), times);
	return set_owner_and_times(entry, a->req->dir_fd, ".");
}

static int apply_entry(struct applier *a, struct archive_entry *entry)
{
	const char *raw = archive_entry_pathname(entry), *name;
	autofree char *path = raw && strlen(raw) <= NAME_MAX_LEN ? clean(raw) : NULL;
	int dir, r;

	if (!path)
		return -EBADMSG;
	if (!*path)
		return root_entry(a, entry);
	r = parent_of(a, path, &name, &dir);
	if (r < 0)
		return r;
	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0)
		return apply_whiteout(a, dir, name);
	if (archive_entry_filetype(entry) == AE_IFDIR && !archive_entry_hardlink(entry))
		return make_dir(a, entry, path, dir, name);
	r = make_other(a, entry, dir, name);
	/* A name that we stand in may just have become something else. */
	if (r == 0 && archive_entry_filetype(entry) != AE_IFREG && a->parent_fd >= 0) {
		(void)close(a->parent_fd);
		a->parent_fd = -1;
	}
	return r;
}

/* all of them */

static la_ssize_t feed(struct archive *archive, void *data, const void **ret)
{
	struct applier *a = data;
	ssize_t n = stream_next(a->stream, ret, a->err);

	if (n < 0) {
		a->stream_r = (int)n;
		archive_set_error(archive, EIO, "the layer cannot be read");
	}
	return n;
}

static int fail(const struct applier *a, struct archive_entry *entry, int r)
{
	const char *name = archive_entry_pathname(entry);

	if (a->stream_r < 0 || a->lower_r < 0)
		return a->stream_r < 0 ? a->stream_r : a->lower_r;
	if (r == -EBADMSG)
		return error_set(
			a->err, r,
			"layer entry '%.200s' is not allowed (it leads outside, has a bad name, "
			"link or number, or is damaged)",
			name ? name : "");
	if (r == -EXDEV || r == -ELOOP || r == -ENOTDIR)
		return error_sys(a->err, r, "layer entry '%.200s': its directory",
				 name ? name : "");
	return error_sys(a->err, r, "unpack '%.200s'", name ? name : "");
}

static int apply_all(struct applier *a)
{
	struct archive_entry *entry;
	int got, r = 0;

	while (r == 0 && (got = archive_read_next_header(a->archive, &entry)) != ARCHIVE_EOF) {
		if (got < ARCHIVE_WARN)
			return a->stream_r < 0 ? a->stream_r
					       : error_set(a->err, -EBADMSG,
							   "the layer is no sound tar: %s",
							   archive_error_string(a->archive));
		if (++a->entries > ENTRIES_MAX)
			return error_set(a->err, -EFBIG, "the layer has more than %d entries",
					 ENTRIES_MAX);
		r = apply_entry(a, entry);
		if (r < 0)
			return fail(a, entry, r);
	}
	return 0;
}

/* The deepest first, so that a directory's time is not touched again. */
static int finish_dirs(struct applier *a)
{
	for (size_t i = a->ndirs; i > 0; i--) {
		const struct pending *p = &a->dirs[i - 1];
		autoclose int fd =
			open_in(a->req->dir_fd, p->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) /* replaced by a later entry */
			continue;
		if (fd < 0 || fchmod(fd, p->mode) < 0 || futimens(fd, p->times) < 0)
			return error_sys(a->err, fd < 0 ? fd : -errno, "finish directory '%.200s'",
					 p->path);
	}
	return 0;
}

int layer_apply(const struct layer_request *req, struct stream *stream, int64_t *ret_size,
		struct error *err)
{
	struct applier a = { .req = req, .stream = stream, .err = err, .parent_fd = -1 };
	int r;

	a.archive = archive_read_new();
	(void)archive_read_support_format_tar(a.archive);
	(void)archive_read_support_format_empty(a.archive);
	if (archive_read_open(a.archive, &a, NULL, feed, NULL) != ARCHIVE_OK)
		r = a.stream_r < 0 ? a.stream_r
				   : error_set(err, -EBADMSG, "the layer is no tar archive: %s",
					       archive_error_string(a.archive));
	else
		r = apply_all(&a);
	if (r == 0)
		r = finish_dirs(&a);
	(void)archive_read_free(a.archive);
	for (size_t i = 0; i < a.ndirs; i++)
		free(a.dirs[i].path);
	free(a.dirs);
	strv_done(&a.lower);
	free(a.parent_path);
	if (a.parent_fd >= 0)
		(void)close(a.parent_fd);
	if (r == 0)
		*ret_size = a.size;
	return r;
}
