/* src/image/layer.c
 *
 * Start at layer_apply().  A directory gets its mode and times when its entry comes; whatever works
 * in it later puts its time back, so that nothing has to be remembered of millions of them.  Which
 * whiteouts hide nothing is noted on the way and looked at in the end.
 */
#include "image/layer.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/attributes.h"
#include "image/copy_up.h"
#include "image/frame.h"
#include "image/lower.h"
#include "image/stream.h"
#include "image/tar_read.h"
#include "kernel/rootdir.h"

#define ENTRIES_MAX   8000000U /* an inode each */
#define DEPTH_MAX     128      /* of a path */
#define WHITEOUTS_MAX 16777216 /* bytes that their paths take until the end */
#define WHITEOUT_COST 32       /* bytes that one takes beside its path */
#define WHITEOUT      ".wh."
#define WHITEOUT_META ".wh..wh."
#define OPAQUE        ".wh..wh..opq"
#define DEFAULT_ACL   "system.posix_acl_default"
#define ACCESS_ACL    "system.posix_acl_access"

/* The directory that is worked in, and the time that it gets back. */
struct place {
	char *path;
	int fd; /* -1 */
	struct timespec mtime;
	/* Its default ACL, which is the image's and not one that decides what is unpacked into it:
	 * away as long as it is worked in.
	 */
	char *acl;
	size_t acl_len;
};

struct applier {
	const struct layer_request *req;
	struct stream *stream;
	struct error *err;
	int stream_r; /* why the stream stopped, if it did */
	struct strv lower;
	bool has_lower;
	bool has_acls; /* some directory has a default ACL */
	int lower_r;   /* why there is none */
	struct tar_reader *tar;
	struct place parent;   /* of the last entry */
	struct copies *copies; /* of files of layers below; or NULL */
	int64_t bytes;         /* of the files together, holes counted; never less */
	const char *refusal;   /* why the entry is one too many, or NULL */
	struct strv whiteouts;
	size_t whiteout_bytes;
	uint64_t entries;
	struct layer_result result;
};

/* paths */

/* "./a//b/../c/" to "a/c", "" for the root itself; NULL for one that leads outside. */
static char *clean(const char *name)
{
	char *out = xmalloc(strlen(name) + 1);
	size_t len = 0, depth = 0;

	while (*name) {
		size_t n = strcspn(name, "/");

		if (n == 2 && memcmp(name, "..", 2) == 0) {
			if (depth-- == 0)
				break;
			while (len > 0 && out[--len] != '/')
				;
		} else if (n > 1 || (n == 1 && *name != '.')) {
			if (++depth > DEPTH_MAX)
				break;
			if (len)
				out[len++] = '/';
			memcpy(out + len, name, n);
			len += n;
		}
		name += n + (name[n] == '/');
	}
	out[len] = '\0';
	if (!*name)
		return out;
	free(out);
	return NULL;
}

static int open_in(int root, const char *path, int flags)
{
	return rootdir_open_at(root, path, flags, RESOLVE_IN_ROOT);
}

static struct timespec time_of(int dir)
{
	struct stat st = { .st_mtim = { 0 } };

	(void)fstat(dir, &st);
	return st.st_mtim;
}

