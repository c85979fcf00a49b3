/* src/image/tar_read.c
 *
 * Start at tar_next().  What a header says goes into struct fields, what pax records in front of it
 * say overrides that, and entry_make() turns both into an entry or refuses.
 */
#include "image/tar_read.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "image/tar_pax.h"

#define LONG_MAX_LEN (1U << 20) /* of a GNU long name's data; more than any name */

/* The 512 bytes of POSIX's ustar. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
};
static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

/* GNU's old sparse files keep their map where ustar has the prefix. */
struct gnu_sparse {
	char offset[12], len[12];
};
#define GNU_SPARSE_AT       386
#define GNU_SPARSE_N        4
#define GNU_SPARSE_EXTENDED 482
#define GNU_SPARSE_REALSIZE 483
#define GNU_SPARSE_MORE_N   21
#define GNU_SPARSE_MORE_END 504

struct tar_reader {
	tar_feed feed;
	void *data;
	struct error *err;
	const unsigned char *chunk; /* what the feed gave and is not used yet */
	size_t left;
	bool ended;
	int (*skip)(void *data, int64_t len, struct error *err); /* or NULL */
	int64_t position;
	int64_t body;    /* bytes of this entry's data that were not read */
	int64_t padding; /* behind them */
	struct tar_entry entry;
	struct pax pax;
	char *long_name, *long_link; /* GNU */
	struct sparse sparse;
	size_t piece;      /* of the sparse map */
	int64_t piece_pos; /* in it, or in the file */
};

struct tar_reader *tar_reader_new(tar_feed feed, void *data)
{
	struct tar_reader *t = xnew(struct tar_reader);

	t->feed = feed;
	t->data = data;
	return t;
}

static void entry_done(struct tar_entry *e)
{
	free(e->name);
	free(e->link);
	*e = (struct tar_entry) { .name = NULL };
}

static void reset(struct tar_reader *t)
{
	entry_done(&t->entry);
	pax_done(&t->pax);
	free(t->long_name);
	free(t->long_link);
	t->long_name = t->long_link = NULL;
	sparse_done(&t->sparse);
	t->piece = 0;
	t->piece_pos = 0;
}

void tar_reader_free(struct tar_reader *t)
{
	if (!t)
		return;
	reset(t);
	free(t);
}

/* bytes */

static int bad(const struct tar_reader *t, const char *what)
{
	return error_set(t->err, -EBADMSG, "the tar archive is not sound: %s", what);
}

/* Makes left > 0, unless the feed has ended. */
static int more(struct tar_reader *t)
{
	const void *bytes = NULL;
	ssize_t n = t->left || t->ended ? 1 : t->feed(t->data, &bytes, t->err);

	if (n < 0)
		return (int)n;
	if (n == 0)
		t->ended = true;
	if (bytes) {
		t->chunk = bytes;
		t->left = (size_t)n;
	}
	return 0;
}

/* len bytes to ret (NULL: passed over).  1; 0 if the archive ends before the first; -errno. */
static int take(struct tar_reader *t, void *ret, int64_t len)
{
	bool any = false;

	while (len > 0) {
		bool pass = !ret && t->skip && t->left == 0 && len > TAR_BLOCK;
		int r = pass ? t->skip(t->data, len - 1, t->err) : more(t);
		size_t n = (size_t)MIN((int64_t)t->left, len);

		if (r < 0)
			return r;
		/* The last byte is read, to see that it is there. */
		if (pass) {
			t->position += len - 1;
			len = 1;
			continue;
		}
		if (n == 0)
			return any ? bad(t, "it ends too early") : 0;
		if (ret) {
			memcpy(ret, t->chunk, n);
			ret = (char *)ret + n;
		}
		t->chunk += n;
		t->left -= n;
		t->position += (int64_t)n;
		len -= (int64_t)n;
		any = true;
	}
	return 1;
}

static int take_all(struct tar_reader *t, void *ret, int64_t len)
{
	int r = take(t, ret, len);

	return r < 0 ? r : len > 0 && r == 0 ? bad(t, "it ends too early") : 0;
}

