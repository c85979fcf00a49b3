/* src/disk/content.c */
#include "disk/content.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/packed.h"
#include "kernel/rootdir.h"

#define COPY_SIZE (1U << 20)

struct content content_of_bytes(char *bytes, size_t len)
{
	return (struct content) {
		.kind = CONTENT_BYTES, .fd = -1, .bytes = bytes, .size = (int64_t)len
	};
}

struct content content_of_path(int dir, const char *path, const struct stat *st)
{
	return (struct content) { .kind = CONTENT_PATH,
				  .fd = dir,
				  .path = xstrdup(path),
				  .size = st->st_size,
				  .sparse = st->st_blocks * 512 < st->st_size };
}

void content_add_piece(struct content *c, int64_t at, int64_t from, int64_t len)
{
	struct piece *last = c->n ? &c->pieces[c->n - 1] : NULL;

	if (last && !last->packed && last->at + last->len == at && last->from + last->len == from) {
		last->len += len;
		return;
	}
	VEC_GROW(c->pieces, c->n, c->room);
	assert(c->pieces);
	c->pieces[c->n++] = (struct piece) { at, from, len, NULL };
}

void content_add_packed(struct content *c, int64_t at, int64_t skip, int64_t len,
			const struct packed *packed)
{
	struct packed *own = xnew(struct packed);

	*own = *packed;
	VEC_GROW(c->pieces, c->n, c->room);
	assert(c->pieces);
	c->pieces[c->n++] = (struct piece) { at, skip, len, own };
}

void content_done(struct content *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->pieces[i].packed);
	free(c->path);
	free(c->pieces);
	free(c->bytes);
	*c = (struct content) { .fd = -1 };
}

int content_open(const struct content *c, struct content_reader *ret, struct error *err)
{
	struct stat st;

	*ret = (struct content_reader) { .content = c, .fd = -1 };
	if (c->kind != CONTENT_PATH)
		return 0;
	ret->fd = rootdir_open_at(c->fd, c->path, O_RDONLY | O_NOFOLLOW,
				  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (ret->fd < 0)
		return error_sys(err, ret->fd, "open %s", c->path);
	if (fstat(ret->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != c->size) {
		content_close(ret);
		return error_set(err, -ESTALE, "%s changed while it was read", c->path);
	}
	return 0;
}

void content_close(struct content_reader *rd)
{
	if (rd->fd >= 0)
		(void)close(rd->fd);
	unpacker_free(rd->unpacker);
	rd->unpacker = NULL;
	rd->fd = -1;
}

static int next_piece(struct content_reader *rd, int64_t at, int64_t *ret_at, int64_t *ret_len)
{
	const struct content *c = rd->content;

	if (rd->piece > 0 && c->pieces[rd->piece - 1].at + c->pieces[rd->piece - 1].len > at)
		rd->piece = 0;
	for (; rd->piece < c->n; rd->piece++) {
		const struct piece *p = &c->pieces[rd->piece];

		if (p->at + p->len > at) {
			*ret_at = MAX(at, p->at);
			*ret_len = p->at + p->len - *ret_at;
			return 1;
		}
	}
	return 0;
}

int content_next(struct content_reader *rd, int64_t at, int64_t *ret_at, int64_t *ret_len)
{
	const struct content *c = rd->content;
	off_t start, end;

	/* A file that says it has bytes, and no disk has any for it, is one hole. */
	if (at >= c->size || (c->kind == CONTENT_BYTES && !c->bytes))
		return 0;
	if (c->kind == CONTENT_PIECES)
		return next_piece(rd, at, ret_at, ret_len);
	start = c->kind == CONTENT_PATH ? lseek(rd->fd, at, SEEK_DATA) : at;
	if (start < 0 && errno == ENXIO)
		return 0;
	end = c->kind == CONTENT_PATH && start >= 0 ? lseek(rd->fd, start, SEEK_HOLE) : c->size;
	/* A file system that does not tell holes has none. */
	*ret_at = start < 0 ? at : start;
	*ret_len = (end < 0 ? c->size : MIN(end, c->size)) - *ret_at;
	return *ret_len > 0;
}

bool content_next_blocks(struct content_reader *rd, int64_t block, int64_t at, int64_t *ret_at,
			 int64_t *ret_len)
{
	int64_t start, len, first = -1, end = -1;

	while (content_next(rd, at, &start, &len) > 0) {
		int64_t begins = start / block * block;

		if (first >= 0 && begins > end)
			break;
		first = first < 0 ? begins : first;
		at = start + len;
		end = (at + block - 1) / block * block;
	}
	if (first < 0)
		return false;
	*ret_at = first;
	*ret_len = end - first;
	return true;
}

int content_count(const struct content *c, int64_t block, int64_t *ret_blocks, int64_t *ret_runs,
		  struct error *err)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t at = 0, start, len;
	int r;

	*ret_blocks = (c->size + block - 1) / block;
	*ret_runs = c->size ? 1 : 0;
	if (!c->sparse && (c->kind != CONTENT_PIECES || c->n == 1))
		return 0;
	r = content_open(c, &rd, err);
	if (r < 0)
		return r;
	*ret_blocks = *ret_runs = 0;
	while (content_next_blocks(&rd, block, at, &start, &len)) {
		at = start + len;
		*ret_blocks += len / block;
		++*ret_runs;
	}
	return 0;
}

static int write_all_at(int to, const char *bytes, int64_t len, int64_t at)
{
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(to, bytes, (size_t)len, at));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		len -= n;
		at += n;
	}
	return 0;
}

