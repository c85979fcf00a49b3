/* src/builder/unpack_filter.c */
#include "builder/unpack_filter.h"

#include <archive.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "image/stream.h"

#define PIECE (256 << 10)

struct filter {
	struct archive *archive;
	int fd;
	off_t at;
	uint64_t total;
	char *piece;
};

typedef int support_fn(struct archive *archive);

/* Only the one that is outermost: libarchive would go on through what is packed inside. */
static support_fn *find_packing(int fd)
{
	static const struct {
		const char *start;
		support_fn *support;
	} known[] = { { "BZh", archive_read_support_filter_bzip2 },
		      { "\xfd"
			"7zXZ",
			archive_read_support_filter_xz } };
	char start[5] = "";
	ssize_t n = pread(fd, start, sizeof(start), 0);

	for (size_t i = 0; n == sizeof(start) && i < ARRAY_SIZE(known); i++)
		if (memcmp(start, known[i].start, strlen(known[i].start)) == 0)
			return known[i].support;
	return NULL;
}

/* From a place of our own: the descriptor's is others' business. */
static ssize_t read_piece(struct archive *archive, void *data, const void **ret)
{
	struct filter *f = data;
	ssize_t n = TEMP_FAILURE_RETRY(pread(f->fd, f->piece, PIECE, f->at));

	if (n < 0) {
		archive_set_error(archive, errno, "read");
		return -1;
	}
	f->at += n;
	*ret = f->piece;
	return n;
}

int filter_open(int fd, struct filter **ret)
{
	cleanup(filter_cleanup) struct filter *f = NULL;
	struct archive_entry *entry;
	support_fn *support = find_packing(fd);

	if (!support)
		return 1;
	f = xnew(struct filter);
	f->fd = fd;
	f->piece = xmalloc(PIECE);
	f->archive = archive_read_new();
	if (!f->archive)
		abort();
	if (support(f->archive) != ARCHIVE_OK ||
	    archive_read_support_format_raw(f->archive) != ARCHIVE_OK ||
	    archive_read_open(f->archive, f, NULL, read_piece, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(f->archive, &entry) != ARCHIVE_OK)
		return 1;
	*ret = steal_ptr(&f);
	return 0;
}

ssize_t filter_next(struct filter *f, const void **ret, struct error *err)
{
	size_t len = 0;
	int64_t offset;
	int r;

	do {
		r = archive_read_data_block(f->archive, ret, &len, &offset);
	} while (r == ARCHIVE_OK && len == 0);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK)
		return error_set(err, -EBADMSG, "%s", archive_error_string(f->archive));
	f->total += len;
	if (f->total > STREAM_BYTES_MAX)
		return error_set(err, -EFBIG, "it unpacks to more than %llu bytes",
				 STREAM_BYTES_MAX);
	return (ssize_t)len;
}

void filter_close(struct filter *f)
{
	if (!f)
		return;
	(void)archive_read_free(f->archive);
	free(f->piece);
	free(f);
}
