/* src/image/verify.c */
#include "image/verify.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/file.h"
#include "image/alias.h"
#include "image/changes.h"
#include "image/compare.h"
#include "image/digest.h"
#include "image/document.h"
#include "image/frame.h"
#include "image/fresh.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/layer.h"
#include "image/stream.h"
#include "image/tar_write.h"

#define DIFFERENCES_MAX 5 /* told of one layer */
#define PIECE           65536

struct verifying {
	struct db *db;
	const struct incoming *in;
	const struct image *image;
	struct verify *v;
	verify_report report;
	void *data;
	size_t layer; /* the one that is looked at */
};

static void found(struct verifying *c, const char *fmt, ...) printf_like(2, 3);
static void found(struct verifying *c, const char *fmt, ...)
{
	autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	c->report(c->data, text);
	c->v->findings++;
}

void verify_done(struct verify *v)
{
	strv_done(&v->bad_documents);
	strv_done(&v->bad_names);
	free(v->layers);
	*v = (struct verify) { .n = 0 };
}

/* blobs */

/* 1 if it is what its name says, 0 if not, -ENOENT. */
static int blob_is_good(const struct incoming *in, const char *hex, struct error *err)
{
	autoclose int fd = openat(in->blobs_fd, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autofree char *bytes = xmalloc(PIECE);
	char got[DIGEST_HEX_LEN + 1];
	struct digest d;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : error_sys(err, -errno, "open blob %.12s", hex);
	digest_init(&d);
	while ((n = read(fd, bytes, PIECE)) > 0)
		digest_update(&d, bytes, (size_t)n);
	if (n < 0) {
		digest_done(&d);
		return error_sys(err, -errno, "read blob %.12s", hex);
	}
	digest_final(&d, got);
	return strcmp(got, hex) == 0;
}

static int check_document(struct verifying *c, const char *hex, const char *kind, struct error *err)
{
	int r = blob_is_good(c->in, hex, err);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r <= 0) {
		strv_add(&c->v->bad_documents, hex);
		found(c, "image %.12s: its %s sha256:%.12s is %s", c->image->id, kind, hex,
		      r == 0 ? "damaged" : "gone");
	}
	return 0;
}

/* What a manifest calls by SHA-512 must be what the rows say.  That it has this digest was seen
 * when the name was made, and the blob is looked at as any other.
 */
static int check_names(struct verifying *c, const char *document, struct error *err)
{
	autofree char *text = NULL;
	struct document doc = { .n = 0 };
	struct db_rows rows;
	size_t len = 0;
	int r;

	if (strv_has(&c->v->bad_documents, document) ||
	    file_read_at(c->in->blobs_fd, document, DOCUMENT_MAX, &text, &len, NULL) < 0 ||
	    document_parse(text, len, "manifest", &doc, NULL) < 0)
		return 0;
	r = db_query(c->db, &rows, err,
		     "SELECT position, digest FROM document_parts WHERE document = ?1", "s",
		     document);
	while (r == 0 && db_next(&rows)) {
		size_t i = (size_t)db_int(&rows, 0);
		const char *name = i < doc.n ? doc.parts[i].sha512 : "",
			   *digest = db_text(&rows, 1);
		char there[DIGEST_HEX_LEN + 1] = "";

		if (!name[0] || strlen(digest) != DIGEST_HEX_LEN ||
		    (alias_get(c->in->root_fd, name, there) && strcmp(there, digest) == 0))
			continue;
		found(c, "image %.12s: its name sha512:%.12s does not lead to sha256:%.12s",
		      c->image->id, name, digest);
		strv_addf(&c->v->bad_names, "%s %s", name, digest);
	}
	if (r == 0)
		r = db_finish(&rows);
	document_done(&doc);
	return r;
}

static int check_documents(struct verifying *c, struct error *err)
{
	struct strv digests = { 0 };
	struct db_rows rows;
	int r = check_document(c, c->image->id, "config", err);

	if (r == 0)
		r = db_query(c->db, &rows, err, "SELECT digest FROM documents WHERE image = ?1",
			     "s", c->image->id);
	if (r == 0) {
		while (db_next(&rows))
			strv_add(&digests, db_text(&rows, 0));
		r = db_finish(&rows);
	}
	for (size_t i = 0; r == 0 && i < digests.n; i++)
		r = check_document(c, digests.items[i], "manifest", err);
	for (size_t i = 0; r == 0 && i < digests.n; i++)
		r = check_names(c, digests.items[i], err);
	strv_done(&digests);
	return r;
}