/* Works on handles of O_PATH, too. */
static int put_time_back(int dir, struct timespec mtime)
{
	const struct timespec both[2] = { { .tv_nsec = UTIME_OMIT }, mtime };

	return utimensat(dir, "", both, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int finish_dir(int fd, mode_t mode, struct timespec mtime)
{
	const struct timespec both[2] = { mtime, mtime };

	return fchmod(fd, mode & 07777) < 0 || futimens(fd, both) < 0 ? -errno : 0;
}

static void note_acl(struct applier *a, const struct tar_entry *e)
{
	for (size_t i = 0; i < e->nxattrs; i++)
		a->has_acls = a->has_acls || strcmp(e->xattrs[i].name, DEFAULT_ACL) == 0;
}

static int take_acl(struct place *p)
{
	autoclose int fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fgetxattr(fd, DEFAULT_ACL, NULL, 0);

	if (n <= 0)
		return 0;
	p->acl = xmalloc((size_t)n);
	n = fgetxattr(fd, DEFAULT_ACL, p->acl, (size_t)n);
	if (n < 0 || fremovexattr(fd, DEFAULT_ACL) < 0)
		return -errno;
	p->acl_len = (size_t)n;
	return 0;
}

static int put_acl_back(const struct place *p)
{
	autoclose int fd = -1;

	if (!p->acl_len)
		return 0;
	fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsetxattr(fd, DEFAULT_ACL, p->acl, p->acl_len, 0) < 0 ? -errno : 0;
}

static int leave_parent(struct applier *a)
{
	int r = 0;

	if (a->parent.fd >= 0) {
		r = put_acl_back(&a->parent);
		if (r == 0)
			r = put_time_back(a->parent.fd, a->parent.mtime);
		(void)close(a->parent.fd);
	}
	free(a->parent.acl);
	free(a->parent.path);
	a->parent = (struct place) { .fd = -1 };
	return r;
}

/* What is unpacked of sparse files and copied out of layers below counts as if it had come through
 * the stream: whoever reads the layer again reads that much.
 */
static int count_bytes(struct applier *a, int64_t size)
{
	if (size > (int64_t)STREAM_BYTES_MAX - a->bytes) {
		a->refusal = "the layer's files have more than 64 GiB, holes counted";
		return -EFBIG;
	}
	a->bytes += size;
	a->result.size += size;
	return 0;
}
static_assert(STREAM_BYTES_MAX >> 30 == 64, "the refusal says so");

static int need_lower(struct applier *a)
{
	if (!a->req->lower)
		return error_set(a->err, -ENODATA, "the layers below are not known yet");
	if (!a->has_lower && a->lower_r == 0)
		a->lower_r = a->req->lower(a->req->data, &a->lower, a->err);
	a->has_lower = a->lower_r == 0;
	return a->lower_r;
}

/* directories that the archive does not name but needs */

/* In the overlay the uppermost directory's owner, mode and attributes are what is seen: one that
 * the archive does not name must look as it does below.
 */
static int inherit(struct applier *a, const char *path, int fd)
{
	autoclose int from = -1, source = -1;
	struct stat st = { .st_mode = 0755 };
	int r = need_lower(a);

	if (r < 0)
		return r;
	if (lower_open(&a->lower, path, &from, &st) < 0 || !S_ISDIR(st.st_mode))
		return finish_dir(fd, 0755, (struct timespec) { .tv_sec = 0 });
	source = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source < 0 || fchown(fd, st.st_uid, st.st_gid) < 0)
		return -errno;
	r = attributes_copy(source, fd);
	a->has_acls = a->has_acls || fgetxattr(fd, DEFAULT_ACL, NULL, 0) > 0;
	return r < 0 ? r : finish_dir(fd, st.st_mode, st.st_mtim);
}

static int make_parent(struct applier *a, const char *path, int dir, const char *name)
{
	struct timespec before = time_of(dir);
	autoclose int fd = -1;
	bool hidden = false;
	struct stat st;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		hidden = is_whiteout(&st);
		if (!hidden)
			return 0;
		if (unlinkat(dir, name, 0) < 0)
			return -errno;
	}
	if (mkdirat(dir, name, 0755) < 0)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Not the group of a directory that hands on its own. */
	if (fd < 0 || fchown(fd, (uid_t)-1, getegid()) < 0)
		return -errno;
	if (a->has_acls) {
		(void)fremovexattr(fd, DEFAULT_ACL);
		(void)fremovexattr(fd, ACCESS_ACL);
	}
	r = put_time_back(dir, before);
	if (r < 0)
		return r;
	/* What a whiteout hid stays hidden, and it has no looks to inherit. */
	if (!hidden)
		return inherit(a, path, fd);
	r = opaque_set(fd);
	return r < 0 ? r : finish_dir(fd, 0755, (struct timespec) { .tv_sec = 0 });
}

