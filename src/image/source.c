/* src/image/source.c */
#include "image/source.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/staged.h"
#include "image/stream.h"
#include "image/tar_read.h"
#include "kernel/rootdir.h"

#define MEMBERS_MAX   100000
#define READ_SIZE     (64U << 10)
#define ARCHIVE_BYTES (128LL << 30) /* all together, unpacked */
#define LINKS_MAX     8

struct member {
	char *name;
	char *link; /* to another member, or NULL */
	int fd;     /* -1: it is in the archive, or staged */
	struct staged *staged;
	int64_t offset, size;
};

struct source {
	int dir;     /* -1: an archive */
	int archive; /* where members without a file of their own are */
	struct member *members;
	size_t n, room;
	int64_t total;
};

void source_close(struct source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->members[i].name);
		free(s->members[i].link);
		if (s->members[i].fd >= 0)
			(void)close(s->members[i].fd);
		staged_free(s->members[i].staged);
	}
	free(s->members);
	if (s->dir >= 0)
		(void)close(s->dir);
	if (s->archive >= 0)
		(void)close(s->archive);
	free(s);
}

/* "a/./b/../c" to "a/c"; NULL if it leads outside or is empty. */
static char *normalize(const char *base, const char *name)
{
	autofree char *joined =
		base && name[0] != '/' ? xasprintf("%s/%s", base, name) : xstrdup(name);
	char *out = xstrdup(""), *rest = joined, *word;

	while ((word = strsep(&rest, "/"))) {
		char *slash = strrchr(out, '/');

		if (!*word || strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0) {
			if (!*out)
				break;
			*(slash ? slash : out) = '\0';
			continue;
		}
		slash = out;
		out = xasprintf("%s%s%s", out, *out ? "/" : "", word);
		free(slash);
	}
	if (word || !*out) {
		free(out);
		return NULL;
	}
	return out;
}

static struct member *find(const struct source *s, const char *name)
{
	/* The last one of a name counts, as in tar. */
	for (size_t i = s->n; i > 0; i--)
		if (strcmp(s->members[i - 1].name, name) == 0)
			return &s->members[i - 1];
	return NULL;
}

/* archives */

struct reading {
	struct source *s;
	int fd, tmp_fd, root_fd;
	int64_t at;            /* in a plain file */
	unsigned char *buffer; /* the same */
	struct stream *stream; /* of anything else */
	struct tar_reader *tar;
	bool cut; /* what is packed could not be unpacked: that is the reason, not tar's */
	struct error *err;
};

static ssize_t feed_plain(void *data, const void **ret, struct error *err)
{
	struct reading *rd = data;
	ssize_t n = TEMP_FAILURE_RETRY(pread(rd->fd, rd->buffer, READ_SIZE, rd->at));

	if (n < 0)
		return error_sys(err, -errno, "read");
	rd->at += n;
	*ret = rd->buffer;
	return n;
}

static int skip_plain(void *data, int64_t len, struct error *err)
{
	struct reading *rd = data;

	return __builtin_add_overflow(rd->at, len, &rd->at)
		       ? error_set(err, -EBADMSG, "a size is too large")
		       : 0;
}

static ssize_t feed_stream(void *data, const void **ret, struct error *err)
{
	struct reading *rd = data;
	ssize_t n = stream_next(rd->stream, ret, err);

	rd->cut = n < 0;
	return n;
}