static int read_layer_rows(struct verifying *c, struct error *err)
{
	struct db_rows rows;
	int r = db_query(c->db, &rows, err,
			 "SELECT i.position, l.diff_id, b.digest, b.size"
			 " FROM image_layers i JOIN layers l USING (chain)"
			 " LEFT JOIN layer_blobs b ON b.diff_id = l.diff_id"
			 " WHERE i.image = ?1 ORDER BY i.position, b.digest DESC",
			 "s", c->image->id);

	c->v->n = c->image->layers.n;
	c->v->layers = xcalloc(c->v->n + 1, sizeof(*c->v->layers));
	if (r < 0)
		return r;
	while (db_next(&rows)) {
		size_t i = (size_t)db_int(&rows, 0);
		struct verify_layer *l = &c->v->layers[MIN(i, c->v->n)];

		(void)snprintf(l->diff_id, sizeof(l->diff_id), "%s", db_text(&rows, 1));
		l->blob_size = db_text(&rows, 2) ? db_int(&rows, 3) : -1;
		(void)snprintf(l->blob, sizeof(l->blob), "%s",
			       db_text(&rows, 2) ? db_text(&rows, 2) : "");
	}
	return db_finish(&rows);
}

/* trees */

static void lower_dirs(const struct verifying *c, size_t layer, struct strv *ret)
{
	for (size_t i = layer; i > 0; i--)
		strv_addf(ret, "%s/layers/%s/diff", c->in->root, c->image->layers.items[i - 1]);
}

static int list_lower(void *data, struct strv *ret, struct error *err)
{
	const struct verifying *c = data;

	(void)err;
	lower_dirs(c, c->layer, ret);
	return 0;
}

/* An archive, from a file's start or (offset -1) a pipe. */
struct archive {
	int fd;
	int64_t offset;
	char unpacked[DIGEST_HEX_LEN + 1]; /* found: its digest */
};

static int unpack_again(struct verifying *c, struct archive *a, int dir, struct error *err)
{
	char stored[DIGEST_HEX_LEN + 1];
	cleanup(stream_cleanup) struct stream *stream = NULL;
	const struct stream_request sr = {
		.fd = a->fd, .offset = a->offset, .size = -1, .keep_fd = -1, .stop_fd = -1
	};
	const struct layer_request lr = { .dir_fd = dir, .lower = list_lower, .data = c };
	struct layer_result result = { 0 };
	int r = stream_open(&sr, &stream, err);

	if (r == 0)
		r = layer_apply(&lr, stream, &result, err);
	return r < 0 ? r : stream_finish(stream, stored, a->unpacked, err);
}

static void tell_difference(void *data, const char *text)
{
	struct verifying *c = data;

	found(c, "image %.12s: layer %zu: %s", c->image->id, c->layer + 1, text);
}

/* The layer once more, beside the tree that containers use. */
static int compare_with_archive(struct verifying *c, struct archive *a, int tree, struct error *err)
{
	autoclose int fresh = -1;
	int r = dir_ensure_at(c->in->tmp_fd, "verify", 0755, &fresh, err);

	if (r == 0)
		r = unpack_again(c, a, fresh, err);
	if (r == 0)
		r = compare_trees(tree, fresh, DIFFERENCES_MAX, tell_difference, c, err);
	if (r > DIFFERENCES_MAX)
		found(c, "image %.12s: layer %zu: %d differences together", c->image->id,
		      c->layer + 1, r);
	if (r > 0)
		c->v->layers[c->layer].tree_bad = true;
	if (r < 0)
		ignore_result(dir_remove_at(c->in->tmp_fd, "verify", NULL));
	else
		r = dir_remove_at(c->in->tmp_fd, "verify", err);
	return r;
}

static int compare_with_blob(struct verifying *c, const char *blob, int tree, struct error *err)
{
	autoclose int fd = openat(c->in->blobs_fd, blob, O_RDONLY | O_CLOEXEC);
	struct archive a = { .fd = fd };

	return fd < 0 ? error_sys(err, -errno, "open blob %.12s", blob)
		      : compare_with_archive(c, &a, tree, err);
}

static void digest_differs(struct verifying *c, const char *got)
{
	found(c, "image %.12s: layer %zu: its files have the digest sha256:%.12s, not sha256:%.12s",
	      c->image->id, c->layer + 1, got, c->v->layers[c->layer].diff_id);
}

/* The archive comes of the tree: a wrong content shows in its digest, all else in the comparison.
 * With the former there is no archive any more, and the layer has to be fetched as a whole.
 */
