/* src/image/repair.c - start at image_repair(). */
#include "image/repair.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/fault.h"
#include "base/file.h"
#include "image/alias.h"
#include "image/changes.h"
#include "image/digest.h"
#include "image/frame.h"
#include "image/fresh.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/layer.h"
#include "image/layer_info.h"
#include "image/stream.h"
#include "image/usage.h"
#include "image/verify.h"

#define AGAIN "again" /* of ROOT/tmp/ID: layers that were unpacked once more */
#define STORE "store" /* a store for what is fetched */

struct repairing {
	const struct repair_request *req;
	const struct incoming *in;
	const struct verify *v;
	char *const *chains;
	bool lost;                /* something has to be fetched */
	int new_fd;               /* where the layers that were made are */
	struct layer_info *infos; /* theirs */
	size_t layer;             /* the one that is made */
	struct error *err;
};

static bool is_bad(const struct verify_layer *l)
{
	return l->tree_bad || l->blob_bad;
}

/* once more from what is here */

/* Those below that were made again are better than those that are in place. */
static int list_lower(void *data, struct strv *ret, struct error *err)
{
	const struct repairing *p = data;

	(void)err;
	for (size_t i = p->layer; i > 0; i--) {
		const char *chain = p->chains[i - 1];

		if (is_bad(&p->v->layers[i - 1]))
			strv_addf(ret, "%s/%s/" AGAIN "/%s/diff", p->in->root, p->in->tmp_name,
				  chain);
		else
			strv_addf(ret, "%s/layers/%s/diff", p->in->root, chain);
	}
	return 0;
}

/* Its archive: a file, or a pipe that its tree and frame fill. */
struct archive {
	int fd, tree;
	struct changes_pipe *pipe;
};

