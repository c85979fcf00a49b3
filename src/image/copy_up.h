/* src/image/copy_up.h - a file of a layer below as a file of this one, as overlayfs would make it.
 */
#ifndef IMAGE_COPY_UP_H
#define IMAGE_COPY_UP_H

#include <sys/stat.h>

#include "base/macros.h"

/* handle is one of O_PATH, st what it is; holes stay holes. */
int copy_up_file(int handle, const struct stat *st, int dir, const char *name) must_check;
int copy_up_symlink(int handle, const struct stat *st, int dir, const char *name) must_check;

/* Files below that have a copy here already: other names of theirs are links to that.  A thousand
 * or so are remembered, the later ones of two that do not fit together.
 */
struct copies;
struct copies *copies_new(void);
void copies_free(struct copies *copies);
/* 1, or 0 if there is no copy, or it is not any more what it was. */
int copies_link(const struct copies *copies, int root, const struct stat *st, int dir,
		const char *name) must_check;
/* path, below root, is name in dir. */
void copies_note(struct copies *copies, const struct stat *st, const char *path, int dir,
		 const char *name);

#endif
