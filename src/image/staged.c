/* src/image/staged.c
 *
 * A thread unpacks what it reads out of a pipe that staged_put() fills.  It always reads to the
 * end: who fills the pipe has the rest of an archive to read, whatever this member is.
 */
#include "image/staged.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "image/frame.h"
#include "image/incoming.h"
#include "image/layer.h"
#include "image/layer_info.h"
#include "image/stream.h"

#define PIPE_SIZE (1 << 20)
#define MAGIC_AT  257 /* in a header of ustar, pax and GNU */

struct staged {
	int root_fd, tmp_fd;
	char dir[ID_LEN + 1];           /* below tmp_fd */
	char chain[DIGEST_HEX_LEN + 1]; /* who took it; "" */
	int in, out;                    /* of the pipe; -1 */
	int blob;                       /* it has become a file; -1 */
	bool running, claimed;
	pthread_t thread;
	pthread_mutex_t lock; /* where it is */
	char diff_id[DIGEST_HEX_LEN + 1];
	int64_t tar_size;
	struct layer_result result;
	int r; /* how the thread fared */
	struct error why;
};

bool staged_is_layer(const unsigned char head[STAGED_HEAD])
{
	return memcmp(head + MAGIC_AT, "ustar", 5) == 0;
}

/* the thread */

/* The rest, after what is unpacked of it has become a file. */
static int take_rest(struct stream *stream, struct frame_writer *frame, struct error *err)
{
	const void *bytes = NULL;
	ssize_t n = 1;

	while (n > 0) {
		frame_settle(frame);
		n = stream_next(stream, &bytes, err);
		if (n > 0)
			frame_take(frame, bytes, (size_t)n);
	}
	return (int)n;
}

static int take_blob(struct staged *s, struct frame_writer *frame)
{
	char got[DIGEST_HEX_LEN + 1];
	int r;

	s->blob = frame_steal_blob(frame);
	r = digest_file(s->blob, got);
	if (r < 0)
		return error_sys(&s->why, r, "read the layer");
	if (strcmp(got, s->diff_id) != 0)
		return error_set(&s->why, -EIO, "what was unpacked of the layer has been changed");
	return dir_remove_at(s->tmp_fd, s->dir, &s->why);
}

static int unpack_into(struct staged *s, int dir, int diff, struct stream *stream)
{
	cleanup(frame_writer_cleanup) struct frame_writer *frame = NULL;
	const struct layer_request lr = { .dir_fd = diff };
	struct layer_request with_frame = lr;
	char stored[DIGEST_HEX_LEN + 1];
	int r = frame_writer_new(dir, &frame, &s->why);

	with_frame.frame = frame;
	if (r == 0)
		r = layer_apply(&with_frame, stream, &s->result, &s->why);
	if (r == -ENODATA) {
		r = frame_spoil(frame, diff, &s->why);
		if (r == 0)
			r = take_rest(stream, frame, &s->why);
	}
	if (r == 0)
		r = stream_finish(stream, stored, s->diff_id, &s->why);
	if (r == 0)
		r = frame_end(frame, &s->why);
	s->tar_size = stream_unpacked_size(stream);
	return r == -ESTALE ? take_blob(s, frame) : r;
}

static int unpack(struct staged *s)
{
	const struct stream_request sr = {
		.fd = s->in, .offset = -1, .size = -1, .keep_fd = -1, .stop_fd = -1
	};
	cleanup(stream_cleanup) struct stream *stream = NULL;
	autoclose int dir = -1, diff = -1;
	int r = stream_open(&sr, &stream, &s->why);

	if (r == 0)
		r = dir_ensure_at(s->tmp_fd, s->dir, 0700, &dir, &s->why);
	if (r == 0)
		r = dir_ensure_at(dir, "diff", 0755, &diff, &s->why);
	return r < 0 ? r : unpack_into(s, dir, diff, stream);
}

static void *run(void *data)
{
	struct staged *s = data;
	char rest[4096];

	s->r = unpack(s);
	while (TEMP_FAILURE_RETRY(read(s->in, rest, sizeof(rest))) > 0)
		;
	if (s->r < 0)
		ignore_result(dir_remove_at(s->tmp_fd, s->dir, NULL));
	return NULL;
}

/* filling it */

int staged_begin(int root_fd, int tmp_fd, struct staged **ret, struct error *err)
{
	cleanup(staged_cleanup) struct staged *s = xnew(struct staged);
	int ends[2], r;

	s->root_fd = root_fd;
	s->tmp_fd = tmp_fd;
	s->in = s->out = s->blob = -1;
	(void)pthread_mutex_init(&s->lock, NULL);
	r = id_new(s->dir);
	if (r < 0)
		return error_sys(err, r, "choose a name");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	s->in = ends[0];
	s->out = ends[1];
	(void)fcntl(s->out, F_SETPIPE_SZ, PIPE_SIZE);
	r = -pthread_create(&s->thread, NULL, run, s);
	if (r < 0)
		return error_sys(err, r, "start a thread");
	s->running = true;
	*ret = steal_ptr(&s);
	return 0;
}

