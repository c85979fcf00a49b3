/* src/transfer/place_store.c - store:NAME, our own images.
 *
 * Reading hands out what came in, byte by byte.  A layer that was made here is packed the first
 * time that it is asked for, and kept, so that it has one digest for ever.  Writing gathers the
 * blobs of an image and unpacks them when its manifest comes.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/file.h"
#include "base/json.h"
#include "image/alias.h"
#include "image/catalog.h"
#include "image/changes.h"
#include "image/document.h"
#include "image/frame.h"
#include "image/fresh.h"
#include "image/image.h"
#include "image/event.h"
#include "image/incoming.h"
#include "image/index_edit.h"
#include "image/layer_blob.h"
#include "image/layer_info.h"
#include "image/record.h"
#include "image/reference.h"
#include "image/unpack.h"
#include "transfer/pack.h"
#include "transfer/place.h"

#define LAYERS_MAX 127

struct got {
	char digest[CHECKSUM_DIGEST_MAX];
	struct blob_file file;
	int64_t size;
};

struct store_place {
	struct place base;
	struct place_context c;
	struct incoming in;
	struct image *image;            /* reading */
	char *top;                      /* reading: the document that the name stands for, hex */
	char name_given[REFERENCE_MAX]; /* writing; "" */
	bool recorded;
	struct strv ids;                /* of an index's images so far */
	bool stripped;                  /* something that it lists is no image, and stays behind */
	struct got got[LAYERS_MAX + 1]; /* writing */
	size_t n;
	pthread_mutex_t lock;
};

static struct store_place *of(struct place *p)
{
	return (struct store_place *)p;
}

/* reading: documents that are there */

static int query_text(struct db *db, const char *sql, const char *arg, char **ret,
		      struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "s", arg);

	*ret = NULL;
	if (r < 0)
		return r;
	if (db_next(&rows))
		*ret = xstrdup_or_null(db_text(&rows, 0));
	return db_finish(&rows);
}

static bool has_file(const struct store_place *p, const char *hex)
{
	return faccessat(p->in.blobs_fd, hex, F_OK, 0) == 0;
}

/* Whether all that a manifest lists is here as a blob, or as a layer that makes it. */
static int is_whole(struct store_place *p, const char *document, bool *ret, struct error *err)
{
	char chain[DIGEST_HEX_LEN + 1];
	struct strv parts = { 0 };
	struct db_rows rows;
	int64_t size;
	int r = db_query(p->c.db, &rows, err,
			 "SELECT digest FROM document_parts WHERE document = ?1", "s", document);

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(&parts, db_text(&rows, 0));
	r = db_finish(&rows);
	*ret = has_file(p, document);
	for (size_t i = 0; r == 0 && *ret && i < parts.n; i++) {
		if (has_file(p, parts.items[i]))
			continue;
		r = layer_blob_framed(p->c.db, p->c.root_fd, parts.items[i], chain, &size, err);
		*ret = r > 0;
		r = MIN(r, 0);
	}
	strv_done(&parts);
	return r;
}

static int find_manifest(struct store_place *p, struct error *err)
{
	struct strv list = { 0 };
	struct db_rows rows;
	int r = db_query(p->c.db, &rows, err,
			 "SELECT digest FROM documents WHERE image = ?1 ORDER BY made DESC", "s",
			 p->image->id);

	while (r == 0 && db_next(&rows))
		strv_add(&list, db_text(&rows, 0));
	if (r == 0)
		r = db_finish(&rows);
	for (size_t i = 0; r == 0 && !p->top && i < list.n; i++) {
		bool whole = false;

		r = is_whole(p, list.items[i], &whole, err);
		if (r == 0 && whole)
			p->top = xstrdup(list.items[i]);
	}
	strv_done(&list);
	return r;
}

/* reading: a manifest that has to be made */

/* A plain blob (docker save has such) is not sent as it is: every pull of it would pay. */
static int kept_blob(struct store_place *p, const char *diff_id, struct layer_info *ret,
		     struct error *err)
{
	struct db_rows rows;
	int r = db_query(p->c.db, &rows, err,
			 "SELECT digest, size, packing FROM layer_blobs"
			 " WHERE diff_id = ?1 AND (packing != 'none' OR ?2 = 'none')"
			 " ORDER BY packing = ?2 DESC, digest",
			 "ss", diff_id, p->c.compression);

