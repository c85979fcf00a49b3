/* src/transfer/place_layout.c - oci:DIR[:TAG] and oci-archive:FILE[:TAG]
 *
 * An archive is written as a layout in a directory beside it, then as one tar in a fixed order.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "image/source.h"
#include "image/tar.h"
#include "image/tar_write.h"
#include "transfer/place.h"

#define LAYOUT     "{\"imageLayoutVersion\":\"1.0.0\"}"
#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define NOTE_NAME  "org.opencontainers.image.ref.name"
#define INDEX_MAX  (4U << 20)

struct layout_place {
	struct place base;
	char *tag;             /* NULL: the only one, or none */
	struct source *source; /* when reading */
	int fd, blobs_fd;      /* when writing: the layout; blobs/ */
	bool made;             /* the layout by us: what is not finished goes again */
	char *archive;         /* what is made of it at last, or NULL */
	int parent_fd;         /* where the archive and its directory are */
	char tmp_name[sizeof("..strake") + ID_LEN];
};

static struct layout_place *of(struct place *p)
{
	return (struct layout_place *)p;
}

static char *blob_path(const char *digest)
{
	char *path = xasprintf("blobs/%s", digest);

	path[6 + strcspn(path + 6, ":")] = '/';
	return path;
}

/* reading */

static const char *name_of(const json_t *item)
{
	const json_t *notes = json_object_get(item, "annotations");

	return json_string_value(json_object_get(notes, NOTE_NAME));
}

static int find_top(struct layout_place *p, const json_t *index, const char **ret,
		    struct error *err)
{
	const json_t *list = json_object_get(index, "manifests"), *item, *found = NULL;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *name = name_of(item);

		if (p->tag ? name && strcmp(name, p->tag) == 0 : json_array_size(list) == 1)
			found = item;
	}
	if (!found && p->tag)
		return error_set(err, -ENOENT, "%s has nothing called '%.100s'", p->base.name,
				 p->tag);
	if (!found)
		return error_set(err, -ENOTUNIQ, "%s has %zu images; say which, :TAG", p->base.name,
				 json_array_size(list));
	*ret = json_string_value(json_object_get(found, "digest"));
	if (!*ret || !checksum_is_digest(*ret))
		return error_set(err, -EBADMSG, "%s: index.json names no digest", p->base.name);
	return 0;
}

static int get_document(struct place *base, const char *digest, struct remote_document *ret,
			struct error *err)
{
	struct layout_place *p = of(base);
	cleanup(json_cleanup) json_t *index = NULL;
	autofree char *text = NULL, *path = NULL;
	struct remote_document d = { .len = 0 };
	size_t len = 0;
	int r = 0;

	if (!digest) {
		r = source_read(p->source, "index.json", INDEX_MAX, &text, &len, err);
		if (r == 0)
			r = json_load_bytes(text, len, "index.json", &index, err);
		if (r == 0)
			r = find_top(p, index, &digest, err);
		if (r < 0)
			return r;
	}
	path = blob_path(digest);
	r = source_read(p->source, path, WIRE_BODY_MAX, &d.bytes, &d.len, err);
	if (r == 0)
		r = checksum_bytes(d.bytes, d.len, digest, path, err);
	if (r < 0) {
		free(d.bytes);
		return error_wrap(err, r, "%s", base->name);
	}
	(void)snprintf(d.digest, sizeof(d.digest), "%s", digest);
	d.type = xstrdup("");
	*ret = d;
	return 0;
}

/* Members of an archive lie behind each other in one file. */
static int verify_part(int fd, int64_t offset, const struct descriptor *d, struct error *err)
{
	autofree char *buffer = xmalloc(1U << 18);
	int64_t at = 0;
	struct checksum v;

	checksum_init(&v, d->digest);
	while (at < d->size) {
		size_t want = (size_t)MIN((int64_t)(1U << 18), d->size - at);
		ssize_t n = TEMP_FAILURE_RETRY(pread(fd, buffer, want, offset + at));

		if (n <= 0) {
			checksum_done(&v);
			return error_sys(err, n < 0 ? -errno : -EIO, "read a blob");
		}
		checksum_update(&v, buffer, (size_t)n);
		at += n;
	}
	return checksum_final(&v, "blob", err);
}

