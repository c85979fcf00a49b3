/* src/image/unpack.c
 *
 * Work goes in rounds.  A round claims, without waiting, each layer that nobody else is making,
 * unpacks those, and publishes them; only then, with no lock held, it waits for one of those that
 * another process had, within bounds (claim.h).  So two processes never wait for each other. Within
 * a round workers take layers from the lowest up: one that needs those below it (a hard link to a
 * file there) waits only for layers that another worker has begun.
 */
#include "image/unpack.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strv.h"
#include "image/alias.h"
#include "image/claim.h"
#include "image/frame.h"
#include "image/incoming.h"
#include "image/layer.h"
#include "image/staged.h"
#include "image/stream.h"
#include "image/usage.h"

#define WORKERS_MIN 2 /* one inflates while the other waits for the disk or the network */
#define WORKERS_MAX 8 /* some 3 MB each */

enum state {
	STATE_TODO,      /* or another process is at it */
	STATE_CLAIMED,   /* ours in this round */
	STATE_UNPACKED,  /* whole, in ROOT/tmp */
	STATE_PUBLISHED, /* whole, in ROOT/layers */
	STATE_FAILED,
};

struct task {
	struct run *run;
	struct unpack_layer *layer;
	size_t i;
	enum state state;
	int dir;     /* where it grows, locked; -1 */
	char *path;  /* of that, below ROOT; NULL */
	int blob_fd; /* a nameless file until it is published; -1 */
	struct error why;
	int r;
};

struct run {
	struct unpack_request *req;
	struct task *tasks;
	size_t next;
	int stop_fd; /* readable once something failed */
	struct patience patience;
	const struct task *large; /* it inflates with a large window; or NULL */
	bool one_by_one;          /* there are several of that kind */
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

void chain_next(char chain[DIGEST_HEX_LEN + 1], const char *diff_id_hex)
{
	autofree char *text = NULL;

	if (!chain[0]) {
		(void)snprintf(chain, DIGEST_HEX_LEN + 1, "%s", diff_id_hex);
		return;
	}
	text = xasprintf("sha256:%s sha256:%s", chain, diff_id_hex);
	digest_bytes(text, strlen(text), chain);
}

void unpack_layer_digest(const struct unpack_layer *layer, char ret[UNPACK_DIGEST_LEN])
{
	const char *kind = layer->sha512[0] ? "sha512:" : layer->info.blob[0] ? "sha256:" : "";

	(void)snprintf(ret, UNPACK_DIGEST_LEN, "%s%s", kind,
		       layer->sha512[0] ? layer->sha512 : layer->info.blob);
}

static void give_up(struct task *t)
{
	if (t->dir >= 0) {
		ignore_result(dir_remove_at(t->run->req->in->root_fd, t->path, NULL));
		(void)close(t->dir);
	}
	free(steal_ptr(&t->path));
	if (t->blob_fd >= 0)
		(void)close(t->blob_fd);
	t->dir = t->blob_fd = -1;
}

/* one layer */

static bool blob_is_there(const struct task *t)
{
	return t->layer->info.blob[0] &&
	       faccessat(t->run->req->in->blobs_fd, t->layer->info.blob, F_OK, 0) == 0;
}

static void finished(struct task *t, enum state state, int r)
{
	struct run *run = t->run;
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&run->lock);
	t->state = state;
	t->r = r;
	if (run->large == t)
		run->large = NULL;
	if (r < 0)
		ignore_result(write(run->stop_fd, &one, sizeof(one)));
	(void)pthread_cond_broadcast(&run->changed);
	(void)pthread_mutex_unlock(&run->lock);
}

/* Waits until the layers below are whole, and lists their directories, the uppermost first. */
static int list_lower(void *data, struct strv *ret, struct error *err)
{
	const struct task *t = data;
	const struct incoming *in = t->run->req->in;

	for (size_t i = t->i; i > 0; i--) {
		const struct task *below = &t->run->tasks[i - 1];
		enum state state;

		(void)pthread_mutex_lock(&t->run->lock);
		while (below->state == STATE_CLAIMED)
			(void)pthread_cond_wait(&t->run->changed, &t->run->lock);
		state = below->state;
		(void)pthread_mutex_unlock(&t->run->lock);
		if (state == STATE_FAILED)
			return error_set(err, -ECANCELED, "a layer below failed");
		if (state == STATE_TODO)
			return error_set(err, -EAGAIN, "another process makes a layer below");
		if (state == STATE_PUBLISHED)
			strv_addf(ret, "%s/layers/%s/diff", in->root, below->layer->chain);
		else
			strv_addf(ret, "%s/%s/diff", in->root, below->path);
	}
	return 0;
}

