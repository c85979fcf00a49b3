/* src/transfer/place_dir.c - dir:DIR, skopeo's plain form: manifest.json, version, blobs by their
 * hex, the manifests that an index lists as HEX.manifest.json.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "transfer/place.h"

#define VERSION "Directory Transport Version: 1.1\n"

struct dir_place {
	struct place base;
	int fd;
	bool made; /* by us: what is not finished goes again */
};

static struct dir_place *of(struct place *p)
{
	return (struct dir_place *)p;
}

static const char *hex_of(const char *digest)
{
	return strchr(digest, ':') + 1;
}

static int get_document(struct place *p, const char *digest, struct remote_document *ret,
			struct error *err)
{
	autofree char *name =
		digest ? xasprintf("%s.manifest.json", hex_of(digest)) : xstrdup("manifest.json");
	struct remote_document d = { .len = 0 };
	int r = file_read_at(of(p)->fd, name, WIRE_BODY_MAX, &d.bytes, &d.len, err);

	if (r == 0 && digest)
		r = checksum_bytes(d.bytes, d.len, digest, name, err);
	if (r < 0) {
		free(d.bytes);
		return error_wrap(err, r, "%s", p->name);
	}
	checksum_digest_of(d.bytes, d.len, d.digest);
	if (digest)
		(void)snprintf(d.digest, sizeof(d.digest), "%s", digest);
	d.type = xstrdup("");
	*ret = d;
	return 0;
}

static int get_blob(struct place *p, const struct descriptor *d, int tmp_fd, atomic_llong *got,
		    struct blob_file *ret, struct error *err)
{
	autoclose int fd = openat(of(p)->fd, hex_of(d->digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int r;

	(void)tmp_fd;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, -errno, "%s: %s", p->name, hex_of(d->digest));
	if (!S_ISREG(st.st_mode) || st.st_size != d->size)
		return error_set(err, -EBADMSG,
				 "%s: %.12s... has %lld bytes, the manifest says %lld", p->name,
				 hex_of(d->digest), (long long)st.st_size, (long long)d->size);
	r = checksum_file(fd, d->size, d->digest, "blob", err);
	if (r < 0)
		return error_wrap(err, r, "%s", p->name);
	atomic_store(got, d->size);
	*ret = (struct blob_file) { .fd = steal_fd(&fd) };
	return 0;
}

static int has_blob(struct place *p, const struct descriptor *d, bool *ret, struct error *err)
{
	struct stat st;

	(void)err;
	*ret = fstatat(of(p)->fd, hex_of(d->digest), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == d->size;
	return 0;
}

static int put_blob(struct place *p, const struct descriptor *d, const struct blob_file *file,
		    struct error *err)
{
	return blob_install(file, d->size, of(p)->fd, hex_of(d->digest), err);
}

static int put_document(struct place *p, const struct remote_document *doc,
			const struct manifest *m, bool top, struct error *err)
{
	autofree char *name =
		top ? xstrdup("manifest.json") : xasprintf("%s.manifest.json", hex_of(doc->digest));

	(void)m;
	return file_write_at(of(p)->fd, name, doc->bytes, doc->len, 0644, FILE_PLAIN, err);
}

static int finish(struct place *p, struct error *err)
{
	int r = file_write_at(of(p)->fd, "version", VERSION, strlen(VERSION), 0644, FILE_PLAIN,
			      err);

	if (r == 0 && syncfs(of(p)->fd) < 0)
		r = error_sys(err, -errno, "write %s to the disk", p->name);
	if (r == 0)
		of(p)->made = false;
	return r;
}

static void close_place(struct place *base)
{
	if (of(base)->made)
		ignore_result(dir_remove_at(AT_FDCWD, base->name, NULL));
	if (of(base)->fd >= 0)
		(void)close(of(base)->fd);
	free(base->name);
	free(base);
}

static const struct place_ops dir_ops = {
	.get_document = get_document,
	.get_blob = get_blob,
	.has_blob = has_blob,
	.put_blob = put_blob,
	.put_document = put_document,
	.finish = finish,
	.close = close_place,
};

int place_open_dir(const struct place_context *c, const char *text, bool writing,
		   struct place **ret, struct error *err)
{
	struct dir_place *p = xnew(struct dir_place);
	cleanup(place_cleanup) struct place *base = &p->base;
	int r;

	(void)c;
	p->fd = -1;
	*base = (struct place) {
		.ops = &dir_ops, .transport = "dir", .tmp_fd = -1, .name = xstrdup(text)
	};
	r = writing ? place_make_dir(text, &p->fd, &p->made, err)
		    : dir_open_at(AT_FDCWD, text, &p->fd, err);
	if (r < 0)
		return r;
	base->tmp_fd = p->fd;
	*ret = steal_ptr(&base);
	return 0;
}
