/* src/image/source.c */
#include "image/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define MEMBERS_MAX    100000
#define MEMBER_BYTES   (64LL << 30)  /* one member */
#define ARCHIVE_BYTES  (128LL << 30) /* all together, unpacked */
#define LINKS_MAX      8
#define NAME_BYTES_MAX 4096

struct member {
	char *name;
	char *link; /* to another member, or NULL */
	int fd;
	int64_t size;
};

struct source {
	int dir; /* -1: an archive */
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
	}
	free(s->members);
	if (s->dir >= 0)
		(void)close(s->dir);
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

/* A full disk shows as a short write first. */
static int write_at(int fd, const char *bytes, size_t len, int64_t offset)
{
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(fd, bytes, len, offset));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

static int copy_data(struct source *s, struct archive *a, struct member *m, struct error *err)
{
	const void *bytes;
	la_int64_t offset;
	size_t len;
	int r;

	while ((r = archive_read_data_block(a, &bytes, &len, &offset)) == ARCHIVE_OK) {
		s->total += (int64_t)len;
		if (offset < 0 || offset > MEMBER_BYTES || (int64_t)len > MEMBER_BYTES - offset ||
		    s->total > ARCHIVE_BYTES)
			return error_set(err, -EFBIG, "archive member %.100s is too large",
					 m->name);
		r = write_at(m->fd, bytes, len, offset);
		if (r < 0)
			return error_sys(err, r, "unpack archive member %.100s", m->name);
		m->size = MAX(m->size, offset + (int64_t)len);
	}
	if (r != ARCHIVE_EOF)
		return error_set(err, -EBADMSG, "archive member %.100s: %s", m->name,
				 archive_error_string(a));
	return 0;
}

static int add_member(struct source *s, struct archive *a, struct archive_entry *entry, int tmp_fd,
		      struct error *err)
{
	const char *name = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
	struct member *m;

	if (!name || strlen(name) > NAME_BYTES_MAX || s->n >= MEMBERS_MAX)
		return error_set(err, -EBADMSG,
				 "the archive has a name that is no name, or too many");
	if (!link && archive_entry_filetype(entry) != AE_IFREG &&
	    archive_entry_filetype(entry) != AE_IFLNK)
		return 0;
	VEC_GROW(s->members, s->n, s->room);
	m = &s->members[s->n];
	*m = (struct member) { .fd = -1, .name = normalize(NULL, name) };
	if (!m->name)
		return error_set(err, -EBADMSG, "archive member '%.100s' leads outside", name);
	s->n++;
	if (link) {
		m->link = normalize(NULL, link);
	} else if (archive_entry_filetype(entry) == AE_IFLNK) {
		autofree char *dir = xstrdup(m->name);
		char *slash = strrchr(dir, '/');

		*(slash ? slash : dir) = '\0';
		link = archive_entry_symlink(entry);
		m->link = link ? normalize(dir, link) : NULL;
	}
	if (link)
		return m->link ? 0
			       : error_set(err, -EBADMSG,
					   "archive member %.100s is a link to outside", m->name);
	m->fd = openat(tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (m->fd < 0)
		return error_sys(err, -errno, "make a temporary file");
	return copy_data(s, a, m, err);
}

static int read_archive(struct source *s, int fd, int tmp_fd, struct error *err)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int r = 0, got;

	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_filter_none(a);
	(void)archive_read_support_format_tar(a);
	if (archive_read_open_fd(a, fd, 1 << 20) != ARCHIVE_OK)
		r = error_set(err, -EBADMSG, "not a tar archive (%s)", archive_error_string(a));
	while (r == 0 && (got = archive_read_next_header(a, &entry)) != ARCHIVE_EOF) {
		if (got < ARCHIVE_WARN)
			r = error_set(err, -EBADMSG,
				      s->n ? "no sound tar archive: %s"
					   : "not a tar archive (%s); 'docker save', "
					     "'podman save' and 'skopeo copy' write them",
				      archive_error_string(a));
		else
			r = add_member(s, a, entry, tmp_fd, err);
	}
	(void)archive_read_free(a);
	if (r == 0 && s->n == 0)
		r = error_set(err, -EBADMSG, "the archive holds no files");
	return r;
}

int source_open(const char *path, int tmp_fd, struct source **ret, struct error *err)
{
	cleanup(source_cleanup) struct source *s = xnew(struct source);
	autoclose int fd = -1;
	struct stat st;
	int r;

	s->dir = -1;
	fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				    : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, -errno, "%s", strerror(errno)); /* the caller names it */
	if (S_ISDIR(st.st_mode)) {
		s->dir = steal_fd(&fd);
	} else {
		r = read_archive(s, fd, tmp_fd, err);
		if (r < 0)
			return r;
	}
	*ret = steal_ptr(&s);
	return 0;
}

static int get_in_dir(const struct source *s, const char *name, int *ret_fd, int64_t *ret_size)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	autoclose int fd = (int)syscall(SYS_openat2, s->dir, name, &how, sizeof(how));
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	*ret_size = st.st_size;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int get_in_archive(const struct source *s, const char *name, int *ret_fd, int64_t *ret_size)
{
	autofree char *normal = normalize(NULL, name);
	const struct member *m = normal ? find(s, normal) : NULL;

	for (unsigned i = 0; m && m->link && i < LINKS_MAX; i++)
		m = find(s, m->link);
	if (!m || m->link)
		return -ENOENT;
	*ret_fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 3);
	*ret_size = m->size;
	return *ret_fd < 0 ? -errno : 0;
}

int source_get(const struct source *s, const char *name, int *ret_fd, int64_t *ret_size,
	       struct error *err)
{
	int r = s->dir >= 0 ? get_in_dir(s, name, ret_fd, ret_size)
			    : get_in_archive(s, name, ret_fd, ret_size);

	return r < 0 ? error_sys(err, r, "%.100s in the archive", name) : 0;
}

bool source_has(const struct source *s, const char *name)
{
	autoclose int fd = -1;
	int64_t size;

	return source_get(s, name, &fd, &size, NULL) == 0;
}

int source_read(const struct source *s, const char *name, size_t max, char **ret, size_t *ret_len,
		struct error *err)
{
	autofree char *text = NULL;
	autoclose int fd = -1;
	int64_t size = 0;
	int r = source_get(s, name, &fd, &size, err);

	if (r < 0)
		return r;
	if (size < 0 || (uint64_t)size > max)
		return error_set(err, -EFBIG, "%.100s in the archive is larger than %zu bytes",
				 name, max);
	text = xmalloc((size_t)size + 1);
	if (pread(fd, text, (size_t)size, 0) != size)
		return error_set(err, -EIO, "%.100s in the archive cannot be read", name);
	text[size] = '\0';
	*ret = steal_ptr(&text);
	*ret_len = (size_t)size;
	return 0;
}
