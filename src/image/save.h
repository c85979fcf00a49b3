/* src/image/save.h - images out of the store, in the forms that others read. */
#ifndef IMAGE_SAVE_H
#define IMAGE_SAVE_H

#include "base/error.h"
#include "base/strv.h"
#include "image/inflate.h"

struct db;

enum save_format {
	SAVE_DOCKER_ARCHIVE, /* docker save: layers unpacked, by diff ID; manifest.json */
	SAVE_DOCKER_DIR,     /* one image: skopeo's dir: */
	SAVE_OCI_ARCHIVE,    /* an OCI layout as a tar; blobs and manifests as they came */
	SAVE_OCI_DIR,
};

struct save_request {
	const char *root;
	int root_fd;
	enum save_format format;
	const char *path; /* "-": standard output */
	/* Of layers in OCI and dir: forms.  any: as they are kept, and as archives if they are not.
	 */
	enum packing packing;
	bool any;
	const struct strv *images; /* names or IDs; a name is saved along */
	/* In place of those, one for each image, canonical, "": none; NULL. */
	const struct strv *names;
	/* OCI forms: one index that lists all the images, and has the names; NULL. */
	const struct save_index *index;
	/* OCI forms: of what the layout lists, that index or else the manifests, NAME=VALUE; NULL.
	 */
	const struct strv *annotations;
};

struct save_index {
	const char *bytes, *media_type;
	size_t len;
	const struct strv *names;
};

/* -EINVAL: no such format. */
int save_format_parse(const char *text, enum save_format *ret) must_check;
int image_save(struct db *db, const struct save_request *req, struct error *err) must_check;

#endif