int staged_put(struct staged *s, const void *bytes, size_t len, struct error *err)
{
	int r = file_write_all(s->out, bytes, len);

	return r < 0 ? error_sys(err, r, "hand on a layer") : 0;
}

void staged_end(struct staged *s)
{
	if (s->out >= 0)
		(void)close(steal_fd(&s->out));
	if (s->running)
		(void)pthread_join(s->thread, NULL);
	s->running = false;
	if (s->in >= 0)
		(void)close(steal_fd(&s->in));
}

void staged_free(struct staged *s)
{
	if (!s)
		return;
	staged_end(s);
	if (s->blob >= 0)
		(void)close(s->blob);
	strv_done(&s->result.whiteouts);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

/* using it */

static int told(const struct staged *s, struct error *err)
{
	if (s->r < 0 && err)
		*err = s->why;
	return s->r;
}

static int to_file(void *data, const void *bytes, size_t len, struct error *err)
{
	const int *fd = data;
	int r = file_write_all(*fd, bytes, len);

	return r < 0 ? error_sys(err, r, "write a layer") : 0;
}

/* Where it grew, or where its taker has it. */
static int open_dir(const struct staged *s)
{
	static const char *const places[] = { INCOMING_TMP, "layers" };
	int fd = -1;

	if (!s->chain[0])
		return openat(s->tmp_fd, s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(s->tmp_fd, s->chain, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; fd < 0 && i < ARRAY_SIZE(places); i++) {
		autofree char *path = xasprintf("%s/%s", places[i], s->chain);

		fd = openat(s->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd;
}

static int open_both(struct staged *s, int *ret_tree, int *ret_frame)
{
	autoclose int dir = -1;

	(void)pthread_mutex_lock(&s->lock);
	dir = open_dir(s);
	if (dir >= 0) {
		*ret_tree = openat(dir, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*ret_frame = openat(dir, LAYER_FRAME, O_RDONLY | O_CLOEXEC);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return *ret_tree < 0 || *ret_frame < 0 ? -ENOENT : 0;
}

int staged_file(struct staged *s, int *ret, struct error *err)
{
	autoclose int tree = -1, frame = -1, fd = -1;
	int r = told(s, err);

	if (r < 0)
		return r;
	if (s->blob >= 0) {
		*ret = fcntl(s->blob, F_DUPFD_CLOEXEC, 3);
		return *ret < 0 ? error_sys(err, -errno, "open a layer") : 0;
	}
	r = open_both(s, &tree, &frame);
	if (r == 0) {
		fd = openat(s->tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
		r = fd < 0 ? -errno : 0;
	}
	if (r < 0)
		return error_sys(err, r, "open a layer");
	r = frame_write(frame, tree, to_file, &fd, err);
	if (r == 0)
		*ret = steal_fd(&fd);
	return r;
}

int staged_look(struct staged *s, struct staged_layer *ret, struct error *err)
{
	bool free_to_take;

	if (s->r < 0)
		return told(s, err);
	(void)pthread_mutex_lock(&s->lock);
	free_to_take = s->blob < 0 && !s->claimed;
	(void)pthread_mutex_unlock(&s->lock);
	(void)snprintf(ret->diff_id, sizeof(ret->diff_id), "%s", s->diff_id);
	ret->size = s->result.size;
	ret->tar_size = s->tar_size;
	ret->left_out = s->result.left_out;
	ret->whiteouts = &s->result.whiteouts;
	return free_to_take;
}

static int move(struct staged *s, int dir, const struct strv *lower, struct error *err)
{
	autoclose int from = -1, tree = -1;
	int r = dir_open_at(s->tmp_fd, s->dir, &from, err);

	if (r == 0)
		r = dir_open_at(from, "diff", &tree, err);
	if (r == 0)
		r = layer_drop_whiteouts(tree, &s->result.whiteouts, lower, err);
	if (r < 0)
		return r;
	if (renameat(from, "diff", dir, "diff") < 0 ||
	    renameat(from, LAYER_FRAME, dir, LAYER_FRAME) < 0)
		return error_sys(err, -errno, "take a layer over");
	return dir_remove_at(s->tmp_fd, s->dir, err);
}

int staged_take(struct staged *s, int dir, const char *chain, const struct strv *lower,
		struct error *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	if (!s->claimed) {
		s->claimed = true;
		r = move(s, dir, lower, err);
		if (r == 0)
			(void)snprintf(s->chain, sizeof(s->chain), "%s", chain);
		r = r < 0 ? r : 1;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}
