/* src/transfer/feed.c */
#include "transfer/feed.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/unpack.h"
#include "transfer/progress.h"
#include "transfer/remote.h"

#define PIPE_SIZE     (1 << 20)
#define BUFFER_SIZE   (256U << 10)
#define LAST_WORDS_MS 2000 /* for a reason, once the data has turned out bad */

struct feed_item {
	struct feed *feed;
	const struct unpack_layer *layer;
	struct channel *channel;
	int partial;  /* to read what is there; -1 */
	int64_t have; /* bytes of it */
	int out;      /* our end of the pipe while the feeder runs; -1 */
	bool asked;   /* the registry was, so that there will be an answer */
	bool feeding; /* the thread runs */
	bool named;   /* ROOT/partial/HEX is ours */
	pthread_t thread;
	struct error why;
};

int feed_init(struct feed *f, struct remote *remote, const char *repository, int root_fd,
	      const struct unpack_layer *layers, size_t n, struct error *err)
{
	*f = (struct feed) {
		.remote = remote, .repository = repository, .layers = layers, .partial_fd = -1
	};
	f->items = xcalloc(MAX(n, 1U), sizeof(*f->items));
	f->n = n;
	for (size_t i = 0; i < n; i++)
		f->items[i] = (struct feed_item) {
			.feed = f, .layer = &layers[i], .partial = -1, .out = -1
		};
	return dir_ensure_at(root_fd, "partial", 0700, &f->partial_fd, err);
}

void feed_done(struct feed *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].partial >= 0)
			(void)close(f->items[i].partial);
	free(f->items);
	if (f->items && f->partial_fd >= 0)
		(void)close(f->partial_fd);
	f->items = NULL;
}

int64_t feed_bytes(const struct feed *f)
{
	return atomic_load(&f->bytes);
}

/* In ROOT/partial, as the manifest has it: what else it will be called is told at the end. */
static const char *partial_name(const struct unpack_layer *layer)
{
	return layer->sha512[0] ? layer->sha512 : layer->info.blob;
}

void feed_forget(struct feed *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].named)
			(void)unlinkat(f->partial_fd, partial_name(f->items[i].layer), 0);
}

/* The partial file, locked: two descriptors, one to read what is there, one to write all of it
 * again from the start.  Somebody else's is left alone.
 */
static void open_partial(struct feed_item *item, int *ret_keep)
{
	const char *name = partial_name(item->layer);
	int dir = item->feed->partial_fd;

	for (unsigned tries = 0; tries < 10; tries++) {
		autoclose int fd =
			openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		struct stat st;

		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
			return;
		if (st.st_nlink == 0) /* its writer has just put it in place */
			continue;
		if (st.st_size > item->layer->info.blob_size && ftruncate(fd, 0) < 0)
			return;
		item->have = st.st_size > item->layer->info.blob_size ? 0 : st.st_size;
		item->partial = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (item->partial < 0)
			return;
		item->named = true;
		*ret_keep = steal_fd(&fd);
		return;
	}
}

static int ask(struct feed_item *item, struct error *err)
{
	char digest[UNPACK_DIGEST_LEN];
	json_t *request;
	int r;

	unpack_layer_digest(item->layer, digest);
	request =
		json_pack("{s:s, s:s, s:s, s:I, s:I}", "op", "blob", "name", item->feed->repository,
			  "digest", digest, "size", (json_int_t)item->layer->info.blob_size,
			  "offset", (json_int_t)item->have);
	r = channel_ask(item->channel, request, NULL, 0, item->out, err);
	item->asked = r == 0;
	(void)close(steal_fd(&item->out));
	return r;
}

/* What is there goes into the pipe first. */
static void *feed_partial(void *data)
{
	struct feed_item *item = data;
	autofree char *buffer = xmalloc(BUFFER_SIZE);
	int64_t offset = 0;
	sigset_t pipe_set;

	/* A reader that goes is an error of the write, nothing to die of. */
	(void)sigemptyset(&pipe_set);
	(void)sigaddset(&pipe_set, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_set, NULL);
	while (offset < item->have) {
		size_t want = (size_t)MIN((int64_t)BUFFER_SIZE, item->have - offset);
		ssize_t n = TEMP_FAILURE_RETRY(pread(item->partial, buffer, want, offset));

		if (n <= 0 || file_write_all(item->out, buffer, (size_t)n) < 0) {
			(void)close(steal_fd(&item->out));
			return NULL;
		}
		offset += n;
	}
	if (item->have == item->layer->info.blob_size)
		(void)close(steal_fd(&item->out));
	else
		ignore_result(ask(item, &item->why));
	return NULL;
}

int feed_open(void *data, size_t i, struct unpack_source *ret, struct error *err)
{
	struct feed *f = data;
	struct feed_item *item = &f->items[i];
	int ends[2], keep = -1, r;

	r = channel_open(f->remote, &item->channel, err);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		channel_close(steal_ptr(&item->channel));
		return error_sys(err, -errno, "make a pipe");
	}
	(void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	open_partial(item, &keep);
	item->out = ends[1];
	if (item->have > 0)
		item->feeding = pthread_create(&item->thread, NULL, feed_partial, item) == 0;
	if (!item->feeding) {
		item->have = 0;
		r = ask(item, err);
	}
	if (r < 0) {
		(void)close(ends[0]);
		if (keep >= 0)
			(void)close(keep);
		channel_close(steal_ptr(&item->channel));
		return r;
	}
	*ret = (struct unpack_source) { .fd = ends[0], .offset = -1, .keep_fd = keep };
	return 0;
}

/* Whether a failure has a better reason than that the data ended. */
static int last_words(struct feed_item *item, int r, struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	struct pollfd p = { .fd = channel_fd(item->channel), .events = POLLIN };
	struct error why = { 0 };
	int got;

	/* Stopped for the sake of another layer, or put off: what this one would say does not
	 * matter.
	 */
	if (!item->asked || r == -ECANCELED || r == -EAGAIN || poll(&p, 1, LAST_WORDS_MS) <= 0)
		return r;
	got = channel_answer(item->channel, &m, &why);
	if (got >= 0 || got == -EPIPE)
		return r;
	if (err)
		*err = why;
	return got;
}

/* All is there and right, so whatever the answer says does not matter; but it has to be read. */
static void settle(struct feed_item *item)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;

	ignore_result(channel_answer(item->channel, &m, NULL));
}

/* Bytes that are all there and wrong are of no use to anybody. */
static void drop_bad(struct feed_item *item, int r, int answered)
{
	if (r == -EBADMSG && answered == r && item->named)
		(void)unlinkat(item->feed->partial_fd, partial_name(item->layer), 0);
}

int feed_close(void *data, size_t i, int fd, int r, struct error *err)
{
	struct feed *f = data;
	struct feed_item *item = &f->items[i];
	int answered = r;

	(void)close(fd);
	if (item->feeding)
		(void)pthread_join(item->thread, NULL);
	item->feeding = false;
	if (r < 0)
		answered = last_words(item, r, err);
	else if (item->asked)
		settle(item);
	drop_bad(item, r, answered);
	atomic_fetch_add(&f->bytes, MAX(atomic_load(&item->layer->got) - item->have, 0));
	channel_release(steal_ptr(&item->channel));
	return answered;
}

void feed_waits(void *data, size_t n)
{
	const struct feed *f = data;
	autofree char *text =
		xasprintf("waiting for another command that makes %zu of its layers", n);

	if (f->progress)
		progress_note(f->progress, text);
}
