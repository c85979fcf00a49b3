/* src/image/stream.c
 *
 * A ring of slots between two threads: one reads, hashes, keeps and inflates, the other (the
 * caller) hashes what came out and uses it.  Without a thread the caller fills the one slot itself.
 */
#include "image/stream.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define IN_SIZE    (256U << 10)
#define SLOT_SIZE  (512U << 10)
#define SLOTS      4
#define KIND_BYTES 4

struct slot {
	unsigned char *bytes;
	size_t len;
};

struct stream {
	struct stream_request req;
	int64_t read; /* bytes of the blob */
	enum packing packing;
	struct inflate *inflate;
	struct digest stored, unpacked, sha512;
	uint64_t total;
	unsigned char *in;
	size_t in_len, in_used;
	bool in_end; /* nothing more to read */
	bool large;  /* it was asked for */

	struct slot slots[SLOTS];
	size_t head, tail;  /* slots filled and slots given back, ever */
	bool in_use;        /* the consumer has slot tail */
	bool ended, closed; /* the producer is through; the consumer wants no more */
	int r;              /* why the producer stopped */
	struct error why;
	bool running;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* reading */

/* 0 when there is something to read or an end, -ECANCELED. */
static int wait_for_pipe(const struct stream *s)
{
	struct pollfd fds[2] = { { .fd = s->req.fd, .events = POLLIN },
				 { .fd = s->req.stop_fd, .events = POLLIN } };

	if (s->req.offset >= 0 || s->req.stop_fd < 0)
		return 0;
	if (TEMP_FAILURE_RETRY(poll(fds, 2, -1)) < 0)
		return -errno;
	return fds[1].revents ? -ECANCELED : 0;
}

static ssize_t read_some(const struct stream *s, void *bytes, size_t len)
{
	int r = wait_for_pipe(s);
	ssize_t n;

	if (r < 0)
		return r;
	n = s->req.offset < 0
		    ? TEMP_FAILURE_RETRY(read(s->req.fd, bytes, len))
		    : TEMP_FAILURE_RETRY(pread(s->req.fd, bytes, len, s->req.offset + s->read));
	return n < 0 ? -errno : n;
}

/* The next bytes of the blob, hashed and kept; 0 at the end. */
static ssize_t read_blob(struct stream *s, void *bytes, size_t room, struct error *err)
{
	size_t want = room;
	ssize_t n;
	int r;

	if (s->req.size >= 0)
		want = (size_t)MIN((int64_t)want, s->req.size - s->read);
	n = want ? read_some(s, bytes, want) : 0;
	if (n < 0)
		return error_sys(err, (int)n, "read the layer");
	if (n == 0 && s->req.size >= 0 && s->read < s->req.size)
		return error_set(err, -EBADMSG, "the layer ends after %lld of %lld bytes",
				 (long long)s->read, (long long)s->req.size);
	s->in_end = n == 0;
	s->read += n;
	/* What is not packed has one digest, that of what comes out. */
	if (s->packing != PACKING_NONE && !s->req.unhashed)
		digest_update(&s->stored, bytes, (size_t)n);
	if (s->req.sha512)
		digest_update(&s->sha512, bytes, (size_t)n);
	if (s->req.got)
		atomic_fetch_add(s->req.got, n);
	r = s->req.keep_fd < 0 ? 0 : file_write_all(s->req.keep_fd, bytes, (size_t)n);
	return r < 0 ? error_sys(err, r, "keep the layer's blob") : n;
}

static ssize_t fill(struct stream *s, struct error *err)
{
	ssize_t n;

	if (s->in_used < s->in_len || s->in_end)
		return 0;
	n = read_blob(s, s->in, IN_SIZE, err);
	if (n < 0)
		return n;
	s->in_len = (size_t)n;
	s->in_used = 0;
	return n;
}

/* A pipe may give less than what a kind is told by. */
static ssize_t fill_first(struct stream *s, struct error *err)
{
	ssize_t n = 1;

	while (n > 0 && s->in_len < KIND_BYTES) {
		n = read_blob(s, s->in + s->in_len, IN_SIZE - s->in_len, err);
		if (n > 0)
			s->in_len += (size_t)n;
	}
	return n;
}

static ssize_t produce_plain(struct stream *s, unsigned char *out, struct error *err)
{
	size_t n = s->in_len - s->in_used;

	if (n == 0)
		return s->in_end ? 0 : read_blob(s, out, SLOT_SIZE, err);
	memcpy(out, s->in + s->in_used, n); /* what its kind was told by */
	s->in_used = s->in_len;
	return (ssize_t)n;
}

static ssize_t produce_packed(struct stream *s, unsigned char *out, struct error *err)
{
	size_t made = 0;

	while (made < SLOT_SIZE) {
		ssize_t n = fill(s, err);
		size_t before = made, used = s->in_used;
		int r;

		if (n < 0)
			return n;
		if (s->in_end && s->in_used == s->in_len && inflate_at_end(s->inflate))
			break;
		r = inflate_step(s->inflate, s->in, s->in_len, &s->in_used, out, SLOT_SIZE, &made,
				 err);
		if (r == 0 && s->req.large && !s->large && inflate_is_large(s->inflate)) {
			s->large = true;
			r = s->req.large(s->req.data, err);
		}
		if (r < 0)
			return r;
		if (s->in_end && made == before && s->in_used == used &&
		    !inflate_at_end(s->inflate))
			return error_set(err, -EBADMSG, "the compressed data ends too early");
	}
	return (ssize_t)made;
}

static ssize_t produce(struct stream *s, unsigned char *out, struct error *err)
{
	ssize_t n = s->packing == PACKING_NONE ? produce_plain(s, out, err)
					       : produce_packed(s, out, err);

	if (n <= 0)
		return n;
	s->total += (uint64_t)n;
	if (s->total > STREAM_BYTES_MAX)
		return error_set(err, -EFBIG, "the layer unpacks to more than %llu GiB",
				 (unsigned long long)(STREAM_BYTES_MAX >> 30));
	return n;
}

/* the two threads */

static void *producer(void *data)
{
	struct stream *s = data;
	ssize_t n = 1;

	(void)pthread_mutex_lock(&s->lock);
	while (n > 0) {
		struct slot *slot = &s->slots[s->head % SLOTS];

		while (!s->closed && s->head - s->tail == SLOTS)
			(void)pthread_cond_wait(&s->changed, &s->lock);
		if (s->closed)
			break;
		(void)pthread_mutex_unlock(&s->lock);
		n = produce(s, slot->bytes, &s->why);
		(void)pthread_mutex_lock(&s->lock);
		if (n > 0) {
			slot->len = (size_t)n;
			s->head++;
		}
		(void)pthread_cond_signal(&s->changed);
	}
	s->ended = true;
	s->r = n < 0 ? (int)n : 0;
	(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

static int start(struct stream *s)
{
	int r = pthread_create(&s->thread, NULL, producer, s);

	s->running = r == 0;
	return -r;
}

static ssize_t next_of_thread(struct stream *s, const void **ret, struct error *err)
{
	const struct slot *slot;

	(void)pthread_mutex_lock(&s->lock);
	if (s->tail < s->head && s->in_use) {
		s->tail++;
		s->in_use = false;
		(void)pthread_cond_signal(&s->changed);
	}
	while (s->tail == s->head && !s->ended)
		(void)pthread_cond_wait(&s->changed, &s->lock);
	slot = s->tail < s->head ? &s->slots[s->tail % SLOTS] : NULL;
	s->in_use = slot != NULL;
	(void)pthread_mutex_unlock(&s->lock);
	if (slot) {
		*ret = slot->bytes;
		return (ssize_t)slot->len;
	}
	if (s->r < 0 && err)
		*err = s->why;
	return s->r;
}

ssize_t stream_next(struct stream *s, const void **ret_bytes, struct error *err)
{
	ssize_t n;

	if (s->running) {
		n = next_of_thread(s, ret_bytes, err);
	} else {
		n = produce(s, s->slots[0].bytes, err);
		*ret_bytes = s->slots[0].bytes;
	}
	if (n > 0 && !s->req.unhashed)
		digest_update(&s->unpacked, *ret_bytes, (size_t)n);
	return n;
}

/* the whole */

static int choose_keep(struct stream *s, struct error *err)
{
	int r = s->req.choose_keep(s->req.data, s->packing, &s->req.keep_fd, err);

	if (r < 0 || s->req.keep_fd < 0)
		return r;
	r = file_write_all(s->req.keep_fd, s->in, s->in_len);
	return r < 0 ? error_sys(err, r, "keep the layer's blob") : 0;
}

int stream_open(const struct stream_request *req, struct stream **ret, struct error *err)
{
	cleanup(stream_cleanup) struct stream *s = xnew(struct stream);
	ssize_t n;
	int r = 0;

	s->req = *req;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, NULL);
	s->in = xmalloc(IN_SIZE);
	for (size_t i = 0; i < (req->threaded ? SLOTS : 1); i++)
		s->slots[i].bytes = xmalloc(SLOT_SIZE);
	digest_init(&s->stored);
	digest_init(&s->unpacked);
	if (req->sha512)
		digest512_init(&s->sha512);
	n = fill_first(s, err);
	if (n < 0)
		return (int)n;
	s->packing = packing_detect(s->in, s->in_len);
	if (s->packing != PACKING_NONE) {
		digest_update(&s->stored, s->in, s->in_len);
		s->inflate = inflate_new(s->packing);
	}
	if (req->choose_keep)
		r = choose_keep(s, err);
	if (r < 0)
		return r;
	if (req->threaded)
		r = start(s);
	if (r < 0)
		return error_sys(err, r, "start a thread");
	*ret = steal_ptr(&s);
	return 0;
}

int stream_finish(struct stream *s, char ret_stored[DIGEST_HEX_LEN + 1],
		  char ret_unpacked[DIGEST_HEX_LEN + 1], struct error *err)
{
	const void *bytes = NULL;
	ssize_t n;

	do
		n = stream_next(s, &bytes, err);
	while (n > 0);
	if (n < 0)
		return (int)n;
	digest_final(&s->unpacked, ret_unpacked);
	if (s->packing == PACKING_NONE)
		memcpy(ret_stored, ret_unpacked, DIGEST_HEX_LEN + 1);
	else
		digest_final(&s->stored, ret_stored);
	return 0;
}

void stream_sha512(struct stream *s, char ret[DIGEST512_HEX_LEN + 1])
{
	digest512_final(&s->sha512, ret);
}

int64_t stream_stored_size(const struct stream *s)
{
	return s->read;
}

int64_t stream_unpacked_size(const struct stream *s)
{
	return (int64_t)s->total;
}

enum packing stream_packing(const struct stream *s)
{
	return s->packing;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->closed = true;
	(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	if (s->running)
		(void)pthread_join(s->thread, NULL);
	inflate_free(s->inflate);
	digest_done(&s->stored);
	digest_done(&s->unpacked);
	digest_done(&s->sha512);
	for (size_t i = 0; i < SLOTS; i++)
		free(s->slots[i].bytes);
	free(s->in);
	(void)pthread_mutex_destroy(&s->lock);
	(void)pthread_cond_destroy(&s->changed);
	free(s);
}
