/* src/image/frame.c */
#include "image/frame.h"

#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/layer_info.h"
#include "image/stream.h"
#include "kernel/rootdir.h"

#define PATH_BYTES (64U << 10) /* tar_read.h allows less */
#define COPY_SIZE  (256U << 10)

/* writing */

struct frame_writer {
	int dir, fd;
	struct packer *packer;
	const char *bytes; /* the last piece of the archive */
	size_t len;
	int64_t at;   /* where it begins */
	int64_t done; /* up to here all is in the frame, or a file's */
	int blob;     /* the whole archive, once it was spoiled; -1 */
	int r;        /* the first failure */
	struct error err;
};

static int to_file(void *data, const void *bytes, size_t len, struct error *err)
{
	const struct frame_writer *w = data;
	int r = file_write_all(w->fd, bytes, len);

	return r < 0 ? error_sys(err, r, "write the layer's frame") : 0;
}

int frame_writer_new(int layer_dir, struct frame_writer **ret, struct error *err)
{
	cleanup(frame_writer_cleanup) struct frame_writer *w = xnew(struct frame_writer);

	w->dir = layer_dir;
	w->blob = -1;
	w->fd = openat(layer_dir, LAYER_FRAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (w->fd < 0)
		return error_sys(err, -errno, "make the layer's frame");
	w->packer = packer_new(PACKING_GZIP, to_file, w);
	*ret = steal_ptr(&w);
	return 0;
}

void frame_writer_free(struct frame_writer *w)
{
	if (!w)
		return;
	packer_free(w->packer);
	if (w->fd >= 0)
		(void)close(w->fd);
	if (w->blob >= 0)
		(void)close(w->blob);
	free(w);
}

static void put(struct frame_writer *w, const void *bytes, size_t len)
{
	if (w->r == 0 && w->blob < 0)
		w->r = packer_put(w->packer, bytes, len, &w->err);
}

static void put_number(struct frame_writer *w, uint64_t n)
{
	n = htole64(n);
	put(w, &n, sizeof(n));
}

static void put_up_to(struct frame_writer *w, int64_t end)
{
	if (end <= w->done)
		return;
	put(w, "B", 1);
	put_number(w, (uint64_t)(end - w->done));
	put(w, w->bytes + (w->done - w->at), (size_t)(end - w->done));
	w->done = end;
}

static int to_blob(void *data, const void *bytes, size_t len, struct error *err)
{
	const struct frame_writer *w = data;
	int r = file_write_all(w->blob, bytes, len);

	return r < 0 ? error_sys(err, r, "write the layer's blob") : 0;
}

void frame_take(struct frame_writer *w, const void *bytes, size_t len)
{
	put_up_to(w, w->at + (int64_t)w->len);
	w->at += (int64_t)w->len;
	w->bytes = bytes;
	w->len = len;
	if (w->r == 0 && w->blob >= 0)
		w->r = to_blob(w, bytes, len, &w->err);
}

void frame_settle(struct frame_writer *w)
{
	put_up_to(w, w->at + (int64_t)w->len);
}

void frame_put_file(struct frame_writer *w, int64_t start, int64_t size, const char *path)
{
	size_t len = strlen(path);

	if (w->blob >= 0)
		return;
	assert(start >= w->done && start <= w->at + (int64_t)w->len);
	put_up_to(w, start);
	put(w, "F", 1);
	put_number(w, (uint64_t)size);
	put_number(w, len);
	put(w, path, len);
	w->done = start + size;
}

static int finish(struct frame_writer *w)
{
	put_up_to(w, w->at + (int64_t)w->len);
	if (w->r == 0)
		w->r = packer_end(w->packer, &w->err);
	return w->r;
}

/* What the frame and the tree have so far, into the blob. */
static int begin_blob(struct frame_writer *w, int tree_fd)
{
	autoclose int frame = openat(w->dir, LAYER_FRAME, O_RDONLY | O_CLOEXEC);

	w->blob = openat(w->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (frame < 0 || w->blob < 0)
		return error_sys(&w->err, -errno, "make a file for the layer's blob");
	if (unlinkat(w->dir, LAYER_FRAME, 0) < 0)
		return error_sys(&w->err, -errno, "remove the layer's frame");
	return frame_write(frame, tree_fd, to_blob, w, &w->err);
}

static int told(const struct frame_writer *w, struct error *err)
{
	if (w->r < 0 && err)
		*err = w->err;
	return w->r;
}

int frame_spoil(struct frame_writer *w, int tree_fd, struct error *err)
{
	if (w->r == 0 && w->blob < 0 && finish(w) == 0)
		w->r = begin_blob(w, tree_fd);
	return told(w, err);
}

bool frame_is_spoilt(const struct frame_writer *w)
{
	return w->blob >= 0;
}

int frame_end(struct frame_writer *w, struct error *err)
{
	if (w->blob < 0)
		(void)finish(w);
	return w->r == 0 && w->blob >= 0 ? -ESTALE : told(w, err);
}

int frame_steal_blob(struct frame_writer *w)
{
	return steal_fd(&w->blob);
}

/* reading */

struct framed {
	struct stream *stream;
	const char *bytes;
	size_t len;
	int tree;
	uint64_t left; /* bytes of an archive that the stream, too, would have taken */
	pack_sink sink;
	void *data;
	struct error *err;
};

static int damaged(const struct framed *f)
{
	return error_set(f->err, -EUCLEAN, "the layer's frame is damaged");
}

/* Sees that there is a byte at least; 0 at the end. */
static int fill(struct framed *f)
{
	const void *bytes = NULL;
	ssize_t n = 1;

	if (f->len == 0) {
		n = stream_next(f->stream, &bytes, f->err);
		f->bytes = bytes;
		f->len = n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? (int)n : f->len > 0;
}

static int get(struct framed *f, void *ret, size_t len)
{
	char *to = ret;

	while (len > 0) {
		int r = fill(f);
		size_t n = MIN(len, f->len);

		if (r <= 0)
			return r < 0 ? r : damaged(f);
		memcpy(to, f->bytes, n);
		f->bytes += n;
		f->len -= n;
		to += n;
		len -= n;
	}
	return 0;
}

static int get_number(struct framed *f, uint64_t *ret)
{
	uint64_t n = 0;
	int r = get(f, &n, sizeof(n));

	*ret = le64toh(n);
	return r;
}

/* Of a piece of the archive. */
static int get_size(struct framed *f, uint64_t *ret)
{
	int r = get_number(f, ret);

	if (r < 0 || *ret > f->left)
		return r < 0 ? r : damaged(f);
	f->left -= *ret;
	return 0;
}

static int write_bytes(struct framed *f)
{
	uint64_t left = 0;
	int r = get_size(f, &left);

	while (r == 0 && left > 0) {
		size_t n;

		r = fill(f);
		if (r <= 0)
			return r < 0 ? r : damaged(f);
		n = (size_t)MIN(left, (uint64_t)f->len);
		r = f->sink(f->data, f->bytes, n, f->err);
		f->bytes += n;
		f->len -= n;
		left -= n;
	}
	return r;
}

/* fd -1: there is none. */
static int copy_file(const struct framed *f, int fd, uint64_t size, const char *path)
{
	autofree char *buffer = xmalloc(COPY_SIZE);
	int r = 0;

	while (r == 0 && size > 0) {
		size_t want = (size_t)MIN(size, (uint64_t)COPY_SIZE);
		ssize_t n = fd < 0 ? 0 : TEMP_FAILURE_RETRY(read(fd, buffer, want));

		if (n < 0)
			return error_sys(f->err, -errno, "read %.200s", path);
		if (n == 0) {
			memset(buffer, 0, want);
			n = (ssize_t)want;
		}
		r = f->sink(f->data, buffer, (size_t)n, f->err);
		size -= (uint64_t)n;
	}
	return r;
}

static int write_file(struct framed *f)
{
	autofree char *path = NULL;
	autoclose int fd = -1;
	uint64_t size = 0, len = 0;
	struct stat st;
	int r = get_size(f, &size);

	if (r == 0)
		r = get_number(f, &len);
	if (r == 0 && len > PATH_BYTES)
		r = damaged(f);
	if (r < 0)
		return r;
	path = xcalloc((size_t)len + 1, 1);
	r = get(f, path, (size_t)len);
	if (r < 0)
		return r;
	fd = rootdir_open_at(f->tree, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, RESOLVE_IN_ROOT);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -ENXIO)
		return copy_file(f, -1, size, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(f->err, fd < 0 ? fd : -errno, "open %.200s", path);
	return copy_file(f, S_ISREG(st.st_mode) ? fd : -1, size, path);
}

int frame_open(int layers_fd, const char *chain)
{
	autofree char *path = xasprintf("%s/" LAYER_FRAME, chain);
	int fd = openat(layers_fd, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int frame_write(int frame_fd, int tree_fd, pack_sink sink, void *data, struct error *err)
{
	const struct stream_request sr = {
		.fd = frame_fd, .size = -1, .keep_fd = -1, .stop_fd = -1
	};
	cleanup(stream_cleanup) struct stream *stream = NULL;
	struct framed f = {
		.tree = tree_fd, .left = STREAM_BYTES_MAX, .sink = sink, .data = data, .err = err
	};
	int r = stream_open(&sr, &stream, err);

	f.stream = stream;
	while (r == 0 && (r = fill(&f)) > 0) {
		char kind = 0;

		r = get(&f, &kind, 1);
		if (r == 0)
			r = kind == 'B'   ? write_bytes(&f)
			    : kind == 'F' ? write_file(&f)
					  : damaged(&f);
	}
	return r;
}
