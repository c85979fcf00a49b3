/* src/builder/context.c */
#include "builder/context.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "builder/containerfile.h"
#include "builder/draft.h"
#include "builder/remote.h"
#include "builder/unpack_add.h"
#include "engine/engine.h"
#include "kernel/rootdir.h"

#define IGNORE_MAX (4U << 20)
#define SPOOL_MAX  (64LL << 30) /* of an archive on standard input */
#define PIECE      (256 << 10)

struct opening {
	struct engine *engine;
	const struct context_request *req;
	struct context *ret;
	struct error *err;
};

static bool is_dash(const char *text)
{
	return text && strcmp(text, "-") == 0;
}

/* files of the context, whose links lead nowhere else */

static bool is_link(int dirfd, const char *name)
{
	autoclose int fd = rootdir_open_at(dirfd, name, O_PATH | O_NOFOLLOW, RESOLVE_IN_ROOT);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* 1: it is not there.  A link that leads out is an error: an ignore file that is not read would let
 * in what it was to keep out.
 */
static int read_inside(const struct opening *o, const char *name, size_t max, char **ret,
		       size_t *ret_len)
{
	autoclose int fd =
		rootdir_open_at(o->ret->fd, name, O_RDONLY | O_NONBLOCK, RESOLVE_IN_ROOT);
	struct stat st;

	if ((fd == -ENOENT || fd == -ENOTDIR) && is_link(o->ret->fd, name))
		return error_set(o->err, -ELOOP,
				 "%s in the context is a link that leads to no file of the context",
				 name);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 1;
	if (fd < 0)
		return error_sys(o->err, fd, "open %s in the context", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(o->err, -EINVAL, "%s in the context is no file", name);
	return file_read_fd(fd, name, max, ret, ret_len, o->err);
}

static int read_given_ignores(const struct opening *o)
{
	const char *path = o->req->ignore_file;
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, IGNORE_MAX, &text, &len, o->err);

	if (r == 0)
		r = ignore_parse(text, len, &o->ret->ignore, o->err);
	return r < 0 ? error_wrap(o->err, r, "--ignorefile %s", path) : 0;
}

/* An ignore file that belongs to this Containerfile alone comes before one for all. */
static int read_ignores(const struct opening *o, const char *file)
{
	static const char *const general[] = { ".containerignore", ".dockerignore" };
	autofree char *own = file ? xasprintf("%s.containerignore", file) : NULL;
	autofree char *own_docker = file ? xasprintf("%s.dockerignore", file) : NULL;
	const char *const names[] = { own, own_docker, general[0], general[1] };
	int r = o->req->ignore_file ? read_given_ignores(o) : 1;

	for (size_t i = 0; r > 0 && i < ARRAY_SIZE(names); i++) {
		autofree char *text = NULL;
		size_t len = 0;

		if (!names[i])
			continue;
		r = read_inside(o, names[i], IGNORE_MAX, &text, &len);
		if (r != 0)
			continue;
		r = ignore_parse(text, len, &o->ret->ignore, o->err);
		if (r < 0)
			return error_wrap(o->err, r, "%s", names[i]);
	}
	return r < 0 ? r : 0;
}

/* The Containerfile's path in the context, NULL if it lies elsewhere. */
static char *path_inside(const struct opening *o, const char *file)
{
	autofree char *root = file_path(o->ret->fd, ""), *whole = realpath(file, NULL);
	size_t len = strlen(root);

	while (len > 1 && root[len - 1] == '/')
		root[--len] = '\0';
	if (!whole || strncmp(whole, root, len) != 0 || (len > 1 && whole[len] != '/'))
		return NULL;
	return xstrdup(whole + len + (len > 1));
}

static int read_usual_file(const struct opening *o)
{
	static const char *const names[] = { "Containerfile", "Dockerfile" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int r = read_inside(o, names[i], CONTAINERFILE_MAX, &o->ret->file, &o->ret->len);

		if (r < 0)
			return r;
		if (r > 0)
			continue;
		o->ret->name = xstrdup(names[i]);
		return read_ignores(o, names[i]);
	}
	return error_set(o->err, -ENOENT,
			 "%s has neither a Containerfile nor a Dockerfile; --file names another",
			 o->req->path);
}

/* --file: as the user's shell sees it, or in an archive. */
static int read_named_file(const struct opening *o, bool is_archive)
{
	const char *file = o->req->file;
	autofree char *inside = is_archive ? xstrdup(file) : path_inside(o, file);
	int r;

	if (is_dash(file))
		r = file_read_fd(STDIN_FILENO, "standard input", CONTAINERFILE_MAX, &o->ret->file,
				 &o->ret->len, o->err);
	else if (is_archive)
		r = read_inside(o, file, CONTAINERFILE_MAX, &o->ret->file, &o->ret->len);
	else
		r = file_read_at(AT_FDCWD, file, CONTAINERFILE_MAX, &o->ret->file, &o->ret->len,
				 o->err);
	if (r > 0)
		r = error_set(o->err, -ENOENT, "the archive has no %s", file);
	o->ret->name = xstrdup(is_dash(file) ? "stdin" : file);
	return r < 0 ? r : read_ignores(o, is_dash(file) ? NULL : inside);
}

static int read_files(const struct opening *o, bool is_archive)
{
	if (o->req->files_alone)
		return read_ignores(o, NULL);
	return o->req->file ? read_named_file(o, is_archive) : read_usual_file(o);
}

/* archives */

/* To a file without a name: where it starts tells what it is, and a pipe starts once. */
static int spool(const struct opening *o, int *ret)
{
	autofree char *buffer = xmalloc(PIECE);
	autoclose int fd = openat(o->ret->in.tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int64_t total = 0;
	ssize_t n;

	if (fd < 0)
		return error_sys(o->err, -errno, "make a temporary file");
	while ((n = TEMP_FAILURE_RETRY(read(STDIN_FILENO, buffer, PIECE))) > 0) {
		int r = file_write_all(fd, buffer, (size_t)n);

		total += n;
		if (r == 0 && total > SPOOL_MAX)
			r = -EFBIG;
		if (r < 0)
			return error_sys(o->err, r, "keep standard input");
	}
	if (n < 0)
		return error_sys(o->err, -errno, "read standard input");
	*ret = steal_fd(&fd);
	return 0;
}

/* 1: it is no archive. */
static int unpack(const struct opening *o, int fd)
{
	const struct strv none = { 0 };
	const struct draft_looks looks = { .uid = 0, .gid = 0 };
	cleanup(draft_done) struct draft draft = { .fd = -1, .here_fd = -1 };
	const struct unpack_add req = { .draft = &draft,
					.fd = fd,
					.name = is_dash(o->req->path) ? "standard input"
								      : o->req->path,
					.dest = "/",
					.looks = &looks };
	int r = dir_ensure_at(o->ret->in.tmp_fd, "context", 0755, &o->ret->fd, o->err);

	draft_init(&draft, o->ret->fd, &none);
	if (r == 0)
		r = unpack_add(&req, o->err);
	if (r == 0)
		r = draft_finish(&draft, o->err);
	return r;
}

static int open_incoming(const struct opening *o)
{
	return incoming_begin(engine_root(o->engine), engine_root_fd(o->engine), &o->ret->in,
			      o->err);
}

/* A Containerfile alone, where an archive could have been. */
static int take_file(const struct opening *o, int fd, const char *name)
{
	(void)close(steal_fd(&o->ret->fd));
	(void)lseek(fd, 0, SEEK_SET);
	o->ret->name = xstrdup(name);
	return file_read_fd(fd, name, CONTAINERFILE_MAX, &o->ret->file, &o->ret->len, o->err);
}

static int open_archive(const struct opening *o)
{
	autoclose int fd = -1;
	int r = open_incoming(o);

	if (r < 0)
		return r;
	if (is_dash(o->req->path)) {
		r = spool(o, &fd);
	} else {
		fd = open(o->req->path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? error_sys(o->err, -errno, "open %s", o->req->path) : 0;
	}
	if (r == 0)
		r = unpack(o, fd);
	if (r == 0)
		return read_files(o, true);
	if (r < 0)
		return r;
	return is_dash(o->req->path)
		       ? take_file(o, fd, "stdin")
		       : error_set(o->err, -EINVAL, "%s is neither a directory nor an archive",
				   o->req->path);
}

/* elsewhere */

static int open_fetched(const struct opening *o, const struct remote *remote)
{
	autoclose int fd = openat(remote->root, remote->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? error_sys(o->err, -errno, "open %s", remote->name) : unpack(o, fd);

	if (r <= 0)
		return r < 0 ? r : read_files(o, true);
	if (o->req->file)
		return error_set(o->err, -EINVAL,
				 "%s is no archive: as a Containerfile it wants no --file",
				 remote->fetch.url);
	return take_file(o, fd, remote->name);
}

static int open_repository(const struct opening *o, struct remote *remote)
{
	o->ret->fd = steal_fd(&remote->root);
	return read_files(o, true);
}

/* 1: it is a path. */
static int open_remote(const struct opening *o)
{
	const struct remote_request req = {
		.engine = o->engine, .secrets = o->req->secrets, .in = &o->ret->in, .is_typed = true
	};
	cleanup(remote_done) struct remote remote = { .root = -1, .work = -1, .fetch = FETCH_INIT };
	int r = remote_parse(o->req->path, NULL, &remote, o->err);

	if (r != 0)
		return r;
	remote.git.keeps_git_dir |= o->req->keeps_git_dir;
	r = open_incoming(o);
	if (r == 0)
		r = remote_look(&remote, &req, o->err);
	if (r == 0)
		r = remote_bring(&remote, &req, o->err);
	if (r < 0)
		return r;
	return remote.is_git ? open_repository(o, &remote) : open_fetched(o, &remote);
}

static int check_input(const struct opening *o)
{
	if (is_dash(o->req->path) && is_dash(o->req->file))
		return error_set(o->err, -EINVAL,
				 "standard input cannot be the context and the Containerfile");
	if ((is_dash(o->req->path) || is_dash(o->req->file)) && o->req->takes_input)
		return error_set(o->err, -EINVAL,
				 "--stdin gives standard input to RUN; it cannot be the %s, too",
				 is_dash(o->req->path) ? "context" : "Containerfile");
	if ((is_dash(o->req->path) || is_dash(o->req->file)) && isatty(STDIN_FILENO))
		return error_set(o->err, -EINVAL, "standard input is a terminal");
	return 0;
}

static int open_path(const struct opening *o)
{
	o->ret->fd =
		is_dash(o->req->path) ? -1 : open(o->req->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->ret->fd >= 0)
		return read_files(o, false);
	if (!is_dash(o->req->path) && errno != ENOTDIR)
		return error_sys(o->err, -errno, "open %s", o->req->path);
	return open_archive(o);
}

int context_open(struct engine *engine, const struct context_request *req, struct context *ret,
		 struct error *err)
{
	struct context context = CONTEXT_INIT;
	const struct opening o = { .engine = engine, .req = req, .ret = &context, .err = err };
	int r = check_input(&o);

	if (r == 0)
		r = open_remote(&o);
	if (r > 0)
		r = open_path(&o);
	if (r < 0) {
		context_done(&context);
		return r;
	}
	*ret = context;
	return 0;
}

void context_done(struct context *context)
{
	if (context->fd >= 0)
		(void)close(context->fd);
	free(context->file);
	free(context->name);
	ignore_done(&context->ignore);
	incoming_done(&context->in);
	*context = CONTEXT_INIT;
}
