/* src/builder/listing.h - the files that a COPY or ADD takes from a tree: found by pattern, without
 * what is ignored, in one order, with a digest of what they say.
 *
 * The tree is a context, or the root of a stage or image, and hostile: links in a source's path are
 * followed inside the tree, those in what is copied not at all.
 */
#ifndef BUILDER_LISTING_H
#define BUILDER_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"
#include "image/digest.h"

struct ignore;

#define LISTING_MAX 4000000 /* entries; as many as a layer may have, about */

struct listing_entry {
	char *path; /* below the item; "" is the item itself */
	struct stat st;
	bool hidden; /* an ignored directory, there for what is taken back in it */
};

/* What one source's pattern matched. */
struct listing_item {
	char *name;   /* its last component; "" for the tree itself */
	char *path;   /* in the tree, as it was found */
	size_t pivot; /* of path: what stands before it is no parent that is kept */
	struct listing_entry
		*parents; /* that are kept, the uppermost first; paths from the pivot */
	size_t nparents, parents_room;
	bool is_dir;
	int dir; /* for reading: the directory itself, or the one that the file is in */
	struct listing_entry *entries;
	size_t n, room;
};

struct listing {
	struct listing_item *items;
	size_t n, room;
	size_t total;
};

struct listing_request {
	int root;
	const struct ignore *ignore;  /* NULL: none */
	const struct ignore *exclude; /* of the instruction; NULL: none */
	bool keeps_parents;    /* --parents: "/./" is the pivot, ** any number of directories */
	bool owners_count;     /* they are copied along, so the digest needs them */
	bool attributes_count; /* the extended ones, likewise */
	const char *what;      /* the tree's name in errors: "the context" */
};

/* Adds what a source matches: at least one item or -ENOENT, unless exclude leaves it out. */
int listing_add(struct listing *list, const struct listing_request *req, const char *source,
		struct error *err) must_check;
/* A path as it is, or "." for the whole tree: no pattern. */
int listing_add_whole(struct listing *list, const struct listing_request *req, const char *path,
		      struct error *err) must_check;
void listing_done(struct listing *list);

/* Names, kinds, modes, sizes, targets of links, contents; times are nothing that matters. */
int listing_digest(const struct listing *list, const struct listing_request *req,
		   char ret[DIGEST_HEX_LEN + 1], struct error *err) must_check;
/* The same without a look into files: what the kernel says of each.  Equal stamps mean equal
 * contents.  false: something changed so lately that a stamp means nothing.
 */
bool listing_stamp(const struct listing *list, char ret[DIGEST_HEX_LEN + 1]);
/* The path of what is no longer as it was when it was listed, so that what was read of it since may
 * be two things; the caller frees.  NULL: there is none.  with_names: nor may names have come or
 * gone.
 */
char *listing_find_changed(const struct listing *list, bool with_names);
/* The directory that an entry is in, below item->dir; kept for the next one. */
struct listing_place {
	const struct listing_item *item;
	char *dir;
	int fd;
};
#define LISTING_PLACE_INIT ((struct listing_place) { .fd = -1 })
int listing_open(struct listing_place *place, const struct listing_item *item, const char *path,
		 int *ret_dir, const char **ret_name, struct error *err) must_check;
void listing_place_done(struct listing_place *place);

#endif