static int64_t padding_of(int64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* The data of a header that describes the next one; the caller frees. */
static int take_body(struct tar_reader *t, int64_t size, char **ret)
{
	autofree char *text = NULL;
	int r;

	if (size < 0 || size > LONG_MAX_LEN)
		return bad(t, "an extended header is too large");
	text = xmalloc((size_t)size + 1);
	r = take_all(t, text, size);
	if (r == 0)
		r = take_all(t, NULL, padding_of(size));
	if (r < 0)
		return r;
	text[size] = '\0';
	*ret = steal_ptr(&text);
	return 0;
}

/* fields */

/* Octal with blanks around, or base-256. */
static int number(const struct tar_reader *t, const char *field, size_t len, int64_t *ret)
{
	const unsigned char *p = (const unsigned char *)field, *start = p, *end = p + len;
	int64_t value = 0;

	if (*p & 0x80) {
		value = *p == 0xff ? -1 : *p & 0x7f;
		for (p++; p < end; p++) {
			if (value > INT64_MAX >> 8 || value < INT64_MIN >> 8)
				return bad(t, "a number is too large");
			value = (int64_t)((uint64_t)value << 8 | *p);
		}
		*ret = value;
		return 0;
	}
	while (p < end && *p == ' ')
		p++;
	for (; p < end && *p >= '0' && *p <= '7'; p++)
		value = value * 8 + (*p - '0'); /* 12 digits at most */
	while (p < end && (*p == ' ' || *p == '\0'))
		p++;
	/* Some writers leave rubbish behind a NUL. */
	if (p < end && (p == start || p[-1] != '\0'))
		return bad(t, "a number is no number");
	*ret = value;
	return 0;
}

static int sum_check(const struct tar_reader *t, const struct header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	const size_t from = offsetof(struct header, sum), to = from + sizeof(h->sum);
	int64_t stored, plain = 0, with_sign = 0;
	int r = number(t, h->sum, sizeof(h->sum), &stored);

	for (size_t i = 0; i < sizeof(*h); i++) {
		unsigned char c = i >= from && i < to ? ' ' : bytes[i];

		plain += c;
		with_sign += (signed char)c;
	}
	if (r == 0 && stored != plain && stored != with_sign)
		return bad(t, "the checksum of a header differs");
	return r;
}

static bool is_zero(const struct header *h)
{
	const char *bytes = (const char *)h;

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, sizeof(*h) - 1) == 0;
}

static char *name_of(const struct header *h)
{
	bool posix = memcmp(h->magic, "ustar\0", 6) == 0;
	size_t room = memcmp(h->rest + 8, "tar", 4) == 0 ? 131 : sizeof(h->prefix);
	autofree char *name = xstrndup(h->name, sizeof(h->name));
	autofree char *prefix = posix ? xstrndup(h->prefix, room) : NULL;

	return prefix && *prefix ? xasprintf("%s/%s", prefix, name) : steal_ptr(&name);
}

/* an entry */

static int type_of(const struct tar_reader *t, const struct header *h, enum tar_type *ret)
{
	switch (h->type) {
	case '\0':
	case '0':
	case '7':
	case 'S':
		*ret = TAR_FILE;
		return 0;
	case '1':
		*ret = TAR_HARD_LINK;
		return 0;
	case '2':
		*ret = TAR_SYMLINK;
		return 0;
	case '3':
		*ret = TAR_CHAR;
		return 0;
	case '4':
		*ret = TAR_BLOCK_DEVICE;
		return 0;
	case '5':
		*ret = TAR_DIR;
		return 0;
	case '6':
		*ret = TAR_FIFO;
		return 0;
	default:
		return bad(t, "it has an entry of an unknown type");
	}
}

static int id_of(const struct tar_reader *t, const char field[8], bool has, int64_t from_pax,
		 uint32_t *ret)
{
	int64_t value = from_pax;
	int r = has ? 0 : number(t, field, 8, &value);

	if (r == 0 && (value < 0 || value >= UINT32_MAX))
		return bad(t, "an owner is no user or group number");
	*ret = (uint32_t)value;
	return r;
}

static int read_numbers(struct tar_reader *t, const struct header *h)
{
	struct tar_entry *e = &t->entry;
	int64_t mode, mtime, major = 0, minor = 0;
	bool device = e->type == TAR_CHAR || e->type == TAR_BLOCK_DEVICE;
	int r = number(t, h->mode, sizeof(h->mode), &mode);

	if (r == 0)
		r = number(t, h->mtime, sizeof(h->mtime), &mtime);
	if (r == 0)
		r = id_of(t, h->uid, t->pax.has_uid, t->pax.uid, &e->uid);
	if (r == 0)
		r = id_of(t, h->gid, t->pax.has_gid, t->pax.gid, &e->gid);
	if (r == 0 && device)
		r = number(t, h->major, sizeof(h->major), &major);
	if (r == 0 && device)
		r = number(t, h->minor, sizeof(h->minor), &minor);
	if (r < 0)
		return r;
	if (major < 0 || major > UINT32_MAX || minor < 0 || minor > UINT32_MAX)
		return bad(t, "a device number is too large");
	e->mode = (mode_t)mode & 07777;
	e->mtime = t->pax.has_mtime ? t->pax.mtime : (struct timespec) { .tv_sec = mtime };
	e->major = (uint32_t)major;
	e->minor = (uint32_t)minor;
	return 0;
}