	ret->blob[0] = '\0';
	if (r < 0)
		return r;
	while (!ret->blob[0] && db_next(&rows)) {
		if (!has_file(p, db_text(&rows, 0)))
			continue;
		(void)snprintf(ret->blob, sizeof(ret->blob), "%s", db_text(&rows, 0));
		(void)snprintf(ret->packing, sizeof(ret->packing), "%s", db_text(&rows, 2));
		ret->blob_size = db_int(&rows, 1);
	}
	return db_finish(&rows);
}

static int open_changes(struct store_place *p, size_t i, int dir, const struct strv *lower,
			struct changes_pipe **ret, int *ret_fd, struct error *err)
{
	const struct changes_request req = { .fd = dir, .lower = lower->n ? lower : NULL };

	return changes_pipe_open(&req, -1, frame_open(p->in.layers_fd, p->image->layers.items[i]),
				 ret, ret_fd, err);
}

/* The plain archive, if it was kept.  -ENOENT. */
static int pack_kept(struct store_place *p, const struct layer_info *info, struct packed *ret,
		     struct error *err)
{
	autofree char *digest = NULL;
	autoclose int fd = -1;
	int r = query_text(p->c.db,
			   "SELECT digest FROM layer_blobs WHERE diff_id = ?1 AND packing = 'none'",
			   info->diff_id, &digest, err);

	if (r < 0)
		return r;
	fd = digest ? openat(p->in.blobs_fd, digest, O_RDONLY | O_CLOEXEC) : -1;
	return fd < 0 ? -ENOENT : pack_file(fd, 0, -1, p->c.compression, p->in.blobs_fd, ret, err);
}

/* The directory of layer i as the same archive that its diff ID was computed of. */
static int pack_directory(struct store_place *p, size_t i, struct packed *ret, struct error *err)
{
	autofree char *path = xasprintf("%s/diff", p->image->layers.items[i]);
	struct changes_pipe *pipe = NULL;
	struct strv lower = { 0 };
	autoclose int dir = -1;
	int fd = -1, r;

	for (size_t k = i; k > 0; k--)
		strv_addf(&lower, "%s/layers/%s/diff", p->c.root, p->image->layers.items[k - 1]);
	r = dir_open_at(p->in.layers_fd, path, &dir, err);
	if (r == 0)
		r = open_changes(p, i, dir, &lower, &pipe, &fd, err);
	if (r == 0) {
		r = pack_file(fd, -1, -1, p->c.compression, p->in.blobs_fd, ret, err);
		r = changes_pipe_close(pipe, fd, r, err);
	}
	strv_done(&lower);
	return r;
}

static int pack_layer(struct store_place *p, size_t i, struct layer_info *info, struct error *err)
{
	struct packed packed = { .fd = -1 };
	int r = pack_kept(p, info, &packed, err);

	if (r == -ENOENT)
		r = pack_directory(p, i, &packed, err);
	if (r == 0 && strcmp(packed.unpacked + 7, info->diff_id) != 0)
		r = error_set(
			err, -EBADMSG,
			"layer %zu: its archive is not kept, and its directory gives another (%.12s..., not "
			"%.12s...)",
			i + 1, packed.unpacked + 7, info->diff_id);
	if (r == 0) {
		struct blob_file file = { .fd = packed.fd };

		r = blob_install(&file, packed.size, p->in.blobs_fd, packed.digest + 7, err);
	}
	if (packed.fd >= 0)
		(void)close(packed.fd);
	if (r < 0)
		return r;
	(void)snprintf(info->blob, sizeof(info->blob), "%.64s", packed.digest + 7);
	(void)snprintf(info->packing, sizeof(info->packing), "%s", p->c.compression);
	info->blob_size = packed.size;
	return 0;
}

static const char *layer_type(const struct store_place *p, const char *packing)
{
	bool docker = strcmp(p->c.format, "docker") == 0;

	if (strcmp(packing, "zstd") == 0)
		return docker ? "application/vnd.docker.image.rootfs.diff.tar.zstd"
			      : "application/vnd.oci.image.layer.v1.tar+zstd";
	if (strcmp(packing, "gzip") == 0)
		return docker ? "application/vnd.docker.image.rootfs.diff.tar.gzip"
			      : "application/vnd.oci.image.layer.v1.tar+gzip";
	return docker ? "application/vnd.docker.image.rootfs.diff.tar"
		      : "application/vnd.oci.image.layer.v1.tar";
}

