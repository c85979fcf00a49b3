/* src/image/tar_pax.c */
#include "image/tar_pax.h"

#include <string.h>

#include "base/alloc.h"

#define PIECES_MAX  1000000 /* 16 MB */
#define XATTR_NAME  255     /* XATTR_NAME_MAX, XATTR_SIZE_MAX of Linux */
#define XATTR_VALUE 65536

/* sparse maps */

void sparse_done(struct sparse *s)
{
	free(s->name);
	free(s->pieces);
	*s = (struct sparse) { .name = NULL };
}

static int bad(struct error *err, const char *what)
{
	return error_set(err, -EBADMSG, "the tar archive is not sound: %s", what);
}

int sparse_add(struct sparse *s, int64_t offset, int64_t len, struct error *err)
{
	const struct sparse_piece *last = s->n ? &s->pieces[s->n - 1] : NULL;

	if (s->n >= PIECES_MAX)
		return bad(err, "a sparse file has too many pieces");
	if (offset < 0 || len < 0 || len > INT64_MAX - offset ||
	    (last && offset < last->offset + last->len))
		return bad(err, "the map of a sparse file is no map");
	VEC_GROW(s->pieces, s->n, s->room);
	s->pieces[s->n++] = (struct sparse_piece) { offset, len };
	return 0;
}

int sparse_check(const struct sparse *s, int64_t stored, struct error *err)
{
	const struct sparse_piece *last = s->n ? &s->pieces[s->n - 1] : NULL;
	int64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += s->pieces[i].len; /* ascending, so no more than the last one's end */
	if (s->size < 0 || (last && last->offset + last->len > s->size) || sum != stored)
		return bad(err, "the map of a sparse file does not fit its data");
	return 0;
}

void sparse_of_pax(struct sparse *to, struct pax *pax)
{
	sparse_done(to);
	*to = pax->sparse;
	pax->sparse = (struct sparse) { .name = NULL };
}

/* records */

void pax_done(struct pax *p)
{
	free(p->path);
	free(p->linkpath);
	for (size_t i = 0; i < p->nxattrs; i++) {
		free(p->xattrs[i].name);
		free(p->xattrs[i].value);
	}
	free(p->xattrs);
	sparse_done(&p->sparse);
	*p = (struct pax) { .any = false };
}

struct value {
	const char *bytes;
	size_t len;
};

/* A decimal number that fills the value up to end. */
static int digits(struct value *v, int64_t *ret)
{
	int64_t n = 0;
	size_t i = 0;

	for (; i < v->len && v->bytes[i] >= '0' && v->bytes[i] <= '9'; i++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, v->bytes[i] - '0', &n))
			return -ERANGE;
	if (i == 0)
		return -EINVAL;
	v->bytes += i;
	v->len -= i;
	*ret = n;
	return 0;
}

static int whole_number(struct value v, int64_t *ret, struct error *err)
{
	return digits(&v, ret) < 0 || v.len > 0 ? bad(err, "a number of a pax header is no number")
						: 0;
}

/* "1350244992.023960108", "-1.5": what is below a nanosecond is cut off, towards the past. */
static int time_value(struct value v, struct timespec *ret, struct error *err)
{
	bool negative = v.len && *v.bytes == '-';
	long ns = 0, unit = 100000000;
	int64_t s;

	v.bytes += negative;
	v.len -= negative;
	if (digits(&v, &s) < 0)
		return bad(err, "a time of a pax header is no time");
	if (v.len && *v.bytes == '.') {
		for (v.bytes++, v.len--; v.len && *v.bytes >= '0' && *v.bytes <= '9';
		     v.bytes++, v.len--, unit /= 10)
			ns += (*v.bytes - '0') * unit;
	}
	if (v.len)
		return bad(err, "a time of a pax header is no time");
	ret->tv_sec = negative ? -s - (ns > 0) : s;
	ret->tv_nsec = negative && ns > 0 ? 1000000000 - ns : ns;
	return 0;
}

static int text_value(struct value v, char **ret, struct error *err)
{
	if (v.len > TAR_NAME_MAX || memchr(v.bytes, '\0', v.len))
		return bad(err, "a name of a pax header is no name");
	free(*ret);
	*ret = xstrndup(v.bytes, v.len);
	return 0;
}