/* copy_file_range() shares blocks where the file system can; where it cannot the kernel copies. */
static int copy_between(int from, int64_t at, int64_t len, int to, int64_t to_at)
{
	autofree char *buffer = NULL;

	while (len > 0) {
		off_t in = at, out = to_at;
		ssize_t n =
			TEMP_FAILURE_RETRY(copy_file_range(from, &in, to, &out, (size_t)len, 0));

		if (n <= 0) {
			if (!buffer)
				buffer = xmalloc(COPY_SIZE);
			n = TEMP_FAILURE_RETRY(
				pread(from, buffer, (size_t)MIN(len, (int64_t)COPY_SIZE), at));
			if (n <= 0)
				return n < 0 ? -errno : -ESTALE;
			if (write_all_at(to, buffer, n, to_at) < 0)
				return -errno;
		}
		at += n;
		to_at += n;
		len -= n;
	}
	return 0;
}

static int unpack(struct content_reader *rd, const struct piece *p, const char **ret)
{
	int r;

	if (!rd->unpacker)
		rd->unpacker = unpacker_new();
	r = unpacker_get(rd->unpacker, rd->content->fd, p->packed, ret);
	if (r == 0)
		*ret += p->from;
	return r;
}

/* Bytes of one piece, from skip on. */
static int copy_piece(struct content_reader *rd, const struct piece *p, int64_t skip, int64_t len,
		      int to, int64_t to_at)
{
	const char *bytes;
	int r;

	if (!p->packed)
		return copy_between(rd->content->fd, p->from + skip, len, to, to_at);
	r = unpack(rd, p, &bytes);
	return r < 0 ? r : write_all_at(to, bytes + skip, len, to_at);
}

int content_copy(struct content_reader *rd, int64_t at, int64_t len, int to, int64_t to_at)
{
	const struct content *c = rd->content;
	const struct piece *p;

	switch (c->kind) {
	case CONTENT_BYTES:
		return write_all_at(to, c->bytes + at, len, to_at);
	case CONTENT_PATH:
		return copy_between(rd->fd, at, len, to, to_at);
	case CONTENT_PIECES:
		break;
	}
	for (size_t i = rd->piece; len > 0 && i < c->n; i++) {
		int64_t skip, part;
		int r;

		p = &c->pieces[i];
		if (p->at + p->len <= at)
			continue;
		skip = at - p->at;
		part = MIN(len, p->len - skip);
		if (skip < 0)
			return -EINVAL;
		r = copy_piece(rd, p, skip, part, to, to_at);
		if (r < 0)
			return r;
		at += part;
		to_at += part;
		len -= part;
	}
	return len ? -EINVAL : 0;
}

/* One run lies within one piece, since pieces that touch are one. */
int content_get(struct content_reader *rd, int64_t at, int64_t len, char *to)
{
	const struct content *c = rd->content;
	const struct piece *p = c->kind == CONTENT_PIECES ? &c->pieces[rd->piece] : NULL;
	int fd = p ? c->fd : rd->fd;
	int64_t from = p ? p->from + at - p->at : at;

	if (c->kind == CONTENT_BYTES) {
		memcpy(to, c->bytes + at, (size_t)len);
		return 0;
	}
	if (p && p->packed) {
		const char *bytes;
		int r = unpack(rd, p, &bytes);

		if (r == 0)
			memcpy(to, bytes + at - p->at, (size_t)len);
		return r;
	}
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pread(fd, to, (size_t)len, from));

		if (n <= 0)
			return n < 0 ? -errno : -ESTALE;
		to += n;
		from += n;
		len -= n;
	}
	return 0;
}

struct content content_clone(const struct content *c)
{
	struct content copy = *c;

	copy.path = c->path ? xstrdup(c->path) : NULL;
	copy.pieces = NULL;
	copy.n = copy.room = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct piece *p = &c->pieces[i];

		if (p->packed)
			content_add_packed(&copy, p->at, p->from, p->len, p->packed);
		else
			content_add_piece(&copy, p->at, p->from, p->len);
	}
	if (c->bytes) {
		copy.bytes = xmalloc((size_t)c->size + 1);
		memcpy(copy.bytes, c->bytes, (size_t)c->size);
	}
	return copy;
}

int content_read(const struct content *c, size_t max, size_t want, char **ret, size_t *ret_len,
		 struct error *err)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	const char *what = c->path ? c->path : "a file";
	int64_t at = 0, start, len, end = MIN(c->size, (int64_t)want);
	autofree char *bytes = NULL;
	int r;

	if (c->size > (int64_t)max)
		return error_set(err, -EFBIG, "%s is larger than %zu bytes", what, max);
	r = content_open(c, &rd, err);
	if (r < 0)
		return r;
	bytes = xcalloc(1, (size_t)end + 1);
	while (content_next(&rd, at, &start, &len) > 0 && start < end) {
		r = content_get(&rd, start, MIN(len, end - start), bytes + start);
		if (r < 0)
			return error_sys(err, r, "read %s", what);
		at = start + len;
	}
	*ret = steal_ptr(&bytes);
	*ret_len = (size_t)end;
	return 0;
}