static int add_layer(struct store_place *p, size_t i, json_t *layers, struct layer_info *info,
		     struct error *err)
{
	autofree char *digest = NULL;
	int r = layer_info_load(p->in.layers_fd, p->image->layers.items[i], info, err);

	if (r == 0)
		r = kept_blob(p, info->diff_id, info, err);
	if (r == 0 && !info->blob[0])
		r = pack_layer(p, i, info, err);
	if (r < 0)
		return r;
	digest = xasprintf("sha256:%s", info->blob);
	(void)json_array_append_new(layers, json_pack("{s:s, s:s, s:I}", "mediaType",
						      layer_type(p, info->packing), "digest",
						      digest, "size", (json_int_t)info->blob_size));
	return 0;
}

static json_t *manifest_of(const struct store_place *p, int64_t config_size, json_t *layers)
{
	bool docker = strcmp(p->c.format, "docker") == 0;
	autofree char *config = xasprintf("sha256:%s", p->image->id);

	return json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:o}", "schemaVersion", 2, "mediaType",
			 docker ? "application/vnd.docker.distribution.manifest.v2+json"
				: "application/vnd.oci.image.manifest.v1+json",
			 "config", "mediaType",
			 docker ? "application/vnd.docker.container.image.v1+json"
				: "application/vnd.oci.image.config.v1+json",
			 "digest", config, "size", (json_int_t)config_size, "layers", layers);
}

static int record_manifest(struct store_place *p, const char *type, const struct layer_info *infos,
			   struct error *err)
{
	int r = db_begin(p->c.db, err);

	for (size_t i = 0; r == 0 && i < p->image->layers.n; i++)
		r = layer_blob_insert(p->c.db, infos[i].blob, infos[i].diff_id, infos[i].blob_size,
				      infos[i].packing, err);
	if (r == 0)
		r = document_insert(p->c.db, p->c.root_fd, p->top, type, p->image->id,
				    clock_now_ns(), err);
	if (r == 0)
		r = catalog_save(p->c.db, p->c.root_fd, p->image->id, err);
	if (r == 0)
		r = db_commit(p->c.db, err);
	db_rollback(p->c.db);
	return r;
}

static int make_manifest(struct store_place *p, struct error *err)
{
	autofree struct layer_info *infos = xcalloc(p->image->layers.n + 1, sizeof(*infos));
	cleanup(json_cleanup) json_t *doc = NULL;
	json_t *layers = json_array();
	autofree char *text = NULL;
	char digest[CHECKSUM_DIGEST_MAX];
	struct stat st;
	int r = fstatat(p->in.blobs_fd, p->image->id, &st, 0) < 0
			? error_sys(err, -errno, "config %.12s", p->image->id)
			: 0;

	for (size_t i = 0; r == 0 && i < p->image->layers.n; i++)
		r = add_layer(p, i, layers, &infos[i], err);
	doc = manifest_of(p, st.st_size, layers);
	if (r < 0)
		return r;
	text = json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);
	checksum_digest_of(text, strlen(text), digest);
	p->top = xstrdup(digest + 7);
	r = file_write_at(p->in.blobs_fd, p->top, text, strlen(text), 0644, FILE_SYNC, err);
	return r < 0 ? r
		     : record_manifest(p, json_string_value(json_object_get(doc, "mediaType")),
				       infos, err);
}

static int open_image(struct store_place *p, struct error *err)
{
	char canonical[REFERENCE_MAX];
	int r = 0;

	/* A name may stand for an index that was made here. */
	if (reference_canonical(p->base.name, canonical, NULL) == 0)
		r = query_text(p->c.db, "SELECT document FROM index_names WHERE name = ?1",
			       canonical, &p->top, err);
	if (r < 0 || p->top)
		return r;
	r = image_find(p->c.db, p->c.root_fd, p->base.name, &p->image, err);
	if (r == 0)
		r = find_manifest(p, err);
	if (r == 0 && !p->top)
		r = make_manifest(p, err);
	return r;
}

static int get_document(struct place *base, const char *digest, struct remote_document *ret,
			struct error *err)
{
	struct store_place *p = of(base);
	struct remote_document d = { .len = 0 };
	autofree char *type = NULL;
	autofree char *path = NULL;
	char hex[DIGEST_HEX_LEN + 1] = "";
	int r;