static int check_sha512(struct task *t, struct stream *stream)
{
	char got[DIGEST512_HEX_LEN + 1];

	if (!t->layer->sha512[0])
		return 0;
	stream_sha512(stream, got);
	if (strcmp(got, t->layer->sha512) == 0)
		return 0;
	return error_set(&t->why, -EBADMSG,
			 "its digest is sha512:%.12s..., the manifest says sha512:%.12s...", got,
			 t->layer->sha512);
}

static int compare_digests(struct task *t, const char *stored, const char *unpacked)
{
	const struct layer_info *info = &t->layer->info;

	if (info->blob[0] && strcmp(info->blob, stored) != 0)
		return error_set(&t->why, -EBADMSG,
				 "its digest is sha256:%.12s..., the manifest says sha256:%.12s...",
				 stored, info->blob);
	if (strcmp(info->diff_id, unpacked) != 0)
		return error_set(
			&t->why, -EBADMSG,
			"unpacked its digest is sha256:%.12s..., the config says sha256:%.12s...",
			unpacked, info->diff_id);
	return 0;
}

static int check_digests(struct task *t, const char *stored, const char *unpacked,
			 struct stream *stream)
{
	struct layer_info *info = &t->layer->info;
	int r = check_sha512(t, stream);

	if (r == 0)
		r = compare_digests(t, stored, unpacked);
	if (r < 0)
		return r;
	(void)snprintf(info->blob, sizeof(info->blob), "%s", stored);
	info->blob_size = stream_stored_size(stream);
	info->tar_size = stream_unpacked_size(stream);
	(void)snprintf(info->packing, sizeof(info->packing), "%s",
		       packing_name(stream_packing(stream)));
	return 0;
}

/* One byte beyond the size is one too many. */
static int check_end(const struct task *t, const struct unpack_source *source)
{
	char byte;

	if (source->offset >= 0 || t->layer->info.blob_size < 0)
		return 0;
	return read(source->fd, &byte, 1) == 1
		       ? error_set((struct error *)&t->why, -EBADMSG,
				   "more than %lld bytes came, which the manifest says",
				   (long long)t->layer->info.blob_size)
		       : 0;
}

/* One at a time, so that memory is bounded by one window.  Who comes second does not wait for the
 * first, who may need a layer below that a third has: it is taken again, alone.
 */
static int want_large(void *data, struct error *err)
{
	const struct task *t = data;
	struct run *run = t->run;
	bool mine;

	(void)pthread_mutex_lock(&run->lock);
	mine = !run->large || run->large == t;
	if (mine)
		run->large = t;
	else
		run->one_by_one = true;
	(void)pthread_mutex_unlock(&run->lock);
	return mine ? 0 : error_set(err, -EAGAIN, "another layer has a large window");
}

/* Unpacks it into t->dir, if there is one.  keep_fd -1: it is kept, or needs not to be. */
static int read_layer(struct task *t, const struct unpack_source *source, int keep_fd,
		      struct frame_writer *frame)
{
	char stored[DIGEST_HEX_LEN + 1], unpacked[DIGEST_HEX_LEN + 1];
	cleanup(stream_cleanup) struct stream *stream = NULL;
	const struct stream_request sr = {
		.fd = source->fd,
		.offset = source->offset,
		.size = t->layer->info.blob_size,
		.keep_fd = keep_fd,
		.sha512 = t->layer->sha512[0],
		.threaded = true,
		.stop_fd = t->run->stop_fd,
		.large = want_large,
		.data = t,
		.got = &t->layer->got,
	};
	struct layer_request lr = { .lower = list_lower, .data = t, .frame = frame };
	struct layer_result result = { 0 };
	int64_t disk = 0;
	autoclose int diff = -1;
	int frame_r = 0;
	int r = stream_open(&sr, &stream, &t->why);