static int make_parents(struct applier *a, const char *path)
{
	autofree char *copy = xstrdup(path);

	for (char *p = copy; *p; p++) {
		autoclose int dir = -1;
		char *slash;
		int r;

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
		r = dir < 0 ? dir : make_parent(a, copy, dir, slash ? slash + 1 : copy);
		if (r < 0)
			return r;
		*p = '/';
	}
	return 0;
}

/* The directory of path, and its last component.  Kept from the entry before: archives come sorted,
 * and nothing that an entry does changes what its own parent's name means.
 */
static int parent_of(struct applier *a, const char *path, const char **ret_name, int *ret_fd)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	autofree char *dir = NULL;
	int fd;

	*ret_name = slash ? slash + 1 : path;
	if (a->parent.fd >= 0 && strncmp(a->parent.path, path, len) == 0 && !a->parent.path[len]) {
		*ret_fd = a->parent.fd;
		return 0;
	}
	fd = leave_parent(a);
	if (fd < 0)
		return fd;
	dir = xstrndup(path, len);
	fd = open_in(a->req->dir_fd, dir, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT || fd == -ENOTDIR) {
		int r = make_parents(a, path);

		fd = r < 0 ? r : open_in(a->req->dir_fd, dir, O_PATH | O_DIRECTORY);
	}
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	a->parent = (struct place) { .path = steal_ptr(&dir), .fd = fd, .mtime = time_of(fd) };
	return a->has_acls ? take_acl(&a->parent) : 0;
}

/* A later entry of the same name replaces an earlier one.  1: something that was no directory. */
static int make_room(struct applier *a, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (a->req->frame) {
		int r = frame_spoil(a->req->frame, a->req->dir_fd, a->err);

		if (r < 0)
			return r;
	}
	if (S_ISDIR(st.st_mode))
		return dir_remove_at(dir, name, a->err);
	if (S_ISREG(st.st_mode) && st.st_nlink == 1)
		a->result.size -= st.st_size;
	return unlinkat(dir, name, 0) < 0 ? -errno : 1;
}

/* kinds */

static int write_data(struct applier *a, int fd, int64_t size)
{
	const void *bytes;
	int64_t offset, end = 0;
	ssize_t n;

	while ((n = tar_data(a->tar, &bytes, &offset, a->err)) > 0) {
		int r = file_write_all_at(fd, bytes, (size_t)n, offset);

		if (r < 0)
			return r;
		end = offset + n;
	}
	if (n == 0 && end < size && ftruncate(fd, size) < 0)
		return -errno;
	return (int)n;
}

static int make_file(struct applier *a, const struct tar_entry *e, const char *path, int dir,
		     const char *name)
{
	autoclose int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : count_bytes(a, e->size);

	if (r == 0 && a->req->frame && e->size > 0 && !tar_is_sparse(a->tar))
		frame_put_file(a->req->frame, tar_position(a->tar), e->size, path);
	if (r == 0)
		r = write_data(a, fd, e->size);
	return r < 0 ? r : attributes_set(fd, e, true);
}

static int make_dir(struct applier *a, const struct tar_entry *e, int dir, const char *name)
{
	autoclose int fd = -1;
	struct stat st;
	int r = 0;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
		r = make_room(a, dir, name);
		if (r < 0)
			return r;
		if (mkdirat(dir, name, 0700) < 0)
			return -errno;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* What was hidden below stays hidden: by a whiteout, or by a file that stood here before.
	 */
	if (r > 0)
		r = opaque_set(fd);
	note_acl(a, e);
	return r < 0 ? r : attributes_set(fd, e, true);
}