static int get_blob(struct place *base, const struct descriptor *d, int tmp_fd, atomic_llong *got,
		    struct blob_file *ret, struct error *err)
{
	autofree char *path = blob_path(d->digest);
	int64_t offset = 0, size = 0;
	autoclose int fd = -1;
	int r = source_get(of(base)->source, path, &fd, &offset, &size, err);

	(void)tmp_fd;
	if (r == 0 && size != d->size)
		r = error_set(err, -EBADMSG, "%s has %lld bytes, the manifest says %lld", path,
			      (long long)size, (long long)d->size);
	if (r == 0)
		r = verify_part(fd, offset, d, err);
	if (r < 0)
		return error_wrap(err, r, "%s", base->name);
	atomic_store(got, d->size);
	*ret = (struct blob_file) { .fd = steal_fd(&fd), .offset = offset };
	return 0;
}

/* writing */

static int has_blob(struct place *base, const struct descriptor *d, bool *ret, struct error *err)
{
	autofree char *path = blob_path(d->digest);
	struct stat st;

	(void)err;
	*ret = fstatat(of(base)->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size == d->size;
	return 0;
}

static int open_kind(struct layout_place *p, const char *digest, int *ret, struct error *err)
{
	autofree char *kind = xstrndup(digest, strcspn(digest, ":"));

	return dir_ensure_at(p->blobs_fd, kind, 0755, ret, err);
}

static int put_blob(struct place *base, const struct descriptor *d, const struct blob_file *file,
		    struct error *err)
{
	autoclose int dir = -1;
	int r = open_kind(of(base), d->digest, &dir, err);

	return r < 0 ? r : blob_install(file, d->size, dir, strchr(d->digest, ':') + 1, err);
}

static int load_index(struct layout_place *p, json_t **ret, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_at(p->fd, "index.json", INDEX_MAX, &text, &len, err);

	if (r == -ENOENT) {
		*ret = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", INDEX_TYPE,
				 "manifests");
		return 0;
	}
	if (r == 0)
		r = json_load_bytes(text, len, "index.json", ret, err);
	if (r == 0 && !json_is_array(json_object_get(*ret, "manifests")))
		r = error_set(err, -EBADMSG, "%s: index.json lists no images", p->base.name);
	return r;
}

/* In the place of what had the name. */
static void add_entry(struct layout_place *p, json_t *index, const struct remote_document *doc,
		      const char *type)
{
	json_t *list = json_object_get(index, "manifests"), *item;
	json_t *entry = json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", doc->digest,
				  "size", (json_int_t)doc->len);
	size_t i = 0;

	while (i < json_array_size(list)) {
		const char *name, *digest;

		item = json_array_get(list, i);
		name = name_of(item);
		digest = json_string_value(json_object_get(item, "digest"));
		if (p->tag ? name && strcmp(name, p->tag) == 0
			   : !name && digest && strcmp(digest, doc->digest) == 0)
			(void)json_array_remove(list, i);
		else
			i++;
	}
	if (p->tag)
		(void)json_object_set_new(entry, "annotations",
					  json_pack("{s:s}", NOTE_NAME, p->tag));
	(void)json_array_append_new(list, entry);
}