	/* Asked for by SHA-512 it is that which has to be right, and the rows know it by the other.
	 */
	(void)snprintf(d.digest, sizeof(d.digest), "%s%s",
		       digest ? "" : "sha256:", digest ? digest : p->top);
	path = alias_path(d.digest);
	if (strncmp(d.digest, "sha512:", 7) == 0)
		(void)alias_get(p->c.root_fd, d.digest + 7, hex);
	else
		(void)snprintf(hex, sizeof(hex), "%.64s", d.digest + 7);
	r = file_read_at(p->c.root_fd, path, WIRE_BODY_MAX, &d.bytes, &d.len, err);
	if (r == -ENOENT)
		return error_set(err, r,
				 "%s: manifest %.12s... is not in the store (only what was pulled "
				 "of an image for several platforms is)",
				 base->name, d.digest + 7);
	if (r == 0)
		r = checksum_bytes(d.bytes, d.len, d.digest, "manifest", err);
	if (r == 0)
		r = query_text(p->c.db, "SELECT media_type FROM documents WHERE digest = ?1", hex,
			       &type, err);
	if (r < 0) {
		free(d.bytes);
		return r;
	}
	d.type = type ? steal_ptr(&type) : xstrdup("");
	*ret = d;
	return 0;
}

static int to_file(void *data, const void *bytes, size_t len, struct error *err)
{
	const int *fd = data;
	int r = file_write_all(*fd, bytes, len);

	return r < 0 ? error_sys(err, r, "write a blob") : 0;
}

/* A plain blob that is kept as a layer's tree and frame.  It becomes a file again: an upload that
 * breaks goes on in its middle.
 */
static int make_framed(struct store_place *p, const char *hex, int tmp_fd, int *ret,
		       struct error *err)
{
	autoclose int frame = -1, tree = -1, fd = -1;
	char chain[DIGEST_HEX_LEN + 1];
	autofree char *path = NULL;
	int64_t size;
	int r;

	(void)pthread_mutex_lock(&p->lock);
	r = layer_blob_framed(p->c.db, p->c.root_fd, hex, chain, &size, err);
	(void)pthread_mutex_unlock(&p->lock);
	if (r <= 0)
		return r < 0 ? r : error_sys(err, -ENOENT, "blob %.12s", hex);
	path = xasprintf("%s/diff", chain);
	r = dir_open_at(p->in.layers_fd, path, &tree, err);
	frame = r < 0 ? r : frame_open(p->in.layers_fd, chain);
	if (r == 0 && frame < 0)
		r = error_sys(err, frame, "open the frame of layer %.12s", chain);
	if (r == 0)
		r = place_tmp_file(tmp_fd, &fd, err);
	if (r == 0)
		r = frame_write(frame, tree, to_file, &fd, err);
	if (r == 0)
		*ret = steal_fd(&fd);
	return r;
}

static int get_blob(struct place *base, const struct descriptor *d, int tmp_fd, atomic_llong *got,
		    struct blob_file *ret, struct error *err)
{
	autofree char *path = alias_path(d->digest);
	autoclose int fd = openat(of(base)->c.root_fd, path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (r == -ENOENT && strncmp(d->digest, "sha256:", 7) == 0)
		r = make_framed(of(base), d->digest + 7, tmp_fd, &fd, err);
	else if (r < 0)
		(void)error_sys(err, r, "blob %.12s", d->digest + 7);
	if (r < 0)
		return r;
	r = checksum_file(fd, d->size, d->digest, "blob", err);
	if (r < 0)
		return r;
	atomic_store(got, d->size);
	*ret = (struct blob_file) { .fd = steal_fd(&fd) };
	return 0;
}

/* writing */

static struct got *find(struct store_place *p, const char *digest)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->got[i].digest, digest) == 0)
			return &p->got[i];
	return NULL;
}

static int has_blob(struct place *base, const struct descriptor *d, bool *ret, struct error *err)
{
	struct store_place *p = of(base);

	(void)err;
	(void)pthread_mutex_lock(&p->lock);
	*ret = find(p, d->digest) != NULL;
	(void)pthread_mutex_unlock(&p->lock);
	return 0;
}

static int put_blob(struct place *base, const struct descriptor *d, const struct blob_file *file,
		    struct error *err)
{
	struct store_place *p = of(base);
	struct got g = { .file = { .fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 3),
				   .offset = file->offset },
			 .size = d->size };
	int r = g.file.fd < 0 ? error_sys(err, -errno, "keep a blob") : 0;

	(void)snprintf(g.digest, sizeof(g.digest), "%s", d->digest);
	(void)pthread_mutex_lock(&p->lock);
	if (r == 0 && p->n >= ARRAY_SIZE(p->got))
		r = error_set(err, -E2BIG, "the image has more than %d layers", LAYERS_MAX);
	if (r == 0)
		p->got[p->n++] = g;
	(void)pthread_mutex_unlock(&p->lock);
	if (r < 0 && g.file.fd >= 0)
		(void)close(g.file.fd);
	return r;
}

