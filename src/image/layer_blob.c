/* src/image/layer_blob.c */
#include "image/layer_blob.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/file.h"
#include "image/changes.h"
#include "image/digest.h"
#include "image/frame.h"
#include "image/fresh.h"
#include "image/incoming.h"
#include "image/pack.h"
#include "image/stream.h"

void layer_blob_done(struct layer_blob *b)
{
	strv_done(&b->below);
}

/* finding */

static int find_chains(struct db *db, const char *root, const char *image, size_t position,
		       struct layer_blob *b, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT chain FROM image_layers WHERE image = ?1 AND position <= ?2"
			 " ORDER BY position DESC",
			 "si", image, (int64_t)position);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		if (b->chain[0])
			strv_addf(&b->below, "%s/layers/%s/diff", root, db_text(&rows, 0));
		else
			(void)snprintf(b->chain, sizeof(b->chain), "%s", db_text(&rows, 0));
	}
	r = db_finish(&rows);
	return r < 0 ? r : b->chain[0] ? 0 : -ENOENT;
}

static int find_info(struct db *db, struct layer_blob *b, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT diff_id, size, disk, tar_size FROM layers WHERE chain = ?1", "s",
			 b->chain);

	if (r < 0)
		return r;
	b->info = (struct layer_info) { .blob_size = -1, .tar_size = -1 };
	if (db_next(&rows)) {
		(void)snprintf(b->info.diff_id, sizeof(b->info.diff_id), "%s", db_text(&rows, 0));
		b->info.size = db_int(&rows, 1);
		b->info.disk = db_int(&rows, 2);
		b->info.tar_size = db_int(&rows, 3);
	}
	r = db_finish(&rows);
	if (r == 0 && !b->info.diff_id[0])
		return error_set(
			err, -ENODATA,
			"layer %.12s was brought in by an older strake that did not keep its "
			"archive; load or pull the image again",
			b->chain);
	return r;
}

/* The image's own manifest's blob before others of the same content. */
static int find_blob(struct db *db, const char *image, const char *packing, struct layer_blob *b,
		     struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT b.digest, b.size, b.packing FROM layer_blobs AS b"
			 " LEFT JOIN document_parts AS p ON p.digest = b.digest"
			 " LEFT JOIN documents AS d ON d.digest = p.document AND d.image = ?2"
			 " WHERE b.diff_id = ?1 AND (?3 IS NULL OR b.packing = ?3)"
			 " ORDER BY d.made IS NULL, d.made DESC, b.digest LIMIT 1",
			 "sss", b->info.diff_id, image, packing);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		(void)snprintf(b->info.blob, sizeof(b->info.blob), "%s", db_text(&rows, 0));
		b->info.blob_size = db_int(&rows, 1);
		(void)snprintf(b->info.packing, sizeof(b->info.packing), "%s", db_text(&rows, 2));
	}
	return db_finish(&rows);
}

int layer_blob_find(struct db *db, const char *root, const char *image, size_t position,
		    struct layer_blob *ret, struct error *err)
{
	struct layer_blob b = { .chain = "" };
	int r = find_chains(db, root, image, position, &b, err);

	if (r == 0)
		r = find_info(db, &b, err);
	if (r == 0)
		r = find_blob(db, image, NULL, &b, err);
	if (r < 0)
		layer_blob_done(&b);
	else
		*ret = b;
	return r;
}

int layer_blob_find_chain(struct db *db, const char *root, const struct strv *chains,
			  struct layer_blob *ret, struct error *err)
{
	struct layer_blob b = { .chain = "" };
	int r;

	(void)snprintf(b.chain, sizeof(b.chain), "%s", chains->items[chains->n - 1]);
	for (size_t i = chains->n - 1; i > 0; i--)
		strv_addf(&b.below, "%s/layers/%s/diff", root, chains->items[i - 1]);
	r = find_info(db, &b, err);
	if (r == 0)
		r = find_blob(db, NULL, NULL, &b, err);
	if (r < 0)
		layer_blob_done(&b);
	else
		*ret = b;
	return r;
}

/* the archive */

struct opened {
	int fd;
	struct changes_pipe *pipe; /* or NULL: a kept blob */
	int dir;
};

static int open_made(int root_fd, const struct layer_blob *b, struct opened *o, struct error *err)
{
	autofree char *path = xasprintf("layers/%s/diff", b->chain);
	autoclose int layers = openat(root_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct changes_request req = { .lower = &b->below };
	int r = dir_open_at(root_fd, path, &o->dir, err);

	req.fd = o->dir;
	return r < 0 ? r
		     : changes_pipe_open(&req, -1, frame_open(layers, b->chain), &o->pipe, &o->fd,
					 err);
}

static int open_kept(int root_fd, const struct layer_blob *b, struct opened *o, struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", b->info.blob);

	o->fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC);
	if (o->fd < 0 && errno == ENOENT && strcmp(b->info.blob, b->info.diff_id) == 0)
		return open_made(root_fd, b, o, err); /* its tree and frame are the blob */
	return o->fd < 0 ? error_sys(err, -errno, "open %s", path) : 0;
}

