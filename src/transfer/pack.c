/* src/transfer/pack.c */
#include "transfer/pack.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/pack.h"
#include "image/stream.h"
#include "transfer/place.h"

#define IN_SIZE (256U << 10)

static const char nothing[] =
	"sha256:0000000000000000000000000000000000000000000000000000000000000000";

struct packing_job {
	struct packer *packer;
	struct checksum sum, plain;
	int fd;
	int64_t size;
};

static int kind_of(const char *text, enum packing *ret, struct error *err)
{
	static const enum packing kinds[] = { PACKING_GZIP, PACKING_ZSTD, PACKING_NONE };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(text, packing_name(kinds[i])) != 0)
			continue;
		*ret = kinds[i];
		return 0;
	}
	return error_set(err, -EINVAL, "'%.40s' is none of gzip, zstd, none", text);
}

static int emit(void *data, const void *bytes, size_t len, struct error *err)
{
	struct packing_job *p = data;
	int r = file_write_all(p->fd, bytes, len);

	if (r < 0)
		return error_sys(err, r, "write a packed layer");
	checksum_update(&p->sum, bytes, len);
	p->size += (int64_t)len;
	return 0;
}

static ssize_t take(int fd, void *buffer, int64_t offset, int64_t total, int64_t size)
{
	size_t want = size < 0 ? IN_SIZE : (size_t)MIN((int64_t)IN_SIZE, size - total);

	if (want == 0)
		return 0;
	return offset >= 0 ? TEMP_FAILURE_RETRY(pread(fd, buffer, want, offset + total))
			   : TEMP_FAILURE_RETRY(read(fd, buffer, want));
}

static int feed(struct packing_job *p, int fd, int64_t offset, int64_t size, struct error *err)
{
	autofree char *buffer = xmalloc(IN_SIZE);
	int64_t total = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = take(fd, buffer, offset, total, size)) != 0) {
		if (n < 0)
			return error_sys(err, -errno, "read a layer");
		checksum_update(&p->plain, buffer, (size_t)n);
		r = packer_put(p->packer, buffer, (size_t)n, err);
		total += n;
	}
	if (r == 0 && size >= 0 && total < size)
		return error_set(err, -EBADMSG, "a layer ends after %lld of %lld bytes",
				 (long long)total, (long long)size);
	return r < 0 ? r : packer_end(p->packer, err);
}

int pack_file(int fd, int64_t offset, int64_t size, const char *kind, int dir, struct packed *ret,
	      struct error *err)
{
	struct packing_job p = { .fd = -1 };
	enum packing packing = PACKING_NONE;
	int r = kind_of(kind, &packing, err);

	if (r < 0)
		return r;
	checksum_init(&p.sum, nothing);
	checksum_init(&p.plain, nothing);
	p.packer = packer_new(packing, emit, &p);
	r = place_tmp_file(dir, &p.fd, err);
	if (r == 0)
		r = feed(&p, fd, offset, size, err);
	if (r == 0) {
		checksum_text(&p.sum, ret->digest);
		checksum_text(&p.plain, ret->unpacked);
		ret->size = p.size;
		ret->fd = steal_fd(&p.fd);
	}
	packer_free(p.packer);
	checksum_done(&p.sum);
	checksum_done(&p.plain);
	if (p.fd >= 0)
		(void)close(p.fd);
	return r;
}

int unpack_file(int fd, int64_t offset, int64_t size, int dir, int *ret_fd, int64_t *ret_size,
		char ret_digest[CHECKSUM_DIGEST_MAX], struct error *err)
{
	const struct stream_request req = {
		.fd = fd, .offset = offset, .size = size, .keep_fd = -1, .stop_fd = -1
	};
	char stored[DIGEST_HEX_LEN + 1], plain[DIGEST_HEX_LEN + 1];
	cleanup(stream_cleanup) struct stream *stream = NULL;
	const void *bytes = NULL;
	autoclose int to = -1;
	int64_t total = 0;
	ssize_t n = 0;
	int r = place_tmp_file(dir, &to, err);

	if (r == 0)
		r = stream_open(&req, &stream, err);
	while (r == 0 && (n = stream_next(stream, &bytes, err)) > 0) {
		r = file_write_all(to, bytes, (size_t)n);
		if (r < 0)
			return error_sys(err, r, "write a layer");
		total += n;
	}
	if (r == 0 && n < 0)
		r = (int)n;
	if (r == 0)
		r = stream_finish(stream, stored, plain, err);
	if (r < 0)
		return r;
	(void)snprintf(ret_digest, CHECKSUM_DIGEST_MAX, "sha256:%s", plain);
	*ret_size = total;
	*ret_fd = steal_fd(&to);
	return 0;
}
