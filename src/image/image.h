/* src/image/image.h - the images that are there.
 *
 * An image is its config document, known by that document's digest (64 hex digits, the image ID),
 * and a list of layers, known by their chain IDs (image-spec config.md "Layer ChainID"), unpacked
 * in ROOT/layers/CHAIN/diff.  Documents are in ROOT/blobs/sha256/HEX.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct db;

/* What the image says about running it; config.md "Properties". */
struct image_config {
	struct strv entrypoint, cmd, env;
	struct strv volumes, exposed_ports; /* noted; nothing is mounted or published for them */
	struct strv labels;                 /* NAME=VALUE */
	char *user, *workdir, *stop_signal; /* NULL if not given */
	char *architecture, *os;
	char *created; /* as the document has it */
};

struct image {
	char id[65];
	int64_t size; /* of the unpacked layers, bytes */
	int64_t loaded_ns;
	struct strv names;  /* "docker.io/library/web:latest" */
	struct strv layers; /* chain IDs, the lowest first */
	struct image_config config;
};

/* What a list shows of an image's config, kept in its row. */
struct image_summary {
	char platform[128]; /* "linux/arm64/v8" */
	char created[64];
};

int image_summary_parse(const char *bytes, size_t len, struct image_summary *ret,
			struct error *err) must_check;

void image_free(struct image *image);
DEFINE_CLEANUP(struct image *, image, image_free);
void image_config_done(struct image_config *config);

/* A config document; hostile. */
int image_config_parse(const json_t *doc, struct image_config *ret, struct error *err) must_check;

/* By name ("web", "web:1", "quay.io/a/b@sha256:..."), by ID or the start of one.  -ENOENT. */
int image_find(struct db *db, int root_fd, const char *what, struct image **ret,
	       struct error *err) must_check;
/* The same without its config, which may be what is damaged. */
int image_find_rows(struct db *db, const char *what, struct image **ret,
		    struct error *err) must_check;
/* By whole ID. */
int image_load(struct db *db, int root_fd, const char *id, struct image **ret,
	       struct error *err) must_check;
int image_ids(struct db *db, struct strv *ret, struct error *err) must_check; /* newest first */
/* The overlay's lower directories, the uppermost first. */
void image_lower_dirs(const char *root, const struct image *image, struct strv *ret);
/* After a failure to use those: if one is gone, that is why, and err says so in one line.  name is
 * what the user called it; NULL: its own.
 */
void image_name_lost(const char *root, const struct image *image, const char *name,
		     struct error *err);

/* Gives an image a name, taking it from another, or from an index.  Inside or outside a
 * transaction. */
int image_name_set(struct db *db, const char *name, const char *id, struct error *err) must_check;

/* Takes a name away; with the last one (or by ID) the image, its documents and the layers that no
 * other image has.  -EBUSY if a container uses it, or if it has several names and none was given;
 * force, by ID, takes all names along, and by name takes the last name of one that is used.  Each
 * step is told through report ("Untagged: ...", "Deleted: ...").
 */
int image_remove(struct db *db, int root_fd, const char *what, bool force,
		 void (*report)(void *data, const char *text), void *data,
		 struct error *err) must_check;

/* What a killed load left, documents and layers that no image has, images whose files are gone.
 * Returns the number of findings; *ret_left (may be NULL) are those last ones, which no repair here
 * brings back.
 */
int image_check(struct db *db, int root_fd, bool repair,
		void (*report)(void *data, const char *text), void *data, int *ret_left,
		struct error *err) must_check;

/* What a command left that was killed while it held the store (incoming.h): looked for by every
 * command, in one directory that is empty otherwise.
 */
void image_sweep(struct db *db, int root_fd);
/* The same after one that has failed and let go of the store: layers that were whole already. */
void image_sweep_failed(struct db *db, int root_fd);

/* What a lost database knew, from the files.  Inside a transaction. */
int image_restore(struct db *db, int root_fd, struct error *err) must_check;

#endif
