/* src/image/tree.h - an image layer by layer: what each brought, what later ones hide, who else has
 * it, and which images it is built on.
 */
#ifndef IMAGE_TREE_H
#define IMAGE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct db;
struct image;

struct tree_layer {
	const char *chain; /* borrowed from the image */
	int64_t size, disk;
	char *made_by;       /* "" if the history does not say */
	int64_t hidden;      /* bytes of its files that a layer above replaces or removes */
	struct strv bases;   /* names (or short IDs) of images that end here */
	struct strv sharers; /* of others that have it */
};

struct tree_hidden {
	char *path;
	size_t layer; /* that brought it */
	int64_t size;
};

struct tree {
	struct tree_layer *layers; /* the lowest first */
	size_t n;
	int64_t size, hidden;
	struct tree_hidden *worst; /* the largest hidden files, the largest first */
	size_t nworst;
	char *distribution; /* "debian 12", "none" */
};

#define TREE_WORST_MAX 10
#define TREE_WORST_MIN 1024 /* bytes; less is not worth a line */

int tree_read(struct db *db, const char *root, int root_fd, const struct image *image,
	      struct tree *ret, struct error *err) must_check;
void tree_done(struct tree *tree);

enum tree_change { TREE_NOTHING, TREE_BROUGHT, TREE_CHANGED, TREE_REMOVED };

/* What each layer did to one path; links in the way to it are followed as in the whole image.
 * ret has a place for each layer.  Returns -ENOENT if no layer knows it.
 */
int tree_trace(const char *root, const struct image *image, const char *path, enum tree_change *ret,
	       char **ret_path, struct error *err) must_check;

/* Every entry of one layer, as "0644 12 /etc/passwd", "removed /etc/motd". */
int tree_list(const char *root, const char *chain, void (*fn)(void *data, const char *text),
	      void *data, struct error *err) must_check;

#endif