static int open_copy(struct reading *rd, struct member *m)
{
	m->fd = openat(rd->tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	m->offset = 0;
	return m->fd < 0 ? error_sys(rd->err, -errno, "make a temporary file") : 0;
}

static int copy_piece(struct reading *rd, const struct member *m, const void *bytes, size_t len,
		      int64_t offset)
{
	int r = file_write_all_at(m->fd, bytes, len, offset);

	return r < 0 ? error_sys(rd->err, r, "unpack archive member %.100s", m->name) : 0;
}

static int copy_data(struct reading *rd, struct member *m)
{
	int r = open_copy(rd, m);
	const void *bytes;
	int64_t offset;
	ssize_t n = 1;

	while (r == 0 && n > 0) {
		n = tar_data(rd->tar, &bytes, &offset, rd->err);
		if (n > 0)
			r = copy_piece(rd, m, bytes, (size_t)n, offset);
	}
	if (r == 0 && n == 0 && ftruncate(m->fd, m->size) < 0)
		return error_sys(rd->err, -errno, "unpack archive member %.100s", m->name);
	return r < 0 ? r : (int)n;
}

/* A member that may be a layer: its first bytes decide what becomes of it. */
struct landing {
	struct reading *rd;
	struct member *m;
	unsigned char head[STAGED_HEAD];
	size_t have;
};

static int land_piece(const struct landing *l, const void *bytes, size_t len, int64_t offset)
{
	return l->m->staged ? staged_put(l->m->staged, bytes, len, l->rd->err)
			    : copy_piece(l->rd, l->m, bytes, len, offset);
}

static int land(struct landing *l, const unsigned char *bytes, size_t len, int64_t offset)
{
	size_t n = MIN(sizeof(l->head) - l->have, len);
	int r = 0;

	if (n > 0) {
		memcpy(l->head + l->have, bytes, n);
		l->have += n;
		if (l->have < sizeof(l->head))
			return 0;
		r = staged_is_layer(l->head)
			    ? staged_begin(l->rd->root_fd, l->rd->tmp_fd, &l->m->staged, l->rd->err)
			    : open_copy(l->rd, l->m);
		if (r == 0)
			r = land_piece(l, l->head, sizeof(l->head), 0);
	}
	if (r == 0 && n < len)
		r = land_piece(l, bytes + n, len - n, offset + (int64_t)n);
	return r;
}

static int land_data(struct reading *rd, struct member *m)
{
	struct landing l = { .rd = rd, .m = m };
	const void *bytes;
	int64_t offset;
	ssize_t n = 1;
	int r = 0;

	while (r == 0 && n > 0) {
		n = tar_data(rd->tar, &bytes, &offset, rd->err);
		if (n > 0)
			r = land(&l, bytes, (size_t)n, offset);
	}
	if (m->staged)
		staged_end(m->staged);
	return r < 0 ? r : (int)n;
}

static int add_link(struct reading *rd, struct member *m, const struct tar_entry *e)
{
	autofree char *dir = xstrdup(m->name);
	char *slash = strrchr(dir, '/');

	*(slash ? slash : dir) = '\0';
	m->link = normalize(e->type == TAR_SYMLINK ? dir : NULL, e->link);
	return m->link ? 0
		       : error_set(rd->err, -EBADMSG, "archive member %.100s is a link to outside",
				   m->name);
}

static int add_member(struct reading *rd, const struct tar_entry *e)
{
	struct source *s = rd->s;
	struct member *m;

	if (e->type != TAR_FILE && e->type != TAR_SYMLINK && e->type != TAR_HARD_LINK)
		return 0;
	if (s->n >= MEMBERS_MAX)
		return error_set(rd->err, -EBADMSG, "the archive has too many members");
	VEC_GROW(s->members, s->n, s->room);
	m = &s->members[s->n];
	*m = (struct member) { .fd = -1, .name = normalize(NULL, e->name) };
	if (!m->name)
		return error_set(rd->err, -EBADMSG, "archive member '%.100s' leads outside",
				 e->name);
	s->n++;
	if (e->type != TAR_FILE)
		return add_link(rd, m, e);
	m->size = e->size;
	m->offset = tar_position(rd->tar);
	if (m->size > ARCHIVE_BYTES - s->total)
		return error_set(rd->err, -EFBIG, "archive member %.100s is too large", m->name);
	s->total += m->size;
	if (tar_is_sparse(rd->tar))
		return copy_data(rd, m);
	if (rd->buffer)
		return 0;
	return rd->root_fd >= 0 && m->size >= STAGED_HEAD ? land_data(rd, m) : copy_data(rd, m);
}

static int read_members(struct reading *rd)
{
	const struct tar_entry *e;
	int r;

	while ((r = tar_next(rd->tar, &e, rd->err)) > 0) {
		r = add_member(rd, e);
		if (r < 0)
			return r;
	}
	if (r == -EBADMSG && rd->s->n == 0 && !rd->cut)
		return error_set(
			rd->err, r,
			"not a tar archive, plain or packed with gzip or zstd; 'docker "
			"save', 'podman save' and 'skopeo copy' write what is wanted, "
			"and 'xz -dc FILE | strake load' unpacks what is packed otherwise");
	if (r == 0 && rd->s->n == 0)
		return error_set(rd->err, -EBADMSG, "it holds no files");
	return r;
}

static bool is_plain_file(int fd)
{
	unsigned char head[4];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0 &&
	       packing_detect(head, (size_t)MAX(pread(fd, head, sizeof(head), 0), 0)) ==
		       PACKING_NONE;
}

static int read_archive(struct reading *rd)
{
	const struct stream_request sr = { .fd = rd->fd,
					   .offset = -1,
					   .size = -1,
					   .keep_fd = -1,
					   .stop_fd = -1,
					   .unhashed = true,
					   .threaded = true };
	int r = 0;

	if (is_plain_file(rd->fd)) {
		rd->buffer = xmalloc(READ_SIZE);
		rd->tar = tar_reader_new(feed_plain, rd);
		tar_reader_set_skip(rd->tar, skip_plain);
	} else {
		r = stream_open(&sr, &rd->stream, rd->err);
		rd->tar = tar_reader_new(feed_stream, rd);
	}
	if (r == 0)
		r = read_members(rd);
	tar_reader_free(rd->tar);
	stream_close(rd->stream);
	free(rd->buffer);
	return r;
}

int source_open(const char *path, int tmp_fd, int root_fd, struct source **ret, struct error *err)
{
	cleanup(source_cleanup) struct source *s = xnew(struct source);
	autoclose int fd = -1;
	struct stat st;
	int r;

	s->dir = s->archive = -1;
	fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				    : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, -errno, "%s", strerror(errno)); /* the caller names it */
	if (S_ISDIR(st.st_mode)) {
		s->dir = steal_fd(&fd);
	} else {
		struct reading rd = {
			.s = s, .fd = fd, .tmp_fd = tmp_fd, .root_fd = root_fd, .err = err
		};

		r = read_archive(&rd);
		if (r < 0)
			return r;
		s->archive = steal_fd(&fd);
	}
	*ret = steal_ptr(&s);
	return 0;
}

