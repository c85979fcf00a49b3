/* tests/fuzz/fuzz_tar.c - any bytes as an archive: entries keep the promises of tar.h, and what was
 * read, written and read again is the same
 */
#include "fuzz.h"
#include "image/tar_read.h"
#include "image/tar_write.h"

#define OUT_MAX   (4U << 20)
#define DATA_MAX  65536 /* of one file that is written again */
#define CHUNK_MAX 4096

struct bytes {
	const uint8_t *at;
	size_t left;
};

static ssize_t feed(void *data, const void **ret, struct error *err)
{
	struct bytes *b = data;
	size_t n = MIN(b->left, (size_t)CHUNK_MAX);

	(void)err;
	*ret = b->at;
	b->at += n;
	b->left -= n;
	return (ssize_t)n;
}

struct out {
	uint8_t *bytes;
	size_t len;
};

static int sink(void *data, const void *bytes, size_t len, struct error *err)
{
	struct out *o = data;

	if (len > OUT_MAX - o->len)
		return error_set(err, -EFBIG, "enough");
	if (len)
		memcpy(o->bytes + o->len, bytes, len);
	o->len += len;
	return 0;
}

static void check_entry(const struct tar_entry *e)
{
	fuzz_must(*e->name && strlen(e->name) <= TAR_NAME_MAX && strlen(e->link) <= TAR_NAME_MAX);
	fuzz_must((e->mode & ~07777U) == 0 && e->size >= 0);
	fuzz_must(e->mtime.tv_nsec >= 0 && e->mtime.tv_nsec < 1000000000);
	fuzz_must(e->nxattrs <= TAR_XATTRS_MAX);
}

/* Its data lies within its size, pieces do not run backwards. */
static void check_data(struct tar_reader *t, const struct tar_entry *e)
{
	int64_t end = 0, offset;
	const void *bytes;
	ssize_t n;

	while ((n = tar_data(t, &bytes, &offset, NULL)) > 0) {
		fuzz_must(offset >= end && offset <= e->size - n);
		end = offset + n;
	}
}

static int write_again(struct tar_writer *w, const struct tar_entry *e)
{
	static const char zeros[DATA_MAX];
	int r;

	if (e->size > DATA_MAX || e->major > 2097151 || e->minor > 2097151)
		return -EFBIG;
	r = tar_put(w, e, NULL);
	return r < 0 || e->type != TAR_FILE || e->size == 0
		       ? r
		       : tar_put_data(w, zeros, (size_t)e->size, NULL);
}

static void read_all(const uint8_t *data, size_t size, struct tar_writer *w, size_t *ret_n)
{
	struct bytes b = { data, size };
	cleanup(tar_reader_cleanup) struct tar_reader *t = tar_reader_new(feed, &b);
	const struct tar_entry *e;
	struct error err = { 0 };
	int r;

	*ret_n = 0;
	while ((r = tar_next(t, &e, &err)) > 0) {
		check_entry(e);
		check_data(t, e);
		if (w && write_again(w, e) == 0)
			++*ret_n;
		else if (!w)
			++*ret_n;
	}
	fuzz_must(r == 0 || err.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree uint8_t *bytes = xmalloc(OUT_MAX);
	struct out o = { .bytes = bytes };
	cleanup(tar_writer_cleanup) struct tar_writer *w = tar_writer_new(sink, &o);
	size_t written, again;

	read_all(data, size, w, &written);
	if (tar_put_end(w, NULL) < 0)
		return 0;
	read_all(o.bytes, o.len, NULL, &again);
	fuzz_must(written == again);
	return 0;
}