	if (r == 0 && t->dir >= 0)
		r = dir_ensure_at(t->dir, "diff", 0755, &diff, &t->why);
	lr.dir_fd = diff;
	if (r == 0 && t->dir >= 0)
		r = layer_apply(&lr, stream, &result, &t->why);
	if (r == 0)
		r = stream_finish(stream, stored, unpacked, &t->why);
	if (r == 0)
		r = check_end(t, source);
	if (r == 0 && frame)
		frame_r = frame_end(frame, &t->why);
	if (r == 0 && frame_r != -ESTALE)
		r = frame_r;
	if (r == 0 && t->dir >= 0)
		r = disk_usage(t->dir, &disk, &t->why);
	if (r == 0 && t->dir >= 0) {
		t->layer->info.size = result.size;
		t->layer->left_out = result.left_out;
		t->layer->info.disk = disk;
	}
	if (r == 0)
		r = check_digests(t, stored, unpacked, stream);
	return r < 0 ? r : frame_r;
}

static int open_blob(const struct task *t, const struct unpack_source *source)
{
	if (source->keep_fd >= 0)
		return source->keep_fd;
	if (source->is_blob)
		return fcntl(source->fd, F_DUPFD_CLOEXEC, 3);
	return openat(t->run->req->in->tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
}

static int fetch_blob(struct task *t, const struct unpack_source *source)
{
	t->blob_fd = open_blob(t, source);
	if (t->blob_fd < 0)
		return error_sys(&t->why, -errno, "make a file for the layer's blob");
	return read_layer(t, source, source->is_blob ? -1 : t->blob_fd, NULL);
}

static void keep_as_frame(struct unpack_layer *layer, bool named)
{
	layer->blob_is_kept = named;
	if (named)
		return;
	layer->info.blob[0] = layer->info.packing[0] = '\0';
	layer->info.blob_size = -1;
}

static bool wants_frame(const struct task *t, const struct unpack_source *source)
{
	unsigned char head[4];

	return t->run->req->frames && t->dir >= 0 && source->offset >= 0 && !t->layer->sha512[0] &&
	       packing_detect(head,
			      (size_t)MAX(pread(source->fd, head, sizeof(head), source->offset),
					  0)) == PACKING_NONE;
}

/* What the archive holds beyond the tree (a file twice) is in a blob then, a part of which was made
 * of the tree.
 */
static int take_blob(struct task *t, struct frame_writer *frame)
{
	char got[DIGEST_HEX_LEN + 1];
	int r;

	t->blob_fd = frame_steal_blob(frame);
	r = digest_file(t->blob_fd, got);
	if (r < 0)
		return error_sys(&t->why, r, "read the layer's blob");
	return strcmp(got, t->layer->info.blob) == 0
		       ? 0
		       : error_set(&t->why, -EIO, "what was unpacked of it has been changed");
}

/* A manifest that names the blob finds it as the tree and the frame; without one nobody asks. */
static int fetch_frame(struct task *t, const struct unpack_source *source)
{
	cleanup(frame_writer_cleanup) struct frame_writer *frame = NULL;
	struct layer_info *info = &t->layer->info;
	bool named = info->blob[0];
	int r = frame_writer_new(t->dir, &frame, &t->why);

	if (r == 0)
		r = read_layer(t, source, -1, frame);
	if (r == -ESTALE)
		return take_blob(t, frame);
	if (r == 0)
		keep_as_frame(t->layer, named);
	return r;
}

/* 0: somebody else has it, or its blob is what is wanted. */
static int take_staged(struct task *t, struct staged *staged)
{
	struct unpack_layer *layer = t->layer;
	bool named = layer->info.blob[0];
	struct strv lower = { 0 };
	struct staged_layer found;
	int r = t->dir < 0 ? 0 : staged_look(staged, &found, &t->why);

	if (r <= 0)
		return r;
	r = compare_digests(t, found.diff_id, found.diff_id);
	if (r == 0 && found.whiteouts->n > 0)
		r = list_lower(t, &lower, &t->why);
	if (r == 0)
		r = staged_take(staged, t->dir, layer->chain, &lower, &t->why);
	strv_done(&lower);
	if (r <= 0)
		return r;
	layer->info.size = found.size;
	layer->info.tar_size = layer->info.blob_size = found.tar_size;
	layer->left_out = found.left_out;
	(void)snprintf(layer->info.blob, sizeof(layer->info.blob), "%s", found.diff_id);
	(void)snprintf(layer->info.packing, sizeof(layer->info.packing), "%s",
		       packing_name(PACKING_NONE));
	keep_as_frame(layer, named);
	atomic_store(&layer->got, found.tar_size);
	r = disk_usage(t->dir, &layer->info.disk, &t->why);
	return r < 0 ? r : 1;
}

static int fetch(struct task *t)
{
	struct unpack_request *req = t->run->req;
	struct unpack_source source = { .fd = -1, .keep_fd = -1 };
	int r = req->open(req->data, t->i, &source, &t->why);

	if (r == 0 && source.staged) {
		r = take_staged(t, source.staged);
		if (r != 0)
			return req->close(req->data, t->i, -1, MIN(r, 0), &t->why);
		source = (struct unpack_source) { .fd = -1, .keep_fd = -1, .as_file = true };
		r = req->open(req->data, t->i, &source, &t->why);
	}
	if (r < 0)
		return r;
	r = wants_frame(t, &source) ? fetch_frame(t, &source) : fetch_blob(t, &source);
	return req->close(req->data, t->i, source.fd, r, &t->why);
}

/* From the blob that is in the store already. */
static int reuse(struct task *t)
{
	struct unpack_source source = { .offset = 0 };
	autoclose int fd =
		openat(t->run->req->in->blobs_fd, t->layer->info.blob, O_RDONLY | O_CLOEXEC);

	source.fd = fd;
	return fd < 0 ? error_sys(&t->why, -errno, "open blob %s", t->layer->info.blob)
		      : read_layer(t, &source, -1, NULL);
}

/* Whether the blob of this SHA-256 is the wanted one. */
static int has_sha512(struct task *t, const char *blob, bool *ret)
{
	autoclose int fd = openat(t->run->req->in->blobs_fd, blob, O_RDONLY | O_CLOEXEC);
	char got[DIGEST512_HEX_LEN + 1];
	int r;

	*ret = false;
	if (fd < 0)
		return errno == ENOENT ? 0 : error_sys(&t->why, -errno, "open blob %s", blob);
	r = digest512_file(fd, got);
	*ret = r == 0 && strcmp(got, t->layer->sha512) == 0;
	return r < 0 ? error_sys(&t->why, r, "read blob %s", blob) : 0;
}

/* It is there; the caller knows which blob it wants, or takes the one that there is. */
static int take_info(struct task *t)
{
	struct unpack_layer *layer = t->layer;
	struct layer_info info;
	bool same = true;
	int r = layer_info_load(t->run->req->in->layers_fd, layer->chain, &info, &t->why);

	if (r == 0 && layer->sha512[0] && !layer->info.blob[0])
		r = has_sha512(t, info.blob, &same);
	if (r < 0)
		return r;
	if (!same) {
		info.blob[0] = info.packing[0] = '\0';
		info.blob_size = layer->info.blob_size;
	}
	(void)snprintf(info.diff_id, sizeof(info.diff_id), "%s", layer->info.diff_id);
	if (layer->info.blob[0] && strcmp(layer->info.blob, info.blob) != 0) {
		(void)snprintf(info.blob, sizeof(info.blob), "%s", layer->info.blob);
		info.blob_size = layer->info.blob_size;
		info.packing[0] = '\0'; /* told when it is read */
	}
	layer->info = info;
	return 0;
}

/* The blob that is asked for is the layer's archive, which its tree and its frame make. */
static bool is_framed(const struct task *t)
{
	const struct unpack_layer *layer = t->layer;
	autofree char *path = xasprintf("%s/" LAYER_FRAME, layer->chain);

	return strcmp(layer->info.blob, layer->info.diff_id) == 0 &&
	       faccessat(t->run->req->in->layers_fd, path, F_OK, 0) == 0;
}

static int unpack_one(struct task *t)
{
	struct unpack_layer *layer = t->layer;
	bool there = t->dir < 0;
	int r;

	if (layer->sha512[0] && !layer->info.blob[0])
		(void)alias_get(t->run->req->in->root_fd, layer->sha512, layer->info.blob);
	r = there ? take_info(t) : 0;
	if (r < 0)
		return r;
	layer->blob_is_kept = blob_is_there(t);
	if (there && !layer->blob_is_kept && is_framed(t)) {
		keep_as_frame(layer, true);
		layer->info.blob_size = layer->info.tar_size;
		(void)snprintf(layer->info.packing, sizeof(layer->info.packing), "%s",
			       packing_name(PACKING_NONE));
	}
	layer->was_there = there && (layer->blob_is_kept || !t->run->req->want_blobs ||
				     (!layer->info.blob[0] && !layer->sha512[0]));
	if (!layer->was_there)
		r = layer->blob_is_kept ? reuse(t) : fetch(t);
	return r < 0 || there ? r : layer_info_save(t->dir, &layer->info, &t->why);
}

static struct task *take(struct run *run)
{
	struct task *t = NULL;

	(void)pthread_mutex_lock(&run->lock);
	while (!t && run->next < run->req->n) {
		struct task *candidate = &run->tasks[run->next++];

		t = candidate->state == STATE_CLAIMED ? candidate : NULL;
	}
	(void)pthread_mutex_unlock(&run->lock);
	return t;
}

static void *worker(void *data)
{
	struct run *run = data;
	struct task *t;

	while ((t = take(run))) {
		bool there = t->dir < 0;
		int r = unpack_one(t);

		if (r == -EAGAIN) {
			give_up(t);
			finished(t, STATE_TODO, 0);
		} else {
			finished(t,
				 r < 0   ? STATE_FAILED
				 : there ? STATE_PUBLISHED
					 : STATE_UNPACKED,
				 r);
		}
	}
	return NULL;
}

/* a round */

static int run_workers(struct run *run, size_t ntasks, struct error *err)
{
	size_t cores = (size_t)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
	size_t want = MIN(MIN(MAX(cores, WORKERS_MIN), WORKERS_MAX), ntasks), n = 0;
	pthread_t threads[WORKERS_MAX];
	int r = 0;

	if (run->one_by_one)
		want = MIN(want, 1U);
	run->next = 0;
	while (n < want && r == 0) {
		r = -pthread_create(&threads[n], NULL, worker, run);
		n += r == 0;
	}
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	return n == 0 && want > 0 ? error_sys(err, r, "start a thread") : 0;
}

/* The failure that the others were stopped for. */
static int first_failure(const struct run *run, struct error *err)
{
	const struct task *first = NULL;

	for (size_t i = 0; i < run->req->n; i++) {
		const struct task *t = &run->tasks[i];

		if (t->state == STATE_FAILED && (!first || first->r == -ECANCELED))
			first = t;
	}
	if (!first)
		return 0;
	if (!err)
		return first->r;
	*err = first->why;
	return error_wrap(err, first->r, "layer %zu of %zu", first->i + 1, run->req->n);
}

/* The data must be on the disk before a name says so; one flush for all of it. */
static int sync_all(const struct run *run, struct error *err)
{
	bool any = false;

	for (size_t i = 0; i < run->req->n; i++)
		any = any || run->tasks[i].dir >= 0 || run->tasks[i].blob_fd >= 0;
	if (any && syncfs(run->req->in->tmp_fd) < 0)
		return error_sys(err, -errno, "write the layers to the disk");
	return 0;
}

static int publish_blob(struct task *t, struct error *err)
{
	autofree char *from = NULL;

	if (t->blob_fd < 0)
		return 0;
	from = xasprintf("/proc/self/fd/%d", t->blob_fd);
	if (linkat(AT_FDCWD, from, t->run->req->in->blobs_fd, t->layer->info.blob,
		   AT_SYMLINK_FOLLOW) < 0 &&
	    errno != EEXIST)
		return error_sys(err, -errno, "put blob %s in place", t->layer->info.blob);
	(void)close(t->blob_fd);
	t->blob_fd = -1;
	t->layer->blob_is_kept = true;
	return 0;
}

/* Another one was ready first: his is as good.  But if our blob is our tree and a frame, then his
 * tree needs that frame.
 */
static int yield(struct task *t, struct error *err)
{
	autofree char *frame = xasprintf("%s/" LAYER_FRAME, t->layer->chain);

	if (t->layer->blob_is_kept && !blob_is_there(t) &&
	    linkat(t->dir, LAYER_FRAME, t->run->req->in->layers_fd, frame, 0) < 0 &&
	    errno != ENOENT && errno != EEXIST)
		return error_sys(err, -errno, "put the frame of layer %zu in place", t->i + 1);
	give_up(t);
	return 0;
}

static int publish(struct task *t, struct error *err)
{
	const struct incoming *in = t->run->req->in;
	int r = publish_blob(t, err);

	if (r < 0 || t->dir < 0)
		return r;
	if (renameat(in->root_fd, t->path, in->layers_fd, t->layer->chain) < 0)
		return errno == EEXIST || errno == ENOTEMPTY
			       ? yield(t, err)
			       : error_sys(err, -errno, "put layer %zu in place", t->i + 1);
	(void)close(t->dir);
	t->dir = -1;
	return 0;
}

static void prepare(struct run *run)
{
	char chain[DIGEST_HEX_LEN + 1] = "";

	for (size_t i = 0; i < run->req->n; i++) {
		struct unpack_layer *layer = &run->req->layers[i];

		chain_next(chain, layer->info.diff_id);
		(void)snprintf(layer->chain, sizeof(layer->chain), "%s", chain);
		run->tasks[i] = (struct task) {
			.run = run, .layer = layer, .i = i, .dir = -1, .blob_fd = -1
		};
	}
}

/* Claims what can be had; for the first layer of them it may wait. */
static int claim_some(struct run *run, struct patience *patience, size_t *ret_n, struct error *err)
{
	*ret_n = 0;
	for (size_t i = 0; i < run->req->n; i++) {
		struct task *t = &run->tasks[i];
		struct patience *p = patience && (*ret_n == 0 || patience->over) ? patience : NULL;
		int r = -EWOULDBLOCK;

		if (t->state != STATE_TODO)
			continue;
		do
			r = claim_layer(run->req->in, t->layer->chain, p, &t->dir, &t->path,
					&t->why);
		while (r == -EWOULDBLOCK && p);
		if (r == -EWOULDBLOCK)
			continue;
		if (r < 0) {
			*(err ? err : &t->why) = t->why;
			return r;
		}
		t->state = STATE_CLAIMED;
		(*ret_n)++;
	}
	return 0;
}

/* Says what is waited for, once, and how long that may take. */
static void begin_to_wait(struct run *run)
{
	struct patience *p = &run->patience;
	int64_t bytes = 0;
	bool first = p->end_ms == 0;

	strv_done(&p->chains);
	for (size_t i = 0; i < run->req->n; i++) {
		const struct task *t = &run->tasks[i];

		if (t->state != STATE_TODO)
			continue;
		strv_add(&p->chains, t->layer->chain);
		bytes += MAX(t->layer->info.blob_size, 0);
	}
	if (p->chains.n == 0)
		return;
	patience_begin(p, bytes);
	if (first && run->req->waits)
		run->req->waits(run->req->data, p->chains.n);
}

static int publish_all(struct run *run, struct error *err)
{
	int r = sync_all(run, err);

	for (size_t i = 0; r == 0 && i < run->req->n; i++) {
		struct task *t = &run->tasks[i];

		if (t->state != STATE_UNPACKED && t->state != STATE_PUBLISHED)
			continue;
		r = publish(t, err);
		t->state = STATE_PUBLISHED;
	}
	return r;
}

static int run_rounds(struct run *run, struct error *err)
{
	struct patience *patience = NULL;
	size_t n;
	int r;

	for (;;) {
		r = claim_some(run, patience, &n, err);
		if (r < 0)
			return r;
		if (n == 0 && patience)
			return 0; /* nothing is left */
		r = run_workers(run, n, err);
		if (r == 0)
			r = first_failure(run, err);
		if (r == 0)
			r = publish_all(run, err);
		if (r < 0)
			return r;
		begin_to_wait(run);
		patience = &run->patience;
	}
}

int unpack_layers(struct unpack_request *req, struct error *err)
{
	autoclose int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct run run = { .req = req, .stop_fd = stop };
	int r;

	if (stop < 0)
		return error_sys(err, -errno, "make an event");
	run.tasks = xcalloc(MAX(req->n, 1U), sizeof(*run.tasks));
	(void)pthread_mutex_init(&run.lock, NULL);
	(void)pthread_cond_init(&run.changed, NULL);
	prepare(&run);
	r = run_rounds(&run, err);
	patience_done(&run.patience);
	for (size_t i = 0; i < req->n; i++)
		give_up(&run.tasks[i]);
	(void)pthread_mutex_destroy(&run.lock);
	(void)pthread_cond_destroy(&run.changed);
	free(run.tasks);
	return r;
}