static int put_document(struct place *base, const struct remote_document *doc,
			const struct manifest *m, bool top, struct error *err)
{
	struct layout_place *p = of(base);
	const char *type = *m->type                  ? m->type
			   : doc->type && *doc->type ? doc->type
			   : m->is_index             ? INDEX_TYPE
						     : "application/vnd.oci.image.manifest.v1+json";
	cleanup(json_cleanup) json_t *index = NULL;
	autofree char *text = NULL;
	autoclose int dir = -1;
	int r = open_kind(p, doc->digest, &dir, err);

	if (r == 0)
		r = file_write_at(dir, strchr(doc->digest, ':') + 1, doc->bytes, doc->len, 0644,
				  FILE_PLAIN, err);
	/* What only refers to the top is listed, too: a layout has no other way to find it. */
	if (r < 0 || (!top && !*m->subject))
		return r;
	r = load_index(p, &index, err);
	if (r < 0)
		return r;
	if (top) {
		add_entry(p, index, doc, type);
	} else {
		char *tag = steal_ptr(&p->tag);

		add_entry(p, index, doc, type);
		p->tag = tag;
	}
	text = json_dumps(index, JSON_COMPACT | JSON_PRESERVE_ORDER);
	return text ? file_write_at(p->fd, "index.json", text, strlen(text), 0644, FILE_PLAIN, err)
		    : error_set(err, -EBADMSG, "%s: index.json is no JSON", base->name);
}

/* the archive */

static int to_file(void *data, const void *bytes, size_t len, struct error *err)
{
	int r = file_write_all(*(const int *)data, bytes, len);

	return r < 0 ? error_sys(err, r, "write the archive") : 0;
}