static int open_archive(const struct repairing *p, struct archive *ret)
{
	const struct verify_layer *l = &p->v->layers[p->layer];
	const char *chain = p->chains[p->layer];
	autofree char *path = xasprintf("%s/diff", chain);
	struct changes_request req = { .fd = -1 };
	int frame, r;

	*ret = (struct archive) { .fd = -1, .tree = -1 };
	if (l->blob[0]) {
		ret->fd = openat(p->in->blobs_fd, l->blob, O_RDONLY | O_CLOEXEC);
		return ret->fd < 0 ? error_sys(p->err, -errno, "open blob %.12s", l->blob) : 0;
	}
	frame = frame_open(p->in->layers_fd, chain);
	if (frame < 0)
		return error_sys(p->err, frame, "open the frame of layer %zu", p->layer + 1);
	req.fd = ret->tree = openat(p->in->layers_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = changes_pipe_open(&req, -1, frame, &ret->pipe, &ret->fd, p->err);
	if (r < 0 && ret->tree >= 0)
		(void)close(ret->tree);
	return r;
}

static int close_archive(const struct repairing *p, struct archive *a, int r)
{
	if (a->pipe)
		r = changes_pipe_close(a->pipe, a->fd, r, p->err);
	else
		(void)close(a->fd);
	if (a->tree >= 0)
		(void)close(a->tree);
	return r;
}

static int unpack(struct repairing *p, const struct archive *a, int dir)
{
	const struct verify_layer *l = &p->v->layers[p->layer];
	struct layer_info *info = &p->infos[p->layer];
	char stored[DIGEST_HEX_LEN + 1], unpacked[DIGEST_HEX_LEN + 1];
	cleanup(stream_cleanup) struct stream *stream = NULL;
	const struct stream_request sr = {
		.fd = a->fd, .offset = a->pipe ? -1 : 0, .size = -1, .keep_fd = -1, .stop_fd = -1
	};
	struct layer_request lr = { .lower = list_lower, .data = p };
	struct layer_result result = { .size = 0 };
	autoclose int diff = -1;
	int r = dir_ensure_at(dir, "diff", 0755, &diff, p->err);

	lr.dir_fd = diff;
	if (r == 0)
		r = stream_open(&sr, &stream, p->err);
	if (r == 0)
		r = layer_apply(&lr, stream, &result, p->err);
	if (r == 0)
		r = stream_finish(stream, stored, unpacked, p->err);
	if (r == 0 && strcmp(unpacked, l->diff_id) != 0)
		r = error_set(p->err, -EBADMSG,
			      "its digest is sha256:%.12s... now, it has been changed meanwhile",
			      unpacked);
	if (r < 0)
		return r;
	info->size = result.size;
	info->tar_size = stream_unpacked_size(stream);
	if (l->blob[0])
		(void)snprintf(info->packing, sizeof(info->packing), "%s",
			       packing_name(stream_packing(stream)));
	return 0;
}

/* What was known of it, as far as that is still there. */
static void recall(struct repairing *p)
{
	const struct verify_layer *l = &p->v->layers[p->layer];
	struct layer_info *info = &p->infos[p->layer];

	if (layer_info_load(p->in->layers_fd, p->chains[p->layer], info, NULL) < 0)
		*info = (struct layer_info) { .tar_size = -1, .blob_size = -1 };
	(void)snprintf(info->diff_id, sizeof(info->diff_id), "%s", l->diff_id);
	if (!l->blob[0])
		return;
	(void)snprintf(info->blob, sizeof(info->blob), "%s", l->blob);
	info->blob_size = l->blob_size;
}

static int make_one(struct repairing *p)
{
	const char *chain = p->chains[p->layer];
	autofree char *frame = xasprintf("%s/" LAYER_FRAME, chain);
	struct layer_info *info = &p->infos[p->layer];
	autoclose int dir = -1;
	struct archive a;
	int r = dir_ensure_at(p->new_fd, chain, 0700, &dir, p->err);

	recall(p);
	if (r == 0 && linkat(p->in->layers_fd, frame, dir, LAYER_FRAME, 0) < 0 && errno != ENOENT)
		r = error_sys(p->err, -errno, "keep the frame of layer %zu", p->layer + 1);
	if (r == 0)
		r = open_archive(p, &a);
	if (r == 0) {
		r = unpack(p, &a, dir);
		r = close_archive(p, &a, r);
	}
	if (r == 0)
		r = disk_usage(dir, &info->disk, p->err);
	if (r == 0)
		r = layer_info_save(dir, info, p->err);
	return r < 0 ? error_wrap(p->err, r, "layer %zu", p->layer + 1) : 0;
}

static int make_again(struct repairing *p)
{
	int r = dir_ensure_at(p->in->tmp_fd, AGAIN, 0700, &p->new_fd, p->err);

	for (p->layer = 0; r == 0 && p->layer < p->v->n; p->layer++)
		if (is_bad(&p->v->layers[p->layer])) {
			fault_point("repair-unpack");
			r = make_one(p);
		}
	return r;
}

/* One that was made here and keeps no archive is nowhere else. */
static int check_sources(const struct repairing *p)
{
	for (size_t i = 0; !p->lost && i < p->v->n; i++) {
		const struct verify_layer *l = &p->v->layers[i];
		autoclose int frame = -1;

		if (!is_bad(l) || l->blob[0])
			continue;
		frame = frame_open(p->in->layers_fd, p->chains[i]);
		if (frame < 0)
			return error_set(p->err, -ENOENT,
					 "layer %zu was made here and is kept nowhere else", i + 1);
	}
	return 0;
}

/* fetched */

static int lend_blob(const struct repairing *p, int blobs, const char *hex)
{
	if (linkat(p->in->blobs_fd, hex, blobs, hex, 0) < 0 && errno != ENOENT && errno != EEXIST)
		return error_sys(p->err, -errno, "lend blob %.12s", hex);
	return 0;
}

/* What is whole is in the other store already, and so not asked for. */
static int lend(const struct repairing *p)
{
	autoclose int blobs = -1, layers = -1;
	int r = dir_ensure_at(p->in->tmp_fd, STORE "/blobs/sha256", 0700, &blobs, p->err);

	if (r == 0)
		r = dir_ensure_at(p->in->tmp_fd, STORE "/layers", 0700, &layers, p->err);
	if (r == 0 && !strv_has(&p->v->bad_documents, p->req->image->id))
		r = lend_blob(p, blobs, p->req->image->id);
	for (size_t i = 0; r == 0 && i < p->v->n; i++) {
		const struct verify_layer *l = &p->v->layers[i];
		autofree char *there = xasprintf("../../../../layers/%s", p->chains[i]);

		if (l->blob[0] && !l->blob_bad)
			r = lend_blob(p, blobs, l->blob);
		if (r == 0 && !is_bad(l) && symlinkat(there, layers, p->chains[i]) < 0 &&
		    errno != EEXIST)
			r = error_sys(p->err, -errno, "lend layer %zu", i + 1);
	}
	return r;
}

static int fetch(struct repairing *p)
{
	autofree char *root = xasprintf("%s/%s/" STORE, p->in->root, p->in->tmp_name);
	int r = lend(p);

	fault_point("repair-fetch");
	if (r == 0)
		r = p->req->fetch(p->req->data, root, p->err);
	if (r == 0)
		r = dir_open_at(p->in->tmp_fd, STORE "/layers", &p->new_fd, p->err);
	for (size_t i = 0; r == 0 && i < p->v->n; i++)
		if (is_bad(&p->v->layers[i]))
			r = layer_info_load(p->new_fd, p->chains[i], &p->infos[i], p->err);
	return r;
}

/* into their places */

static int place_blob(const struct repairing *p, const char *hex)
{
	autofree char *from = xasprintf(STORE "/blobs/sha256/%s", hex);

	if (renameat(p->in->tmp_fd, from, p->in->blobs_fd, hex) < 0)
		return errno == ENOENT ? error_set(p->err, -ENOENT,
						   "what was fetched has no sha256:%.12s", hex)
				       : error_sys(p->err, -errno, "put %.12s in place", hex);
	return 0;
}

static int place_blobs(const struct repairing *p)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->v->bad_documents.n; i++)
		r = place_blob(p, p->v->bad_documents.items[i]);
	for (size_t i = 0; r == 0 && i < p->v->n; i++)
		if (is_bad(&p->v->layers[i]) && p->infos[i].blob[0])
			r = place_blob(p, p->infos[i].blob);
	return r;
}