struct feeding {
	struct store_place *p;
	const struct manifest *m;
};

static int open_layer(void *data, size_t i, struct unpack_source *ret, struct error *err)
{
	const struct feeding *f = data;
	const struct got *g = find(f->p, f->m->items[i + 1].digest);

	if (!g)
		return error_set(err, -ENOENT, "it did not come");
	*ret = (struct unpack_source) { .fd = fcntl(g->file.fd, F_DUPFD_CLOEXEC, 3),
					.offset = g->file.offset,
					.keep_fd = -1 };
	return ret->fd < 0 ? error_sys(err, -errno, "open a layer") : 0;
}

static int close_layer(void *data, size_t i, int fd, int r, struct error *err)
{
	(void)data, (void)i, (void)err;
	(void)close(fd);
	return r;
}

static int read_diff_ids(const char *config, size_t len, const struct manifest *m,
			 struct unpack_layer *layers, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct image_config parsed = { .user = NULL };
	struct strv ids = { 0 };
	struct json_reader rd;
	int r = json_load_bytes(config, len, "image config", &doc, err);

	if (r == 0)
		r = image_config_parse(doc, &parsed, err);
	if (r < 0)
		return r;
	image_config_done(&parsed);
	json_reader_init(&rd, "image config", err);
	json_read_strings(&rd, json_read_object(&rd, doc, "rootfs"), "diff_ids", &ids);
	r = rd.r;
	if (r == 0 && ids.n != m->n - 1)
		r = error_set(err, -EBADMSG, "the image has %zu layers but names %zu diff IDs",
			      m->n - 1, ids.n);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		struct layer_info *info = &layers[i].info;
		const char *digest = m->items[i + 1].digest;

		if (!digest_is_valid(ids.items[i]))
			r = error_set(err, -EBADMSG, "config: '%.80s' is not a sha256 digest",
				      ids.items[i]);
		else
			(void)snprintf(info->diff_id, sizeof(info->diff_id), "%s",
				       ids.items[i] + 7);
		if (strncmp(digest, "sha512:", 7) == 0)
			(void)snprintf(layers[i].sha512, sizeof(layers[i].sha512), "%s",
				       digest + 7);
		else
			(void)snprintf(info->blob, sizeof(info->blob), "%s", digest + 7);
		info->blob_size = m->items[i + 1].size;
	}
	strv_done(&ids);
	return r;
}

static int record(struct store_place *p, const struct remote_document *doc,
		  const struct manifest *m, bool top, const char *config, size_t config_len,
		  const struct unpack_layer *layers, struct error *err)
{
	char id[CHECKSUM_DIGEST_MAX], digest[CHECKSUM_DIGEST_MAX];
	struct strv names = { 0 };
	struct image_document manifest = { .media_type = *m->type ? m->type : doc->type,
					   .bytes = doc->bytes,
					   .len = doc->len };
	struct image_record rec = { .config = config,
				    .config_len = config_len,
				    .layers = layers,
				    .nlayers = m->n - 1,
				    .names = &names };
	int r;

	checksum_digest_of(config, config_len, id);
	checksum_digest_of(doc->bytes, doc->len, digest);
	manifest.digest = digest + 7;
	if (strncmp(doc->digest, "sha512:", 7) == 0)
		manifest.sha512 = doc->digest + 7;
	if (m->n && strncmp(m->items[0].digest, "sha512:", 7) == 0)
		rec.config_sha512 = m->items[0].digest + 7;
	rec.id = id + 7;
	rec.manifest = &manifest;
	if (top)
		strv_add(&names, p->name_given);
	r = image_record(p->c.db, &p->in, &rec, err);
	if (r == 0)
		image_event(p->c.root_fd, "pull", rec.id, &names);
	p->recorded = r == 0 && top;
	if (r == 0)
		strv_add(&p->ids, rec.id);
	strv_done(&names);
	return r;
}

static void forget_blobs(struct store_place *p)
{
	for (size_t i = 0; i < p->n; i++)
		(void)close(p->got[i].file.fd);
	p->n = 0;
}

