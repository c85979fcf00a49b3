/* src/transfer/place_docker_archive.c - docker-archive:FILE[:NAME], what "docker save" writes.
 *
 * It holds plain layers and no manifest: reading makes one, with layers packed; writing unpacks
 * them.  So digests of layers change on this way, and only on this.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "image/reference.h"
#include "image/source.h"
#include "image/tar.h"
#include "image/tar_write.h"
#include "transfer/pack.h"
#include "transfer/place.h"

#define DOCUMENT_MAX  (4U << 20)
#define LAYERS_MAX    127
#define MANIFEST_TYPE "application/vnd.docker.distribution.manifest.v2+json"
#define CONFIG_TYPE   "application/vnd.docker.container.image.v1+json"
#define LAYER_TYPE    "application/vnd.docker.image.rootfs.diff.tar.gzip"

/* Reading: a layer as packed.  Writing: a layer or config as it goes into the archive. */
struct item {
	char digest[CHECKSUM_DIGEST_MAX]; /* by which it is asked for */
	char name[160];                   /* in the archive */
	int fd;
	int64_t size;
};

struct archive_place {
	struct place base;
	char *tag;
	int tmp;
	struct item items[LAYERS_MAX + 1];
	size_t n;
	pthread_mutex_t lock;
	struct remote_document manifest; /* reading: the one that was made */
	char *config;
	json_t *entry; /* writing: what manifest.json will say */
};

static struct archive_place *of(struct place *p)
{
	return (struct archive_place *)p;
}

static struct item *find(struct archive_place *p, const char *digest)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->items[i].digest, digest) == 0)
			return &p->items[i];
	return NULL;
}

/* reading */

static bool entry_has(const json_t *entry, const char *wanted)
{
	const json_t *tags = json_object_get(entry, "RepoTags"), *tag;
	char want[REFERENCE_MAX], have[REFERENCE_MAX];
	size_t i;

	if (reference_canonical(wanted, want, NULL) < 0)
		return false;
	json_array_foreach (tags, i, tag)
		if (json_is_string(tag) &&
		    reference_canonical(json_string_value(tag), have, NULL) == 0 &&
		    strcmp(want, have) == 0)
			return true;
	return false;
}

static int find_entry(struct archive_place *p, const json_t *list, const json_t **ret,
		      struct error *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (p->tag ? entry_has(item, p->tag) : json_array_size(list) == 1) {
			*ret = item;
			return 0;
		}
	return p->tag ? error_set(err, -ENOENT, "%s has nothing called '%.100s'", p->base.name,
				  p->tag)
		      : error_set(err, -ENOTUNIQ, "%s has %zu images; say which, :NAME",
				  p->base.name, json_array_size(list));
}

static int pack_layer(struct archive_place *p, struct source *source, const char *name,
		      json_t *layers, struct error *err)
{
	struct packed packed = { .fd = -1 };
	int64_t offset = 0, size = 0, plain_size = 0;
	char plain[CHECKSUM_DIGEST_MAX];
	autoclose int fd = -1;
	autoclose int out = -1;
	int r = source_get(source, name, &fd, &offset, &size, err);

	/* A layer that is packed already is read as what it is. */
	if (r == 0)
		r = unpack_file(fd, offset, size, p->tmp, &out, &plain_size, plain, err);
	if (r == 0)
		r = pack_file(out, 0, plain_size, "gzip", p->tmp, &packed, err);
	if (r < 0)
		return error_wrap(err, r, "%s", p->base.name);
	p->items[p->n] = (struct item) { .fd = packed.fd, .size = packed.size };
	(void)snprintf(p->items[p->n].digest, CHECKSUM_DIGEST_MAX, "%s", packed.digest);
	p->n++;
	(void)json_array_append_new(layers,
				    json_pack("{s:s, s:s, s:I}", "mediaType", LAYER_TYPE, "digest",
					      packed.digest, "size", (json_int_t)packed.size));
	return 0;
}

static int make_manifest(struct archive_place *p, struct source *source, const json_t *entry,
			 struct error *err)
{
	const char *config = json_string_value(json_object_get(entry, "Config"));
	const json_t *names = json_object_get(entry, "Layers"), *name;
	cleanup(json_cleanup) json_t *doc = NULL;
	json_t *layers = json_array();
	struct item *item = &p->items[0];
	size_t len = 0, i;
	int r;