static int add_xattr(struct pax *p, const char *name, struct value v, struct error *err)
{
	struct tar_xattr *x;

	if (p->nxattrs >= TAR_XATTRS_MAX || strlen(name) > XATTR_NAME || v.len > XATTR_VALUE)
		return bad(err, "an extended attribute is larger than Linux knows them");
	for (size_t i = 0; i < p->nxattrs; i++)
		if (strcmp(p->xattrs[i].name, name) == 0)
			return 0;
	VEC_GROW(p->xattrs, p->nxattrs, p->xattr_room);
	x = &p->xattrs[p->nxattrs++];
	*x = (struct tar_xattr) { .name = xstrdup(name), .len = v.len };
	x->value = xmalloc(v.len + 1);
	memcpy(x->value, v.bytes, v.len);
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* libarchive's own: the name in URL coding, the value in base64. */
static int add_encoded(struct pax *p, const char *coded, struct value v, struct error *err)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	autofree char *name = xstrdup(coded), *bytes = xmalloc(v.len + 1);
	char *to = name;
	struct value out = { .bytes = bytes };
	unsigned bits = 0, have = 0;

	for (const char *from = coded; *from; from++) {
		int high = *from == '%' ? hex_digit(from[1]) : -1;
		int low = high >= 0 ? hex_digit(from[2]) : -1;

		*to++ = low >= 0 ? (char)(high * 16 + low) : *from;
		from += low >= 0 ? 2 : 0;
	}
	*to = '\0';
	for (size_t i = 0; i < v.len && v.bytes[i] != '=' && v.bytes[i] != '\0'; i++) {
		const char *at = strchr(alphabet, v.bytes[i]);

		if (!at)
			return bad(err, "an extended attribute is not base64");
		bits = bits << 6 | (unsigned)(at - alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[out.len++] = (char)(bits >> have & 0xff);
		}
	}
	return add_xattr(p, name, out, err);
}

static int sparse_map(struct pax *p, struct value v, struct error *err)
{
	int64_t offset = 0, len = 0;

	while (v.len > 0) {
		bool sound = digits(&v, &offset) == 0 && v.len && *v.bytes == ',';

		v.bytes += sound;
		v.len -= sound;
		sound = sound && digits(&v, &len) == 0 && (v.len == 0 || *v.bytes == ',');
		if (!sound)
			return bad(err, "the map of a sparse file is no map");
		if (v.len > 0) {
			v.bytes++;
			v.len--;
		}
		if (sparse_add(&p->sparse, offset, len, err) < 0)
			return -EBADMSG;
	}
	return 0;
}

/* GNU.sparse.KEY; 0.0 tells each piece by two records, 0.1 all by one, 1.0 in the data. */
static int sparse_record(struct pax *p, const char *key, struct value v, int64_t *offset,
			 struct error *err)
{
	int64_t n = 0;
	int r;

	p->sparse.is = true;
	if (strcmp(key, "name") == 0)
		return text_value(v, &p->sparse.name, err);
	if (strcmp(key, "map") == 0)
		return sparse_map(p, v, err);
	r = whole_number(v, &n, err);
	if (r < 0)
		return r;
	if (strcmp(key, "major") == 0)
		p->sparse.map_in_data = n == 1;
	else if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0)
		p->sparse.size = n;
	else if (strcmp(key, "offset") == 0)
		*offset = n;
	else if (strcmp(key, "numbytes") == 0)
		return sparse_add(&p->sparse, *offset, n, err);
	return 0;
}

static bool starts(const char *text, const char *with, const char **ret_rest)
{
	size_t n = strlen(with);

	*ret_rest = text + n;
	return strncmp(text, with, n) == 0;
}

static int record(struct pax *p, const char *key, struct value v, int64_t *offset,
		  struct error *err)
{
	const char *rest;

	if (strcmp(key, "path") == 0)
		return text_value(v, &p->path, err);
	if (strcmp(key, "linkpath") == 0)
		return text_value(v, &p->linkpath, err);
	if (strcmp(key, "size") == 0)
		return p->has_size = true, whole_number(v, &p->size, err);
	if (strcmp(key, "uid") == 0)
		return p->has_uid = true, whole_number(v, &p->uid, err);
	if (strcmp(key, "gid") == 0)
		return p->has_gid = true, whole_number(v, &p->gid, err);
	if (strcmp(key, "mtime") == 0)
		return p->has_mtime = true, time_value(v, &p->mtime, err);
	if (starts(key, "SCHILY.xattr.", &rest))
		return add_xattr(p, rest, v, err);
	if (starts(key, "LIBARCHIVE.xattr.", &rest))
		return add_encoded(p, rest, v, err);
	if (starts(key, "GNU.sparse.", &rest))
		return sparse_record(p, rest, v, offset, err);
	return 0;
}

int pax_parse(const char *text, size_t len, struct pax *ret, struct error *err)
{
	struct pax p = { .any = true };
	int64_t offset = 0;
	int r = 0;

	while (r == 0 && len > 0) {
		struct value head = { text, len }, v;
		autofree char *key = NULL;
		const char *equals;
		int64_t size = 0;

		if (digits(&head, &size) < 0 || head.len == 0 || *head.bytes != ' ' ||
		    size > (int64_t)len || size < head.bytes - text + 3 || text[size - 1] != '\n') {
			r = bad(err, "a record of a pax header is damaged");
			break;
		}
		head.bytes++;
		equals = memchr(head.bytes, '=', (size_t)(text + size - 1 - head.bytes));
		if (!equals || equals == head.bytes ||
		    memchr(head.bytes, '\0', (size_t)(equals - head.bytes))) {
			r = bad(err, "a record of a pax header is damaged");
			break;
		}
		key = xstrndup(head.bytes, (size_t)(equals - head.bytes));
		v = (struct value) { equals + 1, (size_t)(text + size - 1 - equals - 1) };
		r = record(&p, key, v, &offset, err);
		text += size;
		len -= (size_t)size;
	}
	if (r < 0)
		pax_done(&p);
	else
		*ret = p;
	return r;
}