/* The root entry only says what the root directory is like. */
static int root_entry(struct applier *a, const struct tar_entry *e)
{
	int r = e->type == TAR_DIR ? leave_parent(a) : -EBADMSG;

	note_acl(a, e);
	return r < 0 ? r : attributes_set(a->req->dir_fd, e, true);
}

static int make_node(struct applier *a, const struct tar_entry *e, int dir, const char *name)
{
	static const mode_t kinds[] = {
		[TAR_CHAR] = S_IFCHR, [TAR_BLOCK_DEVICE] = S_IFBLK, [TAR_FIFO] = S_IFIFO
	};
	dev_t dev = e->type == TAR_FIFO ? 0 : makedev(e->major, e->minor);

	/* That would be a whiteout, for which layers have another word. */
	if (e->type == TAR_CHAR && dev == makedev(0, 0))
		return -EBADMSG;
	if (mknodat(dir, name, kinds[e->type] | 0600, dev) < 0) {
		if (errno != EPERM || e->type == TAR_FIFO)
			return -errno;
		a->result.left_out++;
		return 0;
	}
	return attributes_set_at(dir, name, e);
}

static int make_symlink(const struct tar_entry *e, int dir, const char *name)
{
	if (!*e->link)
		return -EBADMSG;
	if (symlinkat(e->link, dir, name) < 0)
		return -errno;
	return attributes_set_at(dir, name, e);
}

/* hard links */

/* The file of a layer below that a hard link names is copied up, as overlayfs would.  Anything but
 * files and links is refused: to open a device would do something to the machine.
 */
static int copy_up(struct applier *a, const char *target, const char *path, int dir,
		   const char *name)
{
	autoclose int handle = -1;
	struct stat st = { .st_mode = 0 };
	int r = need_lower(a);

	if (r == 0)
		r = lower_open(&a->lower, target, &handle, &st);
	if (r < 0)
		return r;
	if (S_ISLNK(st.st_mode))
		return copy_up_symlink(handle, &st, dir, name);
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if (!a->copies)
		a->copies = copies_new();
	r = copies_link(a->copies, a->req->dir_fd, &st, dir, name);
	if (r != 0)
		return MIN(r, 0);
	r = count_bytes(a, st.st_size);
	if (r == 0)
		r = copy_up_file(handle, &st, dir, name);
	if (r == 0)
		copies_note(a->copies, &st, path, dir, name);
	return r;
}

/* Is target in this layer?  If it is only below, it is copied up here under its own name, so that
 * both names are one file.  1: it is hidden here and has to be copied to the new name.
 */
