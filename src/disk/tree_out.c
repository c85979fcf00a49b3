/* src/disk/tree_out.c */
#include "disk/tree_out.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "disk/filetree.h"
#include "image/attributes.h"
#include "image/tar_write.h"

#define CHUNK (1U << 20)
#define ROOT  1

#define MAP_RUNS_MAX 100000 /* of a sparse file: with more its holes are zeros */
#define MAP_TEXT_MAX (MAP_RUNS_MAX * 42U)

struct archiving {
	struct tar_writer *tar;
	char **first; /* by number: the first name of a file that has several; of a directory its
			 path */
	char *bytes;
	enum tree_out how;
	struct error *err;
};

static int to_fd(void *data, const void *bytes, size_t len, struct error *err)
{
	int r = file_write_all(*(int *)data, bytes, len);

	return r < 0 ? error_sys(err, r, "hand the files on") : 0;
}

static enum tar_type type_of(mode_t mode)
{
	return S_ISDIR(mode)    ? TAR_DIR
	       : S_ISLNK(mode)  ? TAR_SYMLINK
	       : S_ISCHR(mode)  ? TAR_CHAR
	       : S_ISBLK(mode)  ? TAR_BLOCK_DEVICE
	       : S_ISFIFO(mode) ? TAR_FIFO
				: TAR_FILE;
}

static int put_zeros(struct archiving *a, int64_t len)
{
	int r = 0;

	memset(a->bytes, 0, CHUNK);
	for (; r == 0 && len > 0; len -= MIN(len, (int64_t)CHUNK))
		r = tar_put_data(a->tar, a->bytes, (size_t)MIN(len, (int64_t)CHUNK), a->err);
	return r;
}

static int put_run(struct archiving *a, struct content_reader *rd, int64_t at, int64_t len)
{
	int r = 0;

	while (r == 0 && len > 0) {
		int64_t n = MIN(len, (int64_t)CHUNK);

		r = content_get(rd, at, n, a->bytes);
		if (r < 0)
			return error_sys(a->err, r, "read a file");
		r = tar_put_data(a->tar, a->bytes, (size_t)n, a->err);
		at += n;
		len -= n;
	}
	return r;
}

static int put_content(struct archiving *a, const struct content *c, bool holes)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t at = 0, start, len;
	int r = content_open(c, &rd, a->err);

	while (r == 0 && content_next(&rd, at, &start, &len) > 0) {
		r = holes ? 0 : put_zeros(a, start - at);
		if (r == 0)
			r = put_run(a, &rd, start, len);
		at = start + len;
	}
	return r < 0 || holes ? r : put_zeros(a, c->size - at);
}

/* The runs of a file that has holes, into e. */
static int add_map(struct archiving *a, const struct content *c, struct buf *text,
		   struct tar_entry *e)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t at = 0, start, len;
	int r;

	if (a->how != TREE_OUT_EXACT)
		return 0;
	r = content_open(c, &rd, a->err);
	if (r < 0)
		return r;
	for (; content_next(&rd, at, &start, &len) > 0; at = start + len) {
		if (++e->runs > MAP_RUNS_MAX)
			return 0;
		buf_addf(text, "%s%lld,%lld", e->runs > 1 ? "," : "", (long long)start,
			 (long long)len);
		e->mapped += len;
	}
	if (e->mapped < c->size)
		e->map = buf_text(text);
	return 0;
}

static int put_file(struct archiving *a, const struct file *f, char *path)
{
	cleanup(buf_done) struct buf map = BUF_INIT(MAP_TEXT_MAX);
	char *first = a->first[f->number];
	struct tar_entry e = { .type = type_of(f->mode),
			       .name = path,
			       .link = f->target ? f->target : (char *)"",
			       .mode = f->mode & 07777,
			       .uid = f->uid,
			       .gid = f->gid,
			       .mtime = f->mtime,
			       .major = f->major,
			       .minor = f->minor,
			       .xattrs = f->xattrs,
			       .nxattrs = f->nxattrs };
	int r = 0;

	if (first && !S_ISDIR(f->mode)) {
		e.type = TAR_HARD_LINK;
		e.link = first;
		e.nxattrs = 0;
	} else if (S_ISREG(f->mode)) {
		e.size = f->content.size;
		r = add_map(a, &f->content, &map, &e);
	}
	if (r == 0)
		r = tar_put(a->tar, &e, a->err);
	if (r == 0 && e.type == TAR_FILE)
		r = put_content(a, &f->content, e.map != NULL);
	return r;
}

static int put_names(struct archiving *a, const struct file *dir)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < dir->nnames; i++) {
		struct file *f = dir->names[i].file;
		char *path = xasprintf("%s%s%s", a->first[dir->number], dir->names[i].text,
				       S_ISDIR(f->mode) ? "/" : "");

		r = put_file(a, f, path);
		if (a->first[f->number])
			free(path);
		else
			a->first[f->number] = path;
	}
	return r;
}

int filetree_write_tar(struct filetree *t, int fd, enum tree_out how, struct error *err)
{
	cleanup(tar_writer_cleanup) struct tar_writer *tar = tar_writer_new(to_fd, &fd);
	struct archiving a = { .tar = tar, .how = how, .err = err };
	int r;

	if (how == TREE_OUT_EXACT)
		tar_writer_keep_fractions(tar);
	filetree_number(t, ROOT, ROOT + 1);
	a.first = xcalloc(t->norder + 2, sizeof(*a.first));
	a.bytes = xmalloc(CHUNK);
	a.first[ROOT] = xstrdup("./");
	r = put_file(&a, t->root, a.first[ROOT]);
	for (size_t i = 0; r == 0 && i < t->norder; i++)
		if (S_ISDIR(t->order[i]->mode))
			r = put_names(&a, t->order[i]);
	if (r == 0)
		r = tar_put_end(tar, err);
	for (size_t i = 0; i < t->norder + 2; i++)
		free(a.first[i]);
	free(a.first);
	free(a.bytes);
	return r;
}
