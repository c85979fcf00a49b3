/* src/image/fresh.c */
#include "image/fresh.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/changes.h"
#include "image/frame.h"
#include "image/incoming.h"
#include "image/layer.h"
#include "image/stream.h"
#include "image/tar_write.h"
#include "image/unpack.h"
#include "image/usage.h"

#define DIR_NAME  "fresh"
#define PIPE_SIZE (1 << 20)

struct fresh {
	const struct incoming *in;
	const struct strv *below;
	bool keep;
	int dir, blob;              /* blob -1: none is needed (yet) */
	struct frame_writer *frame; /* the same; NULL */
	struct unpack_layer *layer;
	struct error *err;
};

static int list_lower(void *data, struct strv *ret, struct error *err)
{
	const struct fresh *f = data;

	(void)err;
	for (size_t i = f->below->n; i > 0; i--)
		strv_addf(ret, "%s/layers/%s/diff", f->in->root, f->below->items[i - 1]);
	return 0;
}

static int choose_keep(void *data, enum packing packing, int *ret_fd, struct error *err)
{
	struct fresh *f = data;

	if (packing == PACKING_NONE)
		return frame_writer_new(f->dir, &f->frame, err);
	f->blob = openat(f->in->tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	*ret_fd = f->blob;
	return f->blob < 0 ? error_sys(err, -errno, "make a file for the layer's blob") : 0;
}

/* An archive that the tree does not have all of has become a blob on the way. */
static int end_frame(struct fresh *f)
{
	char got[DIGEST_HEX_LEN + 1];
	int r = f->frame ? frame_end(f->frame, f->err) : 0;

	if (r != -ESTALE)
		return r;
	f->blob = frame_steal_blob(f->frame);
	r = digest_file(f->blob, got);
	if (r < 0)
		return error_sys(f->err, r, "read the layer's blob");
	return strcmp(got, f->layer->info.blob) == 0
		       ? 0
		       : error_set(f->err, -EIO, "what was unpacked of it has been changed");
}

static int read_archive(struct fresh *f, int fd)
{
	const struct stream_request sr = {
		.fd = fd,
		.offset = -1,
		.size = -1,
		.keep_fd = -1,
		.choose_keep = f->keep ? choose_keep : NULL,
		.data = f,
		.threaded = true,
		.stop_fd = -1,
	};
	struct layer_request lr = { .lower = list_lower, .data = f };
	struct layer_info *info = &f->layer->info;
	cleanup(stream_cleanup) struct stream *stream = NULL;
	struct layer_result result = { 0 };
	autoclose int diff = -1;
	int r = stream_open(&sr, &stream, f->err);

	if (r == 0)
		r = dir_ensure_at(f->dir, "diff", 0755, &diff, f->err);
	lr.dir_fd = diff;
	lr.frame = f->frame;
	if (r == 0)
		r = layer_apply(&lr, stream, &result, f->err);
	if (r == 0)
		r = stream_finish(stream, info->blob, info->diff_id, f->err);
	if (r == 0)
		r = end_frame(f);
	if (r == 0)
		r = disk_usage(f->dir, &info->disk, f->err);
	if (r < 0)
		return r;
	f->layer->left_out = result.left_out;
	info->size = result.size;
	info->tar_size = stream_unpacked_size(stream);
	info->blob_size = stream_stored_size(stream);
	(void)snprintf(info->packing, sizeof(info->packing), "%s",
		       packing_name(stream_packing(stream)));
	if (f->blob < 0) {
		info->blob[0] = info->packing[0] = '\0';
		info->blob_size = -1;
	}
	return 0;
}

void fresh_find_chain(const struct strv *below, struct unpack_layer *layer)
{
	layer->chain[0] = '\0';
	if (below->n)
		(void)snprintf(layer->chain, sizeof(layer->chain), "%s",
			       below->items[below->n - 1]);
	chain_next(layer->chain, layer->info.diff_id);
}

int fresh_publish(const struct incoming *in, const char *name, struct unpack_layer *layer,
		  struct error *err)
{
	layer->was_there = faccessat(in->layers_fd, layer->chain, F_OK, 0) == 0;
	/* Another made the same one meanwhile: his is as good. */
	if (!layer->was_there && renameat(in->tmp_fd, name, in->layers_fd, layer->chain) < 0 &&
	    errno != EEXIST && errno != ENOTEMPTY)
		return error_sys(err, -errno, "put the layer in place");
	return 0;
}

static int publish(const struct fresh *f)
{
	struct unpack_layer *layer = f->layer;
	autofree char *from = xasprintf("/proc/self/fd/%d", f->blob);

	if (syncfs(f->dir) < 0)
		return error_sys(f->err, -errno, "write the layer to the disk");
	if (f->blob >= 0 &&
	    linkat(AT_FDCWD, from, f->in->blobs_fd, layer->info.blob, AT_SYMLINK_FOLLOW) < 0 &&
	    errno != EEXIST)
		return error_sys(f->err, -errno, "put the layer's blob in place");
	layer->blob_is_kept = f->blob >= 0;
	return fresh_publish(f->in, DIR_NAME, layer, f->err);
}

int fresh_layer(const struct incoming *in, const struct strv *below, int fd, bool keep,
		struct unpack_layer *ret, struct error *err)
{
	autoclose int dir = -1;
	struct fresh f = {
		.in = in, .below = below, .layer = ret, .err = err, .keep = keep, .blob = -1
	};
	int r = dir_remove_at(in->tmp_fd, DIR_NAME, err);

	memset(ret, 0, sizeof(*ret));
	if (r == 0)
		r = dir_ensure_at(in->tmp_fd, DIR_NAME, 0711, &dir, err);
	f.dir = dir;
	if (r == 0)
		r = read_archive(&f, fd);
	if (r == 0) {
		fresh_find_chain(below, ret);
		r = layer_info_save(dir, &ret->info, err);
	}
	if (r == 0)
		r = publish(&f);
	frame_writer_free(f.frame);
	if (f.blob >= 0)
		(void)close(f.blob);
	return r;
}

/* an archive as a pipe */

struct changes_pipe {
	struct changes_request req;
	int64_t newest_s;
	int frame; /* -1 */
	int to;
	pthread_t thread;
	int r;
	bool reader_left;
	struct error err;
};

static int sink(void *data, const void *bytes, size_t len, struct error *err)
{
	struct changes_pipe *p = data;
	int r = file_write_all(p->to, bytes, len);

	p->reader_left = r == -EPIPE;
	return r < 0 ? error_sys(err, r, "hand on the archive") : 0;
}

static void *fill(void *data)
{
	struct changes_pipe *p = data;
	const struct changes_tar options = { .newest_s = p->newest_s };
	cleanup(tar_writer_cleanup) struct tar_writer *w = tar_writer_new(sink, p);
	sigset_t pipe;

	/* A reader that left is an error here, not a signal. */
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	if (p->frame >= 0) {
		p->r = frame_write(p->frame, p->req.fd, sink, p, &p->err);
	} else {
		p->r = changes_write(&p->req, &options, w, &p->err);
		if (p->r == 0)
			p->r = tar_put_end(w, &p->err);
	}
	(void)close(p->to);
	return NULL;
}

int changes_pipe_open(const struct changes_request *req, int64_t newest_s, int frame_fd,
		      struct changes_pipe **ret, int *ret_fd, struct error *err)
{
	struct changes_pipe *p;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		r = -errno;
		if (frame_fd >= 0)
			(void)close(frame_fd);
		return error_sys(err, r, "make a pipe");
	}
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	p = xnew(struct changes_pipe);
	p->req = *req;
	p->newest_s = newest_s;
	p->frame = frame_fd;
	p->to = ends[1];
	r = -pthread_create(&p->thread, NULL, fill, p);
	if (r < 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		if (frame_fd >= 0)
			(void)close(frame_fd);
		free(p);
		return error_sys(err, r, "start a thread");
	}
	*ret = p;
	*ret_fd = ends[0];
	return 0;
}

int changes_pipe_close(struct changes_pipe *p, int fd, int r, struct error *err)
{
	(void)close(fd); /* a writer that still has something to say must not wait for us */
	(void)pthread_join(p->thread, NULL);
	if (p->r < 0 && !p->reader_left) {
		r = p->r;
		if (err)
			*err = p->err;
	}
	if (p->frame >= 0)
		(void)close(p->frame);
	free(p);
	return r;
}