static int get_in_dir(const struct source *s, const char *name, int *ret_fd, int64_t *ret_size)
{
	autoclose int fd = rootdir_open_at(s->dir, name, O_RDONLY | O_NONBLOCK, RESOLVE_BENEATH);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	*ret_size = st.st_size;
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Through links. */
static const struct member *find_file(const struct source *s, const char *name)
{
	autofree char *normal = normalize(NULL, name);
	const struct member *m = normal ? find(s, normal) : NULL;

	for (unsigned i = 0; m && m->link && i < LINKS_MAX; i++)
		m = find(s, m->link);
	return m && !m->link ? m : NULL;
}

struct staged *source_staged(const struct source *s, const char *name)
{
	const struct member *m = s->dir < 0 ? find_file(s, name) : NULL;

	return m ? m->staged : NULL;
}

static int get_in_archive(const struct source *s, const struct member *m, int *ret_fd,
			  int64_t *ret_offset, int64_t *ret_size)
{
	if (!m)
		return -ENOENT;
	*ret_offset = m->offset;
	*ret_size = m->size;
	*ret_fd = fcntl(m->fd >= 0 ? m->fd : s->archive, F_DUPFD_CLOEXEC, 3);
	return *ret_fd < 0 ? -errno : 0;
}

int source_get(const struct source *s, const char *name, int *ret_fd, int64_t *ret_offset,
	       int64_t *ret_size, struct error *err)
{
	const struct member *m = s->dir < 0 ? find_file(s, name) : NULL;
	int r;

	if (m && m->staged) {
		*ret_offset = 0;
		*ret_size = m->size;
		return staged_file(m->staged, ret_fd, err);
	}
	r = s->dir >= 0 ? get_in_dir(s, name, ret_fd, ret_size)
			: get_in_archive(s, m, ret_fd, ret_offset, ret_size);
	if (r == 0 && s->dir >= 0)
		*ret_offset = 0;
	if (r == 0)
		return 0;
	if (r == -EXDEV || r == -ELOOP)
		return error_set(err, r, "%.100s is a link that leads out of the directory", name);
	if (r == -EBADMSG)
		return error_set(err, r, "%.100s is no regular file", name);
	return error_sys(err, r, "%.100s in the %s", name, s->dir >= 0 ? "directory" : "archive");
}

bool source_is_separate(const struct source *s, const char *name)
{
	const struct member *m = s->dir < 0 ? find_file(s, name) : NULL;

	return m && m->fd >= 0;
}

bool source_has(const struct source *s, const char *name)
{
	autoclose int fd = -1;
	int64_t offset, size;

	if (s->dir < 0)
		return find_file(s, name);
	return source_get(s, name, &fd, &offset, &size, NULL) == 0;
}

int source_read(const struct source *s, const char *name, size_t max, char **ret, size_t *ret_len,
		struct error *err)
{
	autofree char *text = NULL;
	autoclose int fd = -1;
	int64_t offset = 0, size = 0;
	int r = source_get(s, name, &fd, &offset, &size, err);

	if (r < 0)
		return r;
	if (size < 0 || (uint64_t)size > max)
		return error_set(err, -EFBIG, "%.100s in the archive is larger than %zu bytes",
				 name, max);
	text = xmalloc((size_t)size + 1);
	if (pread(fd, text, (size_t)size, offset) != size)
		return error_set(err, -EIO, "%.100s in the archive cannot be read", name);
	text[size] = '\0';
	*ret = steal_ptr(&text);
	*ret_len = (size_t)size;
	return 0;
}