static int tar_file(struct tar_writer *w, int dir, const char *name, const char *path,
		    struct error *err)
{
	struct tar_entry e = { .type = TAR_FILE, .mode = 0644, .link = (char *)(uintptr_t) "" };
	autofree char *buffer = xmalloc(1U << 18);
	autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, -errno, "open %s", path);
	e.name = (char *)(uintptr_t)path;
	e.size = st.st_size;
	r = tar_put(w, &e, err);
	while (r == 0 && (n = TEMP_FAILURE_RETRY(read(fd, buffer, 1U << 18))) != 0)
		r = n < 0 ? error_sys(err, -errno, "read %s", path)
			  : tar_put_data(w, buffer, (size_t)n, err);
	return r;
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int tar_kind(struct tar_writer *w, int blobs_fd, const char *kind, struct error *err)
{
	autofree char *self = NULL;
	autoclose int dir = -1;
	struct dirent **list = NULL;
	int n, r = dir_open_at(blobs_fd, kind, &dir, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	self = xasprintf("/proc/self/fd/%d", dir);
	n = scandir(self, &list, not_hidden, alphasort);
	for (int i = 0; i < n; i++) {
		autofree char *path = xasprintf("blobs/%s/%s", kind, list[i]->d_name);

		if (r == 0)
			r = tar_file(w, dir, list[i]->d_name, path, err);
		free(list[i]);
	}
	free(list);
	return r;
}

static int write_archive(struct layout_place *p, struct error *err)
{
	cleanup(tar_writer_cleanup) struct tar_writer *w = NULL;
	autofree char *made = xasprintf("%s.tar", p->tmp_name);
	autoclose int fd =
		openat(p->parent_fd, made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = 0;

	if (fd < 0)
		return error_sys(err, -errno, "make %s", p->archive);
	w = tar_writer_new(to_file, &fd);
	r = tar_file(w, p->fd, "oci-layout", "oci-layout", err);
	if (r == 0)
		r = tar_file(w, p->fd, "index.json", "index.json", err);
	if (r == 0)
		r = tar_kind(w, p->blobs_fd, "sha256", err);
	if (r == 0)
		r = tar_kind(w, p->blobs_fd, "sha512", err);
	if (r == 0)
		r = tar_put_end(w, err);
	if (r == 0 && fsync(fd) < 0)
		r = error_sys(err, -errno, "write %s to the disk", p->archive);
	if (r == 0 && renameat(p->parent_fd, made, p->parent_fd, p->archive) < 0)
		r = error_sys(err, -errno, "put %s in place", p->archive);
	if (r < 0)
		(void)unlinkat(p->parent_fd, made, 0);
	return r;
}

static int finish(struct place *base, struct error *err)
{
	struct layout_place *p = of(base);
	int r = file_write_at(p->fd, "oci-layout", LAYOUT, strlen(LAYOUT), 0644, FILE_PLAIN, err);

	if (r == 0 && p->archive)
		return write_archive(p, err);
	if (r == 0 && syncfs(p->fd) < 0)
		r = error_sys(err, -errno, "write %s to the disk", base->name);
	if (r == 0)
		p->made = false;
	return r;
}

static void close_place(struct place *base)
{
	struct layout_place *p = of(base);

	source_close(p->source);
	if (p->archive && p->tmp_name[0])
		ignore_result(dir_remove_at(p->parent_fd, p->tmp_name, NULL));
	if (p->made)
		ignore_result(dir_remove_at(AT_FDCWD, base->name, NULL));
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->blobs_fd >= 0)
		(void)close(p->blobs_fd);
	if (p->parent_fd >= 0)
		(void)close(p->parent_fd);
	free(p->archive);
	free(p->tag);
	free(base->name);
	free(p);
}

static const struct place_ops layout_ops = {
	.get_document = get_document,
	.get_blob = get_blob,
	.has_blob = has_blob,
	.put_blob = put_blob,
	.put_document = put_document,
	.finish = finish,
	.close = close_place,
};

static struct layout_place *layout_new(const char *text, const char *transport)
{
	struct layout_place *p = xnew(struct layout_place);

	p->base = (struct place) { .ops = &layout_ops, .transport = transport, .tmp_fd = -1 };
	p->base.oci_only = true;
	p->fd = p->blobs_fd = p->parent_fd = -1;
	place_split(text, &p->base.name, &p->tag);
	return p;
}

int place_open_layout(const struct place_context *c, const char *text, bool writing,
		      struct place **ret, struct error *err)
{
	struct layout_place *p = layout_new(text, "oci");
	cleanup(place_cleanup) struct place *base = &p->base;
	int r;

	r = writing ? place_make_dir(base->name, &p->fd, &p->made, err)
		    : source_open(base->name, c->tmp_fd, -1, &p->source, err);
	if (r == 0 && writing)
		r = dir_ensure_at(p->fd, "blobs", 0755, &p->blobs_fd, err);
	if (r < 0)
		return r;
	base->tmp_fd = p->blobs_fd;
	*ret = steal_ptr(&base);
	return 0;
}

/* The directory beside the archive, on the same file system. */
static int make_beside(struct layout_place *p, struct error *err)
{
	const char *path = p->base.name, *slash = strrchr(path, '/');
	autofree char *dir = slash ? xstrndup(path, (size_t)MAX(slash - path, 1)) : xstrdup(".");
	char id[ID_LEN + 1];
	int r = dir_open_at(AT_FDCWD, dir, &p->parent_fd, err);

	if (r == 0 && id_new(id) < 0)
		r = error_set(err, -EIO, "choose a name");
	if (r < 0)
		return r;
	p->archive = xstrdup(slash ? slash + 1 : path);
	(void)snprintf(p->tmp_name, sizeof(p->tmp_name), ".strake.%s", id);
	r = dir_ensure_at(p->parent_fd, p->tmp_name, 0700, &p->fd, err);
	return r < 0 ? r : dir_ensure_at(p->fd, "blobs", 0755, &p->blobs_fd, err);
}

int place_open_layout_archive(const struct place_context *c, const char *text, bool writing,
			      struct place **ret, struct error *err)
{
	struct layout_place *p = layout_new(text, "oci-archive");
	cleanup(place_cleanup) struct place *base = &p->base;
	int r = writing ? make_beside(p, err)
			: source_open(base->name, c->tmp_fd, -1, &p->source, err);

	if (r < 0)
		return r;
	base->tmp_fd = p->blobs_fd;
	*ret = steal_ptr(&base);
	return 0;
}
