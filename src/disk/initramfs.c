/* src/disk/initramfs.c */
#include "disk/initramfs.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "disk/filetree.h"

#define FILE_MAX 0xffffffffLL /* eight hexadecimal digits */
#define HEAD_LEN 110U
#define ROOT     1
#define TRAILER  "TRAILER!!!"

struct packing_up {
	int fd;
	int64_t at;
	struct error *err;
	struct filetree *tree;
	bool *written; /* by number: the data of a file with several names stands once */
};

static int put(struct packing_up *p, const void *bytes, size_t len)
{
	const char *from = bytes;

	if (explain_dry()) {
		p->at += (int64_t)len;
		return 0;
	}
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(p->fd, from, len, p->at));

		if (n <= 0)
			return error_sys(p->err, n < 0 ? -errno : -EIO, "write the initramfs");
		from += n;
		len -= (size_t)n;
		p->at += n;
	}
	return 0;
}

/* Everything begins at a multiple of four; the file is zeros where nothing was written. */
static void pad(struct packing_up *p)
{
	p->at = (p->at + 3) & ~(int64_t)3;
}

static int put_head(struct packing_up *p, const struct file *f, const char *path, int64_t size)
{
	char head[HEAD_LEN + 1];
	bool device = S_ISCHR(f->mode) || S_ISBLK(f->mode);
	int n = snprintf(
		head, sizeof(head), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		f->number, f->mode, f->uid, f->gid, S_ISDIR(f->mode) ? 2 : f->links,
		(unsigned)MAX(f->mtime.tv_sec, 0), (unsigned)size, 0, 0, device ? f->major : 0,
		device ? f->minor : 0, (unsigned)strlen(path) + 1, 0);
	int r;

	assert(n == HEAD_LEN);
	r = put(p, head, HEAD_LEN);
	if (r == 0)
		r = put(p, path, strlen(path) + 1);
	pad(p);
	return r;
}

static int put_content(struct packing_up *p, const struct content *c)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t at = 0, start, len;
	int r = content_open(c, &rd, p->err);

	while (r == 0 && !explain_dry() && content_next(&rd, at, &start, &len) > 0) {
		r = content_copy(&rd, start, len, p->fd, p->at + start);
		if (r < 0)
			return error_sys(p->err, r, "write the initramfs");
		at = start + len;
	}
	p->at += c->size;
	pad(p);
	return r;
}

static int put_file(void *data, const struct file *f, const char *path)
{
	struct packing_up *p = data;
	bool has_bytes = S_ISREG(f->mode) && !p->written[f->number];
	int64_t size = has_bytes          ? f->content.size
		       : S_ISLNK(f->mode) ? (int64_t)strlen(f->target)
					  : 0;
	int r;

	if (size > FILE_MAX)
		return error_set(p->err, -EFBIG, "/%s is too large for an initramfs", path);
	p->written[f->number] = true;
	r = put_head(p, f, path, size);
	if (r == 0 && S_ISLNK(f->mode)) {
		r = put(p, f->target, strlen(f->target));
		pad(p);
	}
	return r == 0 && has_bytes ? put_content(p, &f->content) : r;
}

int initramfs_write(struct filetree *t, int fd, struct content *ret, struct error *err)
{
	struct packing_up p = { .fd = fd, .err = err, .tree = t };
	const struct file end = { .links = 1 };
	int r;

	filetree_number(t, ROOT, ROOT + 1);
	/* How large it is, decides where the partitions are: a dry run counts. */
	(void)explain(
		"all of it as the archive that a kernel begins with",
		"(cd \"$tree\" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc) "
		">\"$work/initrd\"");
	p.written = xcalloc(t->norder + 2, sizeof(*p.written));
	r = filetree_walk(t, put_file, &p);
	if (r == 0)
		r = put_head(&p, &end, TRAILER, 0);
	if (r == 0 && !explain_dry() && ftruncate(fd, p.at) < 0)
		r = error_sys(err, -errno, "write the initramfs");
	free(p.written);
	if (r < 0)
		return r;
	*ret = (struct content) { .kind = CONTENT_PIECES, .fd = fd, .size = p.at };
	content_add_piece(ret, 0, 0, p.at);
	return 0;
}