/* Where there was none, another command may bring one at the same time. */
static int place_layer(const struct repairing *p, size_t i)
{
	const char *chain = p->chains[i];

	for (;;) {
		if (renameat2(p->new_fd, chain, p->in->layers_fd, chain, RENAME_EXCHANGE) == 0)
			return 0;
		if (errno == ENOENT &&
		    renameat2(p->new_fd, chain, p->in->layers_fd, chain, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return error_sys(p->err, -errno, "put layer %zu in place", i + 1);
	}
}

/* A blob that is damaged and did not come again is none; nor is one that was the old tree and its
 * frame.
 */
static int forget_blobs(const struct repairing *p, size_t i)
{
	const struct verify_layer *l = &p->v->layers[i];
	char chain[DIGEST_HEX_LEN + 1];
	int64_t size;
	int r = 0;

	if (l->blob_bad && l->blob[0] && strcmp(l->blob, p->infos[i].blob) != 0) {
		if (unlinkat(p->in->blobs_fd, l->blob, 0) < 0 && errno != ENOENT)
			return error_sys(p->err, -errno, "remove blob %.12s", l->blob);
		r = db_run(p->req->db, p->err, "DELETE FROM layer_blobs WHERE digest = ?1", "s",
			   l->blob);
	}
	if (r < 0 || faccessat(p->in->blobs_fd, l->diff_id, F_OK, 0) == 0)
		return r;
	r = layer_blob_framed(p->req->db, p->in->root_fd, l->diff_id, chain, &size, p->err);
	return r != 0 ? MIN(r, 0)
		      : db_run(p->req->db, p->err, "DELETE FROM layer_blobs WHERE digest = ?1", "s",
			       l->diff_id);
}

static int insert_rows(const struct repairing *p, size_t i)
{
	const struct layer_info *info = &p->infos[i];
	int r = layer_info_insert(p->req->db, p->chains[i], info, p->err);

	if (r == 0 && info->blob[0])
		r = layer_blob_insert(p->req->db, info->blob, info->diff_id, info->blob_size,
				      info->packing, p->err);
	return r < 0 ? r : forget_blobs(p, i);
}

/* In the transaction that take() began. */
static int place_all(const struct repairing *p)
{
	int r = p->lost ? place_blobs(p) : 0;

	for (size_t i = 0; r == 0 && i < p->v->n; i++) {
		if (!is_bad(&p->v->layers[i]))
			continue;
		fault_point("repair-place");
		r = place_layer(p, i);
		fault_point("repair-placed");
		if (r == 0)
			r = insert_rows(p, i);
	}
	return r < 0 ? r : db_commit(p->req->db, p->err);
}

/* names by SHA-512 */

/* Those whose blobs are here; what was fetched is by now. */
static int name_again(const struct repairing *p)
{
	const struct strv *names = &p->v->bad_names;
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->n; i++) {
		const char *digest = strchr(names->items[i], ' ') + 1;
		autofree char *name = xstrndup(names->items[i], DIGEST512_HEX_LEN);
		autoclose int fd = openat(p->in->blobs_fd, digest, O_RDONLY | O_CLOEXEC);
		char got[DIGEST512_HEX_LEN + 1];

		if (fd < 0)
			continue;
		r = digest512_file(fd, got);
		if (r < 0)
			return error_sys(p->err, r, "read blob %.12s", digest);
		if (strcmp(got, name) == 0)
			r = alias_set(p->in->root_fd, name, digest, p->err);
	}
	return r;
}

/* the whole */

static int refuse_if_used(const struct repairing *p, const struct strv *bad)
{
	int r = p->req->take(p->req->data, bad, p->err);

	p->req->release(p->req->data);
	return r;
}

static int put_in_place(const struct repairing *p, const struct strv *bad)
{
	int r = 0;

	if (syncfs(p->in->tmp_fd) < 0)
		return error_sys(p->err, -errno, "write the layers to the disk");
	r = p->req->take(p->req->data, bad, p->err);
	if (r == 0)
		r = place_all(p);
	p->req->release(p->req->data);
	return r;
}

int image_repair(const struct repair_request *req, struct error *err)
{
	const struct verify *v = req->v;
	autofree struct layer_info *infos = xcalloc(v->n + 1, sizeof(*infos));
	struct repairing p = {
		.req = req,
		.in = req->in,
		.v = v,
		.chains = req->image->layers.items,
		.lost = v->bad_documents.n > 0,
		.new_fd = -1,
		.infos = infos,
		.err = err,
	};
	struct strv bad = { 0 };
	int r = 0;

	for (size_t i = 0; i < v->n; i++) {
		p.lost = p.lost || v->layers[i].blob_bad;
		if (is_bad(&v->layers[i]))
			strv_add(&bad, p.chains[i]);
	}
	if (bad.n > 0 || p.lost) {
		r = refuse_if_used(&p, &bad);
		if (r == 0)
			r = check_sources(&p);
		if (r == 0)
			r = p.lost ? fetch(&p) : make_again(&p);
		if (r == 0)
			r = put_in_place(&p, &bad);
	}
	if (p.new_fd >= 0)
		(void)close(p.new_fd);
	strv_done(&bad);
	return r < 0 ? r : name_again(&p);
}