	if (!config || json_array_size(names) > LAYERS_MAX)
		r = error_set(err, -EBADMSG, "%s: manifest.json is no list of images",
			      p->base.name);
	else
		r = source_read(source, config, DOCUMENT_MAX, &p->config, &len, err);
	p->n = 1;
	*item = (struct item) { .fd = -1, .size = (int64_t)len };
	if (r == 0)
		r = place_tmp_file(p->tmp, &item->fd, err);
	if (r == 0)
		r = file_write_all(item->fd, p->config, len);
	if (r == 0)
		checksum_digest_of(p->config, len, item->digest);
	json_array_foreach (names, i, name)
		if (r == 0)
			r = pack_layer(p, source,
				       json_is_string(name) ? json_string_value(name) : "", layers,
				       err);
	doc = json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:o}", "schemaVersion", 2, "mediaType",
			MANIFEST_TYPE, "config", "mediaType", CONFIG_TYPE, "digest", item->digest,
			"size", (json_int_t)len, "layers", layers);
	if (r < 0)
		return r;
	p->manifest.bytes = json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);
	p->manifest.len = strlen(p->manifest.bytes);
	checksum_digest_of(p->manifest.bytes, p->manifest.len, p->manifest.digest);
	return 0;
}

static int read_archive(struct archive_place *p, struct error *err)
{
	cleanup(source_cleanup) struct source *source = NULL;
	cleanup(json_cleanup) json_t *list = NULL;
	const json_t *entry = NULL;
	autofree char *text = NULL;
	size_t len = 0;
	int r = source_open(p->base.name, p->tmp, -1, &source, err);

	if (r == 0)
		r = source_read(source, "manifest.json", DOCUMENT_MAX, &text, &len, err);
	if (r == 0)
		r = json_load_bytes(text, len, "manifest.json", &list, err);
	if (r == 0)
		r = find_entry(p, list, &entry, err);
	return r < 0 ? r : make_manifest(p, source, entry, err);
}

static int get_document(struct place *base, const char *digest, struct remote_document *ret,
			struct error *err)
{
	const struct remote_document *m = &of(base)->manifest;

	if (digest && strcmp(digest, m->digest) != 0)
		return error_set(err, -ENOENT, "%s has no manifest %.19s...", base->name, digest);
	*ret = (struct remote_document) { .bytes = xstrdup(m->bytes),
					  .len = m->len,
					  .type = xstrdup(MANIFEST_TYPE) };
	(void)snprintf(ret->digest, sizeof(ret->digest), "%s", m->digest);
	return 0;
}

static int get_blob(struct place *base, const struct descriptor *d, int tmp_fd, atomic_llong *got,
		    struct blob_file *ret, struct error *err)
{
	const struct item *item = find(of(base), d->digest);

	(void)tmp_fd;
	if (!item)
		return error_set(err, -ENOENT, "%s has no %.19s...", base->name, d->digest);
	ret->fd = fcntl(item->fd, F_DUPFD_CLOEXEC, 3);
	ret->offset = 0;
	atomic_store(got, d->size);
	return ret->fd < 0 ? error_sys(err, -errno, "open a blob") : 0;
}

/* writing */

static int has_blob(struct place *base, const struct descriptor *d, bool *ret, struct error *err)
{
	struct archive_place *p = of(base);

	(void)err;
	(void)pthread_mutex_lock(&p->lock);
	*ret = find(p, d->digest) != NULL;
	(void)pthread_mutex_unlock(&p->lock);
	return 0;
}

static int put_blob(struct place *base, const struct descriptor *d, const struct blob_file *file,
		    struct error *err)
{
	struct archive_place *p = of(base);
	struct item item = { .fd = -1, .size = d->size };
	char plain[CHECKSUM_DIGEST_MAX];
	int r;

	if (strstr(d->type, "+json") || strstr(d->type, "json")) {
		r = place_tmp_file(p->tmp, &item.fd, err);
		if (r == 0)
			r = blob_copy(file, d->size, item.fd, err);
		(void)snprintf(item.name, sizeof(item.name), "%.130s.json",
			       strchr(d->digest, ':') + 1);
	} else {
		r = unpack_file(file->fd, file->offset, d->size, p->tmp, &item.fd, &item.size,
				plain, err);
		(void)snprintf(item.name, sizeof(item.name), "%.130s.tar",
			       r == 0 ? strchr(plain, ':') + 1 : "");
	}
	if (r < 0) {
		if (item.fd >= 0)
			(void)close(item.fd);
		return r;
	}
	(void)snprintf(item.digest, sizeof(item.digest), "%s", d->digest);
	(void)pthread_mutex_lock(&p->lock);
	if (p->n < ARRAY_SIZE(p->items))
		p->items[p->n++] = item;
	else
		r = error_set(err, -E2BIG, "the image has too many layers");
	(void)pthread_mutex_unlock(&p->lock);
	return r;
}