/* What an index lists is here; one with attestations or further indexes in it becomes ours. */
static int put_index(struct store_place *p, const struct remote_document *doc,
		     const struct manifest *m, bool top, struct error *err)
{
	const struct index_images images = { .items = p->ids.items, .n = p->ids.n };
	char digest[DIGEST_HEX_LEN + 1];
	int r;

	if (!top) {
		p->stripped = true;
		return 0;
	}
	if (images.n == 0)
		return error_set(err, -EMEDIUMTYPE, "it lists no image");
	r = p->stripped ? index_create(p->c.db, &p->in, p->name_given, INDEX_AMEND, &images, digest,
				       err)
			: index_keep(p->c.db, &p->in, p->name_given, doc->bytes, doc->len,
				     *m->type ? m->type : doc->type, err);
	p->recorded = r == 0;
	return r;
}

static bool is_image(const struct manifest *m)
{
	for (size_t i = 1; i < m->n; i++)
		if (*m->items[i].type && !strstr(m->items[i].type, ".tar"))
			return false;
	return m->n > 1; /* without layers it only notes something */
}

static int put_image(struct store_place *p, const struct remote_document *doc,
		     const struct manifest *m, bool top, struct error *err)
{
	struct feeding feeding = { p, m };
	autofree struct unpack_layer *layers = xcalloc(m->n + 1, sizeof(*layers));
	struct unpack_request req = { .in = &p->in,
				      .layers = layers,
				      .n = m->n ? m->n - 1 : 0,
				      .want_blobs = true,
				      .open = open_layer,
				      .close = close_layer,
				      .data = &feeding };
	const struct got *got = m->n ? find(p, m->items[0].digest) : NULL;
	autofree char *config = NULL;
	int r = 0;

	if (!got || got->size > (int64_t)DOCUMENT_MAX)
		return error_set(err, -EMEDIUMTYPE, "this is no image");
	config = xmalloc((size_t)got->size + 1);
	if (pread(got->file.fd, config, (size_t)got->size, got->file.offset) != got->size)
		r = error_set(err, -EIO, "read the config");
	config[got->size] = '\0';
	if (r == 0)
		r = read_diff_ids(config, (size_t)got->size, m, layers, err);
	if (r == 0)
		r = unpack_layers(&req, err);
	for (size_t i = 0; r == 0 && p->c.left_out && i < req.n; i++)
		*p->c.left_out += layers[i].left_out;
	return r < 0 ? r : record(p, doc, m, top, config, (size_t)got->size, layers, err);
}

static int put_document(struct place *base, const struct remote_document *doc,
			const struct manifest *m, bool top, struct error *err)
{
	struct store_place *p = of(base);
	int r;

	if (m->is_index)
		return put_index(p, doc, m, top, err);
	if (!top && !is_image(m)) {
		p->stripped = true;
		r = 0;
	} else {
		r = put_image(p, doc, m, top, err);
	}
	forget_blobs(p);
	return r;
}

static int finish(struct place *p, struct error *err)
{
	(void)p;
	(void)err;
	return 0;
}

static void close_place(struct place *base)
{
	struct store_place *p = of(base);

	forget_blobs(p);
	strv_done(&p->ids);
	incoming_done(&p->in);
	if (p->name_given[0] && !p->recorded)
		image_sweep_failed(p->c.db, p->c.root_fd);
	image_free(p->image);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->top);
	free(base->name);
	free(p);
}

static const struct place_ops store_ops = {
	.get_document = get_document,
	.get_blob = get_blob,
	.has_blob = has_blob,
	.put_blob = put_blob,
	.put_document = put_document,
	.finish = finish,
	.close = close_place,
};

int place_open_store(const struct place_context *c, const char *text, bool writing,
		     struct place **ret, struct error *err)
{
	struct store_place *p = xnew(struct store_place);
	cleanup(place_cleanup) struct place *base = &p->base;
	int r;

	*base = (struct place) {
		.ops = &store_ops, .transport = "store", .tmp_fd = -1, .name = xstrdup(text)
	};
	p->c = *c;
	p->in = (struct incoming)INCOMING_INIT;
	(void)pthread_mutex_init(&p->lock, NULL);
	r = incoming_open(c->root, c->root_fd, &p->in, err);
	if (r == 0 && writing)
		r = reference_canonical(text, p->name_given, err);
	if (r == 0 && !writing)
		r = open_image(p, err);
	if (r < 0)
		return r;
	base->tmp_fd = p->in.tmp_fd;
	*ret = steal_ptr(&base);
	return 0;
}
