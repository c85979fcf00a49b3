/* src/image/tar_write.c */
#include "image/tar_write.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

#define OUT_SIZE (256U << 10)
#define PAX_MAX  (TAR_XATTRS_MAX * 66000U + 32768)
#define OCTAL7   2097151LL    /* what 7 octal digits hold */
#define OCTAL11  8589934591LL /* 11 */
#define NAME_LEN 100
#define PREFIX   155

struct tar_writer {
	tar_sink sink;
	void *data;
	unsigned char *out;
	size_t used;
	int64_t left;    /* of the current file's data */
	int64_t padding; /* behind it */
	bool fractions;
};

struct tar_writer *tar_writer_new(tar_sink sink, void *data)
{
	struct tar_writer *w = xnew(struct tar_writer);

	w->sink = sink;
	w->data = data;
	w->out = xmalloc(OUT_SIZE);
	return w;
}

void tar_writer_keep_fractions(struct tar_writer *w)
{
	w->fractions = true;
}

void tar_writer_free(struct tar_writer *w)
{
	if (!w)
		return;
	free(w->out);
	free(w);
}

/* bytes */

static int flush(struct tar_writer *w, struct error *err)
{
	size_t n = w->used;

	w->used = 0;
	return n ? w->sink(w->data, w->out, n, err) : 0;
}

static int put(struct tar_writer *w, const void *bytes, size_t len, struct error *err)
{
	int r;

	if (len > OUT_SIZE - w->used) {
		r = flush(w, err);
		if (r < 0)
			return r;
	}
	if (len >= OUT_SIZE)
		return w->sink(w->data, bytes, len, err);
	if (len)
		memcpy(w->out + w->used, bytes, len);
	w->used += len;
	return 0;
}

static int put_zeros(struct tar_writer *w, int64_t len, struct error *err)
{
	static const char zeros[2 * TAR_BLOCK];

	assert(len >= 0 && len <= (int64_t)sizeof(zeros));
	return put(w, zeros, (size_t)len, err);
}

static int64_t padding_of(int64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* pax */

/* "LEN KEY=VALUE\n", where LEN counts itself. */
static void add_record(struct buf *pax, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, total = rest + 1;
	char digits[24];

	for (;;) {
		size_t n = (size_t)snprintf(digits, sizeof(digits), "%zu", total);

		if (n + rest == total)
			break;
		total = n + rest;
	}
	buf_addf(pax, "%s %s=", digits, key);
	buf_add(pax, value, len);
	buf_add_char(pax, '\n');
}

static void add_number(struct buf *pax, const char *key, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	add_record(pax, key, text, strlen(text));
}

/* In ustar a long name is cut at a slash; NULL if it fits nowhere. */
static const char *name_cut(const char *name)
{
	size_t len = strlen(name);
	const char *cut = name;

	if (len <= NAME_LEN)
		return name;
	cut = strchr(name + len - NAME_LEN - 1, '/');
	return cut && cut > name && cut - name <= PREFIX && cut[1] ? cut + 1 : NULL;
}

static void add_time(struct buf *pax, const struct timespec *t)
{
	bool back = t->tv_sec < 0 && t->tv_nsec > 0; /* -1.25 is -2 s and 0.75 s */
	int64_t s = t->tv_sec + back;
	char text[40];
	size_t len;

	(void)snprintf(text, sizeof(text), "%s%lld.%09ld", t->tv_sec < 0 ? "-" : "",
		       (long long)(s < 0 ? -s : s), back ? 1000000000L - t->tv_nsec : t->tv_nsec);
	for (len = strlen(text); text[len - 1] == '0'; len--)
		;
	add_record(pax, "mtime", text, len);
}

/* What GNU tar calls format 0.1. */
static void add_map(const struct tar_entry *e, struct buf *pax)
{
	add_record(pax, "GNU.sparse.map", e->map, strlen(e->map));
	add_record(pax, "GNU.sparse.name", e->name, strlen(e->name));
	add_number(pax, "GNU.sparse.numblocks", e->runs);
	add_number(pax, "GNU.sparse.size", e->size);
}

static int64_t stored(const struct tar_entry *e)
{
	return e->type != TAR_FILE ? 0 : e->map ? e->mapped : e->size;
}

/* In the order of their keys. */
static void collect_records(const struct tar_entry *e, bool fractions, struct buf *pax)
{
	if (e->map)
		add_map(e, pax);
	for (size_t i = 0; i < e->nxattrs; i++) {
		autofree char *key = xasprintf("SCHILY.xattr.%s", e->xattrs[i].name);

		add_record(pax, key, e->xattrs[i].value, e->xattrs[i].len);
	}
	if (e->gid > OCTAL7)
		add_number(pax, "gid", e->gid);
	if (strlen(e->link) > NAME_LEN)
		add_record(pax, "linkpath", e->link, strlen(e->link));
	if (fractions && e->mtime.tv_nsec)
		add_time(pax, &e->mtime);
	else if (e->mtime.tv_sec < 0 || e->mtime.tv_sec > OCTAL11)
		add_number(pax, "mtime", e->mtime.tv_sec);
	if (!name_cut(e->name))
		add_record(pax, "path", e->name, strlen(e->name));
	if (stored(e) > OCTAL11)
		add_number(pax, "size", stored(e));
	if (e->uid > OCTAL7)
		add_number(pax, "uid", e->uid);
}

/* headers */

static void octal(char *field, size_t len, int64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%0*llo", (int)len - 1, (long long)value);
	memcpy(field, text, len); /* its NUL included */
}

static void put_sum(char block[TAR_BLOCK])
{
	unsigned sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)block[i];
	octal(block + 148, 7, sum);
}