static int find_target(struct applier *a, const char *target, const char **ret_name, int *ret_fd)
{
	const char *slash = strrchr(target, '/');
	autofree char *dir = slash ? xstrndup(target, (size_t)(slash - target)) : xstrdup("");
	autoclose int fd = open_in(a->req->dir_fd, dir, O_PATH | O_DIRECTORY);
	struct stat st;
	int r;

	*ret_name = slash ? slash + 1 : target;
	if (fd == -ENOENT) {
		r = make_parents(a, target);
		fd = r < 0 ? r : open_in(a->req->dir_fd, dir, O_PATH | O_DIRECTORY);
	}
	if (fd < 0)
		return fd;
	if (fstatat(fd, *ret_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		struct timespec before = time_of(fd);

		r = errno == ENOENT ? copy_up(a, target, target, fd, *ret_name) : -errno;
		if (r == 0)
			r = put_time_back(fd, before);
		if (r < 0)
			return r;
	} else if (is_whiteout(&st)) {
		return 1;
	} else if (S_ISDIR(st.st_mode)) {
		return -EBADMSG;
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int make_hard_link(struct applier *a, const char *link, const char *path, int dir,
			  const char *name)
{
	autofree char *target = clean(link);
	autoclose int from = -1;
	const char *old;
	int room, r;

	if (!target || !*target)
		return -EBADMSG;
	if (strcmp(target, path) == 0) /* to itself: nothing to do, if it is there */
		return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	r = find_target(a, target, &old, &from);
	if (r < 0)
		return r;
	room = make_room(a, dir, name);
	if (room < 0)
		return room;
	if (r == 1)
		return copy_up(a, target, path, dir, name);
	return linkat(from, old, dir, name, 0) < 0 ? -errno : 0;
}

/* whiteouts */

static int hide_below(int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : opaque_set(fd);
}

static int apply_whiteout(struct applier *a, const char *path, int dir, const char *name)
{
	const char *hidden = name + strlen(WHITEOUT);
	struct stat st;

	if (strcmp(name, OPAQUE) == 0)
		return hide_below(dir, ".");
	/* Other marks of aufs say nothing to us. */
	if (strncmp(name, WHITEOUT_META, strlen(WHITEOUT_META)) == 0)
		return 0;
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return -EBADMSG;
	/* It is about the layers below: what this layer itself brings stays. */
	if (fstatat(dir, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode) ? hide_below(dir, hidden) : 0;
	a->whiteout_bytes += strlen(path) + WHITEOUT_COST;
	if (a->whiteout_bytes > WHITEOUTS_MAX) {
		a->refusal = "the layer hides more than we can note";
		return -EFBIG;
	}
	strv_addf(&a->whiteouts, "%.*s%s", (int)(name - path), path, hidden);
	return mknodat(dir, hidden, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

static int drop_whiteout(int dir_fd, const char *path, const struct strv *lower)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
	autoclose int fd = open_in(dir_fd, dir, O_RDONLY | O_DIRECTORY);
	autoclose int below = -1;
	const char *name = slash ? slash + 1 : path;
	struct timespec times[2];
	struct stat st, parent;

	if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !is_whiteout(&st) ||
	    fstat(fd, &parent) < 0)
		return 0;
	if (!is_opaque(fd) && lower_open(lower, path, &below, &st) >= 0)
		return 0;
	times[0] = parent.st_atim;
	times[1] = parent.st_mtim;
	return unlinkat(fd, name, 0) < 0 || futimens(fd, times) < 0 ? -errno : 0;
}

int layer_drop_whiteouts(int dir_fd, const struct strv *whiteouts, const struct strv *lower,
			 struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < whiteouts->n; i++)
		r = drop_whiteout(dir_fd, whiteouts->items[i], lower);
	return r < 0 ? error_sys(err, r, "finish the layer") : 0;
}

static int finish_whiteouts(struct applier *a)
{
	int r;

	if (a->whiteouts.n == 0)
		return 0;
	if (!a->req->lower) {
		a->result.whiteouts = a->whiteouts;
		a->whiteouts = (struct strv) { 0 };
		return 0;
	}
	r = need_lower(a);
	return r < 0 ? r : layer_drop_whiteouts(a->req->dir_fd, &a->whiteouts, &a->lower, a->err);
}

/* one entry */

static int make_other(struct applier *a, const struct tar_entry *e, const char *path, int dir,
		      const char *name)
{
	int r = make_room(a, dir, name);

	if (r < 0)
		return r;
	switch (e->type) {
	case TAR_FILE:
		return make_file(a, e, path, dir, name);
	case TAR_SYMLINK:
		return make_symlink(e, dir, name);
	case TAR_CHAR:
	case TAR_BLOCK_DEVICE:
	case TAR_FIFO:
		return make_node(a, e, dir, name);
	case TAR_HARD_LINK:
	case TAR_DIR:
		break;
	}
	return -EBADMSG;
}

static int apply_entry(struct applier *a, const struct tar_entry *e)
{
	autofree char *path = clean(e->name);
	const char *name;
	int dir, r;

	if (!path)
		return -EBADMSG;
	if (!*path)
		return root_entry(a, e);
	r = parent_of(a, path, &name, &dir);
	if (r < 0)
		return r;
	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0)
		return apply_whiteout(a, path, dir, name);
	if (e->type == TAR_DIR)
		return make_dir(a, e, dir, name);
	return e->type == TAR_HARD_LINK ? make_hard_link(a, e->link, path, dir, name)
					: make_other(a, e, path, dir, name);
}

/* all of them */

static ssize_t feed(void *data, const void **ret, struct error *err)
{
	struct applier *a = data;
	ssize_t n;

	if (a->req->frame)
		frame_settle(a->req->frame);
	n = stream_next(a->stream, ret, err);

	if (n < 0)
		a->stream_r = (int)n;
	if (n > 0 && a->req->frame)
		frame_take(a->req->frame, *ret, (size_t)n);
	return n;
}

/* What follows the end mark is no entry, but part of the archive. */
static int feed_rest(struct applier *a)
{
	const void *bytes;
	ssize_t n = 1;

	while (n > 0)
		n = feed(a, &bytes, a->err);
	return (int)n;
}

static int fail(const struct applier *a, const struct tar_entry *e, int r)
{
	if (r == -ENODATA && !a->req->lower)
		return r;
	if (a->stream_r < 0 || a->lower_r < 0)
		return a->stream_r < 0 ? a->stream_r : a->lower_r;
	if (a->refusal)
		return error_set(a->err, r, "layer entry '%.200s': %s", e->name, a->refusal);
	if (r == -EBADMSG)
		return error_set(
			a->err, r,
			"layer entry '%.200s' is not allowed (it leads outside, has a bad name, "
			"link or number, or is damaged)",
			e->name);
	if (r == -EOVERFLOW)
		return error_set(a->err, r,
				 "unpack '%.200s': its owner %u:%u has no number in this user "
				 "namespace; map at least %u users and groups",
				 e->name, e->uid, e->gid, MAX(e->uid, e->gid) + 1);
	if (r == -EXDEV || r == -ELOOP || r == -ENOTDIR)
		return error_sys(a->err, r, "layer entry '%.200s': its directory", e->name);
	if (r == -ENOENT && e->type == TAR_HARD_LINK)
		return error_set(a->err, r,
				 "hard link '%.200s' leads to '%.200s', which is nowhere in the "
				 "image",
				 e->name, e->link);
	if (r == -EPERM && geteuid() != 0)
		return error_set(a->err, r,
				 "unpack '%.200s': only root may keep owners and devices; try it "
				 "with sudo",
				 e->name);
	return error_sys(a->err, r, "unpack '%.200s'", e->name);
}

static int apply_all(struct applier *a)
{
	uint64_t most = a->req->entries_max ? a->req->entries_max : ENTRIES_MAX;
	const struct tar_entry *e;
	int r;

	while ((r = tar_next(a->tar, &e, a->err)) > 0) {
		if (++a->entries > most)
			return error_set(a->err, -EFBIG, "the layer has more than %llu entries",
					 (unsigned long long)most);
		r = apply_entry(a, e);
		if (r < 0)
			return fail(a, e, r);
	}
	return r;
}

int layer_apply(const struct layer_request *req, struct stream *stream, struct layer_result *ret,
		struct error *err)
{
	struct applier a = { .req = req, .stream = stream, .err = err, .parent = { .fd = -1 } };
	int r, left;

	a.tar = tar_reader_new(feed, &a);
	r = apply_all(&a);
	left = leave_parent(&a);
	if (r == 0 && left < 0)
		r = error_sys(err, left, "finish a directory");
	if (r == 0)
		r = finish_whiteouts(&a);
	if (r == 0 && req->frame)
		r = feed_rest(&a);
	tar_reader_free(a.tar);
	copies_free(a.copies);
	strv_done(&a.whiteouts);
	strv_done(&a.lower);
	if (r == 0)
		*ret = a.result;
	else
		strv_done(&a.result.whiteouts);
	return r;
}
