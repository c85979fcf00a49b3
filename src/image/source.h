/* src/image/source.h - where images are loaded from: an archive, or a directory.
 *
 * Of an archive that is a plain file the headers are read, and its members stay where they are. One
 * that is compressed or comes through a pipe is read through once, and the order of its members
 * does not matter: a plain layer is unpacked as it comes, if it is wanted unpacked (staged.h); each
 * other member becomes a nameless temporary file, and a packed layer's is given its blob's name
 * later. Members that are links to others (docker save wrote such) are resolved here; nothing is
 * ever looked up outside.
 */
#ifndef IMAGE_SOURCE_H
#define IMAGE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct source;
struct staged;

/* path "-" is standard input.  tmp_fd: the directory for temporary files.  root_fd: the store whose
 * tmp_fd it is, for layers to be unpacked; -1.
 */
int source_open(const char *path, int tmp_fd, int root_fd, struct source **ret,
		struct error *err) must_check;
void source_close(struct source *s);
DEFINE_CLEANUP(struct source *, source, source_close);

bool source_has(const struct source *s, const char *name);
/* A member: ret_size bytes of a file from ret_offset.  The descriptor is the caller's; its position
 * means nothing.  -ENOENT.
 */
int source_get(const struct source *s, const char *name, int *ret_fd, int64_t *ret_offset,
	       int64_t *ret_size, struct error *err) must_check;
/* It is a nameless file of its own below tmp_fd, which source_get() gives from its start: linked to
 * a name it is what would else be copied.
 */
bool source_is_separate(const struct source *s, const char *name);
/* A layer that has been unpacked; source_get() makes a file of it again.  NULL. */
struct staged *source_staged(const struct source *s, const char *name);
/* A whole document. */
int source_read(const struct source *s, const char *name, size_t max, char **ret, size_t *ret_len,
		struct error *err) must_check;

#endif