static void put_name(char block[TAR_BLOCK], const char *name)
{
	const char *cut = name_cut(name);
	size_t prefix = cut && cut > name ? (size_t)(cut - name) - 1 : 0;

	if (!cut)
		cut = name; /* a pax header has it whole */
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): ustar fields may be full */
	memcpy(block, cut, MIN(strlen(cut), (size_t)NAME_LEN));
	memcpy(block + 345, name, prefix);
}

static int put_header(struct tar_writer *w, const struct tar_entry *e, char type, int64_t size,
		      struct error *err)
{
	static const char magic[8] = { 'u', 's', 't', 'a', 'r', '\0', '0', '0' };
	int64_t time = e->mtime.tv_sec;
	char block[TAR_BLOCK] = { 0 };

	put_name(block, e->name);
	octal(block + 100, 8, e->mode & 07777);
	octal(block + 108, 8, e->uid > OCTAL7 ? 0 : e->uid);
	octal(block + 116, 8, e->gid > OCTAL7 ? 0 : e->gid);
	octal(block + 124, 12, size > OCTAL11 ? 0 : size);
	octal(block + 136, 12, time < 0 || time > OCTAL11 ? 0 : time);
	block[156] = type;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the same */
	memcpy(block + 157, e->link, MIN(strlen(e->link), (size_t)NAME_LEN));
	memcpy(block + 257, magic, sizeof(magic));
	octal(block + 329, 8, MIN((int64_t)e->major, OCTAL7));
	octal(block + 337, 8, MIN((int64_t)e->minor, OCTAL7));
	put_sum(block);
	return put(w, block, sizeof(block), err);
}

static int put_pax(struct tar_writer *w, const struct buf *pax, struct error *err)
{
	struct tar_entry head = { .name = "PaxHeaders.0/x", .link = "", .mode = 0644 };
	int r = put_header(w, &head, 'x', (int64_t)pax->len, err);

	if (r == 0)
		r = put(w, pax->data, pax->len, err);
	return r < 0 ? r : put_zeros(w, padding_of((int64_t)pax->len), err);
}

int tar_put(struct tar_writer *w, const struct tar_entry *e, struct error *err)
{
	static const char types[] = {
		[TAR_FILE] = '0', [TAR_HARD_LINK] = '1',    [TAR_SYMLINK] = '2', [TAR_CHAR] = '3',
		[TAR_DIR] = '5',  [TAR_BLOCK_DEVICE] = '4', [TAR_FIFO] = '6',
	};
	struct buf pax = BUF_INIT(PAX_MAX);
	int64_t size = stored(e);
	int r = 0;

	assert(w->left == 0);
	collect_records(e, w->fractions, &pax);
	if (buf_result(&pax) < 0 || e->major > OCTAL7 || e->minor > OCTAL7)
		r = error_set(err, -EFBIG, "%.200s does not fit an archive", e->name);
	if (r == 0 && pax.len)
		r = put_pax(w, &pax, err);
	buf_done(&pax);
	if (r == 0)
		r = put_header(w, e, types[e->type], size, err);
	w->left = r < 0 ? 0 : size;
	w->padding = padding_of(size);
	return r;
}

int tar_put_data(struct tar_writer *w, const void *bytes, size_t len, struct error *err)
{
	int r;

	assert((int64_t)len <= w->left);
	r = put(w, bytes, len, err);
	w->left -= (int64_t)len;
	if (r == 0 && w->left == 0) {
		r = put_zeros(w, w->padding, err);
		w->padding = 0;
	}
	return r;
}

int tar_put_file(struct tar_writer *w, const char *name, const void *bytes, size_t len,
		 struct error *err)
{
	struct tar_entry e = {
		.name = (char *)name, .link = "", .mode = 0644, .size = (int64_t)len
	};
	int r = tar_put(w, &e, err);

	return r < 0 || len == 0 ? r : tar_put_data(w, bytes, len, err);
}

int tar_put_end(struct tar_writer *w, struct error *err)
{
	int r = put_zeros(w, 2 * TAR_BLOCK, err);

	return r < 0 ? r : flush(w, err);
}