static int read_names(struct tar_reader *t, const struct header *h)
{
	struct tar_entry *e = &t->entry;

	if (t->sparse.name)
		e->name = xstrdup(t->sparse.name);
	else if (t->pax.path)
		e->name = xstrdup(t->pax.path);
	else
		e->name = t->long_name ? xstrdup(t->long_name) : name_of(h);
	if (t->pax.linkpath)
		e->link = xstrdup(t->pax.linkpath);
	else if (t->long_link)
		e->link = xstrdup(t->long_link);
	else
		e->link = xstrndup(h->link, sizeof(h->link));
	if (strlen(e->name) > TAR_NAME_MAX || strlen(e->link) > TAR_NAME_MAX)
		return bad(t, "a name is too long");
	if (!*e->name)
		return bad(t, "an entry has no name");
	/* Before there was a type for directories. */
	if (h->type == '\0' && e->name[strlen(e->name) - 1] == '/')
		e->type = TAR_DIR;
	return 0;
}

/* sparse files */

static int old_sparse_piece(struct tar_reader *t, const char *at)
{
	const struct gnu_sparse *s = (const struct gnu_sparse *)at;
	int64_t offset, len;
	int r = number(t, s->offset, sizeof(s->offset), &offset);

	if (r == 0)
		r = number(t, s->len, sizeof(s->len), &len);
	if (r == 0 && (s->offset[0] || s->len[0]))
		r = sparse_add(&t->sparse, offset, len, t->err);
	return r;
}

static int read_old_sparse(struct tar_reader *t, const struct header *h)
{
	const char *bytes = (const char *)h;
	char block[TAR_BLOCK];
	bool extended = bytes[GNU_SPARSE_EXTENDED] != 0;
	int r = number(t, bytes + GNU_SPARSE_REALSIZE, 12, &t->sparse.size);

	t->sparse.is = true;
	for (size_t i = 0; r == 0 && i < GNU_SPARSE_N; i++)
		r = old_sparse_piece(t, bytes + GNU_SPARSE_AT + i * sizeof(struct gnu_sparse));
	while (r == 0 && extended) {
		r = take_all(t, block, sizeof(block));
		for (size_t i = 0; r == 0 && i < GNU_SPARSE_MORE_N; i++)
			r = old_sparse_piece(t, block + i * sizeof(struct gnu_sparse));
		extended = r == 0 && block[GNU_SPARSE_MORE_END] != 0;
	}
	return r;
}

/* A decimal number and a newline, out of the blocks in front of a file's data. */
static int map_number(struct tar_reader *t, char block[TAR_BLOCK], size_t *at, int64_t *ret)
{
	int64_t value = 0;

	for (unsigned digits = 0;; digits++) {
		char c;

		if (*at == TAR_BLOCK) {
			int r = t->body < TAR_BLOCK ? bad(t, "the map of a sparse file is cut off")
						    : take_all(t, block, TAR_BLOCK);

			if (r < 0)
				return r;
			t->body -= TAR_BLOCK;
			*at = 0;
		}
		c = block[(*at)++];
		if (c == '\n' && digits > 0)
			break;
		if (c < '0' || c > '9' || digits > 17)
			return bad(t, "the map of a sparse file is no map");
		value = value * 10 + (c - '0');
	}
	*ret = value;
	return 0;
}

static int read_sparse_map(struct tar_reader *t)
{
	char block[TAR_BLOCK] = { 0 };
	size_t at = TAR_BLOCK;
	int64_t n = 0, offset = 0, len = 0;
	int r = map_number(t, block, &at, &n);

	for (int64_t i = 0; r == 0 && i < n; i++) {
		r = map_number(t, block, &at, &offset);
		if (r == 0)
			r = map_number(t, block, &at, &len);
		if (r == 0)
			r = sparse_add(&t->sparse, offset, len, t->err);
	}
	return r;
}

static int read_sparse(struct tar_reader *t, const struct header *h)
{
	int r = 0;

	if (h->type == 'S')
		r = read_old_sparse(t, h);
	else if (t->sparse.is && t->sparse.map_in_data)
		r = read_sparse_map(t);
	if (r == 0 && t->sparse.is)
		r = sparse_check(&t->sparse, t->body, t->err);
	return r;
}

