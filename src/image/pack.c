/* src/image/pack.c
 *
 * gzip: a ring of blocks.  The caller fills them in turn, workers compress whichever are full, and
 * the caller hands the results on in order.
 */
#include "image/pack.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"

#define BLOCK_SIZE  (1U << 20)
#define BLOCK_ROOM  (BLOCK_SIZE + BLOCK_SIZE / 8 + 1024) /* stored blocks, header and trailer */
#define WORKERS_MAX 8
#define BLOCKS_MAX  (2 * WORKERS_MAX)
#define GZIP_LEVEL  3
#define ZSTD_LEVEL  3
#define ZSTD_OUT    (256U << 10)

enum block_state { BLOCK_FREE, BLOCK_FULL, BLOCK_BUSY, BLOCK_DONE };

struct block {
	enum block_state state;
	unsigned char *in, *out;
	size_t in_len, out_len;
};

struct packer {
	enum packing packing;
	pack_sink sink;
	void *data;
	/* gzip */
	struct block blocks[BLOCKS_MAX];
	size_t nblocks, nworkers;
	size_t filled, taken, handed; /* blocks, ever */
	bool closed, any;
	pthread_t workers[WORKERS_MAX];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* zstd */
	ZSTD_CCtx *zstd;
	unsigned char *out;
};

/* gzip */

static void compress_block(struct block *b, unsigned char *level_buffer)
{
	struct isal_zstream z;

	isal_deflate_stateless_init(&z);
	z.level = GZIP_LEVEL;
	z.level_buf = level_buffer;
	z.level_buf_size = ISAL_DEF_LVL3_DEFAULT;
	z.gzip_flag = IGZIP_GZIP;
	z.end_of_stream = 1;
	z.flush = NO_FLUSH;
	z.next_in = b->in;
	z.avail_in = (uint32_t)b->in_len;
	z.next_out = b->out;
	z.avail_out = BLOCK_ROOM;
	if (isal_deflate_stateless(&z) != COMP_OK)
		abort(); /* there is room for whatever comes */
	b->out_len = BLOCK_ROOM - z.avail_out;
}

static void *worker(void *data)
{
	struct packer *p = data;
	autofree unsigned char *level_buffer = xmalloc(ISAL_DEF_LVL3_DEFAULT);

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		struct block *b;

		while (p->taken == p->filled && !p->closed)
			(void)pthread_cond_wait(&p->changed, &p->lock);
		if (p->taken == p->filled)
			break;
		b = &p->blocks[p->taken++ % p->nblocks];
		b->state = BLOCK_BUSY;
		(void)pthread_mutex_unlock(&p->lock);
		compress_block(b, level_buffer);
		(void)pthread_mutex_lock(&p->lock);
		b->state = BLOCK_DONE;
		(void)pthread_cond_broadcast(&p->changed);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Hands on the oldest block. */
static int hand_on(struct packer *p, struct error *err)
{
	struct block *b = &p->blocks[p->handed % p->nblocks];
	int r;

	(void)pthread_mutex_lock(&p->lock);
	while (b->state != BLOCK_DONE)
		(void)pthread_cond_wait(&p->changed, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
	r = p->sink(p->data, b->out, b->out_len, err);
	b->state = BLOCK_FREE;
	b->in_len = 0;
	p->handed++;
	return r;
}

static void give_block(struct packer *p, struct block *b)
{
	(void)pthread_mutex_lock(&p->lock);
	b->state = BLOCK_FULL;
	p->filled++;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

static int put_gzip(struct packer *p, const unsigned char *bytes, size_t len, struct error *err)
{
	while (len > 0) {
		struct block *b = &p->blocks[p->filled % p->nblocks];
		size_t n;

		if (p->filled - p->handed == p->nblocks) {
			int r = hand_on(p, err);

			if (r < 0)
				return r;
		}
		n = MIN(len, BLOCK_SIZE - b->in_len);
		memcpy(b->in + b->in_len, bytes, n);
		b->in_len += n;
		bytes += n;
		len -= n;
		p->any = true;
		if (b->in_len == BLOCK_SIZE)
			give_block(p, b);
	}
	return 0;
}

static int end_gzip(struct packer *p, struct error *err)
{
	struct block *b = &p->blocks[p->filled % p->nblocks];
	int r = 0;

	if (p->filled - p->handed == p->nblocks)
		r = hand_on(p, err);
	/* Nothing at all is one empty member. */
	if (r == 0 && (b->in_len > 0 || !p->any))
		give_block(p, b);
	while (r == 0 && p->handed < p->filled)
		r = hand_on(p, err);
	return r;
}

static void start_gzip(struct packer *p)
{
	size_t cores = (size_t)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);

	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->changed, NULL);
	cores = MIN(cores, (size_t)WORKERS_MAX);
	p->nblocks = 2 * cores;
	for (size_t i = 0; i < p->nblocks; i++) {
		p->blocks[i].in = xmalloc(BLOCK_SIZE);
		p->blocks[i].out = xmalloc(BLOCK_ROOM);
	}
	while (p->nworkers < cores &&
	       pthread_create(&p->workers[p->nworkers], NULL, worker, p) == 0)
		p->nworkers++;
	if (p->nworkers == 0)
		abort(); /* as for want of memory */
}

static void stop_gzip(struct packer *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->closed = true;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->nworkers; i++)
		(void)pthread_join(p->workers[i], NULL);
	for (size_t i = 0; i < p->nblocks; i++) {
		free(p->blocks[i].in);
		free(p->blocks[i].out);
	}
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->changed);
}

/* zstd */

static void start_zstd(struct packer *p)
{
	long cores = MIN(MAX(sysconf(_SC_NPROCESSORS_ONLN), 1), WORKERS_MAX);

	p->zstd = ZSTD_createCCtx();
	p->out = xmalloc(ZSTD_OUT);
	(void)ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	(void)ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_nbWorkers, (int)cores);
}

static int run_zstd(struct packer *p, const void *bytes, size_t len, bool end, struct error *err)
{
	ZSTD_inBuffer in = { bytes, len, 0 };
	size_t left = 1;

	while (in.pos < in.size || (end && left > 0)) {
		ZSTD_outBuffer out = { p->out, ZSTD_OUT, 0 };
		int r;

		left = ZSTD_compressStream2(p->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return error_set(err, -EIO, "zstd: %s", ZSTD_getErrorName(left));
		r = out.pos ? p->sink(p->data, p->out, out.pos, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* both */

struct packer *packer_new(enum packing packing, pack_sink sink, void *data)
{
	struct packer *p = xnew(struct packer);

	p->packing = packing;
	p->sink = sink;
	p->data = data;
	if (packing == PACKING_GZIP)
		start_gzip(p);
	else if (packing == PACKING_ZSTD)
		start_zstd(p);
	return p;
}

void packer_free(struct packer *p)
{
	if (!p)
		return;
	if (p->packing == PACKING_GZIP)
		stop_gzip(p);
	(void)ZSTD_freeCCtx(p->zstd);
	free(p->out);
	free(p);
}

int packer_put(struct packer *p, const void *bytes, size_t len, struct error *err)
{
	if (p->packing == PACKING_NONE)
		return p->sink(p->data, bytes, len, err);
	return p->packing == PACKING_GZIP ? put_gzip(p, bytes, len, err)
					  : run_zstd(p, bytes, len, false, err);
}

int packer_end(struct packer *p, struct error *err)
{
	if (p->packing == PACKING_NONE)
		return 0;
	return p->packing == PACKING_GZIP ? end_gzip(p, err) : run_zstd(p, NULL, 0, true, err);
}