static int compare_with_frame(struct verifying *c, int frame, int tree, struct error *err)
{
	struct verify_layer *l = &c->v->layers[c->layer];
	const struct changes_request req = { .fd = tree };
	struct archive a = { .offset = -1 };
	struct changes_pipe *pipe = NULL;
	struct error why = { 0 };
	int r = changes_pipe_open(&req, -1, frame, &pipe, &a.fd, &why);

	if (r == 0) {
		r = compare_with_archive(c, &a, tree, &why);
		r = changes_pipe_close(pipe, a.fd, r, &why);
	}
	if (r < 0 && r != -EUCLEAN && r != -EBADMSG)
		return err ? (*err = why).code : r;
	l->blob_bad = r < 0 || strcmp(a.unpacked, l->diff_id) != 0;
	l->tree_bad = l->tree_bad || l->blob_bad;
	if (r < 0)
		tell_difference(c, why.text);
	else if (l->blob_bad)
		digest_differs(c, a.unpacked);
	return 0;
}

static int hash_bytes_of_tar(void *data, const void *bytes, size_t len, struct error *err)
{
	(void)err;
	digest_update(data, bytes, len);
	return 0;
}

/* Made here, so the archive that its directory makes is the one that its diff ID is of. */
static int compare_with_digest(struct verifying *c, int tree, struct error *err)
{
	struct verify_layer *l = &c->v->layers[c->layer];
	char got[DIGEST_HEX_LEN + 1];
	struct strv lower = { 0 };
	struct changes_request req = { .fd = tree, .lower = &lower };
	const struct changes_tar options = { .newest_s = -1 };
	struct digest d;
	cleanup(tar_writer_cleanup) struct tar_writer *w = NULL;
	int r;

	lower_dirs(c, c->layer, &lower);
	digest_init(&d);
	w = tar_writer_new(hash_bytes_of_tar, &d);
	r = changes_write(&req, &options, w, err);
	if (r == 0)
		r = tar_put_end(w, err);
	strv_done(&lower);
	if (r < 0) {
		digest_done(&d);
		return r;
	}
	digest_final(&d, got);
	if (strcmp(got, l->diff_id) != 0) {
		l->tree_bad = true;
		digest_differs(c, got);
	}
	return 0;
}

static void close_frame(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int check_layer(struct verifying *c, struct error *err)
{
	struct verify_layer *l = &c->v->layers[c->layer];
	autofree char *path = xasprintf("%s/diff", c->image->layers.items[c->layer]);
	autoclose int tree = openat(c->in->layers_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int frame = frame_open(c->in->layers_fd, c->image->layers.items[c->layer]), r;

	r = l->blob[0] ? blob_is_good(c->in, l->blob, err) : 1;
	/* The tree and its frame are the blob: with one of them it is gone. */
	if (r == -ENOENT && frame >= 0 && strcmp(l->blob, l->diff_id) == 0) {
		l->blob[0] = '\0';
		r = 1;
	}
	if (r != 1 || l->blob[0])
		close_frame(&frame);
	if (r < 0 && r != -ENOENT)
		return r;
	l->blob_bad = r <= 0;
	if (l->blob_bad)
		found(c, "image %.12s: layer %zu: its blob sha256:%.12s is %s", c->image->id,
		      c->layer + 1, l->blob, r == 0 ? "damaged" : "gone");
	if (tree < 0) {
		l->tree_bad = true;
		found(c, "image %.12s: layer %zu: its files are gone", c->image->id, c->layer + 1);
		l->blob_bad = l->blob_bad || frame >= 0;
		close_frame(&frame);
		return 0;
	}
	if (l->blob[0] && l->blob_bad)
		return 0; /* nothing to compare with until it is fetched */
	if (l->blob[0])
		return compare_with_blob(c, l->blob, tree, err);
	return frame >= 0 ? compare_with_frame(c, frame, tree, err)
			  : compare_with_digest(c, tree, err);
}

int verify_image(struct db *db, const struct incoming *in, const struct image *image,
		 verify_report report, void *data, struct verify *ret, struct error *err)
{
	struct verify v = { .n = 0 };
	struct verifying c = {
		.db = db, .in = in, .image = image, .v = &v, .report = report, .data = data
	};
	int r = check_documents(&c, err);

	if (r == 0)
		r = read_layer_rows(&c, err);
	for (c.layer = 0; r == 0 && c.layer < v.n; c.layer++) {
		r = check_layer(&c, err);
		if (r < 0)
			(void)error_wrap(err, r, "layer %zu", c.layer + 1);
	}
	if (r < 0) {
		verify_done(&v);
		return r;
	}
	*ret = v;
	return 0;
}