static int read_archive(const struct layer_blob *b, int fd,
			int (*sink)(void *data, const void *bytes, size_t len, struct error *err),
			void *data, int64_t *ret_size, struct error *err)
{
	const struct stream_request sr = {
		.fd = fd, .offset = -1, .size = -1, .keep_fd = -1, .stop_fd = -1, .threaded = true
	};
	char stored[DIGEST_HEX_LEN + 1], unpacked[DIGEST_HEX_LEN + 1];
	cleanup(stream_cleanup) struct stream *stream = NULL;
	const void *bytes = NULL;
	int r = stream_open(&sr, &stream, err);
	ssize_t n = 1;

	while (r == 0 && n > 0) {
		n = stream_next(stream, &bytes, err);
		if (n > 0)
			r = sink(data, bytes, (size_t)n, err);
		else if (n < 0)
			r = (int)n;
	}
	if (r == 0)
		r = stream_finish(stream, stored, unpacked, err);
	if (r == 0 && strcmp(unpacked, b->info.diff_id) != 0)
		return error_set(err, -EUCLEAN,
				 "layer %.12s is damaged: its content is sha256:%.12s..., not "
				 "sha256:%.12s...; 'strake image check --repair' fetches it again",
				 b->chain, unpacked, b->info.diff_id);
	if (r == 0)
		*ret_size = stream_unpacked_size(stream);
	return r;
}

static int run_archive(int root_fd, const struct layer_blob *b,
		       int (*sink)(void *data, const void *bytes, size_t len, struct error *err),
		       void *data, int64_t *ret_size, struct error *err)
{
	struct opened o = { .fd = -1, .dir = -1 };
	int r = b->info.blob[0] ? open_kept(root_fd, b, &o, err) : open_made(root_fd, b, &o, err);

	if (r == 0)
		r = read_archive(b, o.fd, sink, data, ret_size, err);
	if (o.pipe)
		r = changes_pipe_close(o.pipe, o.fd, r, err);
	else if (o.fd >= 0)
		(void)close(o.fd);
	if (o.dir >= 0)
		(void)close(o.dir);
	return r;
}

int layer_archive(int root_fd, const struct layer_blob *b,
		  int (*sink)(void *data, const void *bytes, size_t len, struct error *err),
		  void *data, struct error *err)
{
	int64_t size;

	return run_archive(root_fd, b, sink, data, &size, err);
}

static int drop(void *data, const void *bytes, size_t len, struct error *err)
{
	(void)data, (void)bytes, (void)len, (void)err;
	return 0;
}

int layer_archive_size(int root_fd, struct layer_blob *b, int64_t *ret, struct error *err)
{
	int r = 0;

	if (b->info.tar_size < 0)
		r = run_archive(root_fd, b, drop, NULL, &b->info.tar_size, err);
	if (r == 0)
		*ret = b->info.tar_size;
	return r;
}

/* making a blob */

struct making {
	struct packer *packer;
	struct digest digest;
	int fd;
	int64_t size;
};

static int write_packed(void *data, const void *bytes, size_t len, struct error *err)
{
	struct making *m = data;
	int r = file_write_all(m->fd, bytes, len);

	digest_update(&m->digest, bytes, len);
	m->size += (int64_t)len;
	return r < 0 ? error_sys(err, r, "write the layer's blob") : 0;
}

static int feed_packer(void *data, const void *bytes, size_t len, struct error *err)
{
	struct making *m = data;

	return packer_put(m->packer, bytes, len, err);
}

static int publish(struct db *db, const struct incoming *in, struct layer_blob *b, int fd,
		   struct error *err)
{
	autofree char *from = xasprintf("/proc/self/fd/%d", fd);

	if (fsync(fd) < 0)
		return error_sys(err, -errno, "write the layer's blob to the disk");
	if (linkat(AT_FDCWD, from, in->blobs_fd, b->info.blob, AT_SYMLINK_FOLLOW) < 0 &&
	    errno != EEXIST)
		return error_sys(err, -errno, "put the layer's blob in place");
	return layer_blob_insert(db, b->info.blob, b->info.diff_id, b->info.blob_size,
				 b->info.packing, err);
}

static int make_blob(struct db *db, const struct incoming *in, struct layer_blob *b,
		     enum packing packing, struct error *err)
{
	autoclose int fd = openat(in->tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	struct making m = { .fd = fd };
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "make a file for the layer's blob");
	digest_init(&m.digest);
	m.packer = packer_new(packing, write_packed, &m);
	r = layer_archive(in->root_fd, b, feed_packer, &m, err);
	if (r == 0)
		r = packer_end(m.packer, err);
	packer_free(m.packer);
	if (r < 0) {
		digest_done(&m.digest);
		return r;
	}
	digest_final(&m.digest, b->info.blob);
	b->info.blob_size = m.size;
	(void)snprintf(b->info.packing, sizeof(b->info.packing), "%s", packing_name(packing));
	return publish(db, in, b, fd, err);
}

int layer_blob_ensure(struct db *db, const struct incoming *in, struct layer_blob *b,
		      enum packing packing, bool any, struct error *err)
{
	const char *want = packing_name(packing);
	struct layer_blob other = *b;
	int r;

	if (b->info.blob[0] && (any || strcmp(b->info.packing, want) == 0))
		return 0;
	other.info.blob[0] = '\0';
	r = find_blob(db, "", want, &other, err);
	if (r < 0)
		return r;
	if (other.info.blob[0]) {
		b->info = other.info;
		return 0;
	}
	return make_blob(db, in, b, packing, err);
}
