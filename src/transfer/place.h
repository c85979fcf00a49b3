/* src/transfer/place.h - where an image is copied from or to: a registry, the store, a directory,
 * an archive.
 *
 * Documents are handed over whole, blobs as open files.  What a place gives has been checked
 * against its digest by the place; get_blob, has_blob and put_blob are called by several threads at
 * once.
 */
#ifndef TRANSFER_PLACE_H
#define TRANSFER_PLACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "transfer/manifest.h"
#include "transfer/remote.h"

struct place;

/* size bytes of a file from offset; the descriptor is the receiver's. */
struct blob_file {
	int fd;
	int64_t offset;
};

struct place_ops {
	/* digest NULL: what the place was opened for. */
	int (*get_document)(struct place *p, const char *digest, struct remote_document *ret,
			    struct error *err);
	/* tmp_fd: a directory for a nameless file, if it has to be one. */
	int (*get_blob)(struct place *p, const struct descriptor *d, int tmp_fd, atomic_llong *got,
			struct blob_file *ret, struct error *err);
	int (*has_blob)(struct place *p, const struct descriptor *d, bool *ret, struct error *err);
	int (*put_blob)(struct place *p, const struct descriptor *d, const struct blob_file *file,
			struct error *err);
	/* top: it is what the place was opened for, and gets its name. */
	int (*put_document)(struct place *p, const struct remote_document *doc,
			    const struct manifest *m, bool top, struct error *err);
	int (*finish)(struct place *p, struct error *err);
	void (*close)(struct place *p);
};

struct place {
	const struct place_ops *ops;
	const char *transport; /* "docker", "oci", ... */
	char *name;            /* for people and for the policy */
	int tmp_fd;            /* where files for it are best made; -1 */
	bool oci_only;         /* readers of it know no manifests of Docker's kind */
	struct remote *remote; /* of a registry; borrowed by others */
	char *repository;
};

struct db;
struct remote_options;

/* What all places may need. */
struct place_context {
	struct db *db;
	const char *root;
	int root_fd;
	int tmp_fd; /* the store's own, for what has to be a file for a while */
	const struct remote_options *remote;
	struct remote *open; /* NULL, or one in which the name of a registry was announced */
	int64_t chunk;
	uint64_t *left_out; /* device files that may not be made in the store are added; or NULL */
	const char *compression;   /* of layers that have to be packed: "gzip" and so on */
	const char *format;        /* of a manifest that has to be made: "oci", "docker" */
	const char *mount_from[4]; /* repositories of the same registry that may have its blobs */
};

/* text is "docker://NAME", "oci:DIR:TAG" and so on. */
int place_open(const struct place_context *c, const char *text, bool writing, struct place **ret,
	       struct error *err) must_check;
void place_close(struct place *p);
DEFINE_CLEANUP(struct place *, place, place_close);

/* One for each transport; text is what stands behind the colon. */
int place_open_registry(const struct place_context *c, const char *text, bool writing,
			struct place **ret, struct error *err) must_check;
int place_open_store(const struct place_context *c, const char *text, bool writing,
		     struct place **ret, struct error *err) must_check;
int place_open_layout(const struct place_context *c, const char *text, bool writing,
		      struct place **ret, struct error *err) must_check;
int place_open_layout_archive(const struct place_context *c, const char *text, bool writing,
			      struct place **ret, struct error *err) must_check;
int place_open_docker_archive(const struct place_context *c, const char *text, bool writing,
			      struct place **ret, struct error *err) must_check;
int place_open_dir(const struct place_context *c, const char *text, bool writing,
		   struct place **ret, struct error *err) must_check;

/* A document under a tag of its own, where there are tags. */
int place_put_tagged(struct place *p, const struct remote_document *doc, const struct manifest *m,
		     const char *tag, struct error *err) must_check;

/* The directory of a place that is written to; ret_made: it was not there. */
int place_make_dir(const char *path, int *ret, bool *ret_made, struct error *err) must_check;
/* Shared: a nameless file; a blob's bytes into another file; "PATH:TAG" apart. */
int place_tmp_file(int dir, int *ret, struct error *err) must_check;
int blob_copy(const struct blob_file *from, int64_t size, int to, struct error *err) must_check;
void place_split(const char *text, char **ret_path, char **ret_tag);
/* A file in dir under a name, as a whole. */
int blob_install(const struct blob_file *from, int64_t size, int dir, const char *name,
		 struct error *err) must_check;

#endif