static int put_document(struct place *base, const struct remote_document *doc,
			const struct manifest *m, bool top, struct error *err)
{
	struct archive_place *p = of(base);
	json_t *layers = json_array(), *tags = json_array();
	const struct item *config = m->n ? find(p, m->items[0].digest) : NULL;

	(void)doc;
	if (m->is_index || !top || !config || !strstr(config->name, ".json")) {
		json_decref(layers);
		json_decref(tags);
		return error_set(err, -EMEDIUMTYPE,
				 "a docker-archive holds one image for one platform");
	}
	for (size_t i = 1; i < m->n; i++) {
		const struct item *layer = find(p, m->items[i].digest);

		(void)json_array_append_new(layers, json_string(layer ? layer->name : ""));
	}
	if (p->tag) {
		char canonical[REFERENCE_MAX], familiar[REFERENCE_MAX];
		int r = reference_canonical(p->tag, canonical, err);

		if (r < 0)
			return r;
		reference_familiar(canonical, familiar);
		(void)json_array_append_new(tags, json_string(familiar));
	}
	p->entry = json_pack("[{s:s, s:o, s:o}]", "Config", config->name, "RepoTags", tags,
			     "Layers", layers);
	return 0;
}

static int to_file(void *data, const void *bytes, size_t len, struct error *err)
{
	int r = file_write_all(*(const int *)data, bytes, len);

	return r < 0 ? error_sys(err, r, "write the archive") : 0;
}

static int tar_item(struct tar_writer *w, const struct item *item, struct error *err)
{
	struct tar_entry e = { .type = TAR_FILE,
			       .mode = 0644,
			       .name = (char *)(uintptr_t)item->name,
			       .link = (char *)(uintptr_t) "",
			       .size = item->size };
	autofree char *buffer = xmalloc(1U << 18);
	int64_t at = 0;
	int r = tar_put(w, &e, err);

	while (r == 0 && at < item->size) {
		ssize_t n = TEMP_FAILURE_RETRY(pread(item->fd, buffer, 1U << 18, at));

		if (n <= 0)
			return error_sys(err, n < 0 ? -errno : -EIO, "read a layer");
		r = tar_put_data(w, buffer, (size_t)n, err);
		at += n;
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static int write_members(struct archive_place *p, int fd, struct error *err)
{
	cleanup(tar_writer_cleanup) struct tar_writer *w = tar_writer_new(to_file, &fd);
	autofree char *text = json_dumps(p->entry, JSON_COMPACT | JSON_PRESERVE_ORDER);
	int r = 0;

	qsort(p->items, p->n, sizeof(p->items[0]), by_name);
	for (size_t i = 0; r == 0 && i < p->n; i++)
		if (i == 0 || strcmp(p->items[i].name, p->items[i - 1].name) != 0)
			r = tar_item(w, &p->items[i], err);
	if (r == 0)
		r = tar_put_file(w, "manifest.json", text, strlen(text), err);
	return r < 0 ? r : tar_put_end(w, err);
}

static int finish(struct place *base, struct error *err)
{
	struct archive_place *p = of(base);
	autofree char *made = NULL;
	autoclose int fd = -1;
	char id[ID_LEN + 1];
	int r;

	if (!p->entry)
		return 0;
	if (id_new(id) < 0)
		return error_set(err, -EIO, "choose a name");
	made = xasprintf("%s.%.12s", base->name, id);
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_sys(err, -errno, "make %s", made);
	r = write_members(p, fd, err);
	if (r == 0 && fsync(fd) < 0)
		r = error_sys(err, -errno, "write %s to the disk", base->name);
	if (r == 0 && rename(made, base->name) < 0)
		r = error_sys(err, -errno, "put %s in place", base->name);
	if (r < 0)
		(void)unlink(made);
	return r;
}

static void close_place(struct place *base)
{
	struct archive_place *p = of(base);

	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].fd >= 0)
			(void)close(p->items[i].fd);
	remote_document_done(&p->manifest);
	(void)pthread_mutex_destroy(&p->lock);
	json_decref(p->entry);
	free(p->config);
	free(p->tag);
	free(base->name);
	free(p);
}

static const struct place_ops archive_ops = {
	.get_document = get_document,
	.get_blob = get_blob,
	.has_blob = has_blob,
	.put_blob = put_blob,
	.put_document = put_document,
	.finish = finish,
	.close = close_place,
};

int place_open_docker_archive(const struct place_context *c, const char *text, bool writing,
			      struct place **ret, struct error *err)
{
	struct archive_place *p = xnew(struct archive_place);
	cleanup(place_cleanup) struct place *base = &p->base;
	int r = 0;

	*base = (struct place) { .ops = &archive_ops,
				 .transport = "docker-archive",
				 .tmp_fd = c->tmp_fd };
	(void)pthread_mutex_init(&p->lock, NULL);
	p->tmp = c->tmp_fd;
	place_split(text, &base->name, &p->tag);
	if (!writing)
		r = read_archive(p, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&base);
	return 0;
}
