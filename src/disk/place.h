/* src/disk/place.h - what is added to a tree beyond its source: each piece told, then put.
 *
 * A script does the same to "$tree", which for a directory is a copy of it from the first piece on.
 */
#ifndef DISK_PLACE_H
#define DISK_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"

struct disk_source;
struct file;

struct placing {
	struct disk_source *source;
	struct timespec mtime; /* of what is put */
};

struct owner {
	mode_t mode; /* permissions */
	uint32_t uid, gid;
};

#define PLACED_TEXT_MAX (1U << 20)

/* Before the first change: a script's tree is its own from here on. */
void place_begin(struct placing *p);

/* All paths are relative, "etc/hostname"; links on the way are followed inside of the tree. */
int place_text(struct placing *p, const char *why, const char *path, struct owner owner,
	       const char *text, struct error *err) must_check;
int place_link(struct placing *p, const char *why, const char *path, const char *target,
	       struct error *err) must_check;
/* One that is there keeps its owner and mode. */
int place_dir(struct placing *p, const char *path, struct owner owner,
	      struct error *err) must_check;

/* A text of the tree, NUL-terminated, the caller frees; -ENOENT without a text: it is not there. */
int place_read(const struct placing *p, const char *path, char **ret, struct error *err) must_check;
/* For a script: where path is, links followed inside of the tree; it is there.  The caller frees.
 */
char *place_real(const struct placing *p, const char *path);
/* Other bytes for a file that is there, which keeps everything else; told by the caller. */
void place_rewrite(struct placing *p, const char *path, char *text);

#endif