/* The header of an entry proper. */
static int entry_make(struct tar_reader *t, const struct header *h)
{
	struct tar_entry *e = &t->entry;
	int64_t size;
	int r = number(t, h->size, sizeof(h->size), &size);

	if (r == 0)
		r = type_of(t, h, &e->type);
	if (r == 0 && t->pax.has_size)
		size = t->pax.size;
	if (r == 0 && size < 0)
		r = bad(t, "a size is negative");
	if (r == 0 && size > TAR_SIZE_MAX)
		r = bad(t, "a size is too large");
	if (r < 0)
		return r;
	sparse_of_pax(&t->sparse, &t->pax);
	r = read_names(t, h);
	if (r == 0)
		r = read_numbers(t, h);
	if (r < 0)
		return r;
	t->body = e->type == TAR_FILE ? size : 0; /* others have none, whatever they say */
	t->padding = padding_of(t->body);
	e->size = t->body;
	if (e->type == TAR_FILE)
		r = read_sparse(t, h);
	if (r == 0 && t->sparse.is)
		e->size = t->sparse.size;
	if (r == 0 && e->size > TAR_SIZE_MAX)
		r = bad(t, "a size is too large");
	e->xattrs = t->pax.xattrs;
	e->nxattrs = t->pax.nxattrs;
	return r;
}

/* A header that describes the next one.  1 if it was such. */
static int extension(struct tar_reader *t, const struct header *h)
{
	autofree char *text = NULL;
	int64_t size = 0;
	int r;

	if (!strchr("xgLKX", h->type) || h->type == '\0')
		return 0;
	r = number(t, h->size, sizeof(h->size), &size);
	if (r == 0)
		r = take_body(t, size, &text);
	if (r < 0)
		return r;
	if (h->type == 'x' || h->type == 'X') {
		pax_done(&t->pax);
		r = pax_parse(text, (size_t)size, &t->pax, t->err);
	} else if (h->type == 'L') {
		free(t->long_name);
		t->long_name = steal_ptr(&text);
	} else if (h->type == 'K') {
		free(t->long_link);
		t->long_link = steal_ptr(&text);
	}
	return r < 0 ? r : 1;
}

/* The next header that is one; 0 at the end. */
static int next_header(struct tar_reader *t, struct header *h)
{
	int r = take(t, h, sizeof(*h));

	if (r <= 0)
		return r;
	if (!is_zero(h)) {
		r = sum_check(t, h);
		return r < 0 ? r : 1;
	}
	r = take(t, h, sizeof(*h));
	if (r <= 0 || is_zero(h))
		return r < 0 ? r : 0;
	return bad(t, "something follows a block of zeros");
}

int tar_next(struct tar_reader *t, const struct tar_entry **ret, struct error *err)
{
	struct header h = { .name = "" };
	int r;

	t->err = err;
	r = take_all(t, NULL, t->body);
	if (r == 0)
		r = take_all(t, NULL, t->padding);
	t->body = t->padding = 0;
	reset(t);
	while (r == 0) {
		r = next_header(t, &h);
		if (r == 0 && (t->pax.any || t->long_name || t->long_link))
			r = bad(t, "it ends behind an extended header");
		if (r <= 0)
			return r;
		r = extension(t, &h);
		if (r == 1)
			r = 0;
		else if (r == 0)
			break;
	}
	if (r == 0)
		r = entry_make(t, &h);
	if (r < 0)
		return r;
	*ret = &t->entry;
	return 1;
}

void tar_reader_set_skip(struct tar_reader *t,
			 int (*skip)(void *data, int64_t len, struct error *err))
{
	t->skip = skip;
}

int64_t tar_position(const struct tar_reader *t)
{
	return t->position;
}

bool tar_is_sparse(const struct tar_reader *t)
{
	return t->sparse.is;
}

ssize_t tar_data(struct tar_reader *t, const void **ret, int64_t *ret_offset, struct error *err)
{
	int64_t want = t->body;
	size_t n;
	int r;

	t->err = err;
	/* Pieces of a sparse file follow each other in the archive. */
	while (t->sparse.is && t->piece < t->sparse.n &&
	       t->piece_pos == t->sparse.pieces[t->piece].len) {
		t->piece++;
		t->piece_pos = 0;
	}
	if (t->sparse.is)
		want = t->piece < t->sparse.n ? t->sparse.pieces[t->piece].len - t->piece_pos : 0;
	if (want == 0)
		return 0;
	r = more(t);
	if (r < 0)
		return r;
	n = (size_t)MIN((int64_t)t->left, want);
	if (n == 0)
		return bad(t, "it ends too early");
	*ret = t->chunk;
	*ret_offset = t->piece_pos + (t->sparse.is ? t->sparse.pieces[t->piece].offset : 0);
	t->chunk += n;
	t->left -= n;
	t->position += (int64_t)n;
	t->body -= (int64_t)n;
	t->piece_pos += (int64_t)n;
	return (ssize_t)n;
}
